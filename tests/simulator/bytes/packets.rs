//! Each packet that a plane sends, held against what the listener expects: whom it is for, what it says, how it is numbered.

use super::air::{Flight, Sort};
use super::listener::Listener;
use super::own_keys::Stroke;
use super::view::{Passage, View};
use super::wire::{self, Rtp};
use onekey::codec::{Codec, StreamFormat};
use onekey::ids::LegId;
use onekey::media::Packet;
use onekey::time::Time;
use std::net::SocketAddr;

impl Listener {
    /// A plane sends a packet. `flight`: what has just reached a leg, if anything has.
    pub fn sends(&mut self, now: Time, leg: LegId, to: SocketAddr, packet: &Packet, flight: Option<&Flight>) {
        self.counts.sent += 1;
        let bytes = &packet.bytes[..usize::from(packet.length)];
        let passing = self.passing.as_mut().filter(|(passed_to, ..)| *passed_to == leg);
        let passage = passing.map(|(_, passage, sent)| {
            *sent += 1;
            if *sent > 1 { Passage::No } else { *passage }
        });
        let early = self.early_in(now, leg, bytes);
        let (passage, flight) = match &early {
            Some((passage, flight)) => (Some(*passage), Some(flight)),
            None => (passage, flight),
        };
        let Some(view) = self.views.get_mut(&leg) else {
            return self.complain(now, leg, "sends and is not open");
        };
        let verdict = match (view.ear.format, wire::parse(bytes), view.ear.destination == Some(to)) {
            (Some(format), _, true) if format.rtcp_mux && wire::is_rtcp(bytes) => reports(view, bytes),
            (_, _, false) => Err("sends to an address that is not its peer's"),
            (Some(format), Some(rtp), true) if view.ear.may_send() => {
                let passed = passage.zip(flight);
                self.counts.passed_on += u64::from(passed.is_some());
                match passed {
                    Some((passage, flight)) => passes_on(now, view, &format, &rtp, flight, passage),
                    None if Some(rtp.payload_type) == format.telephone_event => {
                        self.counts.keys_sent += 1;
                        presses(now, view, &rtp)
                    }
                    None => plays(now, view, &format, &rtp),
                }
            }
            _ => Err("sends before its Start, on hold, or no plain RTP"),
        };
        self.check(now, leg, verdict);
    }

    /// Is this what somebody said before the Start? Those before it in line are left out.
    fn early_in(&mut self, now: Time, leg: LegId, bytes: &[u8]) -> Option<(Passage, Flight)> {
        let said = wire::parse(bytes)?;
        let same = |flight: &Flight| match flight.sort {
            Sort::Sound { speaker, number } => [Codec::Pcmu, Codec::Pcma]
                .iter()
                .any(|law| wire::read_frame(*law, said.payload) == Some((speaker, number))),
            _ => wire::parse(flight.bytes()).is_some_and(|source| source.payload == said.payload),
        };
        let at = self.early.iter().position(|(to, _, flight)| *to == leg && same(flight))?;
        for (to, _, flight) in self.early.drain(..at).collect::<Vec<_>>() {
            self.leaves_out(now, to, &flight);
        }
        let (_, passage, flight) = self.early.remove(0);
        self.views.entry(leg).and_modify(|view| view.mouth.burst = true);
        Some((passage, flight))
    }

    pub fn sends_rtcp(&mut self, now: Time, leg: LegId, to: SocketAddr, bytes: &[u8]) {
        let verdict = match self.views.get_mut(&leg) {
            None => Err("sends RTCP and is not open"),
            Some(view) if !view.is_peer(to) => Err("sends RTCP to an address that is not its peer's"),
            Some(view) => reports(view, bytes),
        };
        self.check(now, leg, verdict);
    }
}

fn passes_on(
    now: Time,
    view: &mut View,
    format: &StreamFormat,
    rtp: &Rtp<'_>,
    flight: &Flight,
    passage: Passage,
) -> Result<(), &'static str> {
    let source = wire::parse(flight.bytes()).ok_or("passes on what is no RTP")?;
    let (right, samples) = match flight.sort {
        Sort::Sound { speaker, number } => {
            let same = rtp.payload == source.payload || rtp.payload == wire::converted(format.codec, speaker, number);
            let law = wire::read_frame(format.codec, rtp.payload) == Some((speaker, number));
            (same && law && rtp.payload_type == format.payload_type, 160)
        }
        _ => (rtp.payload == source.payload && Some(rtp.payload_type) == format.telephone_event, 0),
    };
    let order = view.mouth.relayed(now, rtp, &source, samples);
    match passage {
        _ if flight.stranger => Err("passes on what a stranger says"),
        Passage::No => Err("passes on what its peer should not hear"),
        Passage::LeftOut => Err("passes on a key that was not meant for its peer"),
        _ if !right => Err("passes on something other than its partner says"),
        _ => order,
    }
}

fn presses(now: Time, view: &mut View, rtp: &Rtp<'_>) -> Result<(), &'static str> {
    let stroke = view.own_keys.packet(rtp)?;
    let samples = u32::from(u16::from_be_bytes([rtp.payload[2], rtp.payload[3]]));
    match stroke {
        Stroke::Begins => view.mouth.own(now, rtp, true, samples),
        Stroke::GoesOn => view.mouth.own_repeat(rtp, samples),
    }
}

fn plays(now: Time, view: &mut View, format: &StreamFormat, rtp: &Rtp<'_>) -> Result<(), &'static str> {
    if rtp.payload_type != format.payload_type {
        return Err("sends a payload type that was not agreed");
    }
    if wire::read_frame(format.codec, rtp.payload).is_some() {
        return Err("says what somebody said who is not heard now");
    }
    view.excuse();
    let playing = view.playing.as_mut().ok_or("sends sound and plays nothing")?;
    let begins = playing.frame(now, format.codec, rtp.payload);
    let numbers = view.mouth.own(now, rtp, *begins.as_ref().unwrap_or(&true), wire::FRAME as u32);
    begins.and(numbers)
}

fn reports(view: &View, bytes: &[u8]) -> Result<(), &'static str> {
    match (wire::rtcp_sender(bytes), view.mouth.ssrc()) {
        (None, _) => Err("sends RTCP that does not add up"),
        (Some(sender), Some(ssrc)) if sender != ssrc => Err("sends RTCP of another SSRC"),
        _ => Ok(()),
    }
}
