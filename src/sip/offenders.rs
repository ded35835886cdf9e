//! Who is told to the operator's log, and how often: one line for each offender, offence and minute, whatever arrives.
//!
//! The lines are what fail2ban reads; their words are the shell's. Counting decides nothing: refusing is done elsewhere.

use super::limiter::network;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// What an address is reported for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Offence {
    /// Names itself as a known scanner.
    Scanner,
    /// Wrong passwords.
    Passwords,
    /// More requests than strangers may send.
    Requests,
    /// More calls at once than one stranger may hold.
    Calls,
    /// Tries one number that nobody has published after the other.
    Numbers,
    /// Names calls that there are not, or are not its own (BYE, CANCEL and the like).
    Dialogs,
    /// More TCP connections than one address may hold, or messages on them that never end.
    Connections,
}

impl Offence {
    pub const fn as_str(self) -> &'static str {
        match self {
            Offence::Scanner => "scanner",
            Offence::Passwords => "passwords",
            Offence::Requests => "requests",
            Offence::Calls => "calls",
            Offence::Numbers => "numbers",
            Offence::Dialogs => "dialogs",
            Offence::Connections => "connections",
        }
    }

    /// So many within [`PERIOD`] are reported. Fewer happen to honest phones: a wrong number, a call that our restart cut.
    const fn threshold(self) -> u32 {
        match self {
            Offence::Scanner | Offence::Passwords | Offence::Requests | Offence::Calls => 1,
            Offence::Connections => 10,
            Offence::Numbers => 30,
            Offence::Dialogs => 100,
        }
    }
}

pub const PERIOD: Duration = Duration::from_secs(60);
/// Most offenders remembered; the one whose minute ends first is forgotten first.
const REMEMBERED_MAX: usize = 10_000;
/// Most lines of one offence in a [`PERIOD`]: a flood under ever new false addresses must not fill the disk.
pub const LINES_MAX: u32 = 100;

/// The offenders of the last minute.
#[derive(Debug, Default)]
pub struct Offenders {
    counts: BTreeMap<(IpAddr, Offence), (u32, Time)>,
    by_end: BTreeSet<(Time, IpAddr, Offence)>,
    /// Lines of each offence, and when they are counted anew.
    lines: BTreeMap<Offence, (u32, Time)>,
}

impl Offenders {
    /// Counts one. `true`: it is time for a line.
    pub fn note(&mut self, now: Time, address: IpAddr, offence: Offence) -> bool {
        self.forget(now);
        let address = network(address);
        let (count, end) = self.counts.get(&(address, offence)).copied().unwrap_or((0, now + PERIOD));
        let count = count.saturating_add(1);
        if count == 1 {
            if self.counts.len() >= REMEMBERED_MAX
                && let Some((_, address, offence)) = self.by_end.pop_first()
            {
                self.counts.remove(&(address, offence));
            }
            self.by_end.insert((end, address, offence));
        }
        self.counts.insert((address, offence), (count, end));
        count == offence.threshold() && self.has_line(now, offence)
    }

    fn has_line(&mut self, now: Time, offence: Offence) -> bool {
        let (lines, until) = self.lines.entry(offence).or_insert((0, now + PERIOD));
        if now >= *until {
            (*lines, *until) = (0, now + PERIOD);
        }
        *lines += 1;
        *lines <= LINES_MAX
    }

    fn forget(&mut self, now: Time) {
        while let Some((end, address, offence)) = self.by_end.first().copied()
            && end <= now
        {
            self.by_end.pop_first();
            self.counts.remove(&(address, offence));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const OFFENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 66));

    #[test]
    fn one_line_for_each_offender_and_minute() {
        let mut offenders = Offenders::default();
        for (from, lines) in [(0, 1), (59_999, 0), (60_000, 1)] {
            let told =
                (0..5000).filter(|_| offenders.note(Time::from_millis(from), OFFENDER, Offence::Requests)).count();
            assert_eq!(told, lines, "at {from} ms");
        }
        assert!(offenders.note(Time::from_millis(60_000), OFFENDER, Offence::Scanner), "another offence");
    }

    #[test]
    fn what_happens_to_honest_phones_is_not_told() {
        let mut offenders = Offenders::default();
        let mut told = |count: u32| (0..count).any(|_| offenders.note(Time::ZERO, OFFENDER, Offence::Numbers));
        assert!(!told(29));
        assert!(told(1));
    }

    #[test]
    fn lines_and_memory_are_bounded_under_ever_new_addresses() {
        let mut offenders = Offenders::default();
        let mut flood = |millis: u64| {
            let told = |number: &u32| {
                let address = IpAddr::V4(Ipv4Addr::from_bits(*number));
                offenders.note(Time::from_millis(millis), address, Offence::Requests)
            };
            (0..20_000).filter(told).count() as u32
        };
        assert_eq!((flood(0), flood(60_000)), (LINES_MAX, LINES_MAX));
        assert!(offenders.note(Time::from_millis(60_000), OFFENDER, Offence::Calls), "no flood hides another offence");
        assert_eq!((offenders.counts.len(), offenders.by_end.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
    }
}
