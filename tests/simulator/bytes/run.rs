//! What happens in the bytes gear, in order of time: datagrams arrive, far ends send, planes wake, disks answer; and what
//! becomes of everything that a plane wishes.

use super::air::{Flight, Happening};
use super::far::TICK;
use super::tapes::{Answer, DISK};
use super::{Bytes, FIRST_PORT, PORTS_EACH};
use onekey::ids::WorkerId;
use onekey::media::command::{MediaCommand, MediaEvent};
use onekey::media::{MediaInput, MediaOutput};
use onekey::time::Time;
use rand_core::Rng;
use std::time::Duration;

const AUDIT: Duration = Duration::from_secs(1);

/// Why a plane does something.
#[derive(Clone, Copy)]
pub enum Cause<'a> {
    Time,
    Order(&'a MediaCommand),
    Packet(&'a Flight),
}

impl Bytes {
    pub(super) fn run(&mut self, now: Time) {
        while let Some(due) = self.due().filter(|due| *due <= now) {
            self.now = self.now.max(due);
            self.audit();
            for worker in 0..self.workers.len() {
                if self.workers[worker].next.is_some_and(|next| next <= self.now) {
                    self.give(self.now, worker as u16, MediaInput::Tick, Cause::Time);
                }
            }
            while let Some((_, happening)) = self.coming.take(self.now) {
                self.happen(happening);
            }
        }
        self.now = self.now.max(now);
        self.audit();
        self.wrong.append(&mut self.listener.wrong);
    }

    /// Once a second; up to the moment before now, so that what is due now is not missed yet.
    fn audit(&mut self) {
        if self.now.since(self.audited) >= AUDIT {
            self.audited = self.now;
            self.listener.audit(self.now);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives(place) => {
                let flight = self.coming.land(place);
                self.arrives(&flight);
            }
            Happening::PhoneSends { phone, turn } => {
                let (now, index) = (self.now, phone as usize);
                let Bytes { phones, coming, dice, air, presses, .. } = self;
                let phone = &mut phones[index];
                if !phone.talking || phone.turn != turn {
                    return;
                }
                let (mut newest, mut thrown) = (phone.newest, [const { None }; 4]);
                let mut count = 0;
                phone.tick(now, presses, dice, |flight| {
                    thrown[count] = Some(flight);
                    count += 1;
                });
                for flight in thrown.iter().flatten() {
                    coming.throw(now, air, dice, &mut newest, flight);
                }
                phone.newest = newest;
                coming.plan(now + TICK, happening);
            }
            Happening::StrangerSends(index) => {
                let now = self.now;
                let Bytes { strangers, coming, dice, air, .. } = self;
                let stranger = &mut strangers[index as usize];
                let mut thrown = Vec::new();
                stranger.tick(dice, |flight| thrown.push(flight));
                for flight in &thrown {
                    coming.throw(now, air, dice, &mut stranger.newest, flight);
                }
                if stranger.left > 0 {
                    coming.plan(now + TICK, happening);
                }
            }
            Happening::DiskAnswers(leg, worker) => match self.listener.tapes.answer(leg) {
                Some(Answer::Closed) => {
                    self.give(self.now, worker, MediaInput::RecordClosed { leg }, Cause::Time);
                }
                Some(Answer::Failed) => {
                    let reason = "no space left".to_owned();
                    self.give(self.now, worker, MediaInput::RecordFailed { leg, reason }, Cause::Time);
                }
                None => {}
            },
        }
    }

    fn arrives(&mut self, flight: &Flight) {
        let (now, index) = (self.now, flight.port.wrapping_sub(FIRST_PORT) / PORTS_EACH);
        let rtp_port = flight.port & !1;
        let Some(worker) = self.workers.get(usize::from(index)) else { return };
        let Some(leg) = worker.bound.get(&rtp_port).copied() else { return };
        if flight.port != rtp_port {
            let input = MediaInput::Rtcp { leg, from: flight.from, bytes: flight.bytes() };
            return self.give(now, index, input, Cause::Packet(flight));
        }
        if flight.stranger && self.listener.views.get(&leg).is_none_or(|view| view.is_open_to(now, flight)) {
            return;
        }
        self.listener.arrives(now, leg, flight);
        let input = MediaInput::Rtp { leg, from: flight.from, bytes: flight.bytes() };
        self.give(now, index, input, Cause::Packet(flight));
        self.listener.arrived(now, leg, flight);
    }

    pub(super) fn give(&mut self, now: Time, index: u16, input: MediaInput<'_>, cause: Cause<'_>) {
        let mut wishes = std::mem::take(&mut self.wishes);
        let worker = &mut self.workers[usize::from(index)];
        worker.plane.handle(now, input, &mut wishes);
        let mut more = Vec::new();
        loop {
            for wish in wishes.drain(..) {
                self.wish(now, index, wish, cause, &mut more);
            }
            if more.is_empty() {
                break;
            }
            std::mem::swap(&mut wishes, &mut more);
        }
        self.wishes = wishes;
        let worker = &mut self.workers[usize::from(index)];
        worker.next = worker.plane.next_timeout();
    }

    fn wish(&mut self, now: Time, index: u16, wish: MediaOutput, cause: Cause<'_>, more: &mut Vec<MediaOutput>) {
        let flight = if let Cause::Packet(flight) = cause { Some(flight) } else { None };
        let mut answers = None;
        match wish {
            MediaOutput::Send { leg, to, packet, .. } => self.listener.sends(now, leg, to, &packet, flight),
            MediaOutput::SendRtcp { leg, to, bytes, .. } => self.listener.sends_rtcp(now, leg, to, &bytes),
            MediaOutput::Event(event) => {
                let bound = &self.workers[usize::from(index)].bound;
                let free = usize::from(PORTS_EACH / 2) - bound.len();
                if let MediaEvent::Closed { leg, .. } = event
                    && bound.values().any(|other| *other == leg)
                {
                    self.listener.complain(now, leg, "is closed and its port is still bound");
                }
                self.listener.tells(now, &event, free);
                self.told.push((WorkerId(index), event));
            }
            MediaOutput::Bind { leg, port } => {
                let failed = self.ports_fail > 0 && self.dice.next_u32() % 100 < self.ports_fail;
                let free = self.listener.binds(now, leg, port, !failed);
                let worker = &mut self.workers[usize::from(index)];
                if !failed && free {
                    worker.bound.insert(port, leg);
                }
                worker.plane.handle(now, MediaInput::Bound { leg, port, ok: !failed }, more);
            }
            MediaOutput::Unbind { leg, port } => {
                if self.workers[usize::from(index)].bound.remove(&port) != Some(leg) {
                    self.listener.complain(now, leg, "gives back a port that is not its own");
                }
            }
            MediaOutput::RecordOpen { leg, file, channels } => {
                let Cause::Order(order) = cause else {
                    return self.listener.complain(now, leg, "records without an order");
                };
                answers = self.listener.tapes.open(now, leg, file, channels, order).then_some(leg);
            }
            MediaOutput::RecordSamples { leg, samples } => match self.listener.tapes.write(leg, &samples) {
                Ok(answer) => answers = answer.then_some(leg),
                Err(what) => self.listener.complain(now, leg, what),
            },
            MediaOutput::RecordClose { leg } => {
                let (answer, verdict) = self.listener.tapes.close(now, leg);
                answers = answer.then_some(leg);
                if let Err(what) = verdict {
                    self.listener.complain(now, leg, what);
                }
            }
        }
        if let Some(leg) = answers {
            self.coming.plan(now + DISK, Happening::DiskAnswers(leg, index));
        }
    }
}
