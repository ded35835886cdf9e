//! SIP on the wire: UDP sockets here, TCP connections in `sip_tcp.rs` (RFC 3261 §18).
//!
//! What arrives goes to the control loop as `Input::Sip` with a concrete local address; what the engine sends leaves from
//! the control thread itself, without another thread in between. No error of a socket or peer ever stops anything.

use super::inbox::Inbox;
use super::local_address::LocalAddresses;
use super::sip_tcp::{TcpConnections, TcpLimits};
use super::{BindError, bind_error};
use crate::engine::input::Input;
use crate::sip::{Datagram, Flow, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

/// Asked of the kernel, so that a burst of INVITEs outlasts a busy moment.
const BUFFER_BYTES: usize = 4 << 20;
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// After an error that is not a peer's doing (network down) the socket rests this long instead of spinning.
const REST: Duration = Duration::from_millis(20);

/// Every SIP socket of the program: the way out for the control loop.
#[derive(Clone, Debug)]
pub struct SipSockets {
    udp: Arc<Vec<(SocketAddr, UdpSocket)>>,
    tcp: TcpConnections,
    sends_failed: Arc<AtomicU64>,
}

/// Binds all addresses and begins to receive. Port 0 takes any free port; see [`SipSockets::udp_addresses`].
pub fn open(
    runtime: &Handle,
    udp: &[SocketAddr],
    tcp: &[SocketAddr],
    limits: TcpLimits,
    inbox: &Inbox,
) -> Result<(SipSockets, Vec<SocketAddr>), BindError> {
    let _inside = runtime.enter(); // tokio's sockets belong to the runtime that they are made in
    let mut senders = Vec::new();
    for &address in udp {
        let socket = open_udp(address).map_err(|source| bind_error("udp", address, source))?;
        let bound = socket.local_addr().map_err(|source| bind_error("udp", address, source))?;
        let receiver = socket
            .try_clone()
            .and_then(tokio::net::UdpSocket::from_std)
            .map_err(|source| bind_error("udp", address, source))?;
        runtime.spawn(receive_udp(receiver, bound, inbox.clone()));
        senders.push((bound, socket));
    }
    let connections = TcpConnections::new(limits, runtime.clone(), inbox.clone());
    let mut tcp_addresses = Vec::new();
    for &address in tcp {
        let listener = open_tcp(address).map_err(|source| bind_error("tcp", address, source))?;
        tcp_addresses.push(listener.local_addr().map_err(|source| bind_error("tcp", address, source))?);
        runtime.spawn(connections.clone().accept(listener));
    }
    let sockets = SipSockets { udp: Arc::new(senders), tcp: connections, sends_failed: Arc::default() };
    Ok((sockets, tcp_addresses))
}

impl SipSockets {
    /// Sends one message by its flow. Never blocks: what the kernel does not take is dropped and counted, as UDP may be.
    pub fn send(&self, datagram: Datagram) {
        match datagram.flow.transport {
            Transport::Tcp => self.tcp.send(datagram),
            Transport::Udp => {
                let sent =
                    self.socket_for(&datagram.flow).map(|socket| socket.send_to(&datagram.bytes, datagram.flow.remote));
                if !matches!(sent, Some(Ok(_))) {
                    self.sends_failed.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!("a SIP message to {} was not taken: {sent:?}", datagram.flow.remote);
                }
            }
        }
    }

    /// The bound addresses, with the ports that the system chose where 0 was asked for.
    pub fn udp_addresses(&self) -> Vec<SocketAddr> {
        self.udp.iter().map(|(bound, _)| *bound).collect()
    }

    /// Messages that the system did not take.
    pub fn sends_failed(&self) -> u64 {
        self.sends_failed.load(Ordering::Relaxed)
    }

    /// TCP connections open now.
    pub fn connections(&self) -> usize {
        self.tcp.len()
    }

    /// The socket that stands for the flow's local address; else any of the peer's family.
    fn socket_for(&self, flow: &Flow) -> Option<&UdpSocket> {
        let serves = |bound: &SocketAddr| {
            bound.port() == flow.local.port()
                && (bound.ip() == flow.local.ip()
                    || bound.ip().is_unspecified() && bound.is_ipv4() == flow.local.is_ipv4())
        };
        let same_family = |bound: &SocketAddr| bound.is_ipv4() == flow.remote.is_ipv4();
        let found = self.udp.iter().find(|(bound, _)| serves(bound));
        found.or_else(|| self.udp.iter().find(|(bound, _)| same_family(bound))).map(|(_, socket)| socket)
    }
}

async fn receive_udp(socket: tokio::net::UdpSocket, bound: SocketAddr, inbox: Inbox) {
    let mut buffer = vec![0u8; DATAGRAM_BYTES_MAX];
    let mut addresses = LocalAddresses::default();
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, remote)) => {
                let bytes = &buffer[..length];
                if is_keep_alive(bytes) {
                    continue;
                }
                let local = addresses.facing(bound, remote);
                let flow = Flow { transport: Transport::Udp, local, remote, connection: None };
                inbox.offer_sip(Input::Sip(Datagram { flow, bytes: bytes.to_vec() }));
            }
            // ICMP news of something sent earlier: no reason to do anything.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset) => {
            }
            Err(error) => {
                tracing::warn!("receiving on {bound} failed and is tried again: {error}");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Phones behind NAT send empty lines or zero bytes to keep their mapping open; they ask for nothing.
fn is_keep_alive(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0))
}

fn open_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // so that 0.0.0.0 may be listed beside [::]
    }
    // The kernel caps these at its own limit; less is no reason to stop.
    let _ = socket.set_recv_buffer_size(BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(BUFFER_BYTES);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn open_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?; // connections of the last run that linger must not keep us from starting
    socket.bind(&address.into())?;
    socket.listen(256)?;
    TcpListener::from_std(socket.into())
}
