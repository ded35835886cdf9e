//! SIP over TCP (RFC 3261 §18, §18.3 framing, RFC 5626 §4.4.1 keep-alives): connections that others open and that we open.
//!
//! Everything is bounded: connections in all and for each address, how long a message may take to arrive, how long nothing
//! may come, how much may wait to be written. A peer that breaks a bound loses its connection and nothing else.

use super::inbox::Inbox;
use crate::engine::input::Input;
use crate::sip::framing::{Frame, Framer, PONG};
use crate::sip::{Datagram, Flow, Transport};
use std::collections::HashMap;
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

/// Messages that may wait to be written to one connection.
const WRITES_WAITING_MAX: usize = 64;

/// Bounds of TCP connections.
#[derive(Clone, Copy, Debug)]
pub struct TcpLimits {
    pub connections_max: usize,
    /// From one address; many phones may stand behind one NAT.
    pub per_address_max: usize,
    /// A message that has begun must be whole after this long, and a new connection must bring its first by then.
    pub message_time: Duration,
    /// Nothing at all for this long closes the connection. Longer than a registration lasts.
    pub idle_time: Duration,
    /// For connecting, and for each write.
    pub write_time: Duration,
}

impl Default for TcpLimits {
    fn default() -> TcpLimits {
        TcpLimits {
            connections_max: 2000,
            per_address_max: 200,
            message_time: Duration::from_secs(16),
            idle_time: Duration::from_secs(4000),
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
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    last_id: u64,
    by_id: HashMap<u64, Connection>,
    by_remote: HashMap<SocketAddr, u64>,
}

#[derive(Debug)]
struct Connection {
    remote: SocketAddr,
    writes: mpsc::Sender<Vec<u8>>,
}

impl TcpConnections {
    pub fn new(limits: TcpLimits, runtime: Handle, inbox: Inbox) -> TcpConnections {
        TcpConnections { limits, runtime, inbox, open: Arc::default() }
    }

    /// Takes connections for ever.
    pub async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, remote)) => match self.admit(remote) {
                    Some((id, writes)) => {
                        self.runtime.spawn(self.clone().serve(stream, id, remote, writes, Opened::ByPeer));
                    }
                    None => tracing::debug!("a TCP connection from {} was refused: too many are open", remote.ip()),
                },
                Err(error) => {
                    // Out of descriptors, most likely: what is open goes on, new ones wait.
                    tracing::warn!("accepting TCP connections failed and is tried again: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Sends by the connection that the flow names, by any that is open to its peer, or by a new one.
    pub fn send(&self, datagram: Datagram) {
        let flow = datagram.flow;
        let mut open = self.lock();
        let id = flow.connection.or_else(|| open.by_remote.get(&flow.remote).copied());
        if let Some(id) = id {
            let Some(connection) = open.by_id.get(&id) else {
                drop(open);
                return self.inbox.give(Input::ConnectionClosed(id));
            };
            if connection.writes.try_send(datagram.bytes).is_err() {
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
        if let Some(connection) = self.lock().by_id.get(&id) {
            // The channel is new and empty.
            let _ = connection.writes.try_send(datagram.bytes);
        }
        self.runtime.spawn(self.clone().connect(id, flow.remote, writes));
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A place for one more connection, or `None` where a bound is reached.
    fn admit(&self, remote: SocketAddr) -> Option<(u64, mpsc::Receiver<Vec<u8>>)> {
        let mut open = self.lock();
        let of_address = |address: IpAddr| open.by_id.values().filter(|c| c.remote.ip() == address).count();
        if open.by_id.len() >= self.limits.connections_max || of_address(remote.ip()) >= self.limits.per_address_max {
            return None;
        }
        let (writes, receiver) = mpsc::channel(WRITES_WAITING_MAX);
        open.last_id += 1;
        let id = open.last_id;
        open.by_id.insert(id, Connection { remote, writes });
        open.by_remote.insert(remote, id);
        Some((id, receiver))
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
            let idle_by = Instant::now() + self.limits.idle_time;
            let wait = timeout_at(whole_by.unwrap_or(idle_by), reader.read(&mut buffer));
            let length = match wait.await {
                Err(_) if whole_by.is_some() => return "a message took too long".into(),
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

    fn lock(&self) -> MutexGuard<'_, Open> {
        // The map is whole between any two statements that change it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn remove(&mut self, id: u64) {
        if let Some(connection) = self.by_id.remove(&id)
            && self.by_remote.get(&connection.remote) == Some(&id)
        {
            self.by_remote.remove(&connection.remote);
        }
    }
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
