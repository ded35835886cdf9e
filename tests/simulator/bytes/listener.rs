//! Somebody who hears everything that goes into the planes and comes out of them, and complains.
//!
//! He shares with the media plane nothing but bytes on the wire, orders and events. What he expects of a leg is in `view`;
//! here it is held against what the planes do.

use super::air::{Flight, Sort};
use super::tapes::Tapes;
use super::view::{Passage, State, View};
use super::wire;
use onekey::codec::StreamCounts;
use onekey::ids::{LegId, PlayId};
use onekey::media::command::MediaEvent;
use onekey::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// More than so many complaints say nothing new.
const COMPLAINTS_MAX: usize = 100;

/// What was heard, so that an idle listener is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Packets that reached a leg, and that legs sent.
    pub arrived: u64,
    pub sent: u64,
    /// Frames from one side of a bridge to the other.
    pub passed_on: u64,
    /// Presses begun, those of which a leg took a packet, and those of which not everything could be said.
    pub presses: u64,
    pub presses_heard: u64,
    pub presses_unclear: u64,
    pub holds: u64,
    pub plays_done: u64,
    pub silences: u64,
    /// Packets of strangers that reached a closed latch.
    pub strangers: u64,
    pub keys_sent: u64,
    pub refused: u64,
    pub recorded: u64,
    pub recordings_failed: u64,
}

#[derive(Debug)]
pub struct Listener {
    pub views: BTreeMap<LegId, View>,
    pub tapes: Tapes,
    pub wrong: Vec<String>,
    pub counts: Counts,
    timeout: Duration,
    /// Where what has just arrived may go on to, and how often it has.
    pub passing: Option<(LegId, Passage, u32)>,
    /// What came before the Start of its leg and may go on to this one now, in order.
    pub early: Vec<(LegId, Passage, Flight)>,
}

impl Listener {
    pub fn new(timeout: Duration) -> Listener {
        Listener {
            views: BTreeMap::new(),
            tapes: Tapes::default(),
            wrong: Vec::new(),
            counts: Counts::default(),
            timeout,
            passing: None,
            early: Vec::new(),
        }
    }

    pub fn complain(&mut self, now: Time, leg: LegId, what: &str) {
        if self.wrong.len() < COMPLAINTS_MAX {
            self.wrong.push(format!("{:.3} {leg}: {what}", now.as_micros() as f64 / 1e6));
        }
    }

    pub fn check(&mut self, now: Time, leg: LegId, verdict: Result<(), &'static str>) {
        if let Err(what) = verdict {
            self.complain(now, leg, what);
        }
    }

    /// The process was killed.
    pub fn forget_all(&mut self) {
        self.views.clear();
        let fails = std::mem::take(&mut self.tapes).fails;
        self.tapes.fails = fails;
        self.passing = None;
        self.early.clear();
    }

    /// A plane asks for a port. Returns whether it is nobody else's.
    pub fn binds(&mut self, now: Time, leg: LegId, port: u16, ok: bool) -> bool {
        let taken = self.views.values().any(|view| view.port == Some(port));
        match self.views.get_mut(&leg) {
            Some(view) if view.state == State::Opening => view.binds_failed += u32::from(!ok),
            _ => self.complain(now, leg, "asks for a port that it needs not"),
        }
        if taken || port % 2 == 1 {
            self.complain(now, leg, "asks for a port that is taken, or odd");
        }
        !taken
    }

    /// A datagram reaches the RTP port of a leg; before the plane gets it.
    pub fn arrives(&mut self, now: Time, leg: LegId, flight: &Flight) {
        self.counts.arrived += 1;
        self.early_is_over(now);
        let Some(view) = self.views.get_mut(&leg) else { return };
        if view.ear.format.is_none() {
            return view.ear.keep_early(now, flight);
        }
        if !view.take(now, flight) {
            self.counts.strangers += u64::from(flight.stranger);
            return;
        }
        if !view.receives() {
            return;
        }
        let partner = view.partner;
        if let Sort::Sound { speaker, number } = flight.sort {
            self.tapes.hear(now, leg, false, speaker, number);
            if let Some(partner) = partner {
                self.tapes.hear(now, partner, true, speaker, number);
            }
        }
        if let Some(to) = partner
            && let Some((view, partner)) = self.views.get(&leg).zip(self.views.get(&to))
        {
            self.passing = Some((to, partner.passage(now, flight, &view.keys), 0));
        }
    }

    /// A leg is started: what it was sent before is heard, and in a bridge passed on.
    pub fn early_is_heard(&mut self, now: Time, leg: LegId, heard: Vec<(Time, Flight)>) {
        self.early_is_over(now);
        let partner = self.views.get(&leg).and_then(|view| view.partner);
        for (at, flight) in heard {
            if let Sort::Sound { speaker, number } = flight.sort {
                self.tapes.hear(at, leg, false, speaker, number);
            }
            if let Some(to) = partner
                && let Some((view, partner)) = self.views.get(&leg).zip(self.views.get(&to))
            {
                self.early.push((to, partner.passage(now, &flight, &view.keys), flight));
            }
        }
    }

    /// What of it was not passed on is left out.
    fn early_is_over(&mut self, now: Time) {
        for (to, _, flight) in std::mem::take(&mut self.early) {
            self.leaves_out(now, to, &flight);
        }
    }

    pub fn leaves_out(&mut self, now: Time, to: LegId, flight: &Flight) {
        if let Some((view, rtp)) = self.views.get_mut(&to).zip(wire::parse(flight.bytes())) {
            view.mouth.leave_out(now, &rtp);
        }
    }

    /// The plane has had it: everything that must be told or passed on has been.
    pub fn arrived(&mut self, now: Time, leg: LegId, flight: &Flight) {
        self.settle(now, leg);
        let Some((to, passage, sent)) = self.passing.take() else { return };
        match passage {
            Passage::Must if sent == 0 => self.complain(now, to, "what its partner says is not passed on"),
            Passage::LeftOut | Passage::MayBeLeftOut if sent == 0 => self.leaves_out(now, to, flight),
            _ => {}
        }
    }

    /// Nothing that has happened to a leg may be left untold.
    pub fn settle(&mut self, now: Time, leg: LegId) {
        let Some(view) = self.views.get_mut(&leg) else { return };
        let keys = view.keys.settle();
        let first = std::mem::take(&mut view.first_owed);
        self.check(now, leg, keys);
        if first {
            self.complain(now, leg, "its first packet is not told");
        }
    }

    /// A plane tells the engine something. `free`: so many ports of its worker are free.
    pub fn tells(&mut self, now: Time, event: &MediaEvent, free: usize) {
        match event {
            MediaEvent::Recorded { leg, file, length } => {
                self.counts.recorded += 1;
                let verdict = self.tapes.recorded(*leg, file, *length);
                self.check(now, *leg, verdict);
            }
            MediaEvent::RecordFailed { leg, .. } => {
                self.counts.recordings_failed += 1;
                let verdict = self.tapes.failed(*leg);
                self.check(now, *leg, verdict);
            }
            MediaEvent::Closed { leg, counts } => match self.views.remove(leg) {
                Some(view) if view.state == State::Closing => {
                    self.counts.presses_heard += view.keys.heard;
                    self.counts.presses_unclear += view.keys.unclear;
                    self.check(now, *leg, counted(&view, counts));
                }
                _ => self.complain(now, *leg, "is told to be closed and was not to be"),
            },
            event => self.tells_of_open_leg(now, event, free),
        }
    }

    fn tells_of_open_leg(&mut self, now: Time, event: &MediaEvent, free: usize) {
        let (leg, timeout) = (leg_of(event), self.timeout);
        let Some(view) = self.views.get_mut(&leg) else {
            return self.complain(now, leg, &format!("is not open and tells {event:?}"));
        };
        view.excuse();
        let verdict = match event {
            MediaEvent::Opened { port, .. } => {
                let port = view.port.replace(*port).map_or(Ok(()), |_| Err("is opened twice"));
                let opening = std::mem::replace(&mut view.state, State::Open) == State::Opening;
                if opening { port } else { Err("is opened again") }
            }
            MediaEvent::Refused { .. } => {
                self.counts.refused += 1;
                let opening = std::mem::replace(&mut view.state, State::Refused) == State::Opening;
                let reason = view.binds_failed > 0 || free == 0;
                if opening && reason { Ok(()) } else { Err("is refused without need") }
            }
            MediaEvent::FirstPacket { .. } if std::mem::take(&mut view.first_owed) => Ok(()),
            MediaEvent::FirstPacket { .. } => Err("its first packet is told again, or of a stranger"),
            MediaEvent::Key { .. } | MediaEvent::KeyHeld { .. } | MediaEvent::KeyEnded { .. } => {
                self.counts.holds += u64::from(matches!(event, MediaEvent::KeyHeld { .. }));
                view.keys.told(event)
            }
            MediaEvent::OfferHeard { play, .. } => match playing(view, *play) {
                Some(playing) => playing.offer_heard(),
                None => Err("the offer of a play is told that does not go on"),
            },
            MediaEvent::PlayDone { play, .. } => {
                self.counts.plays_done += 1;
                let verdict = playing(view, *play).map(|playing| playing.done(now));
                view.playing = None;
                verdict.unwrap_or(Err("the end of a play is told that was stopped or replaced"))
            }
            MediaEvent::Silent { quiet, .. } => {
                self.counts.silences += 1;
                let due = view.ear.silent_at(timeout).is_some_and(|at| at <= now);
                let told = view.ear.heard.map(|heard| now.since(heard)) == Some(*quiet);
                view.ear.silent_told = true;
                if due && told { Ok(()) } else { Err("is told to be silent and is not") }
            }
            _ => Ok(()),
        };
        self.check(now, leg, verdict);
    }

    /// Looks over everything for what should have come and did not.
    pub fn audit(&mut self, now: Time) {
        let (mut found, timeout) = (Vec::new(), self.timeout + Duration::from_millis(10));
        for (leg, view) in &mut self.views {
            view.excuse();
            found.extend(view.keys.audit(now).err().map(|what| (*leg, what)));
            found.extend(view.own_keys.audit(now).err().map(|what| (*leg, what)));
            let may_send = view.may_send();
            if let Some(playing) = view.playing.take_if(|playing| may_send && playing.is_overdue(now))
                && !playing.is_void()
            {
                found.push((*leg, "a play does not go on"));
            }
            if view.state == State::Open && view.ear.silent_at(timeout).is_some_and(|at| at < now) {
                view.ear.silent_told = true;
                found.push((*leg, "its silence is not told"));
            }
        }
        found.extend(self.tapes.audit(now));
        for (leg, what) in found {
            self.complain(now, leg, what);
        }
    }
}

fn playing(view: &mut View, play: PlayId) -> Option<&mut super::plays::Playing> {
    view.playing.as_mut().filter(|playing| playing.id == play)
}

fn counted(view: &View, counts: &StreamCounts) -> Result<(), &'static str> {
    let ours = (view.mouth.packets, view.ear.received, view.ear.lost());
    if ours != (counts.packets_sent, counts.packets_received, counts.packets_lost) {
        return Err("counts its packets wrongly");
    }
    if counts.packets_late > 0 { Err("counts packets as late and none is") } else { Ok(()) }
}

fn leg_of(event: &MediaEvent) -> LegId {
    match event {
        MediaEvent::Opened { leg, .. }
        | MediaEvent::Refused { leg, .. }
        | MediaEvent::FirstPacket { leg }
        | MediaEvent::Key { leg, .. }
        | MediaEvent::KeyHeld { leg, .. }
        | MediaEvent::KeyEnded { leg, .. }
        | MediaEvent::OfferHeard { leg, .. }
        | MediaEvent::PlayDone { leg, .. }
        | MediaEvent::Silent { leg, .. }
        | MediaEvent::Recorded { leg, .. }
        | MediaEvent::RecordFailed { leg, .. }
        | MediaEvent::Closed { leg, .. } => *leg,
    }
}
