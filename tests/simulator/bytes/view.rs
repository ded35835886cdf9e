//! What a listener knows of one leg, and what follows from each order and each packet for what may be heard next.

use super::air::{Flight, Sort};
use super::ear::{Ear, Verdict};
use super::keys::Keys;
use super::mouth::Mouth;
use super::own_keys::OwnKeys;
use super::plays::Playing;
use super::wire;
use onekey::codec::StreamFormat;
use onekey::ids::LegId;
use onekey::time::Time;
use std::net::SocketAddr;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Opening,
    Open,
    /// No port was to be had: the plane does not know it.
    Refused,
    /// `Close` was ordered and is being carried out.
    Closing,
}

#[derive(Debug)]
pub struct View {
    pub worker: u16,
    pub state: State,
    pub port: Option<u16>,
    /// Ports that could not be bound for it.
    pub binds_failed: u32,
    pub ear: Ear,
    pub mouth: Mouth,
    pub keys: Keys,
    pub own_keys: OwnKeys,
    pub playing: Option<Playing>,
    /// It may send only so much until its peer is heard (`media/allowance.rs`).
    pub confined: bool,
    pub partner: Option<LegId>,
    /// `FirstPacket` must be told now.
    pub first_owed: bool,
}

/// How a packet may go on to the bridge partner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passage {
    /// It must be passed on.
    Must,
    /// It may be (it is late, or the partner may be busy).
    May,
    /// It must not, and those after it close the gap.
    LeftOut,
    /// As the listener cannot tell, either of the two.
    MayBeLeftOut,
    No,
}

impl View {
    pub fn new(worker: u16) -> View {
        View {
            worker,
            state: State::Opening,
            port: None,
            binds_failed: 0,
            ear: Ear::default(),
            mouth: Mouth::default(),
            keys: Keys::default(),
            own_keys: OwnKeys::default(),
            playing: None,
            confined: false,
            partner: None,
            first_owed: false,
        }
    }

    /// May its allowance be used up? Reports count too, so the model does not know to the packet.
    pub fn is_spent(&self) -> bool {
        self.confined && self.mouth.packets >= 100
    }

    /// What plays while the allowance is used up goes on unheard.
    pub fn excuse(&mut self) {
        if self.is_spent()
            && let Some(playing) = &mut self.playing
        {
            playing.excused = true;
        }
    }

    pub fn may_send(&self) -> bool {
        self.state == State::Open && self.ear.may_send()
    }

    /// Would the plane be right to listen to a stranger now? Such packets are kept away: nothing could be said of them.
    pub fn is_open_to(&self, now: Time, flight: &Flight) -> bool {
        let foreign = wire::parse(flight.bytes()).map(|rtp| rtp.ssrc);
        self.ear.format.is_none() || foreign.is_some_and(|ssrc| self.ear.is_open_to(now, flight.from, ssrc))
    }

    /// Offer and answer are settled. What came early counts from now on; what of it is taken is returned.
    pub fn start(&mut self, now: Time, format: StreamFormat) -> Vec<(Time, Flight)> {
        self.ear.start(now, format);
        if let Some(playing) = &mut self.playing {
            playing.resettled(now);
        }
        self.own_keys.disturb();
        let mut heard = Vec::new();
        for (at, flight) in std::mem::take(&mut self.ear.early) {
            if self.take(at, &flight) && self.receives() {
                heard.push((at, flight));
            }
        }
        heard
    }

    /// Judges a packet on the RTP port: is it taken? What must be told of it is owed from then on.
    pub fn take(&mut self, now: Time, flight: &Flight) -> bool {
        let Verdict::Taken { source_is_new } = self.ear.judge(now, flight.from, flight.bytes()) else { return false };
        if source_is_new {
            self.keys.source_is_new();
        }
        if !std::mem::replace(&mut self.ear.first_told, true) {
            self.first_owed = true;
        }
        self.keys.take(now, flight.sort);
        true
    }

    pub fn receives(&self) -> bool {
        self.ear.format.is_some_and(|format| format.direction.receives())
    }

    /// May a packet that the partner `from` has taken be heard here?
    pub fn passage(&self, now: Time, flight: &Flight, from: &Keys) -> Passage {
        let Some((rtp, format)) = wire::parse(flight.bytes()).zip(self.ear.format) else { return Passage::No };
        // A play of nothing, again and again, ends within a frame's time, and nothing is told of it.
        let void = self.playing.as_ref().is_some_and(Playing::is_void);
        if !self.may_send() || self.playing.is_some() && !void || self.own_keys.is_down() {
            return Passage::No;
        }
        let must = !void && !self.own_keys.may_be_down(now) && !self.is_spent();
        let private = match flight.sort {
            Sort::Event { press, .. } => from.is_private(press),
            _ => Some(false),
        };
        let is_event = matches!(flight.sort, Sort::Event { .. });
        match private {
            _ if is_event && format.telephone_event.is_none() => Passage::LeftOut,
            Some(true) => Passage::LeftOut,
            None => Passage::MayBeLeftOut,
            Some(false) if must && self.mouth.is_newer(&rtp) => Passage::Must,
            Some(false) => Passage::May,
        }
    }

    /// The leg leaves its bridge or enters one.
    pub fn part(&mut self) {
        self.partner = None;
        self.own_keys.forget();
    }

    pub fn is_peer(&self, address: SocketAddr) -> bool {
        let named = self.ear.format.is_some_and(|format| format.remote_rtcp == Some(address));
        named || self.ear.source().is_some_and(|(source, _)| source.ip() == address.ip())
    }
}
