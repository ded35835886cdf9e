//! One leg of the data plane: its port, its ear, its way out, and what it plays or records.
//!
//! All that concerns a single leg is done here; what takes two legs (a bridge) or the plane's tables is done in `plane`.

use crate::codec::{Codec, StreamCounts, StreamFormat};
use crate::ids::LegId;
use crate::key::Key;
use crate::media::allowance::Allowance;
use crate::media::bridge::{Relay, Sound};
use crate::media::command::MediaEvent;
use crate::media::dtmf::KeyListener;
use crate::media::key_sender::KeySender;
use crate::media::latch::{Latch, Verdict};
use crate::media::player::Play;
use crate::media::recorder::{Recorder, Side};
use crate::media::rtcp::{Report, Reporter};
use crate::media::stream::{Outgoing, Received, Reception, read};
use crate::media::{MediaOutput, PACKET_BYTES_MAX, Packet};
use crate::time::Time;
use std::net::SocketAddr;
use std::time::Duration;

/// Time between two frames.
pub const FRAME: Duration = Duration::from_millis(crate::codec::FRAME_MS as u64);
/// A packet that leaves later than this after its time is counted.
const LATE: Duration = Duration::from_millis(5);
/// Frames sent at once after a stall.
const CATCH_UP_MAX: u64 = 2;
/// Longest payload taken: 200 ms of G.711.
const PAYLOAD_BYTES_MAX: usize = 1600;
/// Comfort noise (RFC 3389): a sign of life, without sound.
const COMFORT_NOISE: u8 = 13;

#[derive(Debug)]
pub struct RtpLeg {
    pub id: LegId,
    pub port: u16,
    pub bound: bool,
    /// How many more ports may be tried.
    pub binds_left: usize,
    pub format: Option<StreamFormat>,
    pub latch: Latch,
    pub allowance: Allowance,
    pub early: Early,
    pub outgoing: Outgoing,
    pub keys: KeyListener,
    /// Keys that we press towards the peer.
    pub keys_out: KeySender,
    pub play: Option<Play>,
    /// Its place on the wheel while it plays.
    pub phase: Option<u8>,
    /// When its next frame is due.
    pub due: Time,
    /// The next frame begins a talk spurt (RFC 3551 §4.1).
    pub marker: bool,
    /// The other leg of its bridge, by place.
    pub peer: Option<u32>,
    pub relay: Relay,
    pub recorder: Option<Box<Recorder>>,
    pub reporter: Reporter,
    /// When the plane will look at it next.
    pub armed: Time,
    reception: Reception,
    rtcp_source: Option<SocketAddr>,
    /// When RTP last came.
    heard: Option<Time>,
    silent_told: bool,
    first_told: bool,
    refused: u64,
    late: u64,
}

impl RtpLeg {
    pub fn new(now: Time, id: LegId, port: u16, binds_left: usize, outgoing: Outgoing, cname: String) -> RtpLeg {
        RtpLeg {
            id,
            port,
            bound: false,
            binds_left,
            format: None,
            latch: Latch::default(),
            allowance: Allowance::default(),
            early: Early::default(),
            outgoing,
            keys: KeyListener::new(id),
            keys_out: KeySender::default(),
            play: None,
            phase: None,
            due: now,
            marker: false,
            peer: None,
            relay: Relay::default(),
            recorder: None,
            reporter: Reporter::new(cname),
            armed: Time::NEVER,
            reception: Reception::default(),
            rtcp_source: None,
            heard: None,
            silent_told: false,
            first_told: false,
            refused: 0,
            late: 0,
        }
    }

    /// Offer and answer are settled (again).
    pub fn settle(&mut self, now: Time, format: StreamFormat, random: u32) {
        let held_before = !self.format.is_some_and(expects_sound);
        if held_before && expects_sound(format) && self.heard.is_some() {
            // Silence counts from the end of the hold.
            self.heard = Some(now);
            self.silent_told = false;
        }
        self.latch.signal(now, format.remote);
        self.rtcp_source = None;
        self.format = Some(format);
        self.reporter.start(now, random);
    }

    /// Where media goes, if it may: not before `Start`, and not while the peer holds.
    pub fn way_out(&self) -> Option<(StreamFormat, SocketAddr)> {
        let format = self.format.filter(|format| self.bound && format.direction.sends() && format.remote.is_some())?;
        Some((format, self.latch.destination()?))
    }

    /// Hears a datagram on the RTP port; returns what may be passed on to the other side of a bridge.
    pub fn hear<'a>(
        &mut self,
        now: Time,
        from: SocketAddr,
        bytes: &'a [u8],
        out: &mut Vec<MediaOutput>,
    ) -> Option<(Received<'a>, Sound)> {
        let format = self.format?;
        let Some((packet, sound)) = read(bytes).and_then(|packet| Some((packet, classify(&packet, &format)?))) else {
            self.refused += 1;
            return None;
        };
        let comfort_noise = packet.payload_type == COMFORT_NOISE;
        if comfort_noise && !self.latch.is_current(from, packet.ssrc) {
            // Too little to latch upon.
            self.refused += 1;
            return None;
        }
        match self.latch.admit(now, from, packet.ssrc, packet.sequence) {
            Verdict::Refused => {
                self.refused += 1;
                return None;
            }
            Verdict::New => {
                self.keys.reset(out);
                // Reports follow the sound: the former peer has no business with them any more.
                self.rtcp_source = self.rtcp_source.filter(|source| source.ip() == from.ip());
            }
            Verdict::Same => {}
        }
        self.reception.count(now, &packet, sound != Sound::KeyEvent);
        self.heard = Some(now);
        self.silent_told = false;
        if !std::mem::replace(&mut self.first_told, true) {
            out.push(MediaOutput::Event(MediaEvent::FirstPacket { leg: self.id }));
        }
        match sound {
            Sound::KeyEvent | Sound::PrivateKey => self.keys.packet(now, &packet, out),
            Sound::Audio(_) if comfort_noise => return None,
            Sound::Audio(_) => {}
        }
        // A key is heard whatever the SDP says; sound only from a peer that said it would send.
        format.direction.receives().then(|| {
            self.record(now, Side::Left, &packet, sound, out);
            let private = sound == Sound::KeyEvent && self.keys.is_private(packet.timestamp);
            (packet, if private { Sound::PrivateKey } else { sound })
        })
    }

    /// Lets the recording, if there is one, hear a packet of this leg or of its bridge partner.
    pub fn record(&mut self, now: Time, side: Side, packet: &Received<'_>, sound: Sound, out: &mut Vec<MediaOutput>) {
        if let Some(recorder) = &mut self.recorder {
            match sound {
                Sound::KeyEvent | Sound::PrivateKey => recorder.key(side, packet),
                Sound::Audio(codec) => recorder.audio(now, side, packet, codec, out),
            }
        }
    }

    /// Sends on what the bridge partner says, unless this leg plays something of its own.
    pub fn carry(&mut self, now: Time, packet: &Received<'_>, sound: Sound, out: &mut Vec<MediaOutput>) {
        let free = self.play.is_none() && !self.keys_out.is_pressing();
        let Some((format, to)) = self.way_out().filter(|_| free) else { return };
        if !self.allowance.takes(self.latch.is_heard()) {
            // What goes on later takes up our numbers, not the partner's.
            return self.relay.reset();
        }
        let (leg, port) = (self.id, self.port);
        let send = |packet| out.push(MediaOutput::Send { leg, port, to, packet });
        self.relay.forward(now, packet, sound, &format, &mut self.outgoing, send);
    }

    /// Presses a key towards the peer, after those that are under way.
    pub fn press(&mut self, now: Time, key: Key, length: Duration, out: &mut Vec<MediaOutput>) {
        if self.way_out().is_some_and(|(format, _)| format.telephone_event.is_some()) {
            self.keys_out.press(now, key, length);
            self.send_keys(now, out);
        }
    }

    fn send_keys(&mut self, now: Time, out: &mut Vec<MediaOutput>) {
        let way = self.way_out().and_then(|(format, to)| Some((format.telephone_event?, to)));
        // Held meanwhile, or playing: the moment of the key is over.
        let Some((payload_type, to)) = way.filter(|_| self.play.is_none()) else { return self.keys_out.forget() };
        if self.keys_out.is_pressing() && !self.allowance.takes(self.latch.is_heard()) {
            return self.keys_out.forget();
        }
        let (leg, port) = (self.id, self.port);
        let send = |packet| out.push(MediaOutput::Send { leg, port, to, packet });
        if self.keys_out.send(now, payload_type, &mut self.outgoing, send) {
            // The partner's numbers go on behind ours, even if the key is broken off.
            self.relay.reset();
        }
    }

    /// Sends the frames that are due. `false`: nothing more is to be played.
    pub fn pace(&mut self, now: Time, out: &mut Vec<MediaOutput>) -> bool {
        let (Some((format, to)), Some(play)) = (self.way_out(), &mut self.play) else { return false };
        if self.due > now {
            return true;
        }
        let overdue = (now.since(self.due).as_micros() / FRAME.as_micros()) as u64 + 1;
        let mut planned = self.due;
        if overdue > CATCH_UP_MAX {
            // The receiver hears a gap as long as the stall; the prompt goes on from where it was.
            let skipped = overdue - CATCH_UP_MAX;
            self.outgoing.skip(skipped);
            self.due += FRAME * skipped as u32;
            self.marker = true;
        }
        let (leg, port) = (self.id, self.port);
        for sent in 0..overdue.min(CATCH_UP_MAX) {
            let id = play.id;
            let Some(frame) = play.next(format.codec) else {
                if sent > 0 {
                    break;
                }
                if !play.repeat {
                    out.push(MediaOutput::Event(MediaEvent::PlayDone { leg, play: id }));
                }
                self.play = None;
                return false;
            };
            if self.allowance.takes(self.latch.is_heard()) {
                let packet = self.outgoing.frame(format.payload_type, std::mem::take(&mut self.marker), frame.bytes);
                out.push(MediaOutput::Send { leg, port, to, packet });
            } else {
                self.outgoing.skip(1);
                self.marker = true;
            }
            if frame.offer_ends {
                out.push(MediaOutput::Event(MediaEvent::OfferHeard { leg, play: id }));
            }
            self.late += u64::from(now.since(planned) > LATE);
            planned += FRAME;
            self.due += FRAME;
        }
        true
    }

    /// Hears a datagram on the RTCP port, or RTCP on the RTP port.
    pub fn hear_rtcp(&mut self, now: Time, from: SocketAddr, bytes: &[u8]) {
        let latched = self.latch.source().is_some_and(|source| source.ip() == from.ip());
        let named = self.format.and_then(|format| format.remote_rtcp) == Some(from);
        if !(latched || named) || !self.reporter.read(now, bytes) {
            self.refused += 1;
        } else if latched {
            // Symmetric as RTP is: behind a NAT the signalled port is of no use.
            self.rtcp_source = Some(from);
        }
    }

    /// When it wants to be looked at: a key lapses, a report, a block of the recording or silence is due.
    pub fn wake_at(&self, rtp_timeout: Duration) -> Time {
        let recorder = self.recorder.as_ref().map(|recorder| recorder.deadline());
        let keys_out = self.keys_out.deadline();
        let all = [self.keys.deadline(), keys_out, self.reporter.deadline(), recorder, self.silent_at(rtp_timeout)];
        all.into_iter().flatten().min().unwrap_or(Time::NEVER)
    }

    /// Does what time alone brings about.
    pub fn wake(&mut self, now: Time, rtp_timeout: Duration, random: u32, out: &mut Vec<MediaOutput>) {
        self.keys.tick(now, out);
        self.send_keys(now, out);
        if let Some(report) = self.reporter.report(now, random, &self.outgoing, &mut self.reception) {
            self.send_report(report, out);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.give_out(now, out);
        }
        if self.silent_at(rtp_timeout).is_some_and(|at| at <= now) {
            self.silent_told = true;
            let quiet = self.heard.map_or(rtp_timeout, |heard| now.since(heard));
            out.push(MediaOutput::Event(MediaEvent::Silent { leg: self.id, quiet }));
        }
    }

    /// Says goodbye (RFC 3550 §6.6).
    pub fn say_goodbye(&mut self, now: Time, out: &mut Vec<MediaOutput>) {
        if let Some(report) = self.reporter.bye(now, &self.outgoing, &mut self.reception) {
            self.send_report(report, out);
        }
    }

    pub fn counts(&self) -> StreamCounts {
        StreamCounts {
            packets_sent: self.outgoing.packets,
            packets_received: self.reception.received,
            packets_lost: self.reception.lost(),
            jitter_us: self.reception.jitter_us(),
            packets_refused: self.refused,
            packets_late: self.late,
        }
    }

    /// When the peer will have been silent for too long: only if it ever spoke and is not on hold, and told once.
    fn silent_at(&self, rtp_timeout: Duration) -> Option<Time> {
        let receives = self.format.is_some_and(expects_sound);
        self.heard.filter(|_| receives && !self.silent_told).map(|heard| heard + rtp_timeout)
    }

    fn send_report(&mut self, report: Report, out: &mut Vec<MediaOutput>) {
        let Some(format) = self.format.filter(|_| self.bound) else { return };
        let is_heard = self.latch.is_heard() || self.rtcp_source.is_some();
        if !self.allowance.takes(is_heard) {
            return;
        }
        let (leg, port) = (self.id, self.port);
        if format.rtcp_mux {
            // From the RTP port, as a packet.
            let Some(to) = self.latch.destination() else { return };
            let mut packet = Packet { bytes: [0; PACKET_BYTES_MAX], length: report.bytes().len() as u16 };
            packet.bytes[..report.bytes().len()].copy_from_slice(report.bytes());
            out.push(MediaOutput::Send { leg, port, to, packet });
        } else if let Some(to) = self.rtcp_source.or(format.remote_rtcp) {
            out.push(MediaOutput::SendRtcp { leg, port, to, bytes: report.bytes().to_vec() });
        }
    }
}

/// Not while the peer holds, be it by direction or by the null address of the old form: one that only sends (`a=sendonly`)
/// is holding too, and few phones play music to those whom they hold.
fn expects_sound(format: StreamFormat) -> bool {
    format.direction.receives() && format.direction.sends() && format.remote.is_some()
}

/// `None` for payload types that were not agreed and for senseless lengths.
fn classify(packet: &Received<'_>, format: &StreamFormat) -> Option<Sound> {
    let length = packet.payload.len();
    if format.telephone_event == Some(packet.payload_type) {
        (4..=PAYLOAD_BYTES_MAX).contains(&length).then_some(Sound::KeyEvent)
    } else if packet.payload_type == format.payload_type {
        (1..=PAYLOAD_BYTES_MAX).contains(&length).then_some(Sound::Audio(format.codec))
    } else {
        (packet.payload_type == COMFORT_NOISE).then_some(Sound::Audio(Codec::Pcmu))
    }
}

/// Packets that came before the format was known, with the time when they came.
#[derive(Debug, Default)]
pub struct Early {
    bytes: Vec<u8>,
    /// Time, source and length of each.
    packets: Vec<(Time, SocketAddr, usize)>,
}

/// Room for early packets: about a second of them.
const EARLY_BYTES_MAX: usize = 8192;
const EARLY_PACKETS_MAX: usize = 50;
/// So many more if they are small, as those of keys are: a key must not be lost to a second of audio before it.
const EARLY_SMALL_MAX: usize = 50;
const SMALL_BYTES: usize = 40;

impl Early {
    pub fn keep(&mut self, now: Time, from: SocketAddr, bytes: &[u8]) {
        let small = bytes.len() <= SMALL_BYTES;
        let (packets_max, bytes_max) = if small {
            (EARLY_PACKETS_MAX + EARLY_SMALL_MAX, EARLY_BYTES_MAX + EARLY_SMALL_MAX * SMALL_BYTES)
        } else {
            (EARLY_PACKETS_MAX, EARLY_BYTES_MAX)
        };
        if self.packets.len() < packets_max && self.bytes.len() + bytes.len() <= bytes_max {
            self.bytes.extend_from_slice(bytes);
            self.packets.push((now, from, bytes.len()));
        }
    }

    /// The packets in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (Time, SocketAddr, &[u8])> {
        self.packets.iter().scan(0, |start, (time, from, length)| {
            let bytes = &self.bytes[*start..*start + length];
            *start += length;
            Some((*time, *from, bytes))
        })
    }
}
