//! How often an address may fail to prove a password before it is shut out for a minute.
//!
//! Counted for each name that is tried, so that one phone with an old password does not shut out its whole office; and,
//! with a higher bound, for the address, so that many names are no way around it. Whom to spare is the registrar's affair.

use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// So many wrong passwords for one name within [`PERIOD`] shut that name out, from this address, for another [`PERIOD`].
pub const FAILURES_MAX: u32 = 20;
/// So many for any names shut out the address.
pub const ADDRESS_FAILURES_MAX: u32 = 200;
pub const PERIOD: Duration = Duration::from_secs(60);
/// Most names and addresses remembered; the one that failed longest ago is forgotten first.
const REMEMBERED_MAX: usize = 10_000;
/// Longer names are cut: they are nobody's.
const NAME_BYTES_MAX: usize = 64;

/// Who fails: an address with a name it tries, or (no name) the address.
type Source = (IpAddr, Vec<u8>);

#[derive(Debug, Default)]
pub struct Limiter {
    /// Failures, and when they are forgotten.
    failures: BTreeMap<Source, (u32, Time)>,
    by_end: BTreeSet<(Time, Source)>,
}

impl Limiter {
    pub fn is_blocked(&mut self, now: Time, address: IpAddr, name: &str) -> bool {
        self.forget(now);
        let count = |source: &Source| self.failures.get(source).map_or(0, |(count, _)| *count);
        let [named, whole] = sources(address, name);
        count(&named) >= FAILURES_MAX || count(&whole) >= ADDRESS_FAILURES_MAX
    }

    /// `true`: with this failure the name or the address is shut out.
    pub fn failed(&mut self, now: Time, address: IpAddr, name: &str) -> bool {
        self.forget(now);
        let [named, whole] = sources(address, name);
        let name_is_out = self.count(now, named, FAILURES_MAX);
        self.count(now, whole, ADDRESS_FAILURES_MAX) || name_is_out
    }

    fn count(&mut self, now: Time, source: Source, most: u32) -> bool {
        let (count, end) = self.failures.get(&source).copied().unwrap_or((0, now + PERIOD));
        self.by_end.remove(&(end, source.clone()));
        let count = count.saturating_add(1);
        // The minute of refusal begins with the failure that is one too many.
        let end = if count == most { now + PERIOD } else { end };
        if self.failures.len() >= REMEMBERED_MAX
            && let Some((_, oldest)) = self.by_end.pop_first()
        {
            self.failures.remove(&oldest);
        }
        self.failures.insert(source.clone(), (count, end));
        self.by_end.insert((end, source));
        count == most
    }

    fn forget(&mut self, now: Time) {
        while let Some((end, source)) = self.by_end.first().cloned()
            && end <= now
        {
            self.by_end.pop_first();
            self.failures.remove(&source);
        }
    }
}

fn sources(address: IpAddr, name: &str) -> [Source; 2] {
    let address = network(address);
    let name = name.as_bytes();
    // With a byte before it even an empty name is not the address itself.
    let named = [b"=", &name[..name.len().min(NAME_BYTES_MAX)]].concat();
    [(address, named), (address, Vec::new())]
}

/// An IPv6 peer has a whole /64 to itself.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const GUESSER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 66));
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 67));

    #[test]
    fn a_name_that_is_guessed_at_is_shut_out_for_a_minute_and_no_other() {
        let mut limiter = Limiter::default();
        for failure in 1..=FAILURES_MAX {
            assert!(!limiter.is_blocked(Time::ZERO, GUESSER, "1001"), "before {failure}");
            assert_eq!(limiter.failed(Time::ZERO, GUESSER, "1001"), failure == FAILURES_MAX);
        }
        assert!(limiter.is_blocked(Time::from_millis(59_999), GUESSER, "1001"));
        assert!(!limiter.is_blocked(Time::ZERO, GUESSER, "1002"), "her colleague behind the same address");
        assert!(!limiter.is_blocked(Time::ZERO, OTHER, "1001"));
        assert!(!limiter.is_blocked(Time::from_millis(60_000), GUESSER, "1001"));
    }

    #[test]
    fn many_names_shut_out_the_address() {
        let mut limiter = Limiter::default();
        for name in 0..ADDRESS_FAILURES_MAX {
            assert!(!limiter.is_blocked(Time::ZERO, GUESSER, "1001"));
            limiter.failed(Time::ZERO, GUESSER, &name.to_string());
        }
        assert!(limiter.is_blocked(Time::ZERO, GUESSER, "1001"));
        assert!(!limiter.is_blocked(Time::ZERO, OTHER, "1001"));
    }

    #[test]
    fn memory_is_bounded() {
        let mut limiter = Limiter::default();
        for number in 0..REMEMBERED_MAX as u32 {
            limiter.failed(Time::from_micros(u64::from(number)), IpAddr::V4(Ipv4Addr::from_bits(number)), "1001");
        }
        assert_eq!((limiter.failures.len(), limiter.by_end.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
    }

    #[test]
    fn neighbours_in_a_64_are_one() {
        let mut limiter = Limiter::default();
        for host in 0..FAILURES_MAX as u16 {
            let address = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 1, 2, 3, host));
            limiter.failed(Time::ZERO, address, "1001");
        }
        let neighbour = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 9, 9, 9, 9));
        assert!(limiter.is_blocked(Time::ZERO, neighbour, "1001"));
        assert!(!limiter.is_blocked(Time::ZERO, IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9)), "1001"));
    }
}
