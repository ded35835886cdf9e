//! Symmetric RTP: whom we listen to and where we send (RFC 4961), closed against strangers ("RTP bleed").
//!
//! The first valid source is taken at once; while it lives (a packet within 500 ms) any other address or SSRC is refused.
//! After that, or after a re-negotiated address, another one is taken on two consecutive sequence numbers.

use crate::time::Time;
use std::net::SocketAddr;
use std::time::Duration;

/// A source unheard for so long may be followed by another.
pub const ALIVE: Duration = Duration::from_millis(500);

/// What is to be done with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// From the source that we listen to.
    Same,
    /// From a source that we listen to from now on: its numbers have nothing to do with the former one's.
    New,
    /// From a stranger.
    Refused,
}

/// The state of one leg's ear.
#[derive(Debug, Default)]
pub struct Latch {
    /// Where the peer's SDP wants its media, as last given.
    signalled: Option<SocketAddr>,
    current: Option<Heard>,
    candidate: Option<Candidate>,
    /// When the signalled address last changed, until a source has settled again.
    reopened: Option<Time>,
    destination: Option<SocketAddr>,
}

#[derive(Debug)]
struct Heard {
    from: SocketAddr,
    ssrc: u32,
    at: Time,
}

#[derive(PartialEq, Eq, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    /// The number that confirms it.
    next: u16,
}

impl Latch {
    /// Offer and answer were settled. A null address (`None`, the old hold form) changes nothing.
    pub fn signal(&mut self, now: Time, remote: Option<SocketAddr>) {
        let Some(remote) = remote else { return };
        if self.signalled.is_some_and(|before| before != remote) {
            self.destination = Some(remote);
            self.reopened = self.current.is_some().then_some(now);
        }
        self.destination = self.destination.or(Some(remote));
        self.signalled = Some(remote);
    }

    /// Where our packets go: to the source that we hear, or until there is one, to the signalled address.
    pub fn destination(&self) -> Option<SocketAddr> {
        self.destination
    }

    /// Do our packets go to where RTP has come from?
    pub fn is_heard(&self) -> bool {
        self.destination.is_some() && self.destination == self.source()
    }

    /// The address that we listen to.
    pub fn source(&self) -> Option<SocketAddr> {
        self.current.as_ref().map(|heard| heard.from)
    }

    pub fn is_current(&self, from: SocketAddr, ssrc: u32) -> bool {
        self.current.as_ref().is_some_and(|heard| heard.from == from && heard.ssrc == ssrc)
    }

    /// Judges a packet that is valid in itself.
    pub fn admit(&mut self, now: Time, from: SocketAddr, ssrc: u32, sequence: u16) -> Verdict {
        let Some(current) = &mut self.current else {
            return self.take(now, from, ssrc);
        };
        if current.from == from && current.ssrc == ssrc {
            current.at = now;
            if self.reopened.is_some_and(|since| now.since(since) >= ALIVE) {
                // The signalled address changed, yet the peer goes on from where it was (NAT): so do we.
                self.reopened = None;
                self.destination = Some(from);
            }
            return Verdict::Same;
        }
        let silent = now.since(current.at) >= ALIVE;
        // Whom the peer's SDP names outranks whoever happened to be first.
        let named = self.signalled == Some(from) && current.from != from;
        if !(silent || named || self.reopened.is_some()) {
            return Verdict::Refused;
        }
        let confirmed = Candidate { from, ssrc, next: sequence };
        if self.candidate.as_ref() == Some(&confirmed) {
            return self.take(now, from, ssrc);
        }
        // A stranger's noise must not wipe out the named one's first packet.
        let held_by_named = self.candidate.as_ref().is_some_and(|held| self.signalled == Some(held.from));
        if self.signalled == Some(from) || !held_by_named {
            self.candidate = Some(Candidate { from, ssrc, next: sequence.wrapping_add(1) });
        }
        Verdict::Refused
    }

    fn take(&mut self, now: Time, from: SocketAddr, ssrc: u32) -> Verdict {
        self.current = Some(Heard { from, ssrc, at: now });
        self.candidate = None;
        self.reopened = None;
        self.destination = Some(from);
        Verdict::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{New, Refused, Same};

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 4000))
    }

    fn ms(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    fn latched() -> Latch {
        let mut latch = Latch::default();
        latch.signal(ms(0), Some(address(1)));
        assert_eq!(latch.destination(), Some(address(1)));
        assert_eq!(latch.admit(ms(0), address(1), 7, 100), New);
        latch
    }

    #[test]
    fn the_first_source_is_taken_even_behind_a_nat_and_is_sent_to() {
        let mut latch = Latch::default();
        latch.signal(ms(0), Some(address(1)));
        assert_eq!(latch.admit(ms(0), address(9), 7, 100), New);
        assert_eq!(latch.destination(), Some(address(9)));
        assert_eq!(latch.admit(ms(20), address(9), 7, 101), Same);
    }

    #[test]
    fn a_stranger_is_refused_while_the_source_lives() {
        let mut latch = latched();
        for step in 1..200u64 {
            let number = step as u16;
            assert_eq!(latch.admit(ms(20 * step), address(1), 7, 100 + number), Same);
            assert_eq!(latch.admit(ms(20 * step), address(2), 7, 100 + number), Refused, "another address");
            assert_eq!(latch.admit(ms(20 * step), address(2), 9, number), Refused, "a stranger");
            assert_eq!(latch.admit(ms(20 * step), address(1), 9, number), Refused, "another SSRC");
        }
        assert_eq!(latch.destination(), Some(address(1)));
    }

    #[test]
    fn after_half_a_second_two_consecutive_numbers_are_taken_but_not_two_others() {
        let mut latch = latched();
        assert_eq!(latch.admit(ms(499), address(2), 9, 1), Refused);
        assert_eq!(latch.admit(ms(499), address(2), 9, 2), Refused);
        assert_eq!(latch.admit(ms(500), address(2), 9, 3), Refused);
        assert_eq!(latch.admit(ms(500), address(2), 9, 5), Refused);
        assert_eq!(latch.admit(ms(501), address(2), 9, 6), New);
        assert_eq!(latch.destination(), Some(address(2)));
    }

    #[test]
    fn a_changed_address_opens_the_latch_at_once_and_is_sent_to_at_once() {
        let mut latch = latched();
        latch.signal(ms(100), Some(address(3)));
        assert_eq!(latch.destination(), Some(address(3)));
        assert_eq!(latch.admit(ms(110), address(1), 7, 101), Same, "still under way");
        assert_eq!(latch.admit(ms(120), address(3), 8, 50), Refused);
        assert_eq!(latch.admit(ms(121), address(1), 7, 102), Same);
        assert_eq!(latch.admit(ms(140), address(3), 8, 51), New);
        assert_eq!(latch.admit(ms(141), address(1), 7, 103), Refused);
    }

    #[test]
    fn a_changed_address_may_be_a_private_one_behind_a_nat() {
        let mut latch = latched();
        latch.signal(ms(100), Some(address(3)));
        assert_eq!(latch.admit(ms(120), address(4), 8, 50), Refused);
        assert_eq!(latch.admit(ms(140), address(4), 8, 51), New);
        assert_eq!(latch.destination(), Some(address(4)));
        assert_eq!(latch.admit(ms(160), address(5), 9, 1), Refused);
        assert_eq!(latch.admit(ms(180), address(5), 9, 2), Refused, "closed again");
    }

    #[test]
    fn the_same_address_again_or_a_null_one_opens_nothing() {
        let mut latch = latched();
        latch.signal(ms(100), None);
        latch.signal(ms(200), Some(address(1)));
        assert_eq!(latch.admit(ms(210), address(2), 9, 1), Refused);
        assert_eq!(latch.admit(ms(211), address(2), 9, 2), Refused);
    }

    #[test]
    fn a_peer_that_signals_anew_but_goes_on_from_where_it_was_keeps_our_packets() {
        let mut latch = latched();
        latch.signal(ms(0), Some(address(3)));
        assert_eq!(latch.admit(ms(480), address(1), 7, 101), Same);
        assert_eq!(latch.destination(), Some(address(3)));
        assert_eq!(latch.admit(ms(500), address(1), 7, 102), Same);
        assert_eq!(latch.destination(), Some(address(1)));
        assert_eq!(latch.admit(ms(501), address(2), 9, 1), Refused);
        assert_eq!(latch.admit(ms(501), address(2), 9, 2), Refused);
    }

    #[test]
    fn whom_the_sdp_names_outranks_whoever_came_first() {
        let mut latch = Latch::default();
        latch.signal(ms(0), Some(address(1)));
        assert_eq!(latch.admit(ms(0), address(66), 6, 1), New);
        assert_eq!(latch.admit(ms(20), address(66), 6, 2), Same);
        assert_eq!(latch.admit(ms(20), address(1), 7, 1), Refused);
        assert_eq!(latch.admit(ms(30), address(66), 6, 3), Same);
        assert_eq!(latch.admit(ms(40), address(1), 7, 2), New);
        assert_eq!(latch.admit(ms(41), address(66), 6, 4), Refused);
    }
}
