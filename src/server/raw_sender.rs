//! RTP of all legs through one raw socket, where the operator allows it (`rtp.raw_socket`, CAP_NET_RAW).
//!
//! Each leg keeps a port of its own and hears on it, so whoever is behind a NAT can be told apart; but what leaves carries
//! its UDP header from here (RFC 768), and so packets of many ports go in one system call and by one socket, whose memory
//! stays in the processor's cache and for which no thread waits. Routes, neighbours, firewall and IP's own checksum are the
//! kernel's work as ever (raw(7), IP_HDRINCL). IPv4 only. What the system does not take leaves by the leg's own socket.

use super::send_many::{BATCH, Sender};
use crate::media::PACKET_BYTES_MAX;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, setsockopt, socket, sockopt};
use std::cell::RefCell;
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;

/// Says once how it is. Where it is not allowed, calls send by their own sockets.
pub fn open_if_allowed() -> Option<RawSender> {
    static TOLD: std::sync::Once = std::sync::Once::new();
    match RawSender::open() {
        Ok(sender) => {
            TOLD.call_once(|| tracing::info!("RTP leaves by raw sockets, as far as peers have IPv4 addresses"));
            Some(sender)
        }
        Err(error) => {
            TOLD.call_once(|| {
                tracing::warn!(
                    "media.raw_socket is true, but there is no raw socket to be had ({error}); each call sends by its own \
                     socket instead: give onekey CAP_NET_RAW (systemd: add it to AmbientCapabilities= and CapabilityBoundingSet=)"
                );
            });
            None
        }
    }
}

const IP_BYTES: usize = 20;
const HEADERS: usize = IP_BYTES + 8;
const UDP: u8 = 17;
const TIME_TO_LIVE: u8 = 64;
/// Asked of the kernel: what all legs send in some milliseconds.
const BUFFER_BYTES: usize = 4 << 20;

thread_local! {
    /// Room for the heads of a batch. It may not leave its thread, and workers are made before their threads are.
    static SENDER: RefCell<Sender> = RefCell::default();
}

#[derive(Debug)]
struct Waiting {
    from_port: u16,
    to: SocketAddrV4,
    length: usize,
    bytes: [u8; HEADERS + PACKET_BYTES_MAX],
}

#[derive(Debug)]
pub struct RawSender {
    socket: OwnedFd,
    waiting: Vec<Waiting>,
    /// IP's number of the next packet; 0 would have the kernel look for one.
    identification: u16,
}

impl RawSender {
    /// # Errors
    /// This user may not, or there is no socket to be had.
    pub fn open() -> io::Result<RawSender> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        // This protocol receives nothing, and what is sent has its IP header (raw(7)).
        let socket = socket(AddressFamily::Inet, SockType::Raw, flags, SockProtocol::Raw)?;
        // The kernel caps it at its own limit; less is no reason to stop.
        let _ = setsockopt(&socket, sockopt::SndBuf, &BUFFER_BYTES);
        Ok(RawSender::over(socket))
    }

    /// By this socket, which is taken to be such a one.
    pub fn over(socket: OwnedFd) -> RawSender {
        RawSender { socket, waiting: Vec::with_capacity(BATCH), identification: 1 }
    }

    /// A packet that leaves with the next [`RawSender::send`], which is due when this says so. `false` for what is longer
    /// than any RTP of ours: it must leave otherwise.
    pub fn put(&mut self, from: SocketAddrV4, to: SocketAddrV4, payload: &[u8]) -> bool {
        if payload.len() > PACKET_BYTES_MAX {
            return false;
        }
        let length = HEADERS + payload.len();
        let mut bytes = [0; HEADERS + PACKET_BYTES_MAX];
        write_headers(&mut bytes, from, to, payload.len() as u16, self.identification);
        bytes[HEADERS..length].copy_from_slice(payload);
        let sum = checksum(from, to, &bytes[IP_BYTES..length]);
        bytes[IP_BYTES + 6..HEADERS].copy_from_slice(&sum.to_be_bytes());
        self.identification = self.identification.checked_add(1).unwrap_or(1);
        self.waiting.push(Waiting { from_port: from.port(), to, length, bytes });
        true
    }

    pub fn is_full(&self) -> bool {
        self.waiting.len() >= BATCH
    }

    /// Sends what waits. What the system does not take is given to `refused`: from which port, to whom, the bytes.
    pub fn send(&mut self, mut refused: impl FnMut(u16, SocketAddrV4, &[u8])) {
        let RawSender { socket, waiting, .. } = self;
        if waiting.is_empty() {
            return;
        }
        let packets = waiting.iter().map(|one| (one.to, &one.bytes[..one.length]));
        SENDER.with_borrow_mut(|sender| {
            sender.send_or(socket, packets, |place| {
                let one = &waiting[place];
                refused(one.from_port, one.to, &one.bytes[HEADERS..one.length]);
            })
        });
        waiting.clear();
    }
}

/// Of IP (RFC 791 §3.1) and UDP; the checksum of IP is the kernel's to fill in, that of UDP is not there yet.
fn write_headers(bytes: &mut [u8], from: SocketAddrV4, to: SocketAddrV4, payload: u16, identification: u16) {
    let length = HEADERS as u16 + payload;
    bytes[0] = 0x45; // version 4, five words of header
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    bytes[4..6].copy_from_slice(&identification.to_be_bytes());
    bytes[6] = 0x40; // do not fragment, as with UDP sockets
    bytes[8] = TIME_TO_LIVE;
    bytes[9] = UDP;
    bytes[12..16].copy_from_slice(&from.ip().octets());
    bytes[16..20].copy_from_slice(&to.ip().octets());
    bytes[20..22].copy_from_slice(&from.port().to_be_bytes());
    bytes[22..24].copy_from_slice(&to.port().to_be_bytes());
    bytes[24..26].copy_from_slice(&(payload + 8).to_be_bytes());
}

/// Of a UDP datagram whose own checksum is still 0, with the addresses that belong to it (RFC 768).
fn checksum(from: SocketAddrV4, to: SocketAddrV4, datagram: &[u8]) -> u16 {
    let words = |bytes: &[u8]| -> u64 {
        let pairs = bytes.chunks_exact(2);
        let last = pairs.remainder().first().map_or(0, |byte| u64::from(*byte) << 8);
        pairs.map(|pair| u64::from(u16::from_be_bytes([pair[0], pair[1]]))).sum::<u64>() + last
    };
    let mut sum = words(&from.ip().octets()) + words(&to.ip().octets()) + u64::from(UDP) + datagram.len() as u64;
    sum += words(datagram);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // A sum of 0 is written as its other form: 0 would say that there is none.
    match !(sum as u16) {
        0 => 0xffff,
        sum => sum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::net::Ipv4Addr;

    const FROM: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 10_000);
    const TO: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 7), 40_000);

    #[test]
    fn headers_are_what_the_rfcs_say_and_the_checksum_adds_up() {
        let mut bytes = [0; HEADERS + 3];
        write_headers(&mut bytes, FROM, TO, 3, 0x0102);
        bytes[HEADERS..].copy_from_slice(b"abc");
        assert_eq!(bytes[..12], [0x45, 0, 0, 31, 1, 2, 0x40, 0, 64, 17, 0, 0]);
        assert_eq!(bytes[12..20], [192, 0, 2, 1, 198, 51, 100, 7]);
        assert_eq!(bytes[20..28], [0x27, 0x10, 0x9c, 0x40, 0, 11, 0, 0]);
        // Added by hand: addresses 0xc000+0x0201+0xc633+0x6407, 17+11, ports 0x2710+0x9c40, length 11, "ab" "c".
        let sum = 0xc000u32 + 0x0201 + 0xc633 + 0x6407 + 28 + 0x2710 + 0x9c40 + 11 + 0x6162 + 0x6300;
        let folded = (sum & 0xffff) + (sum >> 16);
        assert_eq!(checksum(FROM, TO, &bytes[IP_BYTES..]), !(folded as u16));
    }

    #[test]
    fn what_the_system_does_not_take_is_given_back_whole() {
        // No socket at all: every packet is refused.
        let mut sender = RawSender::over(File::open("/dev/null").unwrap().into());
        for number in 0..70u8 {
            let from = SocketAddrV4::new(*FROM.ip(), 10_000 + 2 * u16::from(number));
            assert!(sender.put(from, TO, &[number; 172]));
        }
        assert!(sender.is_full());
        let mut given_back = Vec::new();
        sender.send(|port, to, bytes| given_back.push((port, to, bytes.to_vec())));
        let all: Vec<_> = (0..70u8).map(|number| (10_000 + 2 * u16::from(number), TO, vec![number; 172])).collect();
        assert_eq!(given_back, all);
        sender.send(|_, _, _| unreachable!("nothing waits any more"));
        assert!(!sender.put(FROM, TO, &[0; 173]), "longer than RTP of ours");
    }
}
