//! Which address of ours faces a peer: a socket bound to 0.0.0.0 or `[::]` does not say, but what we write in SIP and SDP must.
//!
//! A throw-away UDP socket "connected" to the peer (nothing is sent) is given that address by the kernel's routes.
//! Answers are kept for a while, because routes seldom change and a burst of calls comes from few peers.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Peers remembered at most; then all are forgotten at once, which costs one look-up each.
const PEERS_MAX: usize = 4096;
/// How long a route is believed.
const KEPT: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub struct LocalAddresses {
    known: HashMap<IpAddr, (IpAddr, Instant)>,
}

impl LocalAddresses {
    /// Our address towards `peer` on a socket bound to `bound`.
    pub fn facing(&mut self, bound: SocketAddr, peer: SocketAddr) -> SocketAddr {
        if !bound.ip().is_unspecified() {
            return bound;
        }
        if let Some((address, since)) = self.known.get(&peer.ip())
            && since.elapsed() < KEPT
        {
            return SocketAddr::new(*address, bound.port());
        }
        let address = routed(peer).unwrap_or(match peer.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
        if self.known.len() >= PEERS_MAX {
            self.known.clear();
        }
        self.known.insert(peer.ip(), (address, Instant::now()));
        SocketAddr::new(address, bound.port())
    }
}

/// What the kernel would put as our source address; `None` where there is no route.
fn routed(peer: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // The port matters to no route, but 0 is refused.
    socket.connect(SocketAddr::new(peer.ip(), peer.port().max(1))).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::LocalAddresses;

    #[test]
    fn a_concrete_address_stays_and_an_open_one_becomes_concrete() {
        let mut addresses = LocalAddresses::default();
        let peer = "127.0.0.7:5062".parse().unwrap();
        assert_eq!(addresses.facing("127.0.0.9:5060".parse().unwrap(), peer), "127.0.0.9:5060".parse().unwrap());
        for _ in 0..2 {
            let facing = addresses.facing("0.0.0.0:5060".parse().unwrap(), peer);
            assert!(facing.ip().is_loopback() && facing.port() == 5060, "{facing}");
        }
        assert_eq!(addresses.known.len(), 1, "the second time it is remembered");
    }

    #[test]
    fn strangers_without_end_do_not_fill_the_memory() {
        let mut addresses = LocalAddresses::default();
        for number in 0..5000u32 {
            let peer = std::net::Ipv4Addr::from(0x7f00_0001 + number);
            addresses.facing("0.0.0.0:5060".parse().unwrap(), (peer, 5060).into());
        }
        assert!(addresses.known.len() <= super::PEERS_MAX);
    }
}
