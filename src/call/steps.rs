//! Walking through the dialplan: each step says by its own `next` what it wants; here it is carried out.

use super::event::{CallTimer, Effect, Event, LineDirection};
use super::{Call, HOPS_MAX, Place};
use crate::ids::PlayId;
use crate::key::Key;
use crate::promise::{AskedBy, Due};
use crate::step::link::Walk;
use crate::step::{self, Edge, StepState};
use crate::target::{StepKind, StepRef, Target};
use crate::variable::Word;
use std::time::Duration;

/// The sound of a key, and the moment before it, that is taken off the end of a recording.
const KEY_SOUND: Duration = Duration::from_millis(200);

/// Most keys that are kept while a prompt may not be interrupted.
const KEPT_MAX: usize = 40;

/// How long a step waits for the ledger before the caller is sent to a person instead.
const KEEPING_MAX: Duration = Duration::from_secs(3);

/// Where a caller stands in a step.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct InStep {
    pub at: StepRef,
    pub(super) state: StepState,
    pub(super) doing: Doing,
    /// What last happened, so that a way to a person can be told by its reason.
    cause: Cause,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Doing {
    /// `kept` are keys pressed while the prompt may not be interrupted; the step gets them when the prompt is over.
    Speaking {
        play: PlayId,
        barge_in: bool,
        kept: Vec<Key>,
    },
    Listening,
    Recording,
    /// A message or a call-back is on its way to the ledger's disk; only then may the step be told so.
    Keeping(step::Event),
    /// A dialled party is rung.
    Ringing,
    /// The caller talks with the dialled party.
    Connected,
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cause {
    Entered,
    Key,
    Silence,
}

impl Call {
    /// Begins a step.
    pub(super) fn enter(&mut self, at: StepRef) {
        self.enter_with(at, StepState::new(self.gentle));
    }

    fn enter_with(&mut self, at: StepRef, state: StepState) {
        self.hops += 1;
        let Some(step) = self.plan.step(&at) else { return self.human(AskedBy::Failure) };
        if self.hops > HOPS_MAX {
            return self.human(AskedBy::Failure);
        }
        // Whom the registry flags meets nothing that asks for a key, not even where no queue can serve.
        if self.flagged && step.asks() {
            return self.keep();
        }
        let open = match step.hours().and_then(|name| self.plan.hours(name)) {
            Some(hours) => hours.open_at(self.now.wall),
            None => true,
        };
        if at.kind == StepKind::Hours {
            let word = if open { "open" } else { "closed" };
            self.trace(LineDirection::Engine, format!("{at} {word}"));
        }
        self.entry.clear();
        self.place = Place::Step(InStep { at, state, doing: Doing::Nothing, cause: Cause::Entered });
        self.advance(step::Event::Entered { open });
    }

    pub(super) fn step_event(&mut self, event: Event) {
        let Place::Step(inside) = &mut self.place else { return };
        match (event, &inside.doing) {
            (Event::Spoken(done), Doing::Speaking { play, kept, .. }) if done == *play => {
                let kept = kept.clone();
                inside.doing = Doing::Nothing;
                self.advance(step::Event::Spoken);
                kept.into_iter().for_each(|key| self.step_key(key));
            }
            (Event::LookedUp { number, found }, _) => self.looked_up(number, found),
            (Event::PartyAnswers { leg }, Doing::Ringing) => self.party_answers(leg),
            (Event::PartyRefuses, Doing::Ringing) => self.party_missed("refuses"),
            (Event::Timer(CallTimer::Ring), Doing::Ringing) => self.party_missed("does not answer"),
            (Event::AgentLeft { lost }, Doing::Connected) => self.party_left(lost),
            (Event::Timer(CallTimer::Listen), Doing::Listening) => {
                inside.doing = Doing::Nothing;
                inside.cause = Cause::Silence;
                self.advance(step::Event::Silence);
            }
            (Event::RecordFailed, Doing::Recording) => self.human(AskedBy::Failure),
            (Event::Timer(CallTimer::Ledger), Doing::Keeping(_)) => self.human(AskedBy::Failure),
            // The longest time of a recording has passed.
            (Event::Timer(CallTimer::Listen), Doing::Recording) => {
                self.effects.push(Effect::StopRecord { cut_tail: Duration::ZERO });
            }
            _ => {}
        }
    }

    pub(super) fn step_key(&mut self, key: Key) {
        let takes_digits = self.takes_zero();
        let Place::Step(inside) = &mut self.place else { return };
        match &mut inside.doing {
            Doing::Speaking { barge_in: false, kept, .. } if key != Key::HUMAN => {
                // Of keys for a menu the last is meant; of digits, all.
                if !takes_digits {
                    kept.clear();
                }
                if kept.len() < KEPT_MAX {
                    kept.push(key);
                }
            }
            // Any key ends a message; the `Recorded` that follows moves the step on.
            Doing::Recording => self.effects.push(Effect::StopRecord { cut_tail: KEY_SOUND }),
            _ => {
                inside.cause = Cause::Key;
                self.advance(step::Event::Key(key));
            }
        }
    }

    /// Gives the step an event and carries out what it wants.
    pub(super) fn advance(&mut self, event: step::Event) {
        let Place::Step(inside) = &mut self.place else { return };
        let Some(step) = self.plan.step(&inside.at) else { return self.human(AskedBy::Failure) };
        let errors = inside.state.errors;
        let edge = step.next(&mut inside.state, event);
        let digits = inside.state.digits;
        // A queue is met, and left, by `enter_queue`, however it is come to.
        if edge != Edge::Stay && inside.at.kind != StepKind::Queue {
            let walk = Walk::new(&inside.at, event, &edge, (errors, inside.state.errors));
            self.effects.push(Effect::Walked(walk));
        }
        self.keep_digit(event, digits);
        match edge {
            Edge::Stay => {}
            Edge::Speak { words, barge_in } => self.step_speaks(&words, barge_in),
            Edge::Listen { within } | Edge::Take { within } => self.step_listens(within),
            Edge::LookUp { filler_after } => self.look_up(filler_after),
            Edge::Check => self.check_entry(),
            Edge::Record { longest, silence } => self.step_records(longest, silence),
            Edge::Promise => self.step_promises(),
            Edge::Set { language, values, then } => self.set_values(language, &values, then),
            Edge::Dial { to, ring_timeout } => self.dial(to, ring_timeout),
            Edge::Go(target) => self.go(target),
            Edge::Human => {
                self.silence_step();
                self.human(AskedBy::Key);
            }
            Edge::Join(queue) => self.ask_for_person(AskedBy::Dialplan, queue),
            Edge::HangUp => self.finish(super::record::ReleasedBy::System, 16),
        }
    }

    pub(super) fn step_listens(&mut self, within: Duration) {
        self.silence_step();
        if let Place::Step(inside) = &mut self.place {
            inside.doing = Doing::Listening;
        }
        self.effects.push(Effect::Set(CallTimer::Listen, within));
    }

    /// What the step still says or awaits is over.
    pub(super) fn silence_step(&mut self) {
        self.effects.push(Effect::Clear(CallTimer::Listen));
        if let Place::Step(inside) = &mut self.place
            && matches!(inside.doing, Doing::Speaking { .. })
        {
            inside.doing = Doing::Nothing;
            self.quiet();
        }
    }

    fn step_speaks(&mut self, words: &[Word], barge_in: bool) {
        self.effects.push(Effect::Clear(CallTimer::Listen));
        let Some(play) = self.speak_words(words) else { return self.advance(step::Event::Unspeakable) };
        if let Place::Step(inside) = &mut self.place {
            inside.doing = Doing::Speaking { play, barge_in, kept: Vec::new() };
        }
    }

    fn step_records(&mut self, longest: Duration, silence: Duration) {
        let file = self.message_file();
        self.trace(LineDirection::Engine, "record".into());
        self.effects.push(Effect::RecordMessage { file, silence });
        self.effects.push(Effect::Set(CallTimer::Listen, longest));
        if let Place::Step(inside) = &mut self.place {
            inside.doing = Doing::Recording;
        }
    }

    /// A file name of its own for each message of a call.
    pub(super) fn message_file(&mut self) -> String {
        self.messages += 1;
        format!("{}-message-{}.wav", self.id, self.messages)
    }

    pub(super) fn go(&mut self, target: Target) {
        let Place::Step(inside) = self.place.clone() else { return };
        self.silence_step();
        match target {
            Target::Step(at) => self.enter(at),
            Target::Start => self.enter(self.start_of_line()),
            Target::Repeat => {
                let (at, errors) = (inside.at.clone(), inside.state.errors);
                self.enter_with(at, StepState { errors, ..StepState::new(self.gentle) });
            }
            Target::Human => self.human(match inside.cause {
                Cause::Silence => AskedBy::Silence,
                Cause::Key => AskedBy::Errors,
                Cause::Entered => AskedBy::Dialplan,
            }),
        }
    }

    pub(super) fn is_recording(&self) -> bool {
        match &self.place {
            Place::Step(inside) => matches!(inside.doing, Doing::Recording),
            Place::Kept(kept) => kept.is_recording(),
            _ => false,
        }
    }

    /// `0` during a message: what was recorded is kept under the promise; a person if one is there, else the
    /// recording goes on.
    pub(super) fn human_while_recording(&mut self) {
        let to = self.line_plan().human.to.clone();
        self.marks.human_asked = self.marks.human_asked.or(Some(self.now.time));
        self.asked_by = self.asked_by.or(Some(AskedBy::Key));
        self.open_promise(AskedBy::Key);
        if self.queue_is_open(&to) {
            self.effects.push(Effect::AskServed { queue: to });
        }
    }

    /// A recording that a person's arrival ends: its file stays, under the promise.
    pub(super) fn stop_recording_for_person(&mut self) {
        if self.is_recording() {
            self.effects.push(Effect::StopRecord { cut_tail: KEY_SOUND });
        }
    }

    /// A message is whole: it is an entry that a person must take up.
    pub(super) fn recorded(&mut self, file: String, length: Duration) {
        // A conversation's recording is no message: nobody is owed anything for it.
        if self.recordings.contains(&file) {
            return;
        }
        self.effects.push(Effect::Clear(CallTimer::Listen));
        if !length.is_zero() {
            self.recordings.push(file.clone());
            self.message = Some(file);
            if !matches!(self.place, Place::Talking(_)) {
                self.open_promise(AskedBy::Dialplan);
            }
        }
        match &mut self.place {
            Place::Step(inside) if inside.doing == Doing::Recording => self.keep_message(),
            Place::Kept(kept) if kept.is_recording() => self.kept_recorded(),
            Place::Over => self.message_after_the_end(),
            _ => {}
        }
    }

    /// The step goes on when its message is in the ledger; when that takes too long a person is better than a promise.
    fn keep_message(&mut self) {
        let Place::Step(inside) = &mut self.place else { return };
        let Some(file) = self.message.clone() else {
            inside.doing = Doing::Nothing;
            return self.advance(step::Event::Recorded);
        };
        inside.doing = Doing::Keeping(step::Event::Recorded);
        self.make_due(Due::Message(file));
        self.effects.push(Effect::Set(CallTimer::Ledger, KEEPING_MAX));
    }

    /// A call-back, to the number that the call came from.
    fn step_promises(&mut self) {
        if !self.reachable {
            return self.advance(step::Event::NoNumber);
        }
        self.open_promise(AskedBy::Dialplan);
        self.make_due(Due::CallBackPromised);
        if let Place::Step(inside) = &mut self.place {
            inside.doing = Doing::Keeping(step::Event::Promised);
        }
        self.effects.push(Effect::Set(CallTimer::Ledger, KEEPING_MAX));
    }

    pub(super) fn step_kept(&mut self) {
        let Place::Step(inside) = &mut self.place else { return };
        if let Doing::Keeping(kept) = inside.doing {
            inside.doing = Doing::Nothing;
            self.effects.push(Effect::Clear(CallTimer::Ledger));
            self.advance(kept);
        }
    }

    /// The caller hung up while speaking: what was said is kept all the same.
    fn message_after_the_end(&mut self) {
        if let Some(file) = self.message.clone() {
            self.make_due(Due::Message(file));
        }
    }
}
