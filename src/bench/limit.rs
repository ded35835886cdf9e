//! The limit of this machine here and now, with no engine: bare loops that send, receive and forward the packets of so
//! many calls, one thread on each core, and do nothing else. What Onekey costs is told as a ratio to them.
//!
//! Three layouts: a port for each leg as the server has it (RFC 3550 §11; whoever is behind a NAT can be told apart), sent by
//! `sendto`; the same, each connected to its peer, so that the kernel need not find the way anew for each packet; and one
//! port for all, where `sendmmsg` and `recvmmsg` take 64 at once. The other side is the load generator's: few sockets that
//! are read every millisecond.

use super::BenchError;
use super::cost::{thread_time, wall};
use super::spread::Spread;
use super::talking::{PACKET_BYTES, PHASES, Talkers};
use super::wire::{self, Reader};
use crate::server::rest::sleep_exactly;
use crate::server::send_many::Sender;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PER_SECOND: f64 = 50.0;

/// How legs have ports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    PortEach,
    Connected,
    OnePort,
}

impl Layout {
    pub const ALL: [Layout; 3] = [Layout::PortEach, Layout::Connected, Layout::OnePort];
}

/// What one bare loop did.
#[derive(Clone, Debug, Default)]
pub struct Bare {
    /// Of all its threads together.
    pub processor: Duration,
    pub packets: u64,
    pub late: Spread,
}

impl Bare {
    /// Microseconds of processor for each second of a call that sends 50 packets; `nan` if nothing was sent.
    pub fn per_call_second(&self) -> f64 {
        self.per_packet() * PER_SECOND
    }

    /// Microseconds of processor for each packet.
    pub fn per_packet(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.packets as f64
    }

    /// Both together.
    pub fn with(mut self, other: &Bare) -> Bare {
        self.processor += other.processor;
        self.packets += other.packets;
        if other.late.quantile(0.99) > self.late.quantile(0.99) {
            self.late = other.late.clone();
        }
        self
    }
}

/// Sends `calls` streams for `time` to readers that read.
///
/// # Errors
/// The system has no sockets for so many.
pub fn pace(layout: Layout, calls: usize, time: Duration) -> Result<Bare, BenchError> {
    beside_readers(calls, |addresses, threads| {
        let pacers: Vec<_> = (0..threads)
            .map(|thread| {
                Pacer::new(layout, (thread..calls).step_by(threads).map(|call| addresses[call % addresses.len()]))
            })
            .collect::<Result<_, _>>()?;
        on_threads(pacers, |mut pacer| pacer.run(time))
    })
}

/// `calls` streams come, and each packet is sent on with a new header.
///
/// # Errors
/// The system has no sockets for so many.
pub fn forward(layout: Layout, calls: usize, time: Duration) -> Result<Bare, BenchError> {
    let threads = threads();
    let sockets: Vec<Vec<UdpSocket>> = (0..threads)
        .map(|thread| {
            let count = if layout == Layout::OnePort { 1 } else { (thread..calls).step_by(threads).count() };
            (0..count).map(|_| wire::open(Ipv4Addr::LOCALHOST)).collect::<Result<_, _>>()
        })
        .collect::<Result<_, _>>()?;
    let targets: Vec<SocketAddrV4> = (0..calls)
        .map(|call| {
            let own = &sockets[call % threads];
            wire::address(&own[call / threads % own.len()])
        })
        .collect::<Result<_, _>>()?;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let callers = scope.spawn(|| callers(&targets, &over));
        let result = on_threads(sockets, |sockets| match layout {
            Layout::PortEach => forward_ports(&sockets, false, time),
            Layout::Connected => forward_ports(&sockets, true, time),
            Layout::OnePort => forward_one(&sockets[0], time),
        });
        over.store(true, Ordering::Relaxed);
        callers.join().map_err(|_| BenchError("the callers' thread failed".to_owned()))??;
        result
    })
}

/// The load generator's side of [`forward`]: sends to all targets, and reads what comes back.
fn callers(targets: &[SocketAddrV4], over: &AtomicBool) -> Result<(), BenchError> {
    sleep_exactly();
    let sockets = (0..8).map(|_| wire::open(Ipv4Addr::LOCALHOST)).collect::<Result<Vec<_>, _>>()?;
    let (mut talkers, mut reader) = (Talkers::default(), Reader::default());
    for (number, target) in targets.iter().enumerate() {
        talkers.join(number % sockets.len(), *target, number as u32);
    }
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(1));
        talkers.send_due(&sockets, wall());
        for socket in &sockets {
            reader.drain(socket, |_| {})?;
        }
    }
    Ok(())
}

/// `is_connected`: to whom the first packet comes from.
fn forward_ports(sockets: &[UdpSocket], is_connected: bool, time: Duration) -> Result<Bare, BenchError> {
    let mut peers = vec![false; sockets.len()];
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    for (number, socket) in sockets.iter().enumerate() {
        epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, number as u64))?;
    }
    let (mut bare, began, end) = (Bare::default(), thread_time(), Instant::now() + time);
    let (mut events, mut bytes) = ([EpollEvent::empty(); 256], [0u8; 2048]);
    while Instant::now() < end {
        let count = epoll.wait(&mut events, EpollTimeout::from(20u8))?;
        for event in &events[..count] {
            let number = event.data() as usize;
            let socket = &sockets[number];
            // One of each in turn: to ask a socket in vain costs as much as a packet.
            let from = match peers[number] {
                true => socket.recv(&mut bytes).map(|length| (length, None)),
                false => socket.recv_from(&mut bytes).map(|(length, from)| (length, Some(from))),
            };
            let Ok((length, from)) = from else { continue };
            renumber(&mut bytes);
            let sent = match from {
                None => socket.send(&bytes[..length]),
                Some(from) => socket.send_to(&bytes[..length], from),
            };
            bare.packets += u64::from(sent.is_ok());
            if let Some(from) = from.filter(|_| is_connected) {
                socket.connect(from)?;
                peers[number] = true;
            }
        }
    }
    bare.processor = thread_time().saturating_sub(began);
    Ok(bare)
}

fn forward_one(socket: &UdpSocket, time: Duration) -> Result<Bare, BenchError> {
    sleep_exactly();
    let (mut bare, began, end) = (Bare::default(), thread_time(), Instant::now() + time);
    let (mut reader, mut sender) = (Reader::default(), Sender::default());
    let mut packets: Vec<(SocketAddrV4, [u8; PACKET_BYTES])> = Vec::new();
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
        packets.clear();
        reader.drain(socket, |arrival| {
            if let Ok(mut bytes) = <[u8; PACKET_BYTES]>::try_from(arrival.bytes) {
                renumber(&mut bytes);
                packets.push((arrival.from, bytes));
            }
        })?;
        bare.packets += sender.send(socket, packets.iter().map(|(to, bytes)| (*to, &bytes[..]))) as u64;
    }
    bare.processor = thread_time().saturating_sub(began);
    Ok(bare)
}

/// As a bridge does: numbers and source of our own.
fn renumber(packet: &mut [u8]) {
    let sequence = u16::from_be_bytes([packet[2], packet[3]]).wrapping_add(7);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[8..12].copy_from_slice(&[1, 2, 3, 4]);
}

struct Pacer {
    sockets: Vec<UdpSocket>,
    phases: [Vec<(usize, SocketAddrV4, [u8; PACKET_BYTES])>; PHASES],
    layout: Layout,
}

impl Pacer {
    fn new(layout: Layout, targets: impl Iterator<Item = SocketAddrV4>) -> Result<Pacer, BenchError> {
        let mut pacer = Pacer { sockets: Vec::new(), phases: Default::default(), layout };
        for (number, to) in targets.enumerate() {
            if layout != Layout::OnePort || pacer.sockets.is_empty() {
                pacer.sockets.push(wire::open(Ipv4Addr::LOCALHOST)?);
            }
            if layout == Layout::Connected {
                pacer.sockets[number].connect(to)?;
            }
            pacer.phases[number % PHASES].push((pacer.sockets.len() - 1, to, [0x80; PACKET_BYTES]));
        }
        Ok(pacer)
    }

    fn run(&mut self, time: Duration) -> Result<Bare, BenchError> {
        sleep_exactly();
        let (mut bare, mut sender) = (Bare::default(), Sender::default());
        let (began, start) = (thread_time(), Instant::now());
        for turn in 1..=time.as_millis() as u32 {
            let due = start + Duration::from_millis(1) * turn;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let phase = &mut self.phases[turn as usize % PHASES];
            phase.iter_mut().for_each(|(_, _, packet)| renumber(packet));
            match self.layout {
                Layout::PortEach => {
                    for (socket, to, packet) in phase.iter() {
                        bare.packets += u64::from(self.sockets[*socket].send_to(packet, *to).is_ok());
                    }
                }
                Layout::Connected => {
                    for (socket, _, packet) in phase.iter() {
                        bare.packets += u64::from(self.sockets[*socket].send(packet).is_ok());
                    }
                }
                Layout::OnePort => {
                    let packets = phase.iter().map(|(_, to, packet)| (*to, &packet[..]));
                    bare.packets += self.sockets.first().map_or(0, |socket| sender.send(socket, packets)) as u64;
                }
            }
            bare.late.add(due.elapsed());
        }
        bare.processor = thread_time().saturating_sub(began);
        Ok(bare)
    }
}

/// Runs `work` while a thread reads from eight sockets, as the load generator does.
fn beside_readers(
    calls: usize,
    work: impl FnOnce(&[SocketAddrV4], usize) -> Result<Bare, BenchError>,
) -> Result<Bare, BenchError> {
    let sockets = (0..8.min(calls.max(1))).map(|_| wire::open(Ipv4Addr::LOCALHOST)).collect::<Result<Vec<_>, _>>()?;
    let addresses = sockets.iter().map(wire::address).collect::<Result<Vec<_>, _>>()?;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            sleep_exactly();
            let mut reader = Reader::default();
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
                // A socket that cannot be read fills, and what is sent to it is dropped: seen in the figures.
                for socket in &sockets {
                    let _ = reader.drain(socket, |_| {});
                }
            }
        });
        let result = work(&addresses, threads());
        over.store(true, Ordering::Relaxed);
        result
    })
}

/// As many threads as the server has media workers.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn on_threads<T: Send>(parts: Vec<T>, work: impl Fn(T) -> Result<Bare, BenchError> + Sync) -> Result<Bare, BenchError> {
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || work(part))).collect();
        let mut all = Bare::default();
        for thread in running {
            let bare = thread.join().map_err(|_| BenchError("a bare loop failed".to_owned()))??;
            all = all.with(&bare);
        }
        Ok(all)
    })
}
