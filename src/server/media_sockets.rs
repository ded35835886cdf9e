//! The RTP and RTCP sockets of one media worker: a pair of ports for each leg (RFC 3550 §11), and how many there can be.

use crate::ids::LegId;
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};

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
    /// Where the last RTP packet went: RTCP to the very same port is multiplexed (RFC 5761) and leaves by the RTP socket.
    rtp_to: Option<SocketAddr>,
}

/// All sockets of one worker. A place in `pairs` stands in epoll's token, so that a wake needs no look-up.
#[derive(Debug)]
pub struct MediaSockets {
    listen: IpAddr,
    pairs: Vec<Option<Pair>>,
    free: Vec<usize>,
    places: HashMap<LegId, usize>,
}

impl MediaSockets {
    /// Sockets are bound to `listen`; with `[::]` they serve IPv4 peers too.
    pub fn new(listen: IpAddr) -> MediaSockets {
        MediaSockets { listen, pairs: Vec::new(), free: Vec::new(), places: HashMap::new() }
    }

    /// Binds `port` for RTP and `port + 1` for RTCP and has epoll watch both. Either both or none.
    pub fn bind(&mut self, epoll: &Epoll, leg: LegId, port: u16) -> io::Result<()> {
        self.unbind(epoll, leg);
        let rtcp_port = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
        let pair = Pair {
            leg,
            rtp: open(SocketAddr::new(self.listen, port))?,
            rtcp: open(SocketAddr::new(self.listen, rtcp_port))?,
            rtp_to: None,
        };
        let place = self.free.pop().unwrap_or_else(|| {
            self.pairs.push(None);
            self.pairs.len() - 1
        });
        let watched = epoll
            .add(&pair.rtp, EpollEvent::new(EpollFlags::EPOLLIN, token(place, Kind::Rtp)))
            .and_then(|()| epoll.add(&pair.rtcp, EpollEvent::new(EpollFlags::EPOLLIN, token(place, Kind::Rtcp))));
        if let Err(error) = watched {
            self.free.push(place);
            return Err(error.into());
        }
        self.pairs[place] = Some(pair);
        self.places.insert(leg, place);
        Ok(())
    }

    pub fn unbind(&mut self, epoll: &Epoll, leg: LegId) {
        let Some(place) = self.places.remove(&leg) else { return };
        if let Some(pair) = self.pairs[place].take() {
            // Closing takes a socket out of epoll too; a refusal here has no consequence.
            let _ = epoll.delete(&pair.rtp);
            let _ = epoll.delete(&pair.rtcp);
        }
        self.free.push(place);
    }

    /// The next datagram of the socket that `token` names: whose it is, which kind, length and sender. `None`: no more now.
    pub fn receive(&self, token: u64, buffer: &mut [u8]) -> Option<(LegId, Kind, usize, SocketAddr)> {
        let (place, kind) = (token as usize / 2, if token.is_multiple_of(2) { Kind::Rtp } else { Kind::Rtcp });
        let pair = self.pairs.get(place)?.as_ref()?;
        let socket = match kind {
            Kind::Rtp => &pair.rtp,
            Kind::Rtcp => &pair.rtcp,
        };
        // Errors other than "nothing there" are late ICMP news of an earlier send; the next wake tries again.
        let (length, from) = socket.recv_from(buffer).ok()?;
        Some((pair.leg, kind, length, SocketAddr::new(from.ip().to_canonical(), from.port())))
    }

    /// Sends one RTP packet now. `false`: the system did not take it.
    pub fn send_rtp(&mut self, leg: LegId, to: SocketAddr, bytes: &[u8]) -> bool {
        let listen = self.listen;
        let Some(pair) = self.places.get(&leg).and_then(|&place| self.pairs[place].as_mut()) else { return false };
        pair.rtp_to = Some(to);
        pair.rtp.send_to(bytes, as_family_of(listen, to)).is_ok()
    }

    pub fn send_rtcp(&self, leg: LegId, to: SocketAddr, bytes: &[u8]) -> bool {
        let Some(pair) = self.places.get(&leg).and_then(|&place| self.pairs[place].as_ref()) else { return false };
        let socket = if pair.rtp_to == Some(to) { &pair.rtp } else { &pair.rtcp };
        socket.send_to(bytes, as_family_of(self.listen, to)).is_ok()
    }

    /// How many legs have ports.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

fn token(place: usize, kind: Kind) -> u64 {
    place as u64 * 2 + u64::from(kind == Kind::Rtcp)
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
