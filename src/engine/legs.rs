//! What a leg is: the one place that knows which dialog and which stream belong together, and that turns what SDP
//! agreed into what the media plane must do.

use super::keys::KeysTold;
use crate::codec::Direction;
use crate::codec::{Codec, StreamFormat};
use crate::ids::{AgentId, CallId, LegId, WorkerId};
use crate::sip::Flow;
use crate::sip::registrar::Binding;
use crate::sip::sdp::{self, LocalMedia, Refused};
use std::net::IpAddr;

/// One side of a call.
#[derive(Debug)]
pub struct Leg {
    pub role: Role,
    pub worker: WorkerId,
    /// Our address in its SDP.
    address: IpAddr,
    /// Where the peer signals from; `None` where its word for an address is good enough (a trunk).
    signals_from: Option<IpAddr>,
    /// What the media plane was told last: may it send only so much until the peer's address has proved itself?
    confined: bool,
    /// What our SDP says; `None` until the media plane has a port.
    local: Option<LocalMedia>,
    /// What was agreed last.
    pub format: Option<StreamFormat>,
    /// The dialog has had its terminal event.
    pub sip_over: bool,
    /// The media plane has freed the port.
    pub media_over: bool,
    /// `Close` has been ordered.
    pub closing: bool,
    /// Our description went out as an offer; its answer is to come.
    offered: bool,
    /// Keys that it told lately.
    pub keys: KeysTold,
    /// The peer's offer, until there is a port to answer it with.
    offer: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    Caller(CallId),
    /// An agent's phone, rung for a call. `to` until its INVITE has been sent.
    Agent {
        call: CallId,
        agent: AgentId,
        to: Option<Box<Binding>>,
        answered: bool,
    },
    /// A party that the dialplan dials. `to` until its INVITE has been sent.
    Party {
        call: CallId,
        to: Option<Box<Destination>>,
    },
    /// A feature code that an agent has dialled.
    Feature {
        away: bool,
    },
}

/// Where a dialled party is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    pub uri: String,
    pub flow: Flow,
}

impl Leg {
    /// Its INVITE has not been sent yet.
    pub fn is_unsent(&self) -> bool {
        matches!(self.role, Role::Agent { to: Some(_), .. } | Role::Party { to: Some(_), .. })
    }

    pub fn new(role: Role, worker: WorkerId, address: IpAddr, signals_from: Option<IpAddr>) -> Leg {
        Leg {
            role,
            worker,
            address,
            signals_from,
            confined: false,
            local: None,
            format: None,
            sip_over: false,
            media_over: false,
            closing: false,
            offered: false,
            keys: KeysTold::default(),
            offer: Vec::new(),
        }
    }

    /// The call that it belongs to.
    pub fn call(&self) -> Option<CallId> {
        match &self.role {
            Role::Caller(call) | Role::Agent { call, .. } | Role::Party { call, .. } => Some(*call),
            Role::Feature { .. } => None,
        }
    }

    /// The media plane has a port: from now on there is something to describe. `first` is preferred in our offers.
    pub fn opened(&mut self, id: LegId, port: u16, first: Codec) {
        let other = if first == Codec::Pcmu { Codec::Pcma } else { Codec::Pcmu };
        self.local = Some(LocalMedia {
            address: self.address,
            port,
            codecs: vec![first, other],
            direction: Direction::SendReceive,
            session_id: id.0 + 1,
            version: 1,
        });
    }

    pub fn remember_offer(&mut self, offer: Vec<u8>) {
        self.offer = offer;
    }

    pub fn take_offer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.offer)
    }

    /// Our offer, for an INVITE of ours or the 200 to one that had none.
    pub fn offer(&mut self) -> Option<Vec<u8>> {
        self.offered = true;
        self.local.as_ref().map(sdp::offer)
    }

    /// Our answer to the peer's offer. A second offer on the same leg counts the version on.
    pub fn answer(&mut self, offer: &[u8]) -> Result<(Vec<u8>, StreamFormat), Refused> {
        let Some(local) = &mut self.local else {
            return Err(Refused { status: 500, reason: "no media port yet".into() });
        };
        if self.format.is_some() {
            local.version += 1;
        }
        let (description, format) = sdp::answer(offer, local)?;
        self.offered = false;
        self.format = Some(format);
        Ok((description, format))
    }

    /// The answer to our offer. `Ok(None)`: none was awaited.
    pub fn settle(&mut self, answer: &[u8]) -> Result<Option<StreamFormat>, Refused> {
        let Some(local) = self.local.as_ref().filter(|_| self.offered) else { return Ok(None) };
        let format = sdp::settled(local, answer)?;
        self.offered = false;
        self.format = Some(format);
        Ok(Some(format))
    }

    /// Our offer in the 200 to a re-INVITE that had none.
    pub fn offer_again(&mut self) -> Option<Vec<u8>> {
        if let Some(local) = &mut self.local {
            local.version += 1;
        }
        self.offer()
    }

    /// Whether media must be confined, if that has changed: SDP may name anybody, so an address is believed to want its
    /// media if the peer provably hears us at it.
    pub fn confinement(&mut self, is_proven: bool) -> Option<bool> {
        let named = self.format.and_then(|format| format.remote).map(|remote| remote.ip().to_canonical());
        let confined = self.signals_from.is_some_and(|from| !is_proven || named != Some(from.to_canonical()));
        (std::mem::replace(&mut self.confined, confined) != confined).then_some(confined)
    }

    /// The peer has put us on hold: it will not hear what we send.
    pub fn is_held(&self) -> bool {
        self.format.is_some_and(|format| !format.direction.sends() || format.remote.is_none())
    }
}
