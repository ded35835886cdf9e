//! A dialled party: rung while the caller hears music, joined when they answer, let go when they are gone.
//!
//! `0` before the answer ends the ringing like any step (`Call::human`); afterwards every key is the party's, and the held
//! zero comes back to the queue.

use super::event::{CallTimer, Effect, LineDirection};
use super::steps::Doing;
use super::words::prompt;
use super::{Call, Place};
use crate::ids::LegId;
use crate::prompt::spoken;
use crate::step;
use crate::step::dial::Party;
use crate::target::StepKind;
use std::time::Duration;

impl Call {
    pub(super) fn dial(&mut self, to: Party, ring_timeout: Duration) {
        self.silence_step();
        self.trace(LineDirection::Engine, format!("dial {to}"));
        self.effects.push(Effect::Dial(to));
        self.effects.push(Effect::Set(CallTimer::Ring, ring_timeout));
        if let Place::Step(inside) = &mut self.place {
            inside.doing = Doing::Ringing;
        }
        self.music(prompt(spoken::HOLD_MUSIC));
    }

    pub(super) fn party_answers(&mut self, leg: LegId) {
        self.effects.push(Effect::Clear(CallTimer::Ring));
        self.trace(LineDirection::World, "party answers".into());
        self.trace(LineDirection::Engine, "connect party".into());
        self.quiet();
        self.effects.push(Effect::Bridge { agent_leg: leg });
        if let Place::Step(inside) = &mut self.place {
            inside.doing = Doing::Connected;
        }
        self.advance(step::Event::Connected);
    }

    pub(super) fn party_missed(&mut self, how: &str) {
        self.trace(LineDirection::World, format!("party {how}"));
        self.leave_step();
        self.quiet();
        self.advance(step::Event::NotConnected);
    }

    pub(super) fn party_left(&mut self, lost: bool) {
        self.trace(LineDirection::World, if lost { "party is lost".into() } else { "party hangs up".into() });
        self.leave_step();
        self.advance(step::Event::PartyLeft);
    }

    pub(super) fn is_connected(&self) -> bool {
        matches!(&self.place, Place::Step(inside) if inside.doing == Doing::Connected)
    }

    /// What a step has set going in the world ends with it: a party that is rung or talks, a look-up.
    pub(super) fn leave_step(&mut self) {
        let Place::Step(inside) = &mut self.place else { return };
        if matches!(inside.doing, Doing::Ringing | Doing::Connected) {
            inside.doing = Doing::Nothing;
            self.effects.push(Effect::Clear(CallTimer::Ring));
            self.effects.push(Effect::DropParty);
        } else if inside.at.kind == StepKind::Lookup {
            self.effects.push(Effect::ForgetLookUp);
        }
    }
}
