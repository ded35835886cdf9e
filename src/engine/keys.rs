//! Phones that send a key both ways, as RFC 4733 events and by SIP INFO: each press counts once.
//!
//! INFO is often sent only when the key is released, so the time of a pair is counted from there.

use crate::key::Key;
use crate::time::Time;
use std::time::Duration;

/// The second telling comes within this time of the first, or of the key's release.
const PAIR: Duration = Duration::from_millis(500);

/// How a key came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyWay {
    Rtp,
    Info,
}

/// Presses of one key that one way has told and the other has not yet.
#[derive(Clone, Copy, Default, Debug)]
pub struct KeysTold {
    unpaired: Option<Unpaired>,
}

#[derive(Clone, Copy, Debug)]
struct Unpaired {
    key: Key,
    way: KeyWay,
    presses: u32,
    newest: Time,
}

impl KeysTold {
    /// Is this a new press, or one that was told the other way already?
    pub fn takes(&mut self, now: Time, key: Key, way: KeyWay) -> bool {
        let same = self.unpaired.as_mut().filter(|told| told.key == key && now.since(told.newest) < PAIR);
        match same {
            Some(told) if told.way == way => {
                told.presses = told.presses.saturating_add(1);
                told.newest = now;
            }
            Some(told) if told.presses > 0 => {
                told.presses -= 1;
                return false;
            }
            _ => self.unpaired = Some(Unpaired { key, way, presses: 1, newest: now }),
        }
        true
    }

    /// The key's event is over: its INFO may come only now.
    pub fn released(&mut self, now: Time, key: Key) {
        if let Some(told) = self.unpaired.as_mut().filter(|told| told.key == key && told.way == KeyWay::Rtp) {
            told.newest = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(told: &[(u64, char, KeyWay)]) -> usize {
        let mut keys = KeysTold::default();
        let take = |(at, key, way): &(u64, char, KeyWay)| {
            keys.takes(Time::from_millis(*at), Key::from_char(*key).unwrap(), *way)
        };
        told.iter().map(take).filter(|new| *new).count()
    }

    #[test]
    fn a_key_told_both_ways_counts_once_and_two_quick_ones_count_twice() {
        use KeyWay::{Info, Rtp};
        assert_eq!(count(&[(0, '0', Rtp), (90, '0', Info)]), 1);
        assert_eq!(count(&[(0, '0', Info), (90, '0', Rtp)]), 1);
        assert_eq!(count(&[(0, '0', Rtp), (90, '0', Info), (300, '0', Rtp), (390, '0', Info)]), 2);
        assert_eq!(count(&[(0, '0', Rtp), (200, '0', Rtp), (210, '0', Info), (420, '0', Info)]), 2);
        assert_eq!(count(&[(0, '0', Info), (200, '0', Info), (900, '0', Info)]), 3, "a phone with one way");
        assert_eq!(count(&[(0, '0', Rtp), (90, '1', Info), (900, '0', Info)]), 3);
    }

    #[test]
    fn the_info_of_a_long_key_comes_at_its_release() {
        let mut keys = KeysTold::default();
        assert!(keys.takes(Time::ZERO, Key::HUMAN, KeyWay::Rtp));
        keys.released(Time::from_millis(3000), Key::HUMAN);
        assert!(!keys.takes(Time::from_millis(3100), Key::HUMAN, KeyWay::Info));
    }
}
