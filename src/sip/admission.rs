//! How much of what strangers send is looked at: so many requests a second for each address, before any state is made.
//!
//! A token bucket for each address and kind of request, kept as the moment at which it is full again: then it is as if the
//! address had never been heard of, and is forgotten. Who is no stranger (a trunk) is the stack's affair; wrong
//! passwords are counted by `limiter`.

use super::limiter::network;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// What strangers may do, for each address (of IPv6: each /64). Trunks have no such limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StrangerLimits {
    /// New INVITEs; five seconds' worth of them may come at once.
    pub calls_per_second: u32,
    /// Calls at once.
    pub calls_max: usize,
    /// REGISTER, and apart from it everything else that belongs to no call; twenty seconds' worth may come at once (an
    /// office whose phones all start after a power cut). Four times as many within calls.
    pub requests_per_second: u32,
}

impl Default for StrangerLimits {
    fn default() -> StrangerLimits {
        StrangerLimits { calls_per_second: 20, calls_max: 100, requests_per_second: 50 }
    }
}

/// What a request is counted as.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// An INVITE that would begin a call.
    Call,
    Register,
    /// Within a call that there is.
    InCall,
    /// OPTIONS, what is not served, what cannot be read, what names a call that there is not.
    Other,
}

/// Buckets that are not full; above it the one that will be full first is taken for full.
const BUCKETS_MAX: usize = 65_536;

#[derive(Debug)]
pub struct Admission {
    limits: StrangerLimits,
    full_at: BTreeMap<(IpAddr, Kind), Time>,
    by_time: BTreeSet<(Time, IpAddr, Kind)>,
}

impl Admission {
    pub fn new(limits: StrangerLimits) -> Admission {
        Admission { limits, full_at: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// Is there room for this request? It is counted if so: what is refused does not make it worse for what follows.
    pub fn admit(&mut self, now: Time, address: IpAddr, kind: Kind) -> bool {
        self.forget(now);
        let (per_second, burst_seconds) = self.rate(kind);
        let price = Duration::from_secs(1) / per_second.max(1);
        let address = network(address);
        let before = self.full_at.get(&(address, kind)).copied();
        let full_at = before.unwrap_or(now) + price;
        if full_at.since(now) > Duration::from_secs(burst_seconds) {
            return false;
        }
        match before {
            Some(before) => drop(self.by_time.remove(&(before, address, kind))),
            None if self.full_at.len() >= BUCKETS_MAX => {
                if let Some((_, address, kind)) = self.by_time.pop_first() {
                    self.full_at.remove(&(address, kind));
                }
            }
            None => {}
        }
        self.full_at.insert((address, kind), full_at);
        self.by_time.insert((full_at, address, kind));
        true
    }

    /// Requests a second, and how many seconds' worth may come at once.
    fn rate(&self, kind: Kind) -> (u32, u64) {
        match kind {
            Kind::Call => (self.limits.calls_per_second, 5),
            Kind::Register | Kind::Other => (self.limits.requests_per_second, 20),
            Kind::InCall => (self.limits.requests_per_second.saturating_mul(4), 20),
        }
    }

    fn forget(&mut self, now: Time) {
        while let Some((at, address, kind)) = self.by_time.first().copied()
            && at <= now
        {
            self.by_time.pop_first();
            self.full_at.remove(&(address, kind));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 66));
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 67));

    /// How many of `count` calls are let in at this moment.
    fn let_in(admission: &mut Admission, millis: u64, address: IpAddr, count: u32) -> u32 {
        (0..count).map(|_| u32::from(admission.admit(Time::from_millis(millis), address, Kind::Call))).sum()
    }

    #[test]
    fn a_burst_is_taken_and_then_so_many_a_second_whatever_was_refused() {
        let mut admission = Admission::new(StrangerLimits::default());
        assert_eq!(let_in(&mut admission, 0, STRANGER, 5000), 100);
        assert_eq!(let_in(&mut admission, 1000, STRANGER, 5000), 20);
        assert_eq!(let_in(&mut admission, 1050, STRANGER, 5000), 1);
        assert_eq!(let_in(&mut admission, 1050, OTHER, 5000), 100, "her neighbour");
        assert_eq!(let_in(&mut admission, 60_000, STRANGER, 5000), 100, "forgotten");
    }

    #[test]
    fn kinds_do_not_use_up_each_others_room() {
        let mut admission = Admission::new(StrangerLimits::default());
        let_in(&mut admission, 0, STRANGER, 5000);
        for (kind, room) in [(Kind::Register, 1000), (Kind::Other, 1000), (Kind::InCall, 4000)] {
            let let_in: u32 = (0..9000).map(|_| u32::from(admission.admit(Time::ZERO, STRANGER, kind))).sum();
            assert_eq!(let_in, room, "{kind:?}");
        }
    }

    #[test]
    fn a_flood_from_ever_new_addresses_takes_bounded_memory_and_is_forgotten() {
        let mut admission = Admission::new(StrangerLimits::default());
        for number in 0..100_000 {
            assert!(admission.admit(Time::ZERO, IpAddr::V4(Ipv4Addr::from_bits(number)), Kind::Call));
        }
        assert_eq!((admission.full_at.len(), admission.by_time.len()), (BUCKETS_MAX, BUCKETS_MAX));
        assert!(admission.admit(Time::from_millis(50), STRANGER, Kind::Call));
        assert_eq!((admission.full_at.len(), admission.by_time.len()), (1, 1));
    }

    #[test]
    fn neighbours_in_a_64_are_one() {
        let mut admission = Admission::new(StrangerLimits::default());
        let host = |last: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 1, 2, 3, last));
        assert_eq!((0..500).map(|last| let_in(&mut admission, 0, host(last), 1)).sum::<u32>(), 100);
    }
}
