//! The RTP and RTCP sockets of one media worker: a pair of ports for each leg (RFC 3550 §11), and how many there can be.

use super::local_address::LocalAddresses;
use super::raw_sender::RawSender;
use crate::ids::LegId;
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};

/// Descriptors that the program needs for everything but media: SIP connections, database, files.
const OTHER_DESCRIPTORS: u64 = 2500;

/// Raises the limit on open files to what this machine allows, and says it.
pub fn descriptors_allowed() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft }
}

/// For how many legs (two sockets each) the limit on open files is enough.
pub fn legs_allowed() -> u64 {
    let limit = descriptors_allowed();
    (limit.saturating_sub(OTHER_DESCRIPTORS) / 2).max(limit / 8)
}

/// Which of a leg's two sockets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Rtp,
    Rtcp,
}

#[derive(Debug)]
struct Pair {
    leg: LegId,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    /// The peer's host and our address towards it, for the raw socket; none where a raw packet would not do.
    facing: Option<(Ipv4Addr, Option<Ipv4Addr>)>,
    /// Where the last RTP packet went: RTCP to the very same port is multiplexed (RFC 5761) and leaves by the RTP socket.
    rtp_to: Option<SocketAddr>,
}

impl Pair {
    /// Our address towards `peer`, if a raw packet can have one. The kernel's routes are asked once for each peer of a leg.
    fn raw_source(&mut self, listen: IpAddr, peer: Ipv4Addr, addresses: &mut LocalAddresses) -> Option<Ipv4Addr> {
        if let Some((host, ours)) = self.facing
            && host == peer
        {
            return ours;
        }
        // A socket for both families serves IPv4 from any address, too.
        let bound = match listen {
            IpAddr::V6(all) if all.is_unspecified() => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            other => other,
        };
        let ours = match addresses.facing(SocketAddr::new(bound, 0), SocketAddr::new(peer.into(), 9)).ip() {
            // Without a route to the peer that is what is answered; a socket knows better.
            IpAddr::V4(ours) if ours.is_loopback() == peer.is_loopback() => Some(ours),
            _ => None,
        };
        self.facing = Some((peer, ours));
        ours
    }
}

/// All sockets of one worker. A leg is found by its RTP port, which stands in what is sent and in epoll's token: a packet
/// needs no look-up.
#[derive(Debug)]
pub struct MediaSockets {
    listen: IpAddr,
    /// By half the RTP port, which is even.
    pairs: Vec<Option<Pair>>,
    count: usize,
    raw: Option<RawSender>,
    addresses: LocalAddresses,
}

impl MediaSockets {
    /// Sockets are bound to `listen`; with `[::]` they serve IPv4 peers too.
    /// RTP leaves by `raw` where there is one, and as far as that can be.
    pub fn new(listen: IpAddr, raw: Option<RawSender>) -> MediaSockets {
        MediaSockets { listen, pairs: Vec::new(), count: 0, raw, addresses: LocalAddresses::default() }
    }

    /// Binds `port` for RTP and `port + 1` for RTCP and has epoll watch both. Either both or none.
    pub fn bind(&mut self, epoll: &Epoll, leg: LegId, port: u16) -> io::Result<()> {
        self.unbind(port);
        let rtcp_port = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
        let pair = Pair {
            leg,
            rtp: open(SocketAddr::new(self.listen, port))?,
            rtcp: open(SocketAddr::new(self.listen, rtcp_port))?,
            facing: None,
            rtp_to: None,
        };
        epoll.add(&pair.rtp, EpollEvent::new(EpollFlags::EPOLLIN, u64::from(port)))?;
        epoll.add(&pair.rtcp, EpollEvent::new(EpollFlags::EPOLLIN, u64::from(rtcp_port)))?;
        let place = usize::from(port / 2);
        if self.pairs.len() <= place {
            self.pairs.resize_with(place + 1, || None);
        }
        self.pairs[place] = Some(pair);
        self.count += 1;
        Ok(())
    }

    /// Closes both sockets, which takes them out of epoll too: nobody else has them (epoll(7)).
    pub fn unbind(&mut self, port: u16) {
        if self.pairs.get_mut(usize::from(port / 2)).and_then(Option::take).is_some() {
            self.count -= 1;
        }
    }

    /// The next datagram of the socket that `token` names: whose it is, which kind, length and sender. `None`: no more now.
    pub fn receive(&self, token: u64, buffer: &mut [u8]) -> Option<(LegId, Kind, usize, SocketAddr)> {
        let kind = if token.is_multiple_of(2) { Kind::Rtp } else { Kind::Rtcp };
        let pair = self.pairs.get(token as usize / 2)?.as_ref()?;
        let socket = match kind {
            Kind::Rtp => &pair.rtp,
            Kind::Rtcp => &pair.rtcp,
        };
        // Errors other than "nothing there" are late ICMP news of an earlier send; the next wake tries again.
        // By the system call itself, as in `send`.
        let (length, _, from) = rustix::net::recvfrom(socket, buffer, rustix::net::RecvFlags::empty()).ok()?;
        let from = SocketAddr::try_from(from?).ok()?;
        Some((pair.leg, kind, length, SocketAddr::new(from.ip().to_canonical(), from.port())))
    }

    /// Sends one RTP packet from `port`, now or with the next [`MediaSockets::send_waiting`]. `false`: the system did not
    /// take it.
    pub fn send_rtp(&mut self, port: u16, to: SocketAddr, bytes: &[u8]) -> bool {
        let listen = self.listen;
        let Some(pair) = self.pairs.get_mut(usize::from(port / 2)).and_then(Option::as_mut) else { return false };
        pair.rtp_to = Some(to);
        if let (Some(raw), SocketAddr::V4(to)) = (&mut self.raw, to)
            && let Some(from) = pair.raw_source(listen, *to.ip(), &mut self.addresses)
            && raw.put(SocketAddrV4::new(from, port), to, bytes)
        {
            return true;
        }
        send(&pair.rtp, as_family_of(listen, to), bytes)
    }

    /// Do so many packets wait that it is time to send them?
    pub fn is_full(&self) -> bool {
        self.raw.as_ref().is_some_and(RawSender::is_full)
    }

    /// Sends what waits for the raw socket; what that does not take leaves by the leg's own. How many packets the system
    /// did not take at all.
    pub fn send_waiting(&mut self) -> u64 {
        let Some(raw) = &mut self.raw else { return 0 };
        let mut failed = 0;
        raw.send(|port, to, bytes| {
            let pair = self.pairs.get(usize::from(port / 2)).and_then(Option::as_ref);
            let sent = pair.is_some_and(|pair| send(&pair.rtp, as_family_of(self.listen, to.into()), bytes));
            failed += u64::from(!sent);
        });
        failed
    }

    /// RTCP of the leg whose RTP port this is.
    pub fn send_rtcp(&self, port: u16, to: SocketAddr, bytes: &[u8]) -> bool {
        let Some(pair) = self.pairs.get(usize::from(port / 2)).and_then(Option::as_ref) else { return false };
        let socket = if pair.rtp_to == Some(to) { &pair.rtp } else { &pair.rtcp };
        send(socket, as_family_of(self.listen, to), bytes)
    }

    /// How many legs have ports.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// By the system call itself: the C library's `sendto` is a point of cancellation, which costs a twentieth of a packet.
fn send(socket: &UdpSocket, to: SocketAddr, bytes: &[u8]) -> bool {
    rustix::net::sendto(socket, bytes, rustix::net::SendFlags::empty(), &to).is_ok()
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// An IPv6 socket that serves both families wants IPv4 peers in mapped form (RFC 4291 §2.5.5.2).
fn as_family_of(listen: IpAddr, to: SocketAddr) -> SocketAddr {
    match (listen, to) {
        (IpAddr::V6(_), SocketAddr::V4(v4)) => {
            let mapped: Ipv6Addr = v4.ip().to_ipv6_mapped();
            SocketAddr::V6(SocketAddrV6::new(mapped, v4.port(), 0, 0))
        }
        _ => to,
    }
}
