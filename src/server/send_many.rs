//! Many datagrams in one system call: `sendmmsg`.

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, sendmmsg};
use std::io::IoSlice;
use std::net::SocketAddrV4;
use std::os::fd::AsRawFd;

/// Datagrams in one system call; more gain nothing (measured: 64 and 128 cost the same, 1024 more).
pub const BATCH: usize = 64;

/// Room for the heads of what is sent.
pub struct Sender {
    headers: MultiHeaders<SockaddrIn>,
    to: Vec<Option<SockaddrIn>>,
}

impl Default for Sender {
    fn default() -> Sender {
        Sender { headers: MultiHeaders::preallocate(BATCH, None), to: Vec::with_capacity(BATCH) }
    }
}

impl Sender {
    /// Sends each packet to its address, [`BATCH`] at a time, and returns how many the system took.
    pub fn send<'a>(
        &mut self,
        socket: &impl AsRawFd,
        packets: impl Iterator<Item = (SocketAddrV4, &'a [u8])>,
    ) -> usize {
        self.send_or(socket, packets, |_| {})
    }

    /// The same; those that the system does not take are told to `refused` by their places.
    pub fn send_or<'a>(
        &mut self,
        socket: &impl AsRawFd,
        packets: impl Iterator<Item = (SocketAddrV4, &'a [u8])>,
        mut refused: impl FnMut(usize),
    ) -> usize {
        let mut packets = packets.peekable();
        let (mut first, mut taken) = (0, 0);
        while packets.peek().is_some() {
            let mut slices = std::array::from_fn::<_, BATCH, _>(|_| [IoSlice::new(&[])]);
            self.to.clear();
            for (slice, (to, bytes)) in slices.iter_mut().zip(&mut packets) {
                *slice = [IoSlice::new(bytes)];
                self.to.push(Some(SockaddrIn::from(to)));
            }
            let count = self.to.len();
            taken += self.send_all(socket, &slices[..count], |place| refused(first + place));
            first += count;
        }
        taken
    }

    /// A datagram that the system does not take is left out, and those after it are sent.
    fn send_all(
        &mut self,
        socket: &impl AsRawFd,
        slices: &[[IoSlice<'_>; 1]],
        mut refused: impl FnMut(usize),
    ) -> usize {
        let (mut begin, mut taken) = (0, 0);
        while begin < slices.len() {
            let to = &self.to[begin..];
            let flags = MsgFlags::MSG_DONTWAIT;
            let sent = sendmmsg(socket.as_raw_fd(), &mut self.headers, slices[begin..].iter(), to, [], flags);
            let count = sent.map_or(0, |sent| sent.count());
            begin += count;
            taken += count;
            if count == 0 {
                refused(begin);
                begin += 1;
            }
        }
        taken
    }
}
