//! The shell around the core (DESIGN §2): sockets, files, clocks and threads, put together by [`start`] and [`serve`].
//!
//! Threads: one for control, one for each media plane, one that receives SIP over UDP, one that writes recordings, one that
//! reloads, and tokio's few for TCP and HTTP. They meet only by channels; the engine is owned by one of them.

pub mod answers;
pub mod backlog;
pub mod clock;
pub mod commands;
pub mod config;
pub mod control;
pub mod demo;
pub mod errors;
pub mod files;
pub mod hold_music;
pub mod inbox;
pub mod ledger_file;
pub mod level;
pub mod local_address;
pub mod lookup;
pub mod media_sockets;
pub mod media_worker;
pub mod pages;
pub mod prompt_files;
pub mod prompt_texts;
pub mod prompts_build;
pub mod raw_sender;
pub mod recording_file;
pub mod registry_import;
pub mod rehearse;
pub mod reload;
pub mod resample;
pub mod rest;
pub mod riff;
pub mod secrets;
pub mod send_many;
pub mod shutdown;
pub mod sip_socket;
pub mod sip_tcp;
mod sip_udp;
pub mod speech;
pub mod store;
pub mod tcp_places;
pub mod trying;

use crate::engine::input::{Command, Input};
use crate::engine::output::CallLine;
use crate::engine::{Engine, EngineConfig, Remembered};
use crate::ids::WorkerId;
use crate::media::MediaConfig;
use clock::Clock;
use control::{Answers, Control};
pub use errors::{BindError, ServeError, bind_error};
use inbox::{Arrivals, Inbox, View};
use media_worker::{Worker, WorkerDoor};
use pages::{Pages, Shown};
use recording_file::{Recorder, Recording};
use reload::{Load, Loaded, Reloads};
use shutdown::{EndNotice, Happening};
use sip_tcp::TcpLimits;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

/// Lines of calls' traces that a slow listener may be behind before it loses some.
const LINES_KEPT: usize = 4096;

/// What one machine is to listen on. Port 0 takes any free port (tests, `demo`).
#[derive(Clone, Debug)]
pub struct ServeConfig {
    pub sip_udp: Vec<SocketAddr>,
    pub sip_tcp: Vec<SocketAddr>,
    pub tcp_limits: TcpLimits,
    /// `/metrics` and `/healthz`; `None`: no HTTP.
    pub http: Option<SocketAddr>,
    /// RTP sockets are bound to this address; `[::]` serves IPv4 too.
    pub media_listen: IpAddr,
    /// RTP and RTCP ports, first and last, shared out over the media workers.
    pub media_ports: (u16, u16),
    /// Ask the system for more than an ordinary share of the processor for media threads.
    pub media_priority: bool,
    /// Send RTP by a raw socket, if this user may.
    pub media_raw: bool,
    /// A peer that has sent and sends no more for this long is gone.
    pub rtp_timeout: Duration,
    /// Calls in progress have this long to finish when the server is asked to stop.
    pub drain: Duration,
    /// Folders whose changes reload the dialplan; empty: only SIGHUP does.
    pub watched: Vec<PathBuf>,
    pub engine: EngineConfig,
}

/// What the server is given besides addresses.
pub struct Parts {
    pub loaded: Loaded,
    /// How to load again.
    pub load: Load,
    pub remembered: Remembered,
    pub answers: Box<dyn Answers>,
    /// What is served on [`ServeConfig::http`].
    pub pages: Pages,
    /// The control loop's channel, known to whatever else has facts for the engine.
    pub inbox: Inbox,
    pub arrivals: Arrivals,
    /// Started by whoever made `remembered`, so that both count from the same moment.
    pub clock: Clock,
}

/// A server that runs in this process.
pub struct Running {
    /// Bound addresses, in the order of the configuration.
    pub udp: Vec<SocketAddr>,
    pub tcp: Vec<SocketAddr>,
    pub http: Option<SocketAddr>,
    inbox: Inbox,
    lines: broadcast::Sender<CallLine>,
    reloads: Reloads,
    workers: Vec<WorkerDoor>,
    recorder: Recorder,
    control: Option<JoinHandle<()>>,
    media: Vec<JoinHandle<()>>,
    recording: Option<JoinHandle<()>>,
    happenings: mpsc::Receiver<Happening>,
    tell: mpsc::Sender<Happening>,
    runtime: Option<Runtime>,
}

/// Serves until a signal ends it: the whole of `onekey serve` once everything is loaded. `ready` is called when it listens.
pub fn serve(config: ServeConfig, parts: Parts, ready: impl FnOnce(&Running)) -> Result<(), ServeError> {
    let drain = config.drain;
    let running = start(config, parts)?;
    let runtime = running.runtime().handle();
    shutdown::listen(runtime, running.tell.clone(), running.reloads.clone())
        .map_err(|source| ServeError::System { what: "signals", source })?;
    ready(&running);
    let mut signals = 0;
    loop {
        match running.happenings.recv().unwrap_or(Happening::Drained) {
            Happening::StopSignal => {
                signals += 1;
                match signals {
                    1 => shutdown::drain(runtime, running.inbox.clone(), drain, running.tell.clone()),
                    2 => {
                        tracing::warn!("stopping at once: the remaining calls are ended");
                        shutdown::end_calls(runtime, running.inbox.clone(), running.tell.clone());
                    }
                    _ => break,
                }
            }
            Happening::Drained => break,
            Happening::ThreadEnded { thread, .. } => return Err(ServeError::Failed { thread }),
        }
    }
    running.stop();
    tracing::info!("stopped");
    Ok(())
}

/// Starts everything and returns while it runs: for `demo` and tests, and for [`serve`].
pub fn start(config: ServeConfig, parts: Parts) -> Result<Running, ServeError> {
    let system = |what: &'static str| move |source: io::Error| ServeError::System { what, source };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("onekey-net")
        .enable_all()
        .build()
        .map_err(system("threads"))?;
    let (inbox, arrivals) = (parts.inbox, parts.arrivals);
    let (tell, happenings) = mpsc::channel();
    // What can be refused comes first, before any thread runs.
    let (sip, tcp) =
        sip_socket::open(runtime.handle(), &config.sip_udp, &config.sip_tcp, config.tcp_limits.clone(), &inbox)?;
    let listener = config.http.map(pages::bind).transpose()?;
    let clock = parts.clock;
    let (workers, prepared): (Vec<WorkerDoor>, Vec<Worker>) =
        prepare_workers(&config, &inbox, clock)?.into_iter().unzip();
    tell_legs(&config);

    let doors = workers.clone();
    let tell_worker = move |worker: WorkerId, recording: Recording| {
        if let Some(door) = doors.get(usize::from(worker.0)) {
            door.recording(recording);
        }
    };
    let (recorder, recording) = recording_file::start(tell_worker).map_err(system("threads"))?;
    let notice = |thread: String| EndNotice { thread, tell: tell.clone() };
    let mut media = Vec::new();
    for (number, worker) in prepared.into_iter().enumerate() {
        let notice = notice(format!("media {number}"));
        media.push(worker.start(recorder.clone(), config.media_priority, notice).map_err(system("threads"))?);
    }
    let http = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    if let Some(listener) = listener {
        let shown = Shown { inbox: inbox.clone(), workers: workers.clone(), sip: sip.clone() };
        runtime.spawn((parts.pages)(listener, shown));
    }
    let reloads = reload::start(&config.watched, parts.load, inbox.clone()).map_err(system("threads"))?;
    let (lines, _) = broadcast::channel(LINES_KEPT);
    let udp = sip.udp_addresses();
    let Loaded { dialplan, prompts, .. } = parts.loaded;
    let engine = Engine::new(clock.now(), config.engine, dialplan, prompts, parts.remembered);
    let control = Control {
        engine,
        clock,
        inbox: inbox.clone(),
        sip,
        workers: workers.clone(),
        answers: parts.answers,
        lines: lines.clone(),
    };
    let control = control.start(arrivals, notice("control".into())).map_err(system("threads"))?;
    Ok(Running {
        udp,
        tcp,
        http,
        inbox,
        lines,
        reloads,
        workers,
        recorder,
        control: Some(control),
        media,
        recording: Some(recording),
        happenings,
        tell,
        runtime: Some(runtime),
    })
}

impl Running {
    /// Every line of every call's trace from now on.
    pub fn lines(&self) -> broadcast::Receiver<CallLine> {
        self.lines.subscribe()
    }

    pub fn order(&self, command: Command) {
        self.inbox.give(Input::Command(command));
    }

    /// The engine now; `None` when it has failed.
    pub fn view(&self) -> Option<View> {
        self.runtime().block_on(self.inbox.view())
    }

    /// The way in, for whoever lives in the server's own runtime.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Loads the dialplan's folder again.
    pub fn reload(&self) {
        self.reloads.now();
    }

    /// Stops every thread and waits for them: recordings are whole and the answers' keeper is dropped (and so flushed) then.
    /// Calls that are left hear nothing of it; see [`serve`] for the polite end.
    pub fn stop(mut self) {
        self.stop_threads();
    }

    fn stop_threads(&mut self) {
        self.reloads.stop();
        self.inbox.stop();
        join(self.control.take());
        for door in &self.workers {
            door.stop();
        }
        for thread in self.media.drain(..) {
            join(Some(thread));
        }
        self.recorder.stop();
        join(self.recording.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(1)); // so that its sockets are closed when this returns
        }
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is taken only by stop_threads, which ends Running")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop_threads();
    }
}

/// A thread that failed has told so already, by its notice and its panic message.
fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread {
        let _ = thread.join();
    }
}

/// One worker for each share of the ports: even first ports, as RTP wants them.
fn prepare_workers(config: &ServeConfig, inbox: &Inbox, clock: Clock) -> Result<Vec<(WorkerDoor, Worker)>, ServeError> {
    let workers = config.engine.media_workers.max(1);
    let shares = share_ports(config.media_ports, workers).ok_or(ServeError::TooFewPorts {
        first: config.media_ports.0,
        last: config.media_ports.1,
        workers,
    })?;
    let mut made = Vec::new();
    for (number, (first_port, last_port)) in shares.into_iter().enumerate() {
        let id = WorkerId(number as u16);
        let mut material = config.engine.seed.to_vec();
        material.extend(id.0.to_le_bytes());
        let seed = blake3::derive_key("onekey 2026-11 media worker", &material);
        let media = MediaConfig { first_port, last_port, rtp_timeout: config.rtp_timeout, seed };
        let raw = config.media_raw.then(raw_sender::open_if_allowed).flatten();
        let worker = media_worker::prepare(id, media, config.media_listen, raw, inbox.clone(), clock)
            .map_err(|source| ServeError::System { what: "epoll", source })?;
        made.push(worker);
    }
    Ok(made)
}

/// Cuts a range of ports into equal shares of whole pairs; `None` if a share would be empty.
fn share_ports((first, last): (u16, u16), shares: u16) -> Option<Vec<(u16, u16)>> {
    let first = u32::from(first) + u32::from(first % 2);
    let pairs = (u32::from(last) + 1).saturating_sub(first) / 2;
    let each = pairs / u32::from(shares);
    let share = |number: u32| {
        let start = first + number * each * 2;
        (start as u16, (start + each * 2 - 1) as u16)
    };
    (each > 0).then(|| (0..u32::from(shares)).map(share).collect())
}

/// Says once how many legs this machine carries, so that nobody finds out by refused calls.
fn tell_legs(config: &ServeConfig) {
    let by_files = media_sockets::legs_allowed();
    let by_ports = u64::from(config.media_ports.1.saturating_sub(config.media_ports.0) / 2 + 1);
    tracing::info!("room for {} calls with a person at once (two legs each)", by_files.min(by_ports) / 2);
    if by_files < by_ports {
        tracing::warn!(
            "the limit on open files allows {by_files} legs, fewer than the {by_ports} that the RTP ports would: raise it \
             (systemd: LimitNOFILE=, shell: ulimit -n)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::share_ports;

    #[test]
    fn ports_are_shared_out_in_whole_pairs() {
        assert_eq!(share_ports((10_000, 10_999), 2), Some(vec![(10_000, 10_499), (10_500, 10_999)]));
        assert_eq!(share_ports((10_001, 10_006), 1), Some(vec![(10_002, 10_005)]));
        assert_eq!(share_ports((65_534, 65_535), 1), Some(vec![(65_534, 65_535)]));
        assert_eq!(share_ports((10_000, 10_002), 2), None);
        assert_eq!(share_ports((10_002, 10_000), 1), None);
    }
}
