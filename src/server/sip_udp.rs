//! The thread that receives SIP over UDP, from all sockets.
//!
//! It waits in `poll`, not in the runtime that serves TCP: a socket that is watched all the time, and for writing too, costs
//! a wake for each message that leaves by it.

use super::inbox::Inbox;
use super::local_address::LocalAddresses;
use super::rest::{Rest, sleep_exactly};
use crate::engine::input::Input;
use crate::sip::{Datagram, Flow, Transport};
use nix::sys::eventfd::{EfdFlags, EventFd};
use rustix::event::{PollFd, PollFlags, poll};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Of one socket, before the others have their turn.
const DATAGRAMS_AT_ONCE: usize = 64;
/// From one wake to the next while many messages come: what each may wait then.
const REST: Duration = Duration::from_millis(1);
/// After an error that is not a peer's doing (network down) it rests this long instead of spinning.
const ERROR_REST: Duration = Duration::from_millis(20);

/// Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct UdpReceiver {
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl UdpReceiver {
    /// The sockets must not block.
    pub fn start(sockets: Arc<Vec<(SocketAddr, UdpSocket)>>, inbox: Inbox) -> io::Result<UdpReceiver> {
        let stop = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("onekey-sip-udp".into()).spawn(move || {
            sleep_exactly();
            run(&sockets, &inbox, &stopped);
        })?;
        Ok(UdpReceiver { stop, thread: Some(thread) })
    }
}

impl Drop for UdpReceiver {
    fn drop(&mut self) {
        // It cannot be full: this is the only writer.
        let _ = self.stop.write(1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(sockets: &[(SocketAddr, UdpSocket)], inbox: &Inbox, stop: &EventFd) {
    let mut buffer = vec![0u8; DATAGRAM_BYTES_MAX];
    let mut addresses = LocalAddresses::default();
    let mut rest = Rest::new(REST);
    let mut watched: Vec<PollFd<'_>> = sockets.iter().map(|(_, socket)| PollFd::new(socket, PollFlags::IN)).collect();
    watched.push(PollFd::new(stop, PollFlags::IN));
    loop {
        rest.before_waiting(None);
        if let Err(error) = poll(&mut watched, None)
            && error != rustix::io::Errno::INTR
        {
            tracing::error!("waiting for SIP over UDP failed and is tried again: {error}");
            std::thread::sleep(ERROR_REST);
        }
        rest.woke(true);
        if watched.last().is_some_and(|stop| !stop.revents().is_empty()) {
            return;
        }
        let ready = sockets.iter().zip(&watched).filter(|(_, watched)| !watched.revents().is_empty());
        for ((bound, socket), _) in ready {
            if let Err(error) = receive(*bound, socket, &mut buffer, &mut addresses, inbox) {
                tracing::warn!("receiving on {bound} failed and is tried again: {error}");
                std::thread::sleep(ERROR_REST);
            }
        }
    }
}

fn receive(
    bound: SocketAddr,
    socket: &UdpSocket,
    buffer: &mut [u8],
    addresses: &mut LocalAddresses,
    inbox: &Inbox,
) -> io::Result<()> {
    for _ in 0..DATAGRAMS_AT_ONCE {
        let (length, remote) = match socket.recv_from(buffer) {
            Ok(received) => received,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(()),
                // ICMP news of something sent earlier: no reason to do anything.
                io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted => {
                    continue;
                }
                _ => return Err(error),
            },
        };
        let bytes = &buffer[..length];
        if !is_keep_alive(bytes) {
            let local = addresses.facing(bound, remote);
            let flow = Flow { transport: Transport::Udp, local, remote, connection: None };
            inbox.offer_sip(Input::Sip(Datagram { flow, bytes: bytes.to_vec() }));
        }
    }
    Ok(())
}

/// Phones behind NAT send empty lines or zero bytes to keep their mapping open; they ask for nothing.
fn is_keep_alive(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0))
}
