//! A phone's SIP side on UDP: one socket, and the repeating of what UDP may lose (RFC 3261 §17.1.1.2, §17.1.2.2).

use crate::rehearsal::sip_text;
use crate::sip::message::Message;
use crate::sip::reader;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// A phone's loop turns at least this often: a quarter of a frame.
const TURN: Duration = Duration::from_millis(5);
/// T1 and T2 of RFC 3261 §17.1.2.1, and 64 times T1.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const GIVE_UP: Duration = Duration::from_secs(32);
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// The socket, "connected" to the server: nobody else is heard.
#[derive(Debug)]
pub struct Wire {
    socket: UdpSocket,
    pub local: SocketAddr,
    pub server: SocketAddr,
    /// Sent again until they are answered, by a name of their own.
    repeats: BTreeMap<&'static str, Repeat>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Repeat {
    text: String,
    next: Instant,
    gap: Duration,
    end: Instant,
}

impl Wire {
    /// # Errors
    /// No socket can be had.
    pub fn open(server: SocketAddr) -> io::Result<Wire> {
        let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(TURN))?;
        let local = socket.local_addr()?;
        Ok(Wire { socket, local, server, repeats: BTreeMap::new(), buffer: vec![0; DATAGRAM_BYTES_MAX] })
    }

    /// The next message, if one comes within a turn. Repeats what is due.
    pub fn receive(&mut self) -> Option<Message> {
        let now = Instant::now();
        self.repeats.retain(|_, repeat| now < repeat.end);
        for repeat in self.repeats.values_mut().filter(|repeat| now >= repeat.next) {
            repeat.gap = (repeat.gap * 2).min(T2);
            repeat.next = now + repeat.gap;
            let _ = self.socket.send(repeat.text.as_bytes());
        }
        // No message, or word that the server is gone: either way there is nothing to read.
        let length = self.socket.recv(&mut self.buffer).ok()?;
        reader::read(self.buffer[..length].to_vec()).ok()
    }

    /// Sends once. What the kernel does not take is lost, as UDP may lose it.
    pub fn send(&self, text: &str) {
        let _ = self.socket.send(text.as_bytes());
    }

    /// Sends until [`Wire::answered`] is told of it, for 32 s at most.
    pub fn send_until_answered(&mut self, name: &'static str, text: String) {
        self.send(&text);
        let now = Instant::now();
        self.repeats.insert(name, Repeat { text, next: now + T1, gap: T1, end: now + GIVE_UP });
    }

    pub fn answered(&mut self, name: &str) {
        self.repeats.remove(name);
    }

    /// Is anything of this name still without its answer?
    pub fn is_waiting(&self, name: &str) -> bool {
        self.repeats.contains_key(name)
    }

    /// Answers a request once.
    pub fn respond(&self, request: &Message, status: u16, reason: &str, tag: &str) {
        self.send(&sip_text::response(self.local, request, status, reason, "", tag));
    }
}
