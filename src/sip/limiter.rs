//! How often an address may fail to prove a password before it is shut out for a minute.
//!
//! What it is shut out from is the registrar's affair.

use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// So many wrong passwords within [`PERIOD`] shut an address out for another [`PERIOD`].
pub const FAILURES_MAX: u32 = 20;
pub const PERIOD: Duration = Duration::from_secs(60);
/// Most addresses remembered; the one that failed longest ago is forgotten first.
const ADDRESSES_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub struct Limiter {
    /// Failures, and when they are forgotten.
    failures: BTreeMap<IpAddr, (u32, Time)>,
    by_end: BTreeSet<(Time, IpAddr)>,
}

impl Limiter {
    pub fn is_blocked(&mut self, now: Time, address: IpAddr) -> bool {
        self.forget(now);
        self.failures.get(&network(address)).is_some_and(|(count, _)| *count >= FAILURES_MAX)
    }

    pub fn failed(&mut self, now: Time, address: IpAddr) {
        self.forget(now);
        let address = network(address);
        let (count, end) = self.failures.get(&address).copied().unwrap_or((0, now + PERIOD));
        self.by_end.remove(&(end, address));
        let count = count.saturating_add(1);
        // The minute of refusal begins with the failure that is one too many.
        let end = if count == FAILURES_MAX { now + PERIOD } else { end };
        if self.failures.len() >= ADDRESSES_MAX
            && let Some((_, oldest)) = self.by_end.pop_first()
        {
            self.failures.remove(&oldest);
        }
        self.failures.insert(address, (count, end));
        self.by_end.insert((end, address));
    }

    fn forget(&mut self, now: Time) {
        while let Some((end, address)) = self.by_end.first().copied()
            && end <= now
        {
            self.by_end.pop_first();
            self.failures.remove(&address);
        }
    }
}

/// An IPv6 peer has a whole /64 to itself.
fn network(address: IpAddr) -> IpAddr {
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
    fn an_address_that_guesses_is_shut_out_for_a_minute_and_nobody_else() {
        let mut limiter = Limiter::default();
        for failure in 0..FAILURES_MAX {
            assert!(!limiter.is_blocked(Time::ZERO, GUESSER), "after {failure}");
            limiter.failed(Time::ZERO, GUESSER);
        }
        assert!(limiter.is_blocked(Time::from_millis(59_999), GUESSER));
        assert!(!limiter.is_blocked(Time::ZERO, OTHER));
        assert!(!limiter.is_blocked(Time::from_millis(60_000), GUESSER));
    }

    #[test]
    fn memory_is_bounded() {
        let mut limiter = Limiter::default();
        for number in 0..ADDRESSES_MAX as u32 + 5 {
            limiter.failed(Time::from_micros(u64::from(number)), IpAddr::V4(Ipv4Addr::from_bits(number)));
        }
        assert_eq!((limiter.failures.len(), limiter.by_end.len()), (ADDRESSES_MAX, ADDRESSES_MAX));
    }

    #[test]
    fn neighbours_in_a_64_are_one() {
        let mut limiter = Limiter::default();
        for host in 0..FAILURES_MAX as u16 {
            limiter.failed(Time::ZERO, IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 1, 2, 3, host)));
        }
        assert!(limiter.is_blocked(Time::ZERO, IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 9, 9, 9, 9))));
        assert!(!limiter.is_blocked(Time::ZERO, IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9))));
    }
}
