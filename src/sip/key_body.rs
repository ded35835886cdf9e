//! Keys in the bodies of SIP INFO: `application/dtmf-relay` (`Signal=0` and `Duration=160` on lines of their own) and
//! `application/dtmf` (the key alone). No RFC has them; phones do.

use crate::key::Key;

/// What an INFO brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyBody {
    Key(Key, Option<u32>),
    /// Nothing: answered with 200 (RFC 6086 §4.2.2 allows an INFO without a body).
    Empty,
    /// A body that says no key, though its type promised one.
    Unreadable,
    /// A type that we do not know: 415.
    Unknown,
}

/// Reads the body of an INFO.
pub fn read(content_type: Option<&str>, body: &[u8]) -> KeyBody {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return KeyBody::Empty;
    }
    let kind = content_type.unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/dtmf-relay" => relay(text),
        "application/dtmf" => key_of(text).map_or_else(|| relay(text), |key| KeyBody::Key(key, None)),
        _ => KeyBody::Unknown,
    }
}

fn relay(text: &str) -> KeyBody {
    let value = |wanted: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    match value("Signal").and_then(key_of) {
        Some(key) => KeyBody::Key(key, value("Duration").and_then(|text| text.parse().ok())),
        None => KeyBody::Unreadable,
    }
}

/// A key by its letter or, for `*` and `#`, by its event code.
fn key_of(text: &str) -> Option<Key> {
    match text {
        "10" => Some(Key::STAR),
        "11" => Some(Key::HASH),
        "12" | "13" | "14" | "15" => text.parse().ok().and_then(Key::from_event),
        _ => {
            let mut letters = text.chars();
            let key = Key::from_char(letters.next()?)?;
            letters.next().is_none().then_some(key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: Option<&str> = Some("application/dtmf-relay");

    #[test]
    fn keys_are_read_in_every_form_that_phones_send() {
        let zero = |ms| KeyBody::Key(Key::HUMAN, ms);
        assert_eq!(read(RELAY, b"Signal=0\r\nDuration=160\r\n"), zero(Some(160)));
        assert_eq!(read(Some("Application/DTMF-Relay; charset=x"), b"signal = 0\nduration = 250"), zero(Some(250)));
        assert_eq!(read(RELAY, b"Signal=0\r\nDuration=long"), zero(None));
        assert_eq!(read(Some("application/dtmf"), b" 0\r\n"), zero(None));
        assert_eq!(read(Some("application/dtmf"), b"Signal=0\r\nDuration=90"), zero(Some(90)));
        for (text, key) in [("*", Key::STAR), ("10", Key::STAR), ("#", Key::HASH), ("11", Key::HASH)] {
            assert_eq!(read(RELAY, format!("Signal={text}").as_bytes()), KeyBody::Key(key, None));
        }
    }

    #[test]
    fn what_says_no_key_is_no_key() {
        assert_eq!(read(RELAY, b""), KeyBody::Empty);
        assert_eq!(read(None, b"\r\n"), KeyBody::Empty);
        assert_eq!(read(RELAY, b"Signal=!"), KeyBody::Unreadable);
        assert_eq!(read(RELAY, b"Signal=16"), KeyBody::Unreadable);
        assert_eq!(read(Some("application/xml"), b"<a/>"), KeyBody::Unknown);
        assert_eq!(read(None, b"Signal=0"), KeyBody::Unknown);
    }
}
