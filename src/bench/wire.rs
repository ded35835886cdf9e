//! Many datagrams at once: `recvmmsg` with the kernel's time of arrival. For the load generator, which must cost little
//! beside what it measures, and for the bare loops that show the machine's limit; both send by [`crate::server::send_many`].

use super::BenchError;
use crate::server::send_many::BATCH;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

const DATAGRAM_BYTES_MAX: usize = 2048;
/// What the kernel may keep for us while we sleep: a second of 2 000 streams and more.
const BUFFER_BYTES: usize = 4 << 20;

/// A socket on a free port of `host` that never blocks and whose datagrams are stamped by the kernel.
///
/// # Errors
/// The system has none.
pub fn open(host: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    socket.bind(&SocketAddrV4::new(host, 0).into())?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.set_send_buffer_size(BUFFER_BYTES)?;
    let socket = UdpSocket::from(socket);
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    Ok(socket)
}

/// Where a socket is.
///
/// # Errors
/// It is not known, or no IPv4 address.
pub fn address(socket: &UdpSocket) -> Result<SocketAddrV4, BenchError> {
    match socket.local_addr()? {
        SocketAddr::V4(address) => Ok(address),
        SocketAddr::V6(_) => Err(BenchError("an IPv4 socket has an IPv6 address".to_owned())),
    }
}

/// One datagram that came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    pub bytes: &'a [u8],
    pub from: SocketAddrV4,
    /// By the wall clock, when the kernel had it.
    pub at: Duration,
}

/// Room for what comes.
pub struct Reader {
    headers: MultiHeaders<SockaddrIn>,
    bytes: Vec<u8>,
}

impl Default for Reader {
    fn default() -> Reader {
        let headers = MultiHeaders::preallocate(BATCH, Some(cmsg_space!(TimeSpec)));
        Reader { headers, bytes: vec![0; BATCH * DATAGRAM_BYTES_MAX] }
    }
}

impl Reader {
    /// Hands every datagram that is there to `take`.
    ///
    /// # Errors
    /// The socket cannot be read. Late news of an earlier send (ICMP) is none.
    pub fn drain(&mut self, socket: &UdpSocket, mut take: impl FnMut(Arrival<'_>)) -> io::Result<()> {
        loop {
            let mut rooms: Vec<[IoSliceMut<'_>; 1]> =
                self.bytes.chunks_mut(DATAGRAM_BYTES_MAX).map(|room| [IoSliceMut::new(room)]).collect();
            let flags = MsgFlags::MSG_DONTWAIT;
            let received = match recvmmsg(socket.as_raw_fd(), &mut self.headers, rooms.iter_mut(), flags, None) {
                Ok(received) => received,
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::ECONNREFUSED | Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let mut count = 0;
            for datagram in received {
                count += 1;
                let (Some(bytes), Some(from)) = (datagram.iovs().next(), datagram.address) else { continue };
                let stamp = datagram.cmsgs().ok().and_then(|mut messages| {
                    messages.find_map(|message| match message {
                        ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
                        _ => None,
                    })
                });
                let from = SocketAddrV4::new(from.ip(), from.port());
                take(Arrival { bytes, from, at: stamp.unwrap_or_else(super::cost::wall) });
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::send_many::Sender;

    #[test]
    fn what_is_sent_in_batches_arrives_whole_and_stamped() {
        let (from, to) = (open(Ipv4Addr::LOCALHOST).unwrap(), open(Ipv4Addr::LOCALHOST).unwrap());
        let std::net::SocketAddr::V4(target) = to.local_addr().unwrap() else { unreachable!("IPv4") };
        let packets: Vec<Vec<u8>> = (0..150u8).map(|number| vec![number; 1 + usize::from(number)]).collect();
        let before = super::super::cost::wall();
        let sent = Sender::default().send(&from, packets.iter().map(|packet| (target, packet.as_slice())));
        assert_eq!(sent, 150);
        let (mut reader, mut seen) = (Reader::default(), Vec::new());
        let port = from.local_addr().unwrap().port();
        reader
            .drain(&to, |arrival| {
                assert_eq!(arrival.from.port(), port);
                assert!(arrival.at >= before && arrival.at <= super::super::cost::wall());
                seen.push(arrival.bytes.to_vec());
            })
            .unwrap();
        assert_eq!(seen, packets);
        reader.drain(&to, |_| unreachable!("nothing more is there")).unwrap();
    }
}
