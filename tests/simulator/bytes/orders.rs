//! What the engine's orders mean for the listener, and which of them make no sense: a second `Open`, anything after `Close`,
//! a leg of two bridges, a bridge over two workers, a key for nobody.

use super::listener::Listener;
use super::plays::Playing;
use super::view::{State, View};
use onekey::ids::LegId;
use onekey::media::command::MediaCommand;
use onekey::time::Time;

impl Listener {
    /// Before the plane gets it. `false`: the plane need not get it.
    pub fn order(&mut self, now: Time, worker: u16, command: &MediaCommand) -> bool {
        if let MediaCommand::Open { leg } = command {
            if self.views.contains_key(leg) {
                self.complain(now, *leg, "is opened twice");
                return false;
            }
            self.views.insert(*leg, View::new(worker));
            return true;
        }
        for leg in legs_of(command) {
            match self.views.get(&leg) {
                None => {
                    self.complain(now, leg, &format!("is not open and is ordered {command:?}"));
                    return false;
                }
                Some(view) if view.worker != worker => {
                    self.complain(now, leg, "is ordered about on another worker");
                    return false;
                }
                Some(view) if view.state == State::Refused => {
                    if matches!(command, MediaCommand::Close { .. }) {
                        self.views.remove(&leg);
                    }
                    return false;
                }
                Some(_) => {}
            }
        }
        self.tapes.order(command);
        self.understand(now, command);
        true
    }

    fn understand(&mut self, now: Time, command: &MediaCommand) {
        if let MediaCommand::Bridge { a, b } | MediaCommand::Unbridge { a, b } = command {
            return self.join(now, *a, *b, matches!(command, MediaCommand::Bridge { .. }));
        }
        let Some((leg, view)) = legs_of(command).next().and_then(|leg| Some((leg, self.views.get_mut(&leg)?))) else {
            return;
        };
        match command {
            MediaCommand::Start { format, .. } => {
                let heard = view.start(now, *format);
                self.early_is_heard(now, leg, heard);
            }
            MediaCommand::Play { play, prompts, repeat, .. } => {
                view.playing = Some(Playing::new(now, *play, prompts, *repeat));
                view.mouth.relay_may_be_over = true;
                view.own_keys.disturb();
            }
            MediaCommand::Confine { confined, .. } => {
                view.excuse();
                view.confined = *confined;
            }
            MediaCommand::Stop { .. } => view.playing = None,
            MediaCommand::SendKey { key, length, .. } => {
                let partner = view.partner;
                if view.may_send() && view.ear.format.is_some_and(|format| format.telephone_event.is_some()) {
                    view.own_keys.order(now, *key, *length);
                    if view.playing.is_some() {
                        view.own_keys.disturb();
                    }
                }
                if partner.is_none() {
                    self.complain(now, leg, "is to press a key and is in no bridge");
                }
            }
            MediaCommand::Close { .. } => {
                view.state = State::Closing;
                view.playing = None;
                self.part(leg);
            }
            _ => {}
        }
    }

    fn join(&mut self, now: Time, a: LegId, b: LegId, together: bool) {
        let partner = |listener: &Listener, leg| listener.views.get(&leg).and_then(|view| view.partner);
        if !together {
            if partner(self, a) == Some(b) {
                self.part(a);
            }
            return;
        }
        for (leg, other) in [(a, b), (b, a)] {
            if partner(self, leg).is_some_and(|old| old != other) {
                self.complain(now, leg, "is bridged while it is in another bridge");
            }
            self.part(leg);
        }
        for (leg, other) in [(a, b), (b, a)] {
            if let Some(view) = self.views.get_mut(&leg) {
                (view.partner, view.playing, view.mouth.relay_is_over) = (Some(other), None, true);
                view.keys.bridged();
            }
        }
    }

    fn part(&mut self, leg: LegId) {
        let partner = self.views.get(&leg).and_then(|view| view.partner);
        for leg in [Some(leg), partner].into_iter().flatten() {
            if let Some(view) = self.views.get_mut(&leg) {
                view.part();
            }
        }
    }

    /// After the plane has carried it out.
    pub fn ordered(&mut self, now: Time, command: &MediaCommand) {
        if let Err(what) = self.tapes.ordered(command)
            && let Some(leg) = legs_of(command).next()
        {
            self.complain(now, leg, what);
        }
        match command {
            MediaCommand::Close { leg } if self.views.remove(leg).is_some() => {
                self.complain(now, *leg, "is closed and does not tell it");
            }
            MediaCommand::Open { leg } if self.views.get(leg).is_some_and(|view| view.state == State::Opening) => {
                self.complain(now, *leg, "is neither opened nor refused");
            }
            _ => {}
        }
        for leg in legs_of(command) {
            self.settle(now, leg);
        }
    }
}

fn legs_of(command: &MediaCommand) -> impl Iterator<Item = LegId> + use<> {
    let (first, second) = match *command {
        MediaCommand::Bridge { a, b } | MediaCommand::Unbridge { a, b } => (a, Some(b)),
        MediaCommand::Open { leg }
        | MediaCommand::Start { leg, .. }
        | MediaCommand::Confine { leg, .. }
        | MediaCommand::Play { leg, .. }
        | MediaCommand::Stop { leg }
        | MediaCommand::SendKey { leg, .. }
        | MediaCommand::Record { leg, .. }
        | MediaCommand::StopRecord { leg, .. }
        | MediaCommand::Close { leg } => (leg, None),
    };
    std::iter::once(first).chain(second)
}
