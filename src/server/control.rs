//! The control loop: one thread that owns the [`Engine`], gives it every fact in order of arrival and carries out its wishes.
//!
//! It sleeps until something arrives or the engine's next deadline; it never waits for a disk, a socket or another thread.
//! A panic here ends the program (DESIGN §3): the engine's state can no longer be trusted, the ledger can.

use super::backlog::Backlog;
use super::clock::Clock;
use super::inbox::{AnswerTo, Arrival, Arrivals, Inbox, View};
use super::media_worker::WorkerDoor;
use super::rest::{Rest, sleep_exactly};
use super::sip_socket::SipSockets;
use crate::call::record::CallRecord;
use crate::engine::Engine;
use crate::engine::input::Input;
use crate::engine::output::{Ask, CallLine, LineDirection, Notice, Output};
use crate::sip::offenders::Offence;
use std::io;
use std::net::IpAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, oneshot};

/// From one wake to the next while many things arrive: what a call may wait for its answer then.
const REST: Duration = Duration::from_millis(1);
const TELL_BEHIND_EVERY: Duration = Duration::from_secs(60);

/// What remembers for the engine: registry, ledger, database. Called on the control thread: it must hand the work on, not do it.
pub trait Answers: Send {
    /// Look up or write down, then `answer.give(…)` from any thread.
    fn ask(&mut self, ask: Ask, answer: AnswerTo);
    /// A call is over: keep its record.
    fn ended(&mut self, record: Box<CallRecord>);
    /// What is failing now (ledger, database), in words for `/healthz`; `None` when all is well.
    fn trouble(&mut self) -> Option<String>;
}

/// The engine with all that carries out its wishes.
pub struct Control {
    pub engine: Engine,
    pub clock: Clock,
    pub inbox: Inbox,
    pub sip: SipSockets,
    /// In the order of their `WorkerId`.
    pub workers: Vec<WorkerDoor>,
    pub answers: Box<dyn Answers>,
    /// Every line of every call's trace, for whoever listens.
    pub lines: broadcast::Sender<CallLine>,
}

impl Control {
    /// Runs on a thread of its own until `Arrival::Stop`. `on_end` is dropped there last, also when it panics.
    pub fn start(self, arrivals: Arrivals, on_end: impl Send + 'static) -> io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("onekey-control".into()).spawn(move || {
            let _on_end = on_end;
            self.run(&arrivals);
        })
    }

    fn run(mut self, arrivals: &Arrivals) {
        let mut wishes = Vec::with_capacity(64);
        let mut quiet_waiters: Vec<oneshot::Sender<()>> = Vec::new();
        let mut rest = Rest::new(REST);
        let (mut backlog, mut told) = (Backlog::default(), None);
        sleep_exactly();
        loop {
            // Deadlines first: a flood of messages must not hold up a timer.
            if self.wait().is_some_and(|wait| wait.is_zero()) && self.handle(Input::Tick, &mut wishes) {
                self.tell_if_quiet(&mut quiet_waiters);
            }
            let Some(arrival) = self.arrival(arrivals, &mut rest) else { continue };
            let may_be_quiet = match arrival {
                Arrival::Sip(input, came) => {
                    let news = backlog.next(came.elapsed(), arrivals.sip_waiting());
                    // Whatever the engine is told, a timer may end a call then.
                    let ended = news.is_some_and(|is_behind| {
                        tell_behind(is_behind, &mut told);
                        self.handle(Input::Behind(is_behind), &mut wishes)
                    });
                    self.handle(input, &mut wishes) || ended
                }
                Arrival::Other(input) => self.handle(input, &mut wishes),
                Arrival::View(answer) => {
                    let snapshot = self.engine.snapshot(self.clock.now());
                    // Who asked may have gone away meanwhile.
                    let _ = answer.send(View { snapshot, trouble: self.answers.trouble() });
                    false
                }
                Arrival::WhenQuiet(tell) => {
                    quiet_waiters.push(tell);
                    true
                }
                Arrival::Stop => return,
            };
            if may_be_quiet {
                self.tell_if_quiet(&mut quiet_waiters);
            }
        }
    }

    /// Asked only when somebody waits and a call has ended since: a view of all calls is not free.
    fn tell_if_quiet(&self, waiters: &mut Vec<oneshot::Sender<()>>) {
        if !waiters.is_empty() && self.engine.snapshot(self.clock.now()).calls.is_empty() {
            for tell in waiters.drain(..) {
                let _ = tell.send(());
            }
        }
    }

    fn arrival(&self, arrivals: &Arrivals, rest: &mut Rest) -> Option<Arrival> {
        if let Some(arrival) = arrivals.here() {
            return Some(arrival);
        }
        rest.before_waiting(self.wait());
        let arrival = arrivals.next(self.wait());
        rest.woke(arrival.is_some());
        arrival
    }

    fn wait(&self) -> Option<Duration> {
        self.engine.next_timeout().map(|at| at.since(self.clock.time()))
    }

    /// One fact, at one moment; then the wishes in their order. `true`: a call has ended.
    fn handle(&mut self, input: Input, wishes: &mut Vec<Output>) -> bool {
        let mut ended = false;
        self.engine.handle(self.clock.now(), input, wishes);
        for wish in wishes.drain(..) {
            match wish {
                Output::Sip(datagram) => self.sip.send(datagram),
                Output::Media(worker, command) => match self.workers.get(usize::from(worker.0)) {
                    Some(door) => door.command(command),
                    None => tracing::error!("a media command for worker {} of {}", worker.0, self.workers.len()),
                },
                Output::Ask(ask) => {
                    let answer = AnswerTo::new(ask.id, self.inbox.clone());
                    self.answers.ask(ask, answer);
                }
                Output::Ended(record) => {
                    ended = true;
                    tell_end(&record);
                    self.answers.ended(record);
                }
                Output::Log(line) => {
                    tell_line(&line);
                    // Nobody listens: that is no error.
                    let _ = self.lines.send(line);
                }
                Output::Notice(notice) => tell_notice(&notice),
                Output::Walked(..) => {}
            }
        }
        ended
    }
}

/// Once in a while: where too many calls come, this changes many times a second.
fn tell_behind(is_behind: bool, told: &mut Option<Instant>) {
    if is_behind && told.is_none_or(|at| at.elapsed() > TELL_BEHIND_EVERY) {
        *told = Some(Instant::now());
        tracing::warn!(
            "more calls come than this machine can answer: some are refused with 503, so that the others are served (`onekey \
             bench setup` measures how many it can)"
        );
    }
}

fn tell_notice(notice: &Notice) {
    match notice {
        Notice::LoggedIn(agent) => tracing::info!("agent {agent} logged in"),
        Notice::LoggedOut(agent) => tracing::info!("agent {agent} logged out"),
        Notice::Away(agent) => {
            tracing::info!("agent {agent} is away: by *40, or after missed calls; *41 brings her back")
        }
        Notice::GuessesRefused(source) => tell_offence(*source, Offence::Passwords),
        Notice::Offence { source, offence } => tell_offence(*source, *offence),
    }
}

/// What fail2ban reads (deploy/fail2ban): the address stands at the end, as `address=`, and nothing that a stranger chose
/// stands before it.
pub fn tell_offence(source: IpAddr, offence: Offence) {
    let words = match offence {
        Offence::Scanner => "a known scanner, passed over in silence",
        Offence::Passwords => "wrong passwords: what it tries is refused for a minute",
        Offence::Requests => {
            "more requests than a stranger may send; a carrier, SBC or PBX of yours? name its address in a [[trunk]]"
        }
        Offence::Calls => {
            "more calls at once than a stranger may hold; a carrier, SBC or PBX of yours? name its address in a [[trunk]]"
        }
        Offence::Numbers => "one number after the other that nobody has published",
        Offence::Dialogs => "requests for calls that there are not or that are not its own",
        Offence::Connections => "more TCP connections than one address may hold, or messages that never end",
    };
    tracing::warn!("security: {words} offence={} address={source}", offence.as_str());
}

/// INFO is: a call began, was answered, ended (DESIGN §15).
fn tell_line(line: &CallLine) {
    let arrow = match line.direction {
        LineDirection::World => '>',
        LineDirection::Engine => '<',
    };
    let seconds = line.since_start.as_secs_f64();
    if line.text == "call" || line.text == "answer" {
        tracing::info!(target: "onekey::call", "{} {seconds:.3} {arrow} {}", line.call, line.text);
    } else {
        tracing::debug!(target: "onekey::call", "{} {seconds:.3} {arrow} {}", line.call, line.text);
    }
}

fn tell_end(record: &CallRecord) {
    // As text with three places: a number would be shown as 2.9855140000000002.
    let since_t0 = |mark: Option<crate::time::Time>| mark.map(|at| format!("{:.3}", at.since(record.t0).as_secs_f64()));
    tracing::info!(
        target: "onekey::call",
        line = %record.line,
        cause = record.cause,
        released_by = ?record.released_by,
        agent = record.agent.as_ref().map(|agent| agent.as_str()),
        seconds_to_person = since_t0(record.marks.speaking).map(tracing::field::display),
        seconds = since_t0(record.marks.ended).map(tracing::field::display),
        "{} end",
        record.call
    );
}
