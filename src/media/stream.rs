//! One RTP stream in each direction (RFC 3550 §5.1): headers read and built, and the counts of appendix A.
//!
//! The only file that names `rtp_rs`. Whether a packet is welcome is the latch's affair; what its payload means is told
//! by `dtmf` and `g711`.

use crate::codec::{FRAME_SAMPLES, SAMPLE_RATE_HZ};
use crate::media::{PACKET_BYTES_MAX, Packet};
use crate::time::Time;
use rtp_rs::{RtpPacketBuilder, RtpReader};
use std::time::Duration;

/// A packet that came; padding, extension and contributing sources are already taken off the payload.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: &'a [u8],
}

/// Reads an RTP packet of version 2; `None` for STUN, DTLS, RTCP and garbage.
pub fn read(bytes: &[u8]) -> Option<Received<'_>> {
    let reader = RtpReader::new(bytes).ok()?;
    Some(Received {
        payload_type: reader.payload_type(),
        marker: reader.mark(),
        sequence: reader.sequence_number().into(),
        timestamp: reader.timestamp(),
        ssrc: reader.ssrc(),
        payload: reader.payload(),
    })
}

/// Is this RTCP that came on the RTP port (RFC 5761 §4: packet types 192 to 223)?
pub fn is_rtcp(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes[0] >> 6 == 2 && (192..=223).contains(&bytes[1])
}

/// Is `a` later than `b`, round the end of the numbers (RFC 1982)?
pub fn later(a: u16, b: u16) -> bool {
    (a.wrapping_sub(b) as i16) > 0
}

/// Samples in `length`, rounded down.
pub fn samples_in(length: Duration) -> u64 {
    length.as_micros() as u64 * u64::from(SAMPLE_RATE_HZ) / 1_000_000
}

/// How long `samples` last.
pub fn length_of(samples: u64) -> Duration {
    Duration::from_micros(samples * 1_000_000 / u64::from(SAMPLE_RATE_HZ))
}

/// What we send: one SSRC for the leg's whole life, whatever is re-negotiated.
#[derive(Debug)]
pub struct Outgoing {
    pub ssrc: u32,
    /// Number of the next packet.
    sequence: u16,
    /// Where the next packet's timestamp is at the least: after the last sample sent.
    timestamp: u32,
    /// Ties timestamps to time, so that a pause is as long for the receiver as it was for us.
    anchor: (Time, u32),
    pub packets: u64,
    pub octets: u64,
}

impl Outgoing {
    /// Random first values (RFC 3550 §5.1) are the caller's to choose.
    pub fn new(now: Time, ssrc: u32, sequence: u16, timestamp: u32) -> Outgoing {
        Outgoing { ssrc, sequence, timestamp, anchor: (now, timestamp), packets: 0, octets: 0 }
    }

    /// The timestamp of this very moment.
    pub fn clock(&self, now: Time) -> u32 {
        self.anchor.1.wrapping_add(samples_in(now.since(self.anchor.0)) as u32)
    }

    /// The first timestamp of a new talk spurt: now, but never inside what was already sent.
    pub fn begin_spurt(&mut self, now: Time) -> u32 {
        let clock = self.clock(now);
        if (clock.wrapping_sub(self.timestamp) as i32) > 0 {
            self.timestamp = clock;
        }
        self.timestamp
    }

    /// Leave out `frames`: the receiver hears a gap.
    pub fn skip(&mut self, frames: u64) {
        self.timestamp = self.timestamp.wrapping_add((frames * FRAME_SAMPLES as u64) as u32);
    }

    pub fn next_sequence(&self) -> u16 {
        self.sequence
    }

    /// The next frame of one continuous sound.
    pub fn frame(&mut self, payload_type: u8, marker: bool, payload: &[u8]) -> Packet {
        let (sequence, timestamp) = (self.sequence, self.timestamp);
        self.packet(payload_type, marker, sequence, timestamp, payload.len() as u32, payload)
    }

    /// A packet with given numbers, which lasts `samples`. Longer payloads than a frame are cut: split them before.
    pub fn packet(
        &mut self,
        payload_type: u8,
        marker: bool,
        sequence: u16,
        timestamp: u32,
        samples: u32,
        payload: &[u8],
    ) -> Packet {
        let payload = &payload[..payload.len().min(FRAME_SAMPLES)];
        let mut packet = Packet { bytes: [0; PACKET_BYTES_MAX], length: 0 };
        let built = RtpPacketBuilder::new()
            .payload_type(payload_type & 0x7f)
            .marked(marker)
            .sequence(sequence.into())
            .timestamp(timestamp)
            .ssrc(self.ssrc)
            .payload(payload)
            .build_into(&mut packet.bytes);
        packet.length = built.unwrap_or(0) as u16;
        if !later(self.sequence, sequence) {
            self.sequence = sequence.wrapping_add(1);
        }
        let end = timestamp.wrapping_add(samples);
        if (end.wrapping_sub(self.timestamp) as i32) > 0 {
            self.timestamp = end;
        }
        self.packets += 1;
        self.octets += payload.len() as u64;
        packet
    }
}

/// Jumps ahead by more are a new beginning of the numbers (RFC 3550 A.1).
const DROPOUT_MAX: u16 = 3000;
/// Steps back by more are a new beginning too.
const MISORDER_MAX: u16 = 100;

/// Counts of what came, by RFC 3550 appendix A; goes on over a change of the source.
#[derive(Debug, Default)]
pub struct Reception {
    source: Option<Source>,
    /// Of all sources.
    pub received: u64,
    /// Of former sources.
    lost_before: u64,
    /// Sixteenths of a timestamp unit (A.8).
    jitter: u32,
}

#[derive(Debug)]
struct Source {
    ssrc: u32,
    base: u32,
    highest: u16,
    cycles: u32,
    /// Where a jump is confirmed if this number comes next.
    after_jump: Option<u16>,
    received: u64,
    /// Arrival minus timestamp of the last packet.
    transit: u32,
    /// As they stood at the last report (A.3).
    expected_prior: u64,
    received_prior: u64,
}

/// What a report block says (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quality {
    pub ssrc: u32,
    pub fraction_lost: u8,
    /// Clamped to 24 bits.
    pub cumulative_lost: u32,
    pub highest: u32,
    /// In timestamp units.
    pub jitter: u32,
}

impl Reception {
    /// Counts an accepted packet. `timed`: its timestamp is that of its sending; all packets of a key carry the first one's
    /// (RFC 4733 §2.5.1.2) and say nothing of jitter.
    pub fn count(&mut self, now: Time, packet: &Received<'_>, timed: bool) {
        self.received += 1;
        let arrival = samples_in(now.since(Time::ZERO)) as u32;
        let transit = arrival.wrapping_sub(packet.timestamp);
        match &mut self.source {
            Some(source) if source.ssrc == packet.ssrc => {
                source.update(packet.sequence);
                if !timed {
                    return;
                }
                // A.8, in integers: J += |D| - (J + 8) / 16, kept times 16.
                let change = (transit.wrapping_sub(source.transit) as i32).unsigned_abs().min(1 << 20);
                self.jitter = (self.jitter + change).saturating_sub((self.jitter + 8) >> 4);
                source.transit = transit;
            }
            _ => {
                self.lost_before = self.lost();
                self.jitter = 0;
                self.source = Some(Source::new(packet, transit));
            }
        }
    }

    /// Cumulative loss (A.3); duplicates can only bring it down to 0.
    pub fn lost(&self) -> u64 {
        let lost = self.source.as_ref().map_or(0, |source| source.expected().saturating_sub(source.received));
        self.lost_before + lost
    }

    pub fn jitter_us(&self) -> u64 {
        u64::from(self.jitter >> 4) * 1_000_000 / u64::from(SAMPLE_RATE_HZ)
    }

    /// The block for the next report; starts a new interval for the fraction lost.
    pub fn report(&mut self) -> Option<Quality> {
        let jitter = self.jitter >> 4;
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let interval = expected.saturating_sub(source.expected_prior);
        let lost = interval.saturating_sub(source.received - source.received_prior);
        source.expected_prior = expected;
        source.received_prior = source.received;
        Some(Quality {
            ssrc: source.ssrc,
            fraction_lost: (lost << 8).checked_div(interval).unwrap_or(0).min(255) as u8,
            cumulative_lost: expected.saturating_sub(source.received).min(0x7f_ffff) as u32,
            highest: source.cycles + u32::from(source.highest),
            jitter,
        })
    }
}

impl Source {
    fn new(packet: &Received<'_>, transit: u32) -> Source {
        Source {
            ssrc: packet.ssrc,
            base: u32::from(packet.sequence),
            highest: packet.sequence,
            cycles: 0,
            after_jump: None,
            received: 1,
            transit,
            expected_prior: 0,
            received_prior: 0,
        }
    }

    /// A.1 `update_seq`, without the probation that the latch does.
    fn update(&mut self, sequence: u16) {
        let ahead = sequence.wrapping_sub(self.highest);
        if ahead < DROPOUT_MAX {
            if sequence < self.highest {
                self.cycles = self.cycles.wrapping_add(1 << 16);
            }
            self.highest = sequence;
        } else if ahead <= u16::MAX - MISORDER_MAX {
            if self.after_jump != Some(sequence) {
                // One stray packet is no jump: it is counted on neither side.
                self.after_jump = Some(sequence.wrapping_add(1));
                return;
            }
            // Two in a row: the sender has begun anew. What was lost before stays counted: expected so far plus two.
            let expected = self.expected() + 1;
            self.highest = sequence;
            self.cycles = 0;
            self.base = u32::from(sequence).wrapping_sub(expected as u32);
            self.received += 1;
        }
        self.after_jump = None;
        self.received += 1;
    }

    fn expected(&self) -> u64 {
        u64::from((self.cycles.wrapping_add(u32::from(self.highest))).wrapping_sub(self.base)) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, timestamp: u32) -> Received<'static> {
        Received { payload_type: 0, marker: false, sequence, timestamp, ssrc: 7, payload: &[0; 160] }
    }

    fn counted(sequences: impl IntoIterator<Item = u16>) -> Reception {
        let mut reception = Reception::default();
        for sequence in sequences {
            reception.count(Time::ZERO, &packet(sequence, 0), true);
        }
        reception
    }

    #[test]
    fn what_is_built_is_read() {
        let mut outgoing = Outgoing::new(Time::ZERO, 0xdead_beef, u16::MAX, u32::MAX - 10);
        let first = outgoing.frame(8, true, &[1; 160]);
        let read_back = read(&first.bytes[..usize::from(first.length)]).unwrap();
        assert_eq!((read_back.payload_type, read_back.marker), (8, true));
        assert_eq!((read_back.sequence, read_back.timestamp), (u16::MAX, u32::MAX - 10));
        assert_eq!((read_back.ssrc, read_back.payload), (0xdead_beef, &[1; 160][..]));
        let second = outgoing.frame(8, false, &[2; 160]);
        let read_back = read(&second.bytes).unwrap();
        assert_eq!((read_back.sequence, read_back.timestamp), (0, 149));
    }

    #[test]
    fn padding_extension_and_sources_are_no_payload() {
        // V=2 P=1 X=1 CC=1, one CSRC, an extension of one word, 2 bytes of payload, 2 of padding.
        let mut bytes = vec![0b1011_0001, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2];
        bytes.extend([0, 0, 0, 3, 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 0xaa, 0xbb, 0, 2]);
        assert_eq!(read(&bytes).unwrap().payload, [0xaa, 0xbb]);
    }

    #[test]
    fn a_pause_is_as_long_in_timestamps_as_in_time_and_never_runs_back() {
        let mut outgoing = Outgoing::new(Time::ZERO, 1, 0, 1000);
        assert_eq!(outgoing.begin_spurt(Time::from_millis(500)), 5000);
        outgoing.frame(0, true, &[0; 160]);
        assert_eq!(outgoing.begin_spurt(Time::from_millis(505)), 5160);
        assert_eq!(outgoing.begin_spurt(Time::from_millis(1500)), 13_000);
    }

    #[test]
    fn loss_counts_gaps_and_forgives_what_comes_late() {
        assert_eq!(counted([1, 2, 4, 5]).lost(), 1);
        assert_eq!(counted([1, 2, 4, 3, 5]).lost(), 0);
        assert_eq!(counted([65_534, 65_535, 1, 2]).lost(), 1);
        assert_eq!(counted([1, 2, 2, 2]).lost(), 0);
    }

    #[test]
    fn a_jump_of_the_numbers_is_no_loss_of_thousands_and_forgets_no_earlier_loss() {
        assert_eq!(counted([1, 2, 4, 30_000, 30_001, 30_002]).lost(), 1);
        assert_eq!(counted([1, 2, 30_000, 4, 5]).lost(), 1, "one stray number is no jump");
    }

    #[test]
    fn another_source_does_not_wipe_out_what_the_former_lost() {
        let mut reception = counted([1, 2, 5]);
        for sequence in [900, 902] {
            reception.count(Time::ZERO, &Received { ssrc: 8, ..packet(sequence, 0) }, true);
        }
        assert_eq!((reception.lost(), reception.received), (3, 5));
    }

    #[test]
    fn a_report_tells_the_fraction_of_its_own_interval() {
        let mut reception = counted([1, 2, 3, 4]);
        assert_eq!(reception.report().unwrap().fraction_lost, 0);
        for sequence in [6, 8] {
            reception.count(Time::ZERO, &packet(sequence, 0), true);
        }
        let quality = reception.report().unwrap();
        assert_eq!((quality.fraction_lost, quality.cumulative_lost, quality.highest), (128, 2, 8));
    }

    #[test]
    fn jitter_is_nought_for_even_spacing_and_grows_with_unevenness() {
        let mut even = Reception::default();
        let mut uneven = Reception::default();
        for index in 0..200u64 {
            let wire = packet(index as u16, index as u32 * 160);
            even.count(Time::from_millis(index * 20), &wire, true);
            uneven.count(Time::from_millis(index * 20 + (index % 2) * 10), &wire, true);
            even.count(Time::from_millis(index * 20), &packet(index as u16, 7), false);
        }
        assert_eq!(even.jitter_us(), 0);
        assert!((9_000..=10_000).contains(&uneven.jitter_us()), "{}", uneven.jitter_us());
    }
}
