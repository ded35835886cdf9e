//! The door: facts go in, wishes come out (DESIGN §3). One engine takes every decision of every call.
//!
//! [`Engine::handle`] takes one fact, fires what is due, and works until nothing is left to do; what the parts wish of
//! each other goes through one queue of work (`Work`), so that no part ever calls another. Read in this order:
//! `incoming` (an INVITE becomes a call) · `sip_events` and `media_events` (facts become a call's events) ·
//! `call_effects` and `queue_effects` (wishes are carried out) · `asks` (the world's answers) · `legs`, `timers`, `entry`.

mod asks;
mod call_effects;
mod entry;
mod features;
mod incoming;
pub mod input;
mod keys;
mod legs;
mod lookups;
mod media_events;
pub mod output;
mod party;
mod queue_effects;
mod rules;
mod sip_events;
pub mod snapshot;
mod timers;
mod view;

use crate::call::event::{CallTimer, Event};
use crate::caller::NumberHash;
use crate::callers::CallerRegistry;
use crate::codec::StreamFormat;
use crate::dialplan::Dialplan;
use crate::ids::{CallId, LegId, PromiseId};
use crate::media::command::MediaCommand;
use crate::promise::Entry;
use crate::prompt::PromptLibrary;
use crate::queue::Queues;
use crate::sip::SipConfig;
use crate::sip::registrar::{AgentAccount, Binding};
use crate::sip::stack::{EndReason, SipOutput, SipStack};
use crate::time::{Now, Time};
use asks::Asked;
use entry::CallEntry;
use input::{Command, Input};
use legs::Leg;
use output::{Output, QuestionId};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use timers::{Timer, Timers};
use view::Counters;

/// Most callers whose due promises are remembered, so that a conversation on a later call closes them.
const DUE_REMEMBERED_MAX: usize = 10_000;
/// Most due promises remembered of one caller.
const DUE_OF_ONE_MAX: usize = 32;

/// Fixed facts of the engine, from `onekey.toml` and the store.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub sip: SipConfig,
    /// Stands in SDP where others reach our media by another address than the local one (NAT).
    pub media_advertised: Option<IpAddr>,
    /// Media workers, at least 1; calls are spread over them.
    pub media_workers: u16,
    /// Feeds every random value of the engine.
    pub seed: [u8; 32],
    /// Key of the registry's number hashes.
    pub registry_key: [u8; 32],
    /// Key that seals numbers in the ledger.
    pub ledger_key: [u8; 32],
    /// ISO 3166 code by which national numbers are read, such as `US`.
    pub default_country: String,
    /// Most calls at once; above it an INVITE gets 503 with Retry-After.
    pub calls_max: usize,
    /// The registry's answer is awaited this long (300 ms).
    pub registry_deadline: Duration,
    /// Where recordings and messages go.
    pub recordings: PathBuf,
    /// The first call's number; the shell makes it unique over restarts.
    pub first_call: CallId,
    pub first_promise: PromiseId,
}

/// What the store knew when the engine starts.
#[derive(Default, Debug)]
pub struct Remembered {
    pub agents: Vec<(AgentAccount, Vec<Binding>)>,
    /// Open promises of earlier runs: the ledger's file makes each of them due when it is opened.
    pub promises_due: Vec<PromiseId>,
}

/// The control plane: every decision of every call.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    dialplan: Arc<Dialplan>,
    prompts: Arc<PromptLibrary>,
    sip: SipStack,
    queues: Queues,
    calls: BTreeMap<CallId, CallEntry>,
    legs: BTreeMap<LegId, Leg>,
    /// Legs of each media worker.
    loads: Vec<usize>,
    timers: Timers,
    registry: CallerRegistry,
    asked: BTreeMap<QuestionId, Asked>,
    /// For each promise of which an entry is being written: what is to be written after it.
    behind: BTreeMap<PromiseId, VecDeque<(Option<CallId>, Entry)>>,
    /// Due promises of callers of this run: closed when the same caller speaks with a person.
    due_of: BTreeMap<NumberHash, Vec<PromiseId>>,
    promises: BTreeMap<PromiseId, bool>,
    random: ChaCha12Rng,
    counters: Counters,
    draining: bool,
    /// More calls come than can be answered in time.
    is_overloaded: bool,
    next_call: u64,
    next_promise: u64,
    next_question: u64,
    now: Now,
    work: VecDeque<Work>,
    out: Vec<Output>,
}

/// What one part wishes of another, in order.
#[derive(Debug)]
enum Work {
    Call(CallId, Event),
    Sip(SipOutput),
    Queue(crate::queue::Effect),
}

impl Engine {
    /// The first call of `handle` also carries out what the start itself wants (agents of before are free again).
    pub fn new(
        now: Now,
        config: EngineConfig,
        dialplan: Arc<Dialplan>,
        prompts: Arc<PromptLibrary>,
        remembered: Remembered,
    ) -> Engine {
        let mut random = ChaCha12Rng::from_seed(config.seed);
        let mut sip_seed = [0; 32];
        random.fill_bytes(&mut sip_seed);
        let mut engine = Engine {
            sip: SipStack::new(config.sip.clone(), sip_seed),
            registry: CallerRegistry::new(config.registry_key, &config.default_country),
            next_call: config.first_call.0,
            next_promise: config.first_promise.0,
            loads: vec![0; usize::from(config.media_workers.max(1))],
            config,
            dialplan,
            prompts,
            queues: Queues::default(),
            calls: BTreeMap::new(),
            legs: BTreeMap::new(),
            timers: Timers::default(),
            asked: BTreeMap::new(),
            behind: BTreeMap::new(),
            due_of: BTreeMap::new(),
            promises: remembered.promises_due.iter().map(|promise| (*promise, true)).collect(),
            random,
            counters: Counters::default(),
            draining: false,
            is_overloaded: false,
            next_question: 0,
            now,
            work: VecDeque::new(),
            out: Vec::new(),
        };
        engine.sip.publish(engine.dialplan.numbers.keys().cloned().collect());
        engine.remember(remembered);
        engine
    }

    fn remember(&mut self, remembered: Remembered) {
        for (account, bindings) in remembered.agents {
            let agent = account.agent.clone();
            self.sip.set_agent(account);
            let now = self.now;
            self.with_sip(|sip, out| sip.restore_bindings(now, &agent, bindings, out));
            let registered = !self.sip.bindings(&agent).is_empty();
            self.with_queues(|queues, now, out| queues.registered(now, &agent, registered, out));
        }
    }

    /// Takes one fact; pushes wishes to `out` in the order in which they are to be carried out.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        self.now = now;
        self.fire_due();
        match input {
            Input::Sip(datagram) => {
                let closed = self.has_no_room(self.room_for_strangers());
                self.sip.close_to_strangers(closed);
                self.with_sip(|sip, out| sip.receive(now, datagram, out));
            }
            Input::Behind(is_behind) => self.is_overloaded = is_behind,
            Input::ConnectionClosed(connection) => {
                self.with_sip(|sip, out| sip.connection_closed(now, connection, out));
            }
            Input::Media(_, event) => self.media_event(event),
            Input::Answered(reply) => self.answered(reply),
            Input::Command(command) => self.command(command),
            Input::Reload(dialplan, prompts) => {
                self.with_queues(|queues, now, out| queues.reload(now, dialplan.queues(), out));
                self.sip.publish(dialplan.numbers.keys().cloned().collect());
                self.dialplan = dialplan;
                self.prompts = prompts;
            }
            Input::Tick => {}
        }
        self.work_off();
        out.append(&mut self.out);
    }

    /// When it next wants a `Tick`.
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Nothing is left of any call, dialog or promise being written (for the end of a simulation or a drain).
    pub fn is_quiet(&self) -> bool {
        self.calls.is_empty() && self.legs.is_empty() && self.sip.is_quiet() && self.behind.is_empty()
    }

    /// Calls that are not over yet.
    pub fn calls_open(&self) -> usize {
        self.calls.len()
    }

    fn fire_due(&mut self) {
        while let Some(timer) = self.timers.take_due(self.now.time) {
            let now = self.now;
            match timer {
                Timer::Sip(timer) => self.with_sip(|sip, out| sip.timeout(now, timer, out)),
                Timer::Call(call, timer) => self.tell(call, Event::Timer(timer)),
                Timer::Queue(timer) => self.with_queues(|queues, now, out| queues.timeout(now, timer, out)),
                Timer::Ask(question) => self.ask_is_late(question),
                Timer::Retry(question) => self.ask_again(question),
            }
            self.work_off();
        }
    }

    /// Works until nobody wishes anything of anybody any more.
    fn work_off(&mut self) {
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Call(call, event) => self.call_event(call, event),
                Work::Sip(output) => self.sip_output(output),
                Work::Queue(effect) => self.queue_effect(effect),
            }
        }
    }

    fn command(&mut self, command: Command) {
        let now = self.now;
        match command {
            Command::AgentSet(account) => self.sip.set_agent(account),
            Command::AgentRemoved(agent) => {
                self.with_sip(|sip, out| sip.remove_agent(now, &agent, out));
                self.with_queues(|queues, now, out| queues.remove_agent(now, &agent, out));
            }
            Command::PromiseClosed(promise) => {
                self.promises.remove(&promise);
            }
            Command::Drain => self.draining = true,
            Command::HangUpAll => {
                let calls: Vec<CallId> = self.calls.keys().copied().collect();
                for call in calls {
                    self.tell(call, Event::HangUp);
                }
            }
        }
    }

    fn tell(&mut self, call: CallId, event: Event) {
        self.work.push_back(Work::Call(call, event));
    }

    fn with_sip(&mut self, act: impl FnOnce(&mut SipStack, &mut Vec<SipOutput>)) {
        let mut wishes = Vec::new();
        act(&mut self.sip, &mut wishes);
        self.work.extend(wishes.into_iter().map(Work::Sip));
    }

    fn with_queues(&mut self, act: impl FnOnce(&mut Queues, Time, &mut Vec<crate::queue::Effect>)) {
        let mut wishes = Vec::new();
        act(&mut self.queues, self.now.time, &mut wishes);
        self.work.extend(wishes.into_iter().map(Work::Queue));
    }

    fn media(&mut self, leg: LegId, command: MediaCommand) {
        if let Some(worker) = self.legs.get(&leg).map(|leg| leg.worker) {
            self.out.push(Output::Media(worker, command));
        }
    }

    /// Offer and answer are settled: media flows, freely or confined.
    fn start_media(&mut self, leg: LegId, format: StreamFormat) {
        self.confine(leg);
        self.media(leg, MediaCommand::Start { leg, format });
    }

    fn confine(&mut self, id: LegId) {
        let is_proven = self.sip.is_proven(id);
        if let Some(confined) = self.legs.get_mut(&id).and_then(|leg| leg.confinement(is_proven)) {
            self.media(id, MediaCommand::Confine { leg: id, confined });
        }
    }

    /// Ends both sides of a leg: dialog and stream.
    fn end_leg(&mut self, id: LegId, reason: EndReason) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let dialog_ends = !leg.sip_over && !leg.is_unsent();
        let closes = !std::mem::replace(&mut leg.closing, true);
        if !dialog_ends {
            leg.sip_over = true;
        }
        if dialog_ends {
            self.with_sip(|sip, out| sip.end(now, id, reason, out));
        }
        if closes {
            self.media(id, MediaCommand::Close { leg: id });
        }
        self.forget_leg(id);
    }

    /// A leg is forgotten when its dialog and its stream are both over.
    fn forget_leg(&mut self, id: LegId) {
        if self.legs.get(&id).is_some_and(|leg| leg.sip_over && leg.media_over)
            && let Some(leg) = self.legs.remove(&id)
            && let Some(load) = self.loads.get_mut(usize::from(leg.worker.0))
        {
            *load = load.saturating_sub(1);
        }
    }

    /// A new leg takes a port of its worker.
    fn open_leg(&mut self, id: LegId, leg: Leg) {
        if let Some(load) = self.loads.get_mut(usize::from(leg.worker.0)) {
            *load += 1;
        }
        self.legs.insert(id, leg);
        self.media(id, MediaCommand::Open { leg: id });
    }

    fn set_call_timer(&mut self, call: CallId, timer: CallTimer, after: Duration) {
        self.timers.set(Timer::Call(call, timer), self.now.time + after);
    }

    fn remember_due(&mut self, caller: Option<NumberHash>, promise: PromiseId) {
        let Some(caller) = caller else { return };
        if self.due_of.len() >= DUE_REMEMBERED_MAX {
            self.due_of.pop_first();
        }
        let due = self.due_of.entry(caller).or_default();
        if !due.contains(&promise) && due.len() < DUE_OF_ONE_MAX {
            due.push(promise);
        }
    }
}
