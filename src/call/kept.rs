//! Where no person can be had now: a call-back or a message, written to the ledger before the caller is let go.
//!
//! Silence is a call-back (it needs no key); `1` leaves a message instead; a withheld number records a message by
//! itself. `0` tries the queue again. Nobody is hung up on before the entry is on disk.

use super::event::{CallTimer, Effect, Event, LineDirection};
use super::record::ReleasedBy;
use super::words::prompt;
use super::{Call, Place};
use crate::ids::PlayId;
use crate::key::Key;
use crate::promise::{AskedBy, Due};
use crate::prompt::spoken;
use std::time::Duration;

/// After the sentence the caller has this long to choose a message instead.
const CHOICE: Duration = Duration::from_secs(4);
const MESSAGE_LONGEST: Duration = Duration::from_secs(120);
const MESSAGE_SILENCE: Duration = Duration::from_secs(4);
/// Hold music begins when the ledger takes longer than this.
const WRITING_QUIET: Duration = Duration::from_millis(500);
const KEY_SOUND: Duration = Duration::from_millis(200);

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Kept {
    phase: Phase,
}

#[derive(Clone, PartialEq, Debug)]
enum Phase {
    /// "We will call you back; to leave a message press 1."
    Offering(PlayId),
    Choosing,
    /// "Leave a message after the tone."
    Inviting(PlayId),
    Recording,
    /// The entry is on its way to the disk; then this prompt is said.
    Writing(&'static str),
    Parting(PlayId),
}

impl Kept {
    pub fn is_recording(&self) -> bool {
        self.phase == Phase::Recording
    }
}

impl Call {
    /// No queue can serve: keep the promise in another way.
    pub(super) fn keep(&mut self) {
        self.effects.push(Effect::Clear(CallTimer::Listen));
        if !self.reachable {
            return self.invite_message();
        }
        self.trace(LineDirection::Engine, "keep call-back".into());
        let play = self.speak(vec![prompt(spoken::KEPT_CALLBACK)]);
        self.kept(Phase::Offering(play));
    }

    /// The words do not exist: go on as if they had been heard.
    pub(super) fn kept_unspoken(&mut self) {
        let Place::Kept(kept) = &self.place else { return };
        if let Phase::Offering(play) | Phase::Inviting(play) | Phase::Parting(play) = kept.phase {
            self.kept_event(Event::Spoken(play));
        }
    }

    fn invite_message(&mut self) {
        self.trace(LineDirection::Engine, "keep message".into());
        let play = self.speak(vec![prompt(spoken::KEPT_MESSAGE), prompt(spoken::TONE)]);
        self.kept(Phase::Inviting(play));
    }

    fn kept(&mut self, phase: Phase) {
        self.place = Place::Kept(Kept { phase });
    }

    pub(super) fn kept_event(&mut self, event: Event) {
        let Place::Kept(kept) = &self.place else { return };
        match (event, &kept.phase) {
            (Event::Spoken(done), Phase::Offering(play)) if done == *play => {
                self.effects.push(Effect::Set(CallTimer::Listen, CHOICE));
                self.kept(Phase::Choosing);
            }
            (Event::Timer(CallTimer::Listen), Phase::Choosing) => self.promise_callback(),
            (Event::Spoken(done), Phase::Inviting(play)) if done == *play => self.record_message(),
            (Event::Timer(CallTimer::Listen), Phase::Recording) => {
                self.effects.push(Effect::StopRecord { cut_tail: Duration::ZERO });
            }
            (Event::RecordFailed, Phase::Recording) => self.kept_recorded(),
            (Event::Timer(CallTimer::Ledger), Phase::Writing(_)) => self.music(prompt(spoken::HOLD_MUSIC)),
            (Event::Spoken(done), Phase::Parting(play)) if done == *play => self.finish(ReleasedBy::System, 16),
            _ => {}
        }
    }

    pub(super) fn kept_key(&mut self, key: Key) {
        let Place::Kept(kept) = &self.place else { return };
        match (&kept.phase, key) {
            (Phase::Recording, _) => self.effects.push(Effect::StopRecord { cut_tail: KEY_SOUND }),
            (_, Key::HUMAN) => self.human(AskedBy::Key),
            (Phase::Offering(_) | Phase::Choosing, key) if key.as_char() == '1' => {
                self.effects.push(Effect::Clear(CallTimer::Listen));
                self.invite_message();
            }
            _ => {}
        }
    }

    fn record_message(&mut self) {
        let file = self.message_file();
        self.trace(LineDirection::Engine, "record".into());
        self.effects.push(Effect::RecordMessage { file, silence: MESSAGE_SILENCE });
        self.effects.push(Effect::Set(CallTimer::Listen, MESSAGE_LONGEST));
        self.kept(Phase::Recording);
    }

    /// The message is whole, or could not be recorded; either way the entry says that this caller is owed a person.
    pub(super) fn kept_recorded(&mut self) {
        match self.message.clone() {
            Some(file) => {
                self.make_due(Due::Message(file));
                self.kept_writes(spoken::MESSAGE_DONE);
            }
            None if self.reachable => self.promise_callback(),
            None => {
                self.make_due(Due::Cut);
                self.kept_writes(spoken::GOODBYE);
            }
        }
    }

    /// Waits for the ledger, then says `then` and lets the caller go.
    pub(super) fn kept_writes(&mut self, then: &'static str) {
        self.effects.push(Effect::Clear(CallTimer::Listen));
        self.quiet();
        self.effects.push(Effect::Set(CallTimer::Ledger, WRITING_QUIET));
        self.kept(Phase::Writing(then));
    }

    pub(super) fn kept_written(&mut self) {
        let Place::Kept(Kept { phase: Phase::Writing(then) }) = self.place else { return };
        self.effects.push(Effect::Clear(CallTimer::Ledger));
        let play = self.speak(vec![prompt(then)]);
        self.kept(Phase::Parting(play));
    }

    /// What a caller who hangs up by themselves is still owed: who heard "we will call you back" may hang up on it.
    pub(super) fn kept_at_hang_up(&self) -> Option<Due> {
        match (&self.message, &self.place) {
            (Some(file), _) => Some(Due::Message(file.clone())),
            (None, Place::Kept(_)) if self.reachable => Some(Due::CallBackPromised),
            _ => None,
        }
    }
}
