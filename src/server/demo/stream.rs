//! A phone's sound: G.711 in 20 ms packets both ways (RFC 3550, RFC 3551), keys by RFC 4733, and what was heard as a WAV file.

use super::voice::{Ear, Voice};
use super::{AUDIBLE_RMS, HEARD_SAMPLES_MAX};
use crate::codec::{Codec, FRAME_MS, FRAME_SAMPLES};
use crate::key::Key;
use crate::media::g711;
use crate::server::files::write_wav;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);
const EVENT_TYPE: u8 = 101;
/// A key lasts 100 ms, and its end is sent three times (RFC 4733 §2.5.1.4).
const KEY_PACKETS: u16 = 5;
const KEY_ENDS: u16 = 3;
/// A gap this long in what arrives is written as silence.
const GAP_SAMPLES: usize = 5 * FRAME_SAMPLES;

#[derive(Debug)]
pub struct Stream {
    socket: UdpSocket,
    remote: Option<SocketAddr>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    next: Instant,
    began: Instant,
    voice: Voice,
    /// Samples of speech so far; `None`: silent.
    speech: Option<usize>,
    /// A key, and how many of its packets have left.
    key: Option<(Key, u16)>,
    heard: Vec<i16>,
    ear: Ear,
    /// When one of the voices that the ear waits for was certain.
    pub person_heard: Option<Instant>,
}

impl Stream {
    /// A socket of its own on this address; nothing is sent yet.
    ///
    /// # Errors
    /// There is none.
    pub fn open(host: IpAddr, voice: Voice, listens_for: &'static [Voice]) -> io::Result<Stream> {
        let socket = UdpSocket::bind((host, 0))?;
        socket.set_nonblocking(true)?;
        let port = socket.local_addr()?.port();
        let now = Instant::now();
        Ok(Stream {
            socket,
            remote: None,
            ssrc: 0x0de0_0000 | u32::from(port),
            sequence: port,
            timestamp: u32::from(port) << 8,
            next: now,
            began: now,
            voice,
            speech: None,
            key: None,
            heard: Vec::new(),
            ear: Ear::new(listens_for),
            person_heard: None,
        })
    }

    /// # Errors
    /// The system cannot say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The call is answered: from now on packets flow, and the recording counts.
    pub fn start(&mut self, remote: SocketAddr) {
        if self.remote.is_none() {
            self.next = Instant::now();
            self.began = self.next;
        }
        self.remote = Some(remote);
    }

    pub fn speak(&mut self) {
        self.speech.get_or_insert(0);
    }

    pub fn press(&mut self, key: Key) {
        self.key = Some((key, 0));
    }

    /// Takes what has come and sends what is due.
    pub fn turn(&mut self) {
        self.receive();
        let now = Instant::now();
        while self.remote.is_some() && now >= self.next {
            self.next += FRAME;
            self.send_frame();
        }
    }

    /// Was there any sound at all?
    pub fn is_audible(&self) -> bool {
        let loud = |frame: &[i16]| {
            let power: f64 = frame.iter().map(|&sample| f64::from(sample).powi(2)).sum();
            power / frame.len() as f64 > AUDIBLE_RMS.powi(2)
        };
        self.heard.chunks(FRAME_SAMPLES).any(loud)
    }

    /// Writes all that was heard.
    ///
    /// # Errors
    /// The file or the folders above it cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        write_wav(path, &self.heard)
    }

    fn receive(&mut self) {
        let mut packet = [0; 2048];
        while let Ok((length, from)) = self.socket.recv_from(&mut packet) {
            let Some(remote) = self.remote else { continue };
            // Our server sends the shortest header: no sources, no extension, no padding (RFC 3550 §5.1).
            if from.ip() == remote.ip() && length > 12 && packet[0] == 0x80 {
                self.hear(packet[1] & 0x7f, &packet[12..length]);
            }
        }
    }

    fn hear(&mut self, payload_type: u8, payload: &[u8]) {
        let Some(codec) = Codec::from_payload_type(payload_type) else { return };
        let frame: Vec<i16> = payload.iter().map(|&byte| g711::decode(codec, byte)).collect();
        let now = Instant::now();
        if self.ear.hears(&frame) {
            self.person_heard.get_or_insert(now);
        }
        let due = (now - self.began).as_millis() as usize * FRAME_SAMPLES / FRAME_MS as usize;
        if due > self.heard.len() + GAP_SAMPLES {
            self.heard.resize(due.min(HEARD_SAMPLES_MAX), 0);
        }
        if self.heard.len() + frame.len() <= HEARD_SAMPLES_MAX {
            self.heard.extend(frame);
        }
    }

    fn send_frame(&mut self) {
        match self.key.take() {
            Some((key, sent)) => {
                let is_end = sent + 1 >= KEY_PACKETS;
                let length = (sent + 1).min(KEY_PACKETS) * FRAME_SAMPLES as u16;
                let [high, low] = length.to_be_bytes();
                // Event, end bit and volume (-10 dBm0), duration: RFC 4733 §2.3. The timestamp is the key's beginning.
                let payload = [key.event_code(), if is_end { 0x8a } else { 0x0a }, high, low];
                let began = self.timestamp.wrapping_sub(u32::from(sent) * FRAME_SAMPLES as u32);
                self.send(if sent == 0 { 0x80 | EVENT_TYPE } else { EVENT_TYPE }, began, &payload);
                self.key = (sent + 1 < KEY_PACKETS + KEY_ENDS - 1).then_some((key, sent + 1));
            }
            None => {
                let at = self.speech;
                let sample = |n: usize| at.map_or(0, |at| self.voice.sample(at + n));
                let frame: Vec<u8> = (0..FRAME_SAMPLES).map(|n| g711::encode(Codec::Pcmu, sample(n))).collect();
                self.speech = at.map(|at| at + FRAME_SAMPLES);
                self.send(Codec::Pcmu.payload_type(), self.timestamp, &frame);
            }
        }
        self.timestamp = self.timestamp.wrapping_add(FRAME_SAMPLES as u32);
    }

    fn send(&mut self, marked_type: u8, timestamp: u32, payload: &[u8]) {
        let Some(remote) = self.remote else { return };
        let mut packet = vec![0x80, marked_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        let _ = self.socket.send_to(&packet, remote);
    }
}
