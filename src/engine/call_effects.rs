//! A call's wishes, carried out.

use super::incoming::refusal;
use super::{Engine, Work};
use crate::call::event::{Effect, Event, Spoken, StandingOf};
use crate::caller::NumberHash;
use crate::engine::output::Output;
use crate::ids::{CallId, LegId, PlayId, PromiseId, PromptId};
use crate::media::command::{MediaCommand, RecordChannels};
use crate::promise::{AskedBy, Entry, Opened};
use crate::prompt::{Prompt, spoken};
use crate::queue::ledger::seal_number;
use crate::saying::{self, Currency};
use crate::sip::stack::EndReason;
use rand_chacha::rand_core::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Prompts that a language may leave out, because its grammar has no need of them.
const OPTIONAL: [&str; 2] = [spoken::PLACE_UNIT, spoken::WAIT_UNIT_ONE];

impl Engine {
    /// Gives a call one fact. A mistake of ours in a step sends the caller to a person; a second one ends the call and
    /// leaves the promise open (DESIGN §3).
    pub(super) fn call_event(&mut self, id: CallId, event: Event) {
        let now = self.now;
        let Some(entry) = self.calls.get_mut(&id) else { return };
        let stepped = catch_unwind(AssertUnwindSafe(|| entry.call.handle(now, event)));
        let effects = match stepped {
            Ok(effects) => effects,
            Err(_) => {
                entry.panics += 1;
                self.counters.panics += 1;
                if entry.panics > 1 { entry.call.abandon(now) } else { entry.call.recover(now) }
            }
        };
        for effect in effects {
            self.call_effect(id, effect);
        }
        self.settle_call(id);
    }

    fn call_effect(&mut self, id: CallId, effect: Effect) {
        let Some(leg) = self.calls.get(&id).map(|entry| entry.leg) else { return };
        match effect {
            Effect::Answer => self.answer(id, leg),
            Effect::Speak { play, said, repeat } => self.speak(id, leg, play, &said, repeat),
            Effect::Quiet => self.media(leg, MediaCommand::Stop { leg }),
            Effect::Set(timer, after) => self.set_call_timer(id, timer, after),
            Effect::Clear(timer) => self.timers.clear(&super::Timer::Call(id, timer)),
            Effect::Join { queue, flagged } => self.join(id, &queue, flagged),
            Effect::AskServed { queue } => {
                if self.queue_settings(id, &queue).is_some_and(|settings| self.queues.can_serve(&settings).is_ok()) {
                    self.tell(id, Event::Served);
                }
            }
            Effect::AskStanding => self.tell_standing(id),
            Effect::Leave { abandoned } => {
                self.with_queues(|queues, now, out| queues.leave(now, id, abandoned, out));
            }
            Effect::OpenPromise { asked_by, queue } => self.open_promise(id, asked_by, queue),
            Effect::PromiseDue(why) => self.promise_due(id, why),
            Effect::ClosePromise(how) => self.close_promise(id, how),
            Effect::RecordMessage { file, silence } => {
                self.record(id, leg, file, RecordChannels::One, Some(silence));
            }
            Effect::RecordTalk { file } => self.record(id, leg, file, RecordChannels::Two, None),
            Effect::StopRecord { cut_tail } => self.media(leg, MediaCommand::StopRecord { leg, cut_tail }),
            Effect::Bridge { agent_leg } => self.media(leg, MediaCommand::Bridge { a: leg, b: agent_leg }),
            Effect::Speaking => self.queues.speaking(id),
            Effect::DropAgent { back_to_queue } => self.drop_agent(id, leg, back_to_queue),
            Effect::HangUp { cause } => self.hang_up(id, leg, cause),
            Effect::LookUp(query) => self.look_up(id, *query),
            Effect::ForgetLookUp => self.forget_look_up(id),
            Effect::Dial(party) => self.dial(id, &party),
            Effect::DropParty => self.drop_party(id, leg),
            Effect::Trace(direction, text) => self.log(id, direction, text),
            Effect::Walked(walk) => self.out.push(Output::Walked(id, walk)),
        }
    }

    /// 200 to the caller, with our answer to the offer or, where there was none, with our own offer.
    fn answer(&mut self, id: CallId, leg_id: LegId) {
        let now = self.now;
        let Some(entry) = self.calls.get_mut(&id) else { return };
        let Some(leg) = self.legs.get_mut(&leg_id) else { return };
        let described = if entry.invitation.offer.is_empty() {
            Ok((leg.offer().unwrap_or_default(), None))
        } else {
            leg.answer(&entry.invitation.offer).map(|(answer, format)| (answer, Some(format)))
        };
        match described {
            Ok((description, format)) => {
                entry.answered = true;
                self.with_sip(|sip, out| sip.answer(now, leg_id, description, out));
                if let Some(format) = format {
                    self.start_media(leg_id, format);
                }
                self.tell(id, Event::Answered);
            }
            Err(refused) => {
                entry.refusal = Some(refused.status);
                self.counters.refused("not_acceptable");
                self.tell(id, Event::HangUp);
            }
        }
    }

    fn speak(&mut self, id: CallId, leg: LegId, play: PlayId, said: &[Spoken], repeat: bool) {
        let Some(call) = self.calls.get(&id).map(|entry| &entry.call) else { return };
        let (language, of_line, gentle) = (call.language.clone(), call.line_language().clone(), call.gentle);
        let prompts: Vec<PromptId> = said.iter().flat_map(|word| self.prompts_of(language.as_str(), word)).collect();
        let mut found: Vec<Arc<Prompt>> = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            // A caller whose registry entry names a language that has no prompts hears the line's own.
            match self.prompts.heard(prompt.as_str(), language.as_str(), of_line.as_str(), gentle) {
                Some(prompt) => found.push(Arc::clone(prompt)),
                None if OPTIONAL.contains(&prompt.as_str()) => {}
                None => self.counters.refused("prompt_missing"),
            }
        }
        if found.is_empty() {
            if !repeat {
                self.tell(id, Event::PromptMissing);
            }
            return;
        }
        self.media(leg, MediaCommand::Play { leg, play, prompts: found, repeat });
    }

    /// The prompts of one piece of what is said; what stands of a queue is looked at only now.
    fn prompts_of(&self, language: &str, word: &Spoken) -> Vec<PromptId> {
        match word {
            Spoken::Prompt(id) => vec![id.clone()],
            Spoken::Standing { queue, of, form } => {
                let standing = self.queues.standing_of_next(queue);
                let value = match of {
                    StandingOf::Place => standing.place,
                    StandingOf::Wait => standing.minutes.unwrap_or(0),
                };
                saying::pieces(language, *form, Currency::Usd, &value.to_string()).unwrap_or_default()
            }
        }
    }

    fn record(
        &mut self,
        id: CallId,
        leg: LegId,
        file: String,
        channels: RecordChannels,
        silence: Option<std::time::Duration>,
    ) {
        if let Some(entry) = self.calls.get_mut(&id) {
            entry.recordings_open += 1;
        }
        let file = self.config.recordings.join(file);
        self.media(leg, MediaCommand::Record { leg, file, channels, silence });
    }

    fn open_promise(&mut self, id: CallId, asked_by: AskedBy, queue: crate::ids::QueueName) {
        let promise = PromiseId(self.next_promise);
        self.next_promise += 1;
        let mut nonce = [0; 24];
        self.random.fill_bytes(&mut nonce);
        let Some(entry) = self.calls.get_mut(&id) else { return };
        entry.promise = Some(promise);
        let number = entry.number.as_deref().map(|number| seal_number(&self.config.ledger_key, nonce, number));
        let opened = Opened {
            promise,
            call: id,
            line: entry.call.line.clone(),
            queue,
            at: self.now.wall,
            asked_by,
            number,
            flagged: entry.call.flagged,
        };
        self.promises.insert(promise, false);
        self.ask_ledger(Some(id), Entry::Opened(opened));
    }

    fn promise_due(&mut self, id: CallId, why: crate::promise::Due) {
        let Some((promise, caller)) = self.calls.get(&id).and_then(|entry| Some((entry.promise?, entry.call.caller)))
        else {
            return;
        };
        self.promises.insert(promise, true);
        self.remember_due(caller, promise);
        self.ask_ledger(Some(id), Entry::Due { promise, at: self.now.wall, why });
    }

    fn close_promise(&mut self, id: CallId, how: crate::promise::Closing) {
        let Some((promise, caller)) = self.calls.get(&id).map(|entry| (entry.promise, entry.call.caller)) else {
            return;
        };
        let earlier = match (how, caller) {
            (crate::promise::Closing::Conversation, Some(caller)) => self.due_of_earlier_calls(caller),
            _ => Vec::new(),
        };
        for promise in promise.into_iter().chain(earlier) {
            if self.promises.remove(&promise).is_some() {
                self.ask_ledger(None, Entry::Closed { promise, at: self.now.wall, how });
            }
        }
    }

    /// A conversation also keeps what this caller was promised on calls that are over; what another line of theirs still
    /// waits for is that line's own.
    fn due_of_earlier_calls(&mut self, caller: NumberHash) -> Vec<PromiseId> {
        let due = self.due_of.remove(&caller).unwrap_or_default();
        let live = |promise: &PromiseId| self.calls.values().any(|entry| entry.promise == Some(*promise));
        let (still, earlier): (Vec<PromiseId>, Vec<PromiseId>) = due.into_iter().partition(live);
        if !still.is_empty() {
            self.due_of.insert(caller, still);
        }
        earlier
    }

    fn drop_agent(&mut self, id: CallId, leg: LegId, back_to_queue: bool) {
        if let Some(agent_leg) = self.calls.get_mut(&id).and_then(|entry| entry.agent_leg.take()) {
            self.media(leg, MediaCommand::Unbridge { a: leg, b: agent_leg });
            self.end_leg(agent_leg, EndReason::Normal);
        }
        self.with_queues(|queues, now, out| {
            if back_to_queue { queues.give_back(now, id, out) } else { queues.leave(now, id, false, out) }
        });
    }

    fn hang_up(&mut self, id: CallId, leg: LegId, cause: u8) {
        let Some(entry) = self.calls.get_mut(&id) else { return };
        let reason = match (entry.answered, cause) {
            (false, _) => {
                let status = entry.refusal.unwrap_or(480);
                entry.status = entry.status.or(Some(status));
                refusal(status)
            }
            (true, 16) => EndReason::Normal,
            (true, cause) => EndReason::Failure { cause },
        };
        self.timers.forget_call(id);
        self.end_leg(leg, reason);
    }

    /// Writes the record when nothing more is to come.
    pub(super) fn settle_call(&mut self, id: CallId) {
        if !self.calls.get(&id).is_some_and(super::CallEntry::is_settled) || self.has_work_for(id) {
            return;
        }
        if let Some(entry) = self.calls.remove(&id) {
            self.timers.forget_call(id);
            if let Some(question) = entry.registry_question {
                self.forget_question(question);
            }
            if entry.call.marks.speaking.is_some() {
                self.counters.answered_by_person += 1;
            }
            self.out.push(Output::Ended(Box::new(entry.into_record())));
        }
    }

    fn has_work_for(&self, id: CallId) -> bool {
        self.work.iter().any(|work| matches!(work, Work::Call(call, _) if *call == id))
    }
}
