//! Into the queue and in it: overflow when it cannot serve, place and wait, music, and keys that still work.

use super::event::{CallTimer, Effect, Event, LineDirection, Standing};
use super::promise::PromiseState;
use super::talking::Talking;
use super::words::{prompt, standing_prompts};
use super::{Call, Place};
use crate::ids::{AgentId, LegId, PlayId, PromptId, QueueName};
use crate::key::Key;
use crate::promise::{AskedBy, Due};
use crate::prompt::spoken;
use crate::step;
use crate::step::link::Walk;
use crate::step::queue::Queue;
use crate::target::{StepKind, StepRef, Target};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the first words wait for the ledger before they are said without "you are in the queue".
const LEDGER_WAIT: Duration = Duration::from_millis(500);
/// In the queue this key asks for a call-back that keeps the ticket.
const CALLBACK_KEY: char = '1';

/// A caller in a queue.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Waiting {
    pub queue: QueueName,
    ringing: BTreeSet<AgentId>,
    /// "You are in the queue" has been said.
    told: bool,
    /// What is being said; `None`: music.
    speaking: Option<PlayId>,
    /// The next words offer a call-back: not the very first ones.
    offers_callback: bool,
    notice: Notice,
    /// The ledger is being waited for: words come as soon as it has written, so nothing is said before.
    awaits_ledger: bool,
}

/// "This call is recorded": spoken while the caller waits. What has not been told is not recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Notice {
    /// Nothing is recorded here, or it has been heard already.
    NotNeeded,
    Wanted,
    Speaking(PlayId),
}

impl Call {
    /// Tries a queue; one that is closed leads on as its `else` says.
    pub(super) fn enter_queue(&mut self, queue: QueueName) {
        if !self.tried.insert(queue.clone()) {
            return self.keep();
        }
        let open = self.queue_is_open(&queue);
        self.walked_queue(&queue, open, None);
        if !open {
            self.trace(LineDirection::Engine, format!("queue {queue} closed"));
            return self.overflow(&queue);
        }
        self.place = Place::Joining { queue: queue.clone() };
        self.effects.push(Effect::Join { queue, flagged: self.flagged });
    }

    pub(super) fn queue_is_open(&self, queue: &QueueName) -> bool {
        let hours = self.queue_plan(queue).and_then(|queue| queue.hours.as_ref());
        match hours.and_then(|name| self.plan.hours(name)) {
            Some(hours) => hours.open_at(self.now.wall),
            None => true,
        }
    }

    fn queue_plan(&self, queue: &QueueName) -> Option<&Queue> {
        self.plan.queue(queue)
    }

    /// The queue cannot serve. Its `else` may lead to another queue, or once to a step; then the promise is kept in
    /// another way, so that closed doors never lead round in a circle. A flagged caller is spared a menu here too.
    fn overflow(&mut self, queue: &QueueName) {
        let to = self.queue_plan(queue).and_then(|queue| queue.otherwise.clone());
        let goes_on = match &to {
            Some(Target::Step(at)) if at.kind == StepKind::Queue => !self.tried.contains(at.name.as_str()),
            Some(Target::Human) => !self.tried.contains(&self.line_plan().human.to),
            Some(Target::Step(at)) if at.kind == StepKind::Menu && self.flagged => false,
            Some(Target::Step(_)) => !self.overflowed,
            Some(Target::Start) => !self.overflowed && !self.flagged,
            _ => false,
        };
        let Some(to) = to.filter(|_| goes_on) else { return self.keep() };
        self.walked_queue(queue, false, Some(to.clone()));
        match to {
            Target::Step(at) if at.kind == StepKind::Queue => self.enter_queue(QueueName::new(at.name.as_str())),
            Target::Human => self.enter_queue(self.line_plan().human.to.clone()),
            Target::Step(at) => {
                self.overflowed = true;
                self.enter(at);
            }
            Target::Start | Target::Repeat => {
                self.overflowed = true;
                self.enter(self.start_of_line());
            }
        }
    }

    fn walked_queue(&mut self, queue: &QueueName, open: bool, to: Option<Target>) {
        let (at, event) = (StepRef::queue(queue), step::Event::Entered { open });
        self.effects.push(Effect::Walked(Walk { at, event, to, is_error: false, awaits: None }));
    }

    pub(super) fn joining_event(&mut self, event: Event) {
        let Place::Joining { queue } = &self.place else { return };
        let queue = queue.clone();
        match event {
            Event::Joined(standing) => self.joined(queue, standing),
            Event::NotServed => {
                self.trace(LineDirection::Engine, format!("queue {queue} cannot serve"));
                self.overflow(&queue);
            }
            _ => {}
        }
    }

    fn joined(&mut self, queue: QueueName, standing: Standing) {
        self.effects.push(Effect::Clear(CallTimer::Listen));
        self.marks.queued = self.marks.queued.or(Some(self.now.time));
        self.queue = Some(queue.clone());
        self.trace(LineDirection::Engine, format!("queue {queue}"));
        self.wait_in(queue, false);
        match self.promise {
            PromiseState::Open { written: true } | PromiseState::Due { written: true } => self.announce(standing),
            _ => self.await_ledger(),
        }
    }

    /// Music until the ledger has written, or has taken too long.
    fn await_ledger(&mut self) {
        self.effects.push(Effect::Set(CallTimer::Ledger, LEDGER_WAIT));
        if let Place::Waiting(waiting) = &mut self.place {
            waiting.awaits_ledger = true;
        }
        self.hold_music();
    }

    /// Stands in the queue, anew or again at the same ticket.
    pub(super) fn wait_in(&mut self, queue: QueueName, told: bool) {
        let every = self.queue_plan(&queue).map_or(Duration::from_secs(30), |queue| queue.announce_every);
        self.effects.push(Effect::Set(CallTimer::Announce, every));
        let records = self.queue_plan(&queue).is_some_and(|queue| queue.record);
        let notice = if records && !self.notice_heard { Notice::Wanted } else { Notice::NotNeeded };
        self.place = Place::Waiting(Waiting {
            queue,
            ringing: BTreeSet::new(),
            told,
            speaking: None,
            offers_callback: false,
            notice,
            awaits_ledger: false,
        });
    }

    pub(super) fn waiting_event(&mut self, event: Event) {
        let Place::Waiting(waiting) = &mut self.place else { return };
        match event {
            Event::Joined(standing) => self.announce(standing),
            Event::Spoken(play) if waiting.speaking == Some(play) => self.words_over(play),
            Event::Held(true) => waiting.ringing.clear(),
            Event::Timer(CallTimer::Ledger) => {
                waiting.awaits_ledger = false;
                self.effects.push(Effect::AskStanding);
            }
            Event::Timer(CallTimer::Announce) => self.announce_again(),
            Event::Deserted => {
                let queue = waiting.queue.clone();
                self.stop_waiting();
                self.trace(LineDirection::Engine, format!("queue {queue} deserted"));
                self.tried.insert(queue.clone());
                self.overflow(&queue);
            }
            Event::AgentRings(agent) => self.agent_rings(agent),
            Event::AgentMissed { agent, rejected } => {
                waiting.ringing.remove(&agent);
                self.missed += 1;
                let what = if rejected { "rejects" } else { "does not answer" };
                self.trace(LineDirection::World, format!("agent {agent} {what}"));
            }
            Event::AgentAnswers { agent, leg } => self.agent_answers(agent, leg),
            _ => {}
        }
    }

    pub(super) fn waiting_key(&mut self, key: Key) {
        let Place::Waiting(waiting) = &self.place else { return };
        if key == Key::HUMAN {
            if waiting.awaits_ledger || !waiting.ringing.is_empty() {
                return;
            }
            self.effects.push(Effect::AskStanding);
        } else if key.as_char() == CALLBACK_KEY && self.reachable {
            self.stop_waiting();
            self.effects.push(Effect::Leave { abandoned: false });
            self.promise_callback();
        }
    }

    /// The entry is on disk: now, and only now, "you are in the queue" may be said.
    pub(super) fn announce_once_written(&mut self) {
        if let Place::Waiting(waiting @ Waiting { told: false, .. }) = &mut self.place {
            waiting.awaits_ledger = false;
            self.effects.push(Effect::Clear(CallTimer::Ledger));
            self.effects.push(Effect::AskStanding);
        }
    }

    fn announce_again(&mut self) {
        let Place::Waiting(waiting) = &mut self.place else { return };
        waiting.offers_callback = true;
        let queue = waiting.queue.clone();
        let every = self.queue_plan(&queue).map_or(Duration::from_secs(30), |queue| queue.announce_every);
        self.effects.push(Effect::Set(CallTimer::Announce, every));
        self.effects.push(Effect::AskStanding);
    }

    fn announce(&mut self, standing: Standing) {
        let written =
            matches!(self.promise, PromiseState::Open { written: true } | PromiseState::Due { written: true });
        let (reachable, language) = (self.reachable, self.language.clone());
        let Place::Waiting(waiting) = &mut self.place else { return };
        let mut said = Vec::new();
        if written && !waiting.told {
            waiting.told = true;
            said.push(prompt(spoken::QUEUED));
        }
        // Whom a phone is being rung for, or is about to be, need not be told of a place and a wait.
        let soon = standing.place == 1 && standing.minutes.is_none();
        if said.is_empty() || !soon {
            said.extend(standing_prompts(language.as_str(), standing));
        }
        if waiting.offers_callback && reachable && waiting.ringing.is_empty() {
            said.push(prompt(spoken::OFFER_CALLBACK));
        }
        self.say_waiting(said);
    }

    /// Says something to a waiting caller, with the recording notice at its end if that is still owed.
    fn say_waiting(&mut self, mut said: Vec<PromptId>) {
        let Place::Waiting(waiting) = &self.place else { return };
        let gives_notice = waiting.notice != Notice::NotNeeded;
        if gives_notice {
            said.push(prompt(spoken::RECORDING_NOTICE));
        }
        let play = self.speak(said);
        if let Place::Waiting(waiting) = &mut self.place {
            waiting.speaking = Some(play);
            if gives_notice {
                waiting.notice = Notice::Speaking(play);
            }
        }
    }

    fn words_over(&mut self, play: PlayId) {
        let Place::Waiting(waiting) = &mut self.place else { return };
        if waiting.notice == Notice::Speaking(play) {
            waiting.notice = Notice::NotNeeded;
            self.notice_heard = true;
        }
        self.hold_music();
    }

    pub(super) fn hold_music(&mut self) {
        let Place::Waiting(waiting) = &mut self.place else { return };
        waiting.speaking = None;
        let queue = waiting.queue.clone();
        self.music_of(&queue);
    }

    /// The hold music of this queue.
    pub(super) fn music_of(&mut self, queue: &QueueName) {
        let tune = self.queue_plan(queue).map_or(prompt(spoken::HOLD_MUSIC), |queue| queue.hold_music.clone());
        self.music(tune);
    }

    fn agent_rings(&mut self, agent: AgentId) {
        self.marks.agent_rings = self.marks.agent_rings.or(Some(self.now.time));
        self.trace(LineDirection::Engine, format!("ring {agent}"));
        let Place::Waiting(waiting) = &mut self.place else { return };
        waiting.ringing.insert(agent);
    }

    fn agent_answers(&mut self, agent: AgentId, leg: LegId) {
        let Place::Waiting(waiting) = &self.place else { return };
        let queue = waiting.queue.clone();
        self.trace(LineDirection::World, format!("agent {agent} answers"));
        self.stop_waiting();
        self.place = Place::Talking(Talking::new(agent.clone(), queue));
        self.trace(LineDirection::Engine, format!("bridge {agent}"));
        self.agent = Some(agent);
        self.quiet();
        self.effects.push(Effect::Bridge { agent_leg: leg });
        self.effects.push(Effect::Set(CallTimer::AgentMedia, super::talking::AGENT_MEDIA_WAIT));
    }

    pub(super) fn stop_waiting(&mut self) {
        self.effects.push(Effect::Clear(CallTimer::Announce));
        self.effects.push(Effect::Clear(CallTimer::Ledger));
    }

    /// The caller chose to be called back, or nobody can serve and they stayed silent.
    pub(super) fn promise_callback(&mut self) {
        self.make_due(Due::CallBackPromised);
        self.kept_writes(spoken::KEPT_DONE);
    }

    /// Asks for a person after something of ours, or of an agent's, has failed in a conversation.
    pub(super) fn back_to_queue(&mut self, queue: QueueName, lost_in_talk: bool) {
        self.effects.push(Effect::DropAgent { back_to_queue: true });
        if lost_in_talk {
            self.open_promise(AskedBy::Failure);
        }
        self.agent = None;
        self.wait_again(queue);
    }

    /// At the ticket that the caller has.
    pub(super) fn wait_again(&mut self, queue: QueueName) {
        self.trace(LineDirection::Engine, format!("queue {queue} again"));
        let written = matches!(self.promise, PromiseState::Open { written: true });
        self.wait_in(queue, written);
        if written {
            self.effects.push(Effect::AskStanding);
        } else {
            self.await_ledger();
        }
    }
}
