//! RTCP of one leg (RFC 3550 §6): a report about every 5 seconds, a random CNAME (RFC 7022), BYE at the end.
//!
//! The interval is 5 s times 0.5 to 1.5, the first one half of that; with two members the full algorithm of §6.3 gives
//! the same. Reports do not count as signs of life: a peer whose RTP has stopped is silent, whatever its RTCP says.

use crate::media::stream::{Outgoing, Quality, Reception};
use crate::time::Time;
use rtcp_types::{
    Bye, Compound, Packet, ReceiverReport, ReportBlock, RtcpPacketWriter, RtcpPacketWriterExt, Sdes, SdesChunk,
    SdesItem, SenderReport,
};
use std::time::Duration;

/// Longest report that we make: fits into a media packet's place when RTP and RTCP share a port.
pub const REPORT_BYTES_MAX: usize = 128;
/// Mean interval (RFC 3550 §6.2).
const INTERVAL_US: u64 = 5_000_000;

/// Makes and reads the reports of one leg.
#[derive(Debug)]
pub struct Reporter {
    cname: String,
    /// When the next report is due; `None` before the stream starts.
    next: Option<Time>,
    /// Packets sent when the last two reports left: a sender is who sent since the one before last (§6.4).
    sent_at_reports: [u64; 2],
    /// Middle 32 bits of the peer's last NTP timestamp, and when it came.
    last_sender_report: Option<(u32, Time)>,
}

/// A report, in place.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    bytes: [u8; REPORT_BYTES_MAX],
    length: usize,
}

impl Report {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Reporter {
    /// `cname`: 96 random bits or so, the same for the whole call.
    pub fn new(cname: String) -> Reporter {
        Reporter { cname, next: None, sent_at_reports: [0; 2], last_sender_report: None }
    }

    /// The stream starts; `random` spreads the first report.
    pub fn start(&mut self, now: Time, random: u32) {
        self.next = self.next.or(Some(now + interval(random) / 2));
    }

    pub fn deadline(&self) -> Option<Time> {
        self.next
    }

    /// The report that is due, if one is.
    pub fn report(&mut self, now: Time, random: u32, outgoing: &Outgoing, reception: &mut Reception) -> Option<Report> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        self.next = Some(now + interval(random));
        let report = self.compound(now, outgoing, reception, false);
        self.sent_at_reports = [self.sent_at_reports[1], outgoing.packets];
        report
    }

    /// The last report, with BYE (§6.6); `None` when the stream never started.
    pub fn bye(&mut self, now: Time, outgoing: &Outgoing, reception: &mut Reception) -> Option<Report> {
        self.next.take()?;
        self.compound(now, outgoing, reception, true)
    }

    /// Reads what the peer reports; `false` for garbage.
    pub fn read(&mut self, now: Time, bytes: &[u8]) -> bool {
        let Ok(compound) = Compound::parse(bytes) else { return false };
        for packet in compound {
            match packet {
                Ok(Packet::Sr(report)) => {
                    self.last_sender_report = Some(((report.ntp_timestamp() >> 16) as u32, now));
                }
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn compound(&self, now: Time, outgoing: &Outgoing, reception: &mut Reception, bye: bool) -> Option<Report> {
        let block = reception.report().map(|quality| self.block(now, quality));
        let sdes = Sdes::builder().add_chunk(
            SdesChunk::builder(outgoing.ssrc).add_item(SdesItem::builder(SdesItem::CNAME, self.cname.as_str())),
        );
        let mut compound = if outgoing.packets > self.sent_at_reports[0] {
            let report = SenderReport::builder(outgoing.ssrc)
                .ntp_timestamp(ntp(now))
                .rtp_timestamp(outgoing.clock(now))
                .packet_count(outgoing.packets as u32)
                .octet_count(outgoing.octets as u32);
            Compound::builder()
                .add_packet(block.into_iter().fold(report, |report, block| report.add_report_block(block)))
        } else {
            let report = ReceiverReport::builder(outgoing.ssrc);
            Compound::builder()
                .add_packet(block.into_iter().fold(report, |report, block| report.add_report_block(block)))
        };
        compound = compound.add_packet(sdes);
        if bye {
            compound = compound.add_packet(Bye::builder().add_source(outgoing.ssrc));
        }
        let mut report = Report { bytes: [0; REPORT_BYTES_MAX], length: 0 };
        compound.calculate_size().ok().filter(|size| *size <= REPORT_BYTES_MAX)?;
        report.length = compound.write_into(&mut report.bytes).ok()?;
        Some(report)
    }

    fn block(&self, now: Time, quality: Quality) -> rtcp_types::ReportBlockBuilder {
        let (last, delay) = match self.last_sender_report {
            // In 1/65536 s (§6.4.1).
            Some((ntp, at)) => (ntp, (now.since(at).as_micros() as u64 * 65_536 / 1_000_000) as u32),
            None => (0, 0),
        };
        ReportBlock::builder(quality.ssrc)
            .fraction_lost(quality.fraction_lost)
            .cumulative_lost(quality.cumulative_lost)
            .extended_sequence_number(quality.highest)
            .interarrival_jitter(quality.jitter)
            .last_sender_report_timestamp(last)
            .delay_since_last_sender_report_timestamp(delay)
    }
}

/// 2.5 s to 7.5 s.
fn interval(random: u32) -> Duration {
    Duration::from_micros(INTERVAL_US / 2 + INTERVAL_US * u64::from(random >> 16) / 65_536)
}

/// RFC 3550 §4 allows the time since the start where the wall clock is not known; only differences of it are used.
fn ntp(now: Time) -> u64 {
    let micros = now.as_micros();
    ((micros / 1_000_000) << 32) | (((micros % 1_000_000) << 32) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::stream::Received;

    fn sent_one() -> Outgoing {
        let mut outgoing = Outgoing::new(Time::ZERO, 9, 0, 0);
        outgoing.frame(0, false, &[0; 160]);
        outgoing
    }

    fn parts(report: &Report) -> Vec<String> {
        let names = Compound::parse(report.bytes()).unwrap().map(|packet| match packet.unwrap() {
            Packet::Sr(report) => format!("SR {} {}", report.packet_count(), report.n_reports()),
            Packet::Rr(report) => format!("RR {}", report.n_reports()),
            Packet::Sdes(_) => "SDES".to_string(),
            Packet::Bye(_) => "BYE".to_string(),
            other => format!("{other:?}"),
        });
        names.collect()
    }

    #[test]
    fn a_sender_reports_as_one_and_who_has_sent_nothing_lately_as_a_receiver() {
        let (mut reporter, outgoing) = (Reporter::new("abc".into()), sent_one());
        let mut reception = Reception::default();
        reporter.start(Time::ZERO, 0);
        assert_eq!(reporter.deadline(), Some(Time::from_millis(1250)));
        assert!(reporter.report(Time::from_millis(1249), 0, &outgoing, &mut reception).is_none());
        let mut told = Vec::new();
        for _ in 0..4 {
            let due = reporter.deadline().unwrap();
            told.push(parts(&reporter.report(due, u32::MAX, &outgoing, &mut reception).unwrap())[0].clone());
        }
        assert_eq!(told, ["SR 1 0", "SR 1 0", "RR 0", "RR 0"]);
    }

    #[test]
    fn the_interval_is_between_two_and_a_half_and_seven_and_a_half_seconds() {
        assert_eq!(interval(0), Duration::from_millis(2500));
        assert!(interval(u32::MAX) < Duration::from_millis(7500));
        assert!(interval(u32::MAX) > Duration::from_millis(7499));
    }

    #[test]
    fn the_block_tells_how_long_ago_the_peers_report_came() {
        let (mut reporter, outgoing) = (Reporter::new("abc".into()), sent_one());
        let mut reception = Reception::default();
        let heard = Received { payload_type: 0, marker: false, sequence: 5, timestamp: 0, ssrc: 3, payload: &[] };
        reception.count(Time::ZERO, &heard, true);
        let theirs = SenderReport::builder(3).ntp_timestamp(0x1111_2222_3333_4444);
        let mut bytes = [0; 28];
        theirs.write_into(&mut bytes).unwrap();
        assert!(reporter.read(Time::from_millis(500), &bytes));
        reporter.start(Time::ZERO, 0);
        let report = reporter.report(Time::from_millis(1500), 0, &outgoing, &mut reception).unwrap();
        let first = Compound::parse(report.bytes()).unwrap().next().unwrap().unwrap();
        let Packet::Sr(report) = first else { panic!("{first:?}") };
        let block = report.report_blocks().next().unwrap();
        assert_eq!((block.ssrc(), block.extended_sequence_number()), (3, 5));
        assert_eq!(block.last_sender_report_timestamp(), 0x2222_3333);
        assert_eq!(block.delay_since_last_sender_report_timestamp(), 65_536);
    }

    #[test]
    fn a_started_stream_says_goodbye_once() {
        let (mut reporter, outgoing) = (Reporter::new("0123456789abcdef01234567".into()), sent_one());
        let mut reception = Reception::default();
        assert!(reporter.bye(Time::ZERO, &outgoing, &mut reception).is_none());
        reporter.start(Time::ZERO, 0);
        let bye = reporter.bye(Time::ZERO, &outgoing, &mut reception).unwrap();
        assert_eq!(parts(&bye), ["SR 1 0", "SDES", "BYE"]);
        assert!(reporter.bye(Time::ZERO, &outgoing, &mut reception).is_none());
        assert!(reporter.deadline().is_none());
    }
}
