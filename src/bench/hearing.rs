//! What the load generator hears: for each stream of the server the packets, the gaps, and how late each packet came.
//!
//! A stream is known by the server's port, of which every leg has its own; so thousands of streams can come to few
//! sockets. How late a packet is, is told against the earliest one of its stream, by the RTP timestamps (8 000 a second).
//! A packet of ours that the server has passed on carries the time when it left us, and is told against that.

use super::spread::Spread;
use super::wire::Arrival;
use std::time::Duration;

/// A pause that a listener notices: one packet has not come, or came too late for most jitter buffers.
const GAP: Duration = Duration::from_millis(40);
/// Begins the payload of a packet that carries its time of departure.
pub const STAMP: [u8; 4] = *b"1key";
/// Stamp and eight bytes of nanoseconds, after the header.
const STAMP_END: usize = 12 + STAMP.len() + 8;

#[derive(Debug)]
struct Stream {
    /// Arrival of the first packet, and its RTP timestamp.
    first: (Duration, u32),
    /// The least that an arrival was ahead of its timestamp since the first packet (nanoseconds; below 0: earlier).
    earliest: i64,
    last: Duration,
}

/// All that is heard.
#[derive(Debug)]
pub struct Hearing {
    /// By the server's port.
    streams: Vec<Option<Stream>>,
    pub counts: Counts,
}

/// Since the last [`Hearing::begin`].
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub packets: u64,
    pub gaps: u64,
    /// How late packets came.
    pub late: Spread,
}

impl Default for Hearing {
    fn default() -> Hearing {
        Hearing { streams: (0..=usize::from(u16::MAX)).map(|_| None).collect(), counts: Counts::default() }
    }
}

impl Hearing {
    /// Counts from now on; what is known of the streams stays.
    pub fn begin(&mut self) {
        self.counts = Counts::default();
    }

    /// The port has another stream from now on.
    pub fn forget(&mut self, port: u16) {
        self.streams[usize::from(port)] = None;
    }

    /// Takes an RTP packet; anything else (RTCP) is left.
    pub fn take(&mut self, arrival: Arrival<'_>) {
        let bytes = arrival.bytes;
        if bytes.len() < 12 || bytes[0] >> 6 != 2 || (192..=223).contains(&bytes[1]) {
            return;
        }
        self.counts.packets += 1;
        let timestamp = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        let stream = self.streams[usize::from(arrival.from.port())].get_or_insert(Stream {
            first: (arrival.at, timestamp),
            earliest: 0,
            last: arrival.at,
        });
        if arrival.at.saturating_sub(stream.last) > GAP {
            self.counts.gaps += 1;
        }
        stream.last = arrival.at;
        let late =
            departure(bytes).map_or_else(|| stream.late(arrival.at, timestamp), |left| arrival.at.saturating_sub(left));
        self.counts.late.add(late);
    }
}

impl Stream {
    fn late(&mut self, at: Duration, timestamp: u32) -> Duration {
        let samples = i64::from(timestamp.wrapping_sub(self.first.1) as i32);
        let ahead = at.as_nanos() as i64 - self.first.0.as_nanos() as i64 - samples * 125_000;
        self.earliest = self.earliest.min(ahead);
        Duration::from_nanos((ahead - self.earliest).unsigned_abs())
    }
}

/// When a packet of ours left, if this is one.
fn departure(bytes: &[u8]) -> Option<Duration> {
    let stamp = bytes.get(12..STAMP_END)?.strip_prefix(&STAMP)?;
    Some(Duration::from_nanos(u64::from_be_bytes(stamp.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddrV4};

    fn hear(hearing: &mut Hearing, at_ms: u64, timestamp: u32, payload: &[u8]) {
        let mut bytes = vec![0x80, 0, 0, 1];
        bytes.extend(timestamp.to_be_bytes());
        bytes.extend([0, 0, 0, 7]);
        bytes.extend(payload);
        let from = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 4000);
        hearing.take(Arrival { bytes: &bytes, from, at: Duration::from_millis(at_ms) });
    }

    #[test]
    fn lateness_is_told_against_the_earliest_packet_also_round_the_end_of_the_timestamps() {
        let mut hearing = Hearing::default();
        let first = u32::MAX - 200;
        for (number, at_ms) in [1003, 1020, 1043, 1060].into_iter().enumerate() {
            hear(&mut hearing, at_ms, first.wrapping_add(160 * number as u32), &[0; 160]);
            if number == 1 {
                hearing.begin();
            }
        }
        assert_eq!((hearing.counts.packets, hearing.counts.gaps), (2, 0));
        assert_eq!(hearing.counts.late.quantile(1.0), Duration::from_millis(3));
    }

    #[test]
    fn a_pause_is_a_gap_and_a_stamp_tells_when_the_packet_left() {
        let mut hearing = Hearing::default();
        let mut payload = STAMP.to_vec();
        payload.extend(Duration::from_millis(1095).as_nanos().to_be_bytes()[8..].iter());
        hear(&mut hearing, 1000, 0, &payload);
        hear(&mut hearing, 1100, 160, &payload);
        assert_eq!(hearing.counts.gaps, 1);
        assert_eq!(hearing.counts.late.quantile(1.0), Duration::from_millis(5));
        hearing.take(Arrival {
            bytes: &[0x80, 200, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0],
            from: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 4000),
            at: Duration::from_secs(9),
        });
        assert_eq!(hearing.counts.packets, 2, "RTCP is no sound");
    }
}
