//! From the INVITE to the first words: the registry's answer, the 200, and the gate for callers whom nobody can tell.

use super::event::{CallTimer, Effect, Event, LineDirection};
use super::words::prompt;
use super::{Call, Place, Welcomed, fits};
use crate::caller::CallerFacts;
use crate::dialplan::{GATE_LISTENS, Welcome};
use crate::promise::AskedBy;
use crate::prompt::spoken;
use std::time::Duration;

/// Prompts start at the ACK, at the first RTP, or this long after the 200, whichever is first (DESIGN §4).
const START_AFTER: Duration = Duration::from_millis(200);

impl Call {
    /// The registry has answered, perhaps late. A flag that comes late still spares the caller the rest of the menu.
    pub(super) fn registry(&mut self, facts: Option<CallerFacts>) {
        let Some(facts) = facts else { return self.welcomed(Welcomed::Unlisted) };
        if let Some(language) = &facts.language {
            self.language = language.clone();
        }
        self.gentle = self.line_plan().human.gentle.iter().any(|rule| fits(rule, &facts));
        if !self.goes_direct(&facts) {
            return self.welcomed(Welcomed::Ordinary);
        }
        self.flagged = true;
        match self.place {
            Place::Arriving { ref mut facts, .. } => {
                let first = facts.replace(Welcomed::Direct).is_none();
                if first {
                    self.answer_when_ready();
                }
            }
            Place::Gate | Place::Step(_) if !self.is_recording() => self.human(AskedBy::Registry),
            _ => {}
        }
    }

    pub(super) fn welcomed(&mut self, welcomed: Welcomed) {
        if let Place::Arriving { facts: facts @ None, .. } = &mut self.place {
            *facts = Some(welcomed);
            self.answer_when_ready();
        }
    }

    pub(super) fn welcome_event(&mut self, event: Event) {
        match (event, &mut self.place) {
            (Event::Ready, Place::Arriving { ready, .. }) => {
                *ready = true;
                self.answer_when_ready();
            }
            (Event::Answered, Place::Arriving { facts: Some(welcomed), .. }) => {
                let welcomed = *welcomed;
                self.marks.answered = Some(self.now.time);
                self.trace(LineDirection::Engine, "answer".into());
                self.effects.push(Effect::Set(CallTimer::Start, START_AFTER));
                self.begin(welcomed);
            }
            (Event::Spoken(_), Place::Gate) => self.effects.push(Effect::Set(CallTimer::Listen, GATE_LISTENS)),
            (Event::Timer(CallTimer::Listen), Place::Gate) => self.human(AskedBy::Silence),
            _ => {}
        }
    }

    pub(super) fn answer_when_ready(&mut self) {
        if let Place::Arriving { facts: Some(_), ready: true } = self.place {
            self.effects.push(Effect::Answer);
        }
    }

    /// Nothing waits for the ACK here: who goes to a person is in the queue at once (t4 is t1), and words wait in `play`.
    fn begin(&mut self, welcomed: Welcomed) {
        let human = &self.line_plan().human;
        let way = match welcomed {
            Welcomed::Direct => return self.human(AskedBy::Registry),
            Welcomed::Unknown => human.unknown_caller,
            Welcomed::Unlisted => human.unlisted_caller,
            Welcomed::Ordinary => Welcome::Ordinary,
        };
        match way {
            Welcome::HumanFirst => self.human(AskedBy::UnknownCaller),
            Welcome::ShortGate => {
                self.place = Place::Gate;
                self.speak(vec![prompt(spoken::SHORT_GATE)]);
            }
            Welcome::Ordinary => self.enter(self.start_of_line()),
        }
    }

    /// Any key but the human one opens the gate.
    pub(super) fn gate_key(&mut self) {
        self.effects.push(Effect::Clear(CallTimer::Listen));
        self.quiet();
        self.enter(self.start_of_line());
    }
}
