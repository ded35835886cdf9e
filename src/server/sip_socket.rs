//! SIP on the wire (RFC 3261 §18): UDP sockets here, received from in `sip_udp.rs`; TCP connections in `sip_tcp.rs`.
//!
//! What arrives goes to the control loop as `Input::Sip` with a concrete local address; what the engine sends leaves from
//! the control thread itself, without another thread in between. No error of a socket or peer ever stops anything.

use super::inbox::Inbox;
use super::sip_tcp::{TcpConnections, TcpLimits};
use super::sip_udp::UdpReceiver;
use super::{ServeError, bind_error};
use crate::sip::{Datagram, Flow, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

/// Asked of the kernel, so that a burst of INVITEs outlasts a busy moment.
const BUFFER_BYTES: usize = 4 << 20;

/// Every SIP socket of the program: the way out for the control loop.
#[derive(Clone, Debug)]
pub struct SipSockets {
    udp: Arc<Vec<(SocketAddr, UdpSocket)>>,
    /// Receives for as long as anybody can send.
    #[expect(dead_code, reason = "it is dropped with the sockets, and that is all")]
    receiver: Arc<UdpReceiver>,
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
) -> Result<(SipSockets, Vec<SocketAddr>), ServeError> {
    let _inside = runtime.enter(); // tokio's sockets belong to the runtime that they are made in
    let mut senders = Vec::new();
    for &address in udp {
        let socket = open_udp(address).map_err(|source| bind_error("udp", address, source))?;
        let bound = socket.local_addr().map_err(|source| bind_error("udp", address, source))?;
        senders.push((bound, socket));
    }
    let connections = TcpConnections::new(limits, runtime.clone(), inbox.clone());
    let mut tcp_addresses = Vec::new();
    for &address in tcp {
        let listener = open_tcp(address).map_err(|source| bind_error("tcp", address, source))?;
        tcp_addresses.push(listener.local_addr().map_err(|source| bind_error("tcp", address, source))?);
        runtime.spawn(connections.clone().accept(listener));
    }
    let udp = Arc::new(senders);
    let receiver = UdpReceiver::start(udp.clone(), inbox.clone());
    let receiver = receiver.map_err(|source| ServeError::System { what: "threads", source })?;
    let sockets = SipSockets { udp, receiver: Arc::new(receiver), tcp: connections, sends_failed: Arc::default() };
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
