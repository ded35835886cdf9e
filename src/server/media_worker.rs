//! One thread for each [`MediaPlane`]: sleeps in epoll until a packet, an order or the plane's next deadline.
//!
//! Nothing on the packet path allocates or blocks. Priority, sockets and recordings have their own files beside this.
//!
//! How packets come and leave was chosen by trial; `onekey bench limit` repeats what needs no engine. On two cores, loopback:
//!
//! * A port for each leg, `sendto`, one `recvfrom` for each event: what is done here. Three quarters of its time are the
//!   kernel's way through UDP and IP.
//! * The same for hearing, but one raw socket with `sendmmsg` for all that leaves (`media.raw_socket`, `raw_sender`): a
//!   quarter less for prompts, an eighth for bridges. It needs CAP_NET_RAW, so it is asked for; without the right, for IPv6
//!   and for what that socket does not take, each leg's own socket sends.
//! * One port for all with `sendmmsg` and `recvmmsg`: sending costs a sixth to a third less. But whoever is behind a NAT
//!   speaks from another address than his SDP names, and only a port of his own tells whose sound that is. And one port is one
//!   buffer: at the kernel's usual size it holds 256 packets, 3 ms of 2 000 callers who speak, and a key lost in a longer
//!   stall is a promise broken. A buffer for each leg holds five seconds.
//! * Connected sockets: nothing gained in sending, a twentieth in forwarding; and a phone whose address changes in the call
//!   is no longer heard.
//! * io_uring with registered sockets: a third cheaper when saturated, nothing when paced, and it needs `unsafe`, of which
//!   there is none here; many containers forbid it.
//! * `AF_PACKET`: half the kernel's time, but it needs `CAP_NET_RAW`, routes, neighbours and checksums of our own, and goes
//!   past the firewall. `UDP_SEGMENT`: only for packets to one destination.
//! * Resting between wakes ([`REST`]) instead of a wake for each packet: a fifth less for bridges, and a seventh of the
//!   context switches. Sockets found by port instead of by a hash of the leg, the bare system call instead of the C
//!   library's, one look at the clock in sixteen packets: a sixth less for prompts.
//! * A socket that `epoll` watches costs a twelfth more to send from (the kernel looks whether somebody waits to write).
//!   Nothing was found that hears without it.

use super::clock::Clock;
use super::inbox::Inbox;
use super::media_sockets::{Kind, MediaSockets};
use super::raw_sender::RawSender;
use super::recording_file::{Recorder, Recording};
use super::rest::{Rest, sleep_exactly};
use crate::engine::input::Input;
use crate::ids::{LegId, WorkerId};
use crate::media::command::MediaCommand;
use crate::media::{MediaConfig, MediaInput, MediaOutput, MediaPlane};
use crate::time::Time;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// From one wake to the next while packets or orders keep coming: it is what a packet or a key may wait.
const REST: Duration = Duration::from_micros(500);
/// Packets between two looks at the clock while many leave or come.
const PACKETS_PER_LOOK: usize = 16;
/// Sockets looked at in one wake.
const EVENTS_PER_WAKE: usize = 256;
/// A packet that leaves this long after it was due is late.
const LATE: Duration = Duration::from_millis(5);
/// Longest datagram that is read whole; longer ones are no RTP of ours and are cut.
const DATAGRAM_BYTES_MAX: usize = 2048;
/// The system has no room for another socket, whatever its port.
const STARVED: [Errno; 4] = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM];
/// Then it is asked again after this.
const STARVED_REST: Duration = Duration::from_millis(100);
const STARVED_TELL_EVERY: Duration = Duration::from_secs(60);
const ORDERS: u64 = u64::MAX;
const DEADLINE: u64 = u64::MAX - 1;

/// What a worker has done since its start; read by the metrics while it runs.
#[derive(Default, Debug)]
pub struct WorkerCounts {
    pub packets_sent: AtomicU64,
    pub packets_received: AtomicU64,
    /// Left more than 5 ms after they were due.
    pub packets_late: AtomicU64,
    /// The system did not take them.
    pub sends_failed: AtomicU64,
    pub legs: AtomicU64,
}

#[derive(Debug)]
enum Order {
    Command(MediaCommand),
    Recording(Recording),
    Stop,
}

/// The way to one worker. Never blocks.
#[derive(Clone, Debug)]
pub struct WorkerDoor {
    orders: mpsc::Sender<Order>,
    wake: Arc<EventFd>,
    /// The wake is written, and the worker has not seen it yet.
    is_rung: Arc<AtomicBool>,
    counts: Arc<WorkerCounts>,
}

impl WorkerDoor {
    pub fn command(&self, command: MediaCommand) {
        self.put(Order::Command(command));
    }

    pub fn recording(&self, recording: Recording) {
        self.put(Order::Recording(recording));
    }

    pub fn stop(&self) {
        self.put(Order::Stop);
    }

    pub fn counts(&self) -> &WorkerCounts {
        &self.counts
    }

    fn put(&self, order: Order) {
        // After the order, so that whoever sees the ring finds it.
        if self.orders.send(order).is_ok() && !self.is_rung.swap(true, Ordering::AcqRel) {
            // Full only if 2^64 wakes are unread; then the worker is awake anyway.
            let _ = self.wake.write(1);
        }
    }
}

/// A worker whose thread does not run yet, so that the recorder can know its door first.
#[derive(Debug)]
pub struct Worker {
    id: WorkerId,
    plane: MediaPlane,
    sockets: MediaSockets,
    epoll: Epoll,
    timer: TimerFd,
    wake: Arc<EventFd>,
    is_rung: Arc<AtomicBool>,
    orders: mpsc::Receiver<Order>,
    inbox: Inbox,
    clock: Clock,
    counts: Arc<WorkerCounts>,
    /// What the timer is set to.
    armed: Option<Time>,
    /// Until then no socket is asked for: the system has none.
    starved_until: Time,
    starved_tell: Time,
}

/// Makes a worker and the door to it.
pub fn prepare(
    id: WorkerId,
    config: MediaConfig,
    listen: IpAddr,
    raw: Option<RawSender>,
    inbox: Inbox,
    clock: Clock,
) -> io::Result<(WorkerDoor, Worker)> {
    let (sender, orders) = mpsc::channel();
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
    epoll.add(&*wake, EpollEvent::new(EpollFlags::EPOLLIN, ORDERS))?;
    epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, DEADLINE))?;
    let counts = Arc::<WorkerCounts>::default();
    let is_rung = Arc::<AtomicBool>::default();
    let door = WorkerDoor { orders: sender, wake: wake.clone(), is_rung: is_rung.clone(), counts: counts.clone() };
    let worker = Worker {
        id,
        plane: MediaPlane::new(config),
        sockets: MediaSockets::new(listen, raw),
        epoll,
        timer,
        wake,
        is_rung,
        orders,
        inbox,
        clock,
        counts,
        armed: None,
        starved_until: Time::ZERO,
        starved_tell: Time::ZERO,
    };
    Ok((door, worker))
}

impl Worker {
    /// Runs on a thread of its own until [`WorkerDoor::stop`]. `on_end` is called there last, also when it panics.
    pub fn start(self, recorder: Recorder, priority: bool, on_end: impl Send + 'static) -> io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name(format!("onekey-media-{}", self.id.0)).spawn(move || {
            let _on_end = on_end;
            if priority {
                ask_for_priority();
            }
            sleep_exactly();
            self.run(&recorder);
        })
    }

    fn run(mut self, recorder: &Recorder) {
        let mut events = [EpollEvent::empty(); EVENTS_PER_WAKE];
        let mut buffer = [0u8; DATAGRAM_BYTES_MAX];
        let mut wishes = Vec::with_capacity(1024);
        let mut rest = Rest::between(REST, REST * 4);
        loop {
            rest.before_waiting(self.plane.next_timeout().map(|due| due.since(self.clock.time())));
            self.arm();
            let count = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                Err(error) => panic!("epoll failed: {error}"),
            };
            rest.woke(events[..count].iter().any(|event| event.data() != DEADLINE));
            // Orders first: a packet that was sent after an order was given must find it carried out. The ring is taken
            // back before the orders are, so that one that comes in between rings again.
            if events[..count].iter().any(|event| event.data() == ORDERS) {
                let _ = self.wake.read();
                self.is_rung.swap(false, Ordering::AcqRel);
            }
            if !self.take_orders(recorder, &mut wishes) {
                return self.send_waiting();
            }
            let mut now = self.clock.time();
            self.tick_if_due(now, recorder, &mut wishes);
            let tokens = events[..count].iter().map(|event| event.data()).filter(|token| *token < DEADLINE);
            for (packets, token) in tokens.enumerate() {
                if packets % PACKETS_PER_LOOK == PACKETS_PER_LOOK - 1 {
                    now = self.clock.time();
                    // Packets that arrive must not make those that leave late.
                    self.tick_if_due(now, recorder, &mut wishes);
                }
                self.receive(now, token, &mut buffer, recorder, &mut wishes);
            }
            self.send_waiting();
        }
    }

    /// Sets the timer to the plane's next deadline, if that has changed. One that has fired stays readable until then.
    fn arm(&mut self) {
        let next = self.plane.next_timeout();
        if next == self.armed {
            return;
        }
        let set = match next {
            None => self.timer.unset(),
            Some(at) => {
                // Zero would switch the timer off.
                let wait = at.since(self.clock.time()).max(Duration::from_nanos(1));
                self.timer.set(Expiration::OneShot(TimeSpec::from_duration(wait)), TimerSetTimeFlags::empty())
            }
        };
        set.unwrap_or_else(|error| panic!("the media timer failed: {error}"));
        self.armed = next;
    }

    fn tick_if_due(&mut self, now: Time, recorder: &Recorder, wishes: &mut Vec<MediaOutput>) {
        let Some(due) = self.plane.next_timeout().filter(|&due| due <= now) else { return };
        self.plane.handle(now, MediaInput::Tick, wishes);
        self.carry_out(recorder, wishes, Some(due));
        self.send_waiting();
    }

    /// Packets that the raw socket has gathered leave at the end of each wake, and before that whenever they are many.
    fn send_waiting(&mut self) {
        let failed = self.sockets.send_waiting();
        if failed > 0 {
            // They were counted as sent when they were put there.
            self.counts.packets_sent.fetch_sub(failed, Ordering::Relaxed);
            self.counts.sends_failed.fetch_add(failed, Ordering::Relaxed);
        }
    }

    /// One datagram. If the socket has more, epoll says so again: a noisy peer cannot starve the others, and nobody's socket
    /// is asked in vain.
    fn receive(
        &mut self,
        now: Time,
        token: u64,
        buffer: &mut [u8],
        recorder: &Recorder,
        wishes: &mut Vec<MediaOutput>,
    ) {
        let Some((leg, kind, length, from)) = self.sockets.receive(token, buffer) else { return };
        self.counts.packets_received.fetch_add(1, Ordering::Relaxed);
        let bytes = &buffer[..length];
        let input = match kind {
            Kind::Rtp => MediaInput::Rtp { leg, from, bytes },
            Kind::Rtcp => MediaInput::Rtcp { leg, from, bytes },
        };
        self.plane.handle(now, input, wishes);
        self.carry_out(recorder, wishes, None);
    }

    /// `false`: stop.
    fn take_orders(&mut self, recorder: &Recorder, wishes: &mut Vec<MediaOutput>) -> bool {
        while let Ok(order) = self.orders.try_recv() {
            let input = match order {
                Order::Command(command) => MediaInput::Command(command),
                Order::Recording(Recording::Failed { leg, reason }) => MediaInput::RecordFailed { leg, reason },
                Order::Recording(Recording::Closed { leg }) => MediaInput::RecordClosed { leg },
                Order::Stop => return false,
            };
            self.plane.handle(self.clock.time(), input, wishes);
            self.carry_out(recorder, wishes, None);
        }
        true
    }

    /// The plane tries one port after the other. Where none can be had because there are no descriptors, it need not go
    /// through them all while others wait for their packets.
    fn bind(&mut self, leg: LegId, port: u16) -> bool {
        let now = self.clock.time();
        if now < self.starved_until {
            return false;
        }
        let Err(error) = self.sockets.bind(&self.epoll, leg, port) else { return true };
        tracing::debug!("RTP port {port} is not to be had: {error}");
        if error.raw_os_error().is_some_and(|code| STARVED.contains(&Errno::from_raw(code))) {
            self.starved_until = now + STARVED_REST;
            if now >= self.starved_tell {
                self.starved_tell = now + STARVED_TELL_EVERY;
                tracing::error!(
                    "no sockets for new calls, which are refused ({error}); calls in progress go on: raise the limit on open \
                     files (systemd: LimitNOFILE=, shell: ulimit -n)"
                );
            }
        }
        false
    }

    /// Carries out wishes in their order, and those that a `Bound` answer brings. `due`: when the packets should have left.
    fn carry_out(&mut self, recorder: &Recorder, wishes: &mut Vec<MediaOutput>, due: Option<Time>) {
        let mut more = Vec::new(); // stays empty, and so without memory, unless a port is asked for
        let (mut packets, mut is_late) = (0, false);
        loop {
            for wish in wishes.drain(..) {
                match wish {
                    MediaOutput::Send { port, to, packet, .. } => {
                        let sent = self.sockets.send_rtp(port, to, &packet.bytes[..usize::from(packet.length)]);
                        if packets % PACKETS_PER_LOOK == 0 {
                            is_late = due.is_some_and(|due| self.clock.time().since(due) > LATE);
                        }
                        packets += 1;
                        count_send(&self.counts, sent, is_late);
                        if self.sockets.is_full() {
                            self.send_waiting();
                        }
                    }
                    MediaOutput::SendRtcp { port, to, bytes, .. } => {
                        self.sockets.send_rtcp(port, to, &bytes);
                    }
                    MediaOutput::Event(event) => self.inbox.give(Input::Media(self.id, event)),
                    MediaOutput::Bind { leg, port } => {
                        let input = MediaInput::Bound { leg, port, ok: self.bind(leg, port) };
                        self.plane.handle(self.clock.time(), input, &mut more);
                    }
                    MediaOutput::Unbind { port, .. } => self.sockets.unbind(port),
                    MediaOutput::RecordOpen { leg, file, channels } => recorder.open(self.id, leg, file, channels),
                    MediaOutput::RecordSamples { leg, samples } => {
                        if !recorder.samples(leg, samples) {
                            let reason = "the disk does not keep up".to_string();
                            self.plane.handle(self.clock.time(), MediaInput::RecordFailed { leg, reason }, &mut more);
                            recorder.abandon(leg);
                        }
                    }
                    MediaOutput::RecordClose { leg } => recorder.close(leg),
                }
            }
            self.counts.legs.store(self.sockets.len() as u64, Ordering::Relaxed);
            if more.is_empty() {
                return;
            }
            std::mem::swap(wishes, &mut more);
        }
    }
}

fn count_send(counts: &WorkerCounts, sent: bool, late: bool) {
    let counter = if sent { &counts.packets_sent } else { &counts.sends_failed };
    counter.fetch_add(1, Ordering::Relaxed);
    if late {
        counts.packets_late.fetch_add(1, Ordering::Relaxed);
    }
}

/// Against busy neighbours a raised priority is the difference between 97.4 and 99.9 % of packets on time (DESIGN §11).
/// On Linux the niceness of process "0" is that of the calling thread alone.
fn ask_for_priority() {
    static TOLD: std::sync::Once = std::sync::Once::new();
    if let Err(error) = rustix::process::setpriority_process(None, -19) {
        TOLD.call_once(|| {
            tracing::info!(
                "media threads run at ordinary priority ({error}); for packets in time on a busy machine give onekey \
                 CAP_SYS_NICE (systemd: AmbientCapabilities=CAP_SYS_NICE)"
            );
        });
    }
}
