//! SIP over TCP (RFC 3261 §18, §18.3 framing, RFC 5626 §4.4.1 keep-alives): connections that others open and that we open.
//!
//! Everything is bounded: connections in all and for each address, how long a message may take to arrive, how long nothing
//! may come, how much may wait to be written. A peer that breaks a bound loses its connection and nothing else. Where all
//! places are taken, a stranger's connection that has brought nothing gives way to the newcomer (`tcp_places`).

use super::control::tell_offence;
use super::inbox::Inbox;
use super::tcp_places::{Places, Refused};
use crate::engine::input::Input;
use crate::sip::framing::{Frame, Framer, PONG};
use crate::sip::identity::trunk_of;
use crate::sip::offenders::{Offence, Offenders};
use crate::sip::{Datagram, Flow, Transport, Trunk};
use crate::time::Time;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// A failure that goes on is told this often.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Messages that may wait to be written to one connection.
const WRITES_WAITING_MAX: usize = 64;

/// Bounds of TCP connections.
#[derive(Clone, Debug)]
pub struct TcpLimits {
    pub connections_max: usize,
    /// From one address that is no trunk's; many phones may stand behind one NAT.
    pub per_address_max: usize,
    pub trunks: Vec<Trunk>,
    /// A message that has begun must be whole after this long, and a new connection must bring its first by then.
    pub message_time: Duration,
    /// Nothing at all for this long closes the connection. Longer than a registration lasts.
    pub idle_time: Duration,
    /// The same of one by which nobody has registered or called.
    pub unproven_idle_time: Duration,
    /// For connecting, and for each write.
    pub write_time: Duration,
}

impl Default for TcpLimits {
    fn default() -> TcpLimits {
        TcpLimits {
            connections_max: 2000,
            per_address_max: 200,
            trunks: Vec::new(),
            message_time: Duration::from_secs(16),
            idle_time: Duration::from_secs(4000),
            unproven_idle_time: Duration::from_secs(120),
            write_time: Duration::from_secs(5),
        }
    }
}

/// All TCP connections. Clones share them.
#[derive(Clone, Debug)]
pub struct TcpConnections {
    limits: TcpLimits,
    runtime: Handle,
    inbox: Inbox,
    open: Arc<Mutex<Places>>,
    offenders: Arc<Mutex<Offenders>>,
    started: Instant,
}

impl TcpConnections {
    pub fn new(limits: TcpLimits, runtime: Handle, inbox: Inbox) -> TcpConnections {
        let open = Places::new(limits.connections_max, limits.per_address_max, limits.trunks.clone());
        let (open, offenders, started) = (Arc::new(Mutex::new(open)), Arc::default(), Instant::now());
        TcpConnections { limits, runtime, inbox, open, offenders, started }
    }

    /// Takes connections for ever.
    pub async fn accept(self, listener: TcpListener) {
        let mut told: Option<Instant> = None;
        loop {
            match listener.accept().await {
                Ok((stream, remote)) => {
                    if let Some((id, writes)) = self.admit(remote) {
                        self.runtime.spawn(self.clone().serve(stream, id, remote, writes, Opened::ByPeer));
                    }
                }
                Err(error) => {
                    // Out of descriptors, most likely: what is open goes on, new ones wait for one that gives way.
                    if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
                        tracing::error!("accepting TCP connections fails and is tried again: {error}");
                        told = Some(Instant::now());
                    }
                    self.lock().give_way();
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Sends by the connection that the flow names, by any that is open to its peer, or by a new one.
    pub fn send(&self, datagram: Datagram) {
        let flow = datagram.flow;
        let mut open = self.lock();
        let id = flow.connection.or_else(|| open.of_remote(flow.remote));
        if let Some(id) = id {
            let Some(writes) = open.writes(id).cloned() else {
                drop(open);
                return self.inbox.give(Input::ConnectionClosed(id));
            };
            if is_proof(&datagram.bytes) {
                open.prove(id);
            }
            if writes.try_send(datagram.bytes).is_err() {
                // It does not read: its writer, left without a sender, ends and closes.
                tracing::debug!("a TCP connection to {} does not take what it is sent and is closed", flow.remote.ip());
                open.remove(id);
            }
            return;
        }
        drop(open);
        let Some((id, writes)) = self.admit(flow.remote) else {
            return tracing::warn!("no TCP connection to {} was opened: too many are open", flow.remote.ip());
        };
        if let Some(writes) = self.lock().writes(id) {
            // The channel is new and empty.
            let _ = writes.try_send(datagram.bytes);
        }
        self.runtime.spawn(self.clone().connect(id, flow.remote, writes));
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.lock().taken()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A place for one more connection, or `None` where a bound is reached.
    fn admit(&self, remote: SocketAddr) -> Option<(u64, mpsc::Receiver<Vec<u8>>)> {
        let (writes, receiver) = mpsc::channel(WRITES_WAITING_MAX);
        let taken = self.lock().take(remote, writes);
        match taken {
            Ok((id, evicted)) => {
                evicted.into_iter().for_each(|address| self.offence(address));
                return Some((id, receiver));
            }
            Err(Refused::AddressHasMany) => self.offence(remote.ip()),
            Err(Refused::AllTaken) => {}
        }
        tracing::debug!("a TCP connection with {} was refused: too many are open", remote.ip());
        None
    }

    /// Trunks are never reported.
    fn offence(&self, address: IpAddr) {
        let address = address.to_canonical();
        if trunk_of(&self.limits.trunks, address).is_some() {
            return;
        }
        let now = Time::from_micros(self.started.elapsed().as_micros() as u64);
        // The table is whole between any two statements that change it.
        let mut offenders = self.offenders.lock().unwrap_or_else(PoisonError::into_inner);
        if offenders.note(now, address, Offence::Connections) {
            tell_offence(address, Offence::Connections);
        }
    }

    async fn connect(self, id: u64, remote: SocketAddr, writes: mpsc::Receiver<Vec<u8>>) {
        match timeout(self.limits.write_time, TcpStream::connect(remote)).await {
            Ok(Ok(stream)) => self.serve(stream, id, remote, writes, Opened::ByUs).await,
            failure => {
                tracing::debug!("no TCP connection to {remote}: {failure:?}");
                self.closed(id);
            }
        }
    }

    /// Reads and writes one connection until either ends it.
    async fn serve(
        self,
        stream: TcpStream,
        id: u64,
        remote: SocketAddr,
        writes: mpsc::Receiver<Vec<u8>>,
        opened: Opened,
    ) {
        // Messages are small and wait for nobody (no Nagle).
        let _ = stream.set_nodelay(true);
        if let Ok(local) = stream.local_addr() {
            let flow = Flow { transport: Transport::Tcp, local, remote, connection: Some(id) };
            let (reader, writer) = stream.into_split();
            let (pongs, pongs_due) = mpsc::channel(1);
            let why = tokio::select! {
                why = self.read(reader, flow, pongs, opened) => why,
                why = write(writer, writes, pongs_due, self.limits.write_time) => why,
            };
            tracing::debug!("the TCP connection with {remote} is closed: {why}");
        }
        self.closed(id);
    }

    /// Ends with the reason why the connection is to be closed.
    async fn read(&self, mut reader: OwnedReadHalf, flow: Flow, pongs: mpsc::Sender<()>, opened: Opened) -> String {
        let mut framer = Framer::new();
        let mut buffer = vec![0u8; 16 * 1024];
        // When the message that has begun, or the first one, must be whole.
        let mut whole_by = (opened == Opened::ByPeer).then(|| Instant::now() + self.limits.message_time);
        loop {
            let is_proven = flow.connection.is_some_and(|id| self.lock().is_proven(id));
            let idle = if is_proven { self.limits.idle_time } else { self.limits.unproven_idle_time };
            let idle_by = Instant::now() + idle;
            let wait = timeout_at(whole_by.unwrap_or(idle_by), reader.read(&mut buffer));
            let length = match wait.await {
                Err(_) if whole_by.is_some() => {
                    self.offence(flow.remote.ip());
                    return "a message took too long".into();
                }
                Err(_) => return "nothing came for too long".into(),
                Ok(Ok(0)) => return "the peer closed it".into(),
                Ok(Ok(length)) => length,
                Ok(Err(error)) => return error.to_string(),
            };
            framer.push(&buffer[..length]);
            let mut any = false;
            while let Some(frame) = framer.next() {
                any = true;
                match frame {
                    Ok(Frame::Message(bytes)) => {
                        whole_by = None;
                        self.inbox.offer_sip(Input::Sip(Datagram { flow, bytes }));
                    }
                    Ok(Frame::Ping) => {
                        // One answer that waits is enough for any number of questions.
                        let _ = pongs.try_send(());
                    }
                    Ok(Frame::Pong) => {}
                    Err(error) => return format!("it does not speak SIP: {error}"),
                }
            }
            if !any && whole_by.is_none() {
                whole_by = Some(Instant::now() + self.limits.message_time);
            }
        }
    }

    fn closed(&self, id: u64) {
        self.lock().remove(id);
        self.inbox.give(Input::ConnectionClosed(id));
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        // The map is whole between any two statements that change it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what we send say that the peer is no mere stranger: a request of ours, or the 2xx to its REGISTER or INVITE?
fn is_proof(bytes: &[u8]) -> bool {
    if !bytes.starts_with(b"SIP/2.0 ") {
        return true;
    }
    let ends_with = |line: &[u8], word: &[u8]| line.trim_ascii_end().ends_with(word);
    let mut lines = bytes.split(|byte| *byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    bytes.starts_with(b"SIP/2.0 2")
        && lines.any(|line| line.starts_with(b"CSeq:") && (ends_with(line, b"REGISTER") || ends_with(line, b"INVITE")))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    ByPeer,
    ByUs,
}

async fn write(
    mut writer: OwnedWriteHalf,
    mut writes: mpsc::Receiver<Vec<u8>>,
    mut pongs_due: mpsc::Receiver<()>,
    limit: Duration,
) -> String {
    loop {
        let bytes = tokio::select! {
            bytes = writes.recv() => bytes,
            Some(()) = pongs_due.recv() => Some(PONG.to_vec()),
        };
        let Some(bytes) = bytes else { return "it was given up by us".into() };
        let written: Result<io::Result<()>, _> = timeout(limit, writer.write_all(&bytes)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error.to_string(),
            Err(_) => return "the peer does not read".into(),
        }
    }
}
