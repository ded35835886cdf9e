//! A leg as the SIP side sees it: one INVITE dialog from its first message to the end of its BYE (RFC 3261 §12 to §15).
//!
//! State only; what moves it is in `incoming`, `outgoing` and `in_dialog`. The place of session timers (RFC 4028) is here.

use super::Flow;
use super::dialog::Dialog;
use super::message::Message;
use super::stack::EndReason;
use super::transaction::TransactionId;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

#[derive(Debug)]
pub struct Leg {
    pub call_id: String,
    /// Ours, from our generator: it alone finds the leg.
    pub local_tag: String,
    pub state: LegState,
    /// `None` while our INVITE is not answered.
    pub dialog: Option<Dialog>,
    /// An INVITE or UPDATE of the peer that the engine has not answered.
    pub asked: Option<Asked>,
    /// Our last 200 to an INVITE while its ACK is awaited.
    pub unacked: Option<Unacked>,
    /// The network of the stranger who began it and holds a place for it.
    pub stranger: Option<IpAddr>,
    /// Does the peer provably hear us where it signals from?
    pub is_proven: bool,
}

#[derive(Debug)]
pub enum LegState {
    /// The peer's INVITE awaits our final answer.
    Invited,
    /// Our INVITE awaits its final answer.
    Calling(Calling),
    /// Answered.
    Up,
    /// Over for the engine; the BYE must wait for the ACK of our 200 (RFC 3261 §15).
    Closing(EndReason),
    /// Over; our BYE is under way, and a BYE of the peer that crosses it gets its 200.
    Gone,
}

/// Our INVITE.
#[derive(Debug)]
pub struct Calling {
    pub client: TransactionId,
    /// Has a provisional answer come? Before one no CANCEL may be sent (RFC 3261 §9.1).
    pub heard: bool,
    /// To tags of early dialogs: one for each phone that rings behind a forking proxy.
    pub early: BTreeSet<String>,
    /// The engine has ended the leg: CANCEL is sent or will be.
    pub ending: Option<EndReason>,
    /// The terminal event has been told (the peer sent BYE before any final answer).
    pub told: bool,
}

/// Most phones of one INVITE of ours that are followed.
pub const FORKS_MAX: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AskedKind {
    /// The INVITE that made the leg.
    First,
    /// A re-INVITE.
    Again,
    /// An UPDATE with an offer (RFC 3311).
    Update,
}

/// A request that the engine must answer.
#[derive(Debug)]
pub struct Asked {
    pub kind: AskedKind,
    pub server: TransactionId,
    pub request: Box<Message>,
    pub flow: Flow,
}

/// A 200 of ours, sent again until its ACK.
#[derive(Debug)]
pub struct Unacked {
    pub cseq: u32,
    pub flow: Flow,
    pub bytes: Vec<u8>,
    pub interval: Duration,
    pub first: bool,
    /// The 200 has our offer; the ACK is to bring the answer.
    pub our_offer: bool,
}
