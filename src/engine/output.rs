//! Wishes that the engine has of the world.

pub use crate::call::event::LineDirection;
use crate::call::event::Query;
use crate::call::record::CallRecord;
use crate::caller::NumberHash;
use crate::ids::{AgentId, CallId, WorkerId};
use crate::media::command::MediaCommand;
use crate::promise::Entry;
use crate::sip::Datagram;
use crate::sip::offenders::Offence;
use crate::sip::registrar::Binding;
use crate::step::link::Walk;
use crate::time::{Now, Time};

#[derive(Debug)]
pub enum Output {
    Sip(Datagram),
    Media(WorkerId, MediaCommand),
    Ask(Ask),
    /// The call is over; this is all there is to know of it.
    Ended(Box<CallRecord>),
    Log(CallLine),
    /// A step of the plan has done something with this call. Nothing depends on it.
    Walked(CallId, Walk),
    /// For the operator's log.
    Notice(Notice),
}

/// What an operator wants to know that belongs to no call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// The first of her phones has registered.
    LoggedIn(AgentId),
    /// The last of her phones is gone.
    LoggedOut(AgentId),
    /// She takes no calls any more: by her own wish, or because calls went unanswered.
    Away(AgentId),
    /// So many wrong passwords that this address is refused for a minute.
    GuessesRefused(std::net::IpAddr),
    /// A stranger has done more of this than honest phones do; told once a minute.
    Offence { source: std::net::IpAddr, offence: Offence },
}

/// Which question an answer belongs to. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QuestionId(pub u64);

/// A question with the time at which the engine goes on without its answer.
#[derive(Debug)]
pub struct Ask {
    pub id: QuestionId,
    pub deadline: Time,
    pub question: Question,
}

#[derive(Debug)]
pub enum Question {
    /// What is known of this number? Answered by `Answer::Registry` or `Answer::Failed`.
    Registry(NumberHash),
    /// Append to the promise ledger, flush, then `Answer::Written`. Order of entries is order of asking.
    Promise(Entry),
    /// Ask an HTTP address of the allow-list. `Answer::LookedUp`.
    LookUp(Box<Query>),
    /// Replace what is stored of this agent's phones (empty: logged out). `Answer::Written`.
    Bindings(AgentId, Vec<Binding>),
}

/// One line of a call's trace, in the words of the `.call` format (DESIGN §6): `text` is what stands after `< `.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallLine {
    pub call: CallId,
    pub at: Now,
    /// Since the call's INVITE.
    pub since_start: std::time::Duration,
    /// `>` for what people and the world did, `<` for what the engine wished.
    pub direction: LineDirection,
    pub text: String,
}
