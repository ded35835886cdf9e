//! SIP (RFC 3261 and others, see `lib.rs`) as one pure machine: [`SipStack`](stack::SipStack).
//!
//! Messages, orders and the passing of time go in; messages to send and [`SipEvent`]s come out. A leg of a call is a
//! [`LegId`] here too: it names an INVITE dialog from its first message to its last. SDP bodies pass through unread.
//! What the stack answers by itself: OPTIONS, REGISTER (the registrar), unknown methods, CANCEL, retransmissions,
//! requests outside any dialog. What it leaves to the engine: whether and how to answer an INVITE or a re-INVITE.

pub mod admission;
pub mod body;
pub mod cause;
pub mod client_invite;
pub mod client_non_invite;
pub mod compose;
mod core_requests;
pub mod dialog;
pub mod digest;
mod ending;
pub mod framing;
pub mod headers;
pub mod identity;
mod in_dialog;
mod incoming;

pub mod key_body;
pub mod leg;
pub mod limiter;
pub mod message;
pub mod offenders;
mod outgoing;
pub mod random;
pub mod reader;
pub mod reason;
pub mod registrar;
pub mod sdp;
pub mod server_invite;
pub mod server_non_invite;
pub mod stack;
mod strangers;
#[cfg(test)]
mod tests;
pub mod timers;
pub mod transaction;
pub mod uri;
pub mod wire;

use crate::ids::{AgentId, LegId};
use std::net::SocketAddr;

/// How a message travels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transport {
    Udp,
    Tcp,
}

/// A path between us and a peer. A reply takes the path that the request came by (RFC 3261 §18.2.2, RFC 3581).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Flow {
    pub transport: Transport,
    /// Our side: always a concrete address (the shell knows which one faces this peer).
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// Which TCP connection, if the message came by one. `None` on a TCP message to send: connect, or use any that is open to `remote`.
    pub connection: Option<u64>,
}

/// One message on its way in or out, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Datagram {
    pub flow: Flow,
    pub bytes: Vec<u8>,
}

/// Who a caller says to be, as far as we may believe it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallerIdentity {
    /// User part (or `tel:` number) of `P-Asserted-Identity` from a trusted trunk, else of `From`. `None`: withheld or anonymous (RFC 3323, RFC 3325).
    pub number: Option<String>,
    pub display_name: Option<String>,
}

/// What a new INVITE says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    pub leg: LegId,
    /// User part of the request URI: the number dialled. `tel:` URIs too.
    pub dialled: String,
    pub caller: CallerIdentity,
    /// The authenticated agent, when the INVITE came from a phone that is registered as one (feature codes).
    pub from_agent: Option<AgentId>,
    /// The trunk whose address it came from.
    pub trunk: Option<String>,
    /// The SDP offer; empty when the INVITE had none (then ours goes into the 200, RFC 3264 §5).
    pub offer: Vec<u8>,
    /// The SIP Call-ID, for records and logs.
    pub sip_call_id: String,
    /// The path by which it came: its local address stands in our SDP unless another is advertised.
    pub flow: Flow,
}

/// What has happened on a dialog. After [`SipEvent::Ended`], [`SipEvent::Rejected`] or [`SipEvent::Cancelled`] the leg is not heard of again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SipEvent {
    Incoming(Box<Invitation>),
    /// The caller gave up before our final answer; 487 has been sent. `network` when a Reason header names a failure rather than a person.
    Cancelled {
        leg: LegId,
        network: bool,
    },
    /// The ACK of our 200. `answer` is its SDP (only where the INVITE had none).
    Acked {
        leg: LegId,
        answer: Vec<u8>,
    },
    /// A provisional response above 100 to our INVITE.
    Ringing {
        leg: LegId,
        status: u16,
        answer: Vec<u8>,
    },
    /// 2xx to our INVITE, acknowledged by the stack. `offer_answer` is its SDP.
    Answered {
        leg: LegId,
        answer: Vec<u8>,
    },
    /// Final refusal of our INVITE (487 after our own CANCEL), or 408 when nothing came at all, or nothing more after a CANCEL.
    Rejected {
        leg: LegId,
        status: u16,
        reason: String,
    },
    /// A re-INVITE or UPDATE of the peer: answer with `accept_change` or `refuse_change`. `offer` is empty if it brought none.
    Changed {
        leg: LegId,
        offer: Vec<u8>,
    },
    /// The ACK of an accepted re-INVITE that had no offer carries the answer.
    ChangeAcked {
        leg: LegId,
        answer: Vec<u8>,
    },
    /// SIP INFO with a key (`application/dtmf-relay` or `application/dtmf`); its 200 has been sent.
    InfoKey {
        leg: LegId,
        key: crate::key::Key,
        duration_ms: Option<u32>,
    },
    /// The dialog is over.
    Ended {
        leg: LegId,
        cause: EndCause,
    },
    /// So many wrong passwords have come from this address that it is shut out for a minute (one name, or all of it).
    GuessesRefused {
        source: std::net::IpAddr,
    },
    /// A stranger has done more of this than honest phones do: for the operator's log, once a minute.
    Offence {
        source: std::net::IpAddr,
        offence: offenders::Offence,
    },
    /// An agent's bindings have changed (register, refresh with other contacts, unregister, expiry).
    Bindings {
        agent: AgentId,
        bindings: Vec<registrar::Binding>,
    },
}

/// Why a dialog ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EndCause {
    /// The peer sent BYE without a cause of failure: a person hung up.
    Hangup,
    /// The peer sent BYE with a Reason header (RFC 3326) that names a failure (Q.850 cause other than 16, 17, 18, 19, 31; SIP status of 5xx or 408).
    NetworkFailure(String),
    /// 408 or 481 to a request of ours in the dialog, or our 200 was never acknowledged.
    Lost(u16),
    /// We sent BYE.
    ByUs,
}

/// Fixed facts of the SIP side, from `onekey.toml`.
#[derive(Clone, Debug)]
pub struct SipConfig {
    /// Realm of digest challenges and domain of agents' addresses of record.
    pub realm: String,
    /// Address that others reach us by (NAT), where it differs from the local one: stands in Via, Contact and SDP.
    pub advertised: Option<std::net::IpAddr>,
    pub trunks: Vec<Trunk>,
    /// Value of Server / User-Agent.
    pub product: String,
    /// Bindings are granted at most this long, in seconds.
    pub registration_seconds_max: u32,
    pub registration_seconds_min: u32,
    /// Most server transactions at once; above it a new INVITE gets 503 with Retry-After.
    pub transactions_max: usize,
    /// Most contacts of one agent.
    pub contacts_max: usize,
    /// What strangers may do.
    pub strangers: admission::StrangerLimits,
}

/// A peer known by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    pub name: String,
    /// Source addresses, each with a prefix length (`192.0.2.0/24`).
    pub addresses: Vec<(std::net::IpAddr, u8)>,
    /// May its `P-Asserted-Identity` be believed?
    pub asserts_identity: bool,
    /// Where numbers that a dialplan dials are sent, by UDP; `None`: nothing is dialled through it.
    pub dial: Option<SocketAddr>,
}
