//! A key of a telephone's keypad (RFC 4733 §3.2, table 3).

use std::fmt;
use std::time::Duration;

/// One of the sixteen DTMF keys, held as its RFC 4733 event code (0 to 15).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u8);

/// A key that lasts so long is held (DESIGN §1).
pub const HELD: Duration = Duration::from_millis(800);

impl Key {
    /// The human key: it means a person, everywhere and for every line.
    pub const HUMAN: Key = Key(0);
    pub const STAR: Key = Key(10);
    pub const HASH: Key = Key(11);

    /// The key of an RFC 4733 event code; `None` for events that are no keys (flash, tones).
    pub const fn from_event(code: u8) -> Option<Key> {
        if code <= 15 { Some(Key(code)) } else { None }
    }

    /// The key written `0` to `9`, `*`, `#` or `A` to `D`.
    pub fn from_char(letter: char) -> Option<Key> {
        const LETTERS: &str = "0123456789*#ABCD";
        LETTERS.find(letter.to_ascii_uppercase()).map(|at| Key(at as u8))
    }

    pub const fn event_code(self) -> u8 {
        self.0
    }

    pub fn as_char(self) -> char {
        char::from(b"0123456789*#ABCD"[usize::from(self.0)])
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Key::STAR => f.write_str("star"),
            Key::HASH => f.write_str("hash"),
            key => write!(f, "{}", key.as_char()),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_code_up_to_fifteen_is_a_key_and_none_above() {
        for code in 0..=15 {
            let key = Key::from_event(code).unwrap();
            assert_eq!(Key::from_char(key.as_char()), Some(key));
            assert_eq!(key.event_code(), code);
        }
        assert_eq!(Key::from_event(16), None);
        assert_eq!(Key::from_char('x'), None);
    }
}
