//! Those of the crowd who send: a packet every 20 ms each, in twenty phases of a millisecond, and keys.

use super::cost::wall;
use super::hearing::STAMP;
use super::spread::Spread;
use crate::server::send_many::Sender;
use std::net::{SocketAddrV4, UdpSocket};
use std::time::Duration;

/// An RTP header and 20 ms of G.711.
pub const PACKET_BYTES: usize = 12 + 160;
const FRAME: Duration = Duration::from_millis(20);
/// Milliseconds of a frame: who sends in which.
pub const PHASES: usize = 20;
/// Payload type of keys in our SDP.
const KEYS: u8 = 101;

#[derive(Debug)]
struct Talker {
    socket: usize,
    to: SocketAddrV4,
    packet: [u8; PACKET_BYTES],
}

/// Everybody who sends.
#[derive(Default)]
pub struct Talkers {
    phases: [Vec<Talker>; PHASES],
    count: usize,
    /// Milliseconds since the first turn that have been served.
    served: u64,
    began: Option<Duration>,
    sender: Sender,
    pub sent: u64,
    pub refused: u64,
    /// How late packets left.
    pub late: Spread,
}

impl Talkers {
    /// One more, who sends from `sockets[socket]`.
    pub fn join(&mut self, socket: usize, to: SocketAddrV4, ssrc: u32) {
        let mut packet = [0xff; PACKET_BYTES]; // silence in mu-law
        packet[..12].fill(0);
        packet[0] = 0x80;
        packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
        packet[12..16].copy_from_slice(&STAMP);
        self.phases[self.count % PHASES].push(Talker { socket, to, packet });
        self.count += 1;
    }

    pub fn begin(&mut self) {
        (self.sent, self.refused, self.late) = (0, 0, Spread::default());
    }

    /// Sends what is due by `now`. After a stall of more than a round the rest is left out: real phones do not burst either.
    pub fn send_due(&mut self, sockets: &[UdpSocket], now: Duration) {
        let began = *self.began.get_or_insert(now);
        let due = now.saturating_sub(began).as_millis() as u64;
        self.served = self.served.max(due.saturating_sub(PHASES as u64));
        while self.served < due {
            self.served += 1;
            let phase = &mut self.phases[self.served as usize % PHASES];
            if phase.is_empty() {
                continue;
            }
            let left = wall();
            for talker in phase.iter_mut() {
                step(&mut talker.packet, left);
            }
            for (number, socket) in sockets.iter().enumerate() {
                let packets: Vec<_> = phase
                    .iter()
                    .filter(|talker| talker.socket == number)
                    .map(|talker| (talker.to, &talker.packet[..]))
                    .collect();
                let (all, taken) = (packets.len(), self.sender.send(socket, packets.into_iter()));
                self.sent += taken as u64;
                self.refused += (all - taken) as u64;
            }
            self.late.add(wall().saturating_sub(began + Duration::from_millis(self.served)));
        }
    }

    /// A short key: one packet that begins it, two more and three that end it. When the first left.
    pub fn press(&mut self, socket: &UdpSocket, to: SocketAddrV4, ssrc: u32, key: u8) -> Duration {
        let at = wall();
        let timestamp = (at.as_millis() as u32).wrapping_mul(8);
        for number in 0..6u16 {
            let (is_end, marker) = (number >= 3, if number == 0 { 0x80 } else { 0 });
            let duration = 160 * (number.min(3) + 1);
            let mut packet = vec![0x80, marker | KEYS];
            packet.extend((at.as_millis() as u16).wrapping_add(number).to_be_bytes());
            packet.extend(timestamp.to_be_bytes());
            packet.extend(ssrc.to_be_bytes());
            packet.extend([key, if is_end { 0x8a } else { 10 }]);
            packet.extend(duration.to_be_bytes());
            let _ = socket.send_to(&packet, to); // six packets for one key: some may be lost
        }
        at
    }
}

/// The next packet of the stream.
fn step(packet: &mut [u8; PACKET_BYTES], left: Duration) {
    let sequence = u16::from_be_bytes([packet[2], packet[3]]).wrapping_add(1);
    let timestamp =
        u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]).wrapping_add(FRAME.as_millis() as u32 * 8);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
    packet[16..24].copy_from_slice(&(left.as_nanos() as u64).to_be_bytes());
}
