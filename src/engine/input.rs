//! Facts that the world tells the engine.

use crate::caller::CallerFacts;
use crate::dialplan::Dialplan;
use crate::engine::output::QuestionId;
use crate::ids::{AgentId, PromiseId, WorkerId};
use crate::media::command::MediaEvent;
use crate::prompt::PromptLibrary;
use crate::sip::Datagram;
use crate::sip::registrar::AgentAccount;
use crate::step::lookup::LookupFailure;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One fact. The shell gives it to [`Engine::handle`](crate::engine::Engine::handle) with the time it became known.
#[derive(Debug)]
pub enum Input {
    /// A SIP message (UDP: one datagram; TCP: one framed message).
    Sip(Datagram),
    /// More messages wait than can be answered in time (or no more): meanwhile new calls are refused, for the sake of
    /// those that there are.
    Behind(bool),
    /// A TCP connection is gone: what was to be sent over it needs another.
    ConnectionClosed(u64),
    Media(WorkerId, MediaEvent),
    Answered(Reply),
    Command(Command),
    /// A checked dialplan with its prompts replaces the present one for new calls.
    Reload(Arc<Dialplan>, Arc<PromptLibrary>),
    /// Nothing but the passing of time.
    Tick,
}

/// The world's answer to a [`Question`](crate::engine::output::Question).
#[derive(Debug)]
pub struct Reply {
    pub id: QuestionId,
    pub answer: Answer,
}

#[derive(Debug)]
pub enum Answer {
    /// The number is listed so, or (`None`) is not listed.
    Registry(Option<CallerFacts>),
    /// Every value that was asked for, as text; or why there are none.
    LookedUp(Result<BTreeMap<String, String>, LookupFailure>),
    /// The entry is on disk.
    Written,
    /// The world could not: full disk, locked database. The words are for the log.
    Failed(String),
}

/// An operator's order.
#[derive(Debug)]
pub enum Command {
    /// An agent's account is new or changed (its old one is replaced, its bindings stay).
    AgentSet(AgentAccount),
    AgentRemoved(AgentId),
    /// A person has taken up a due promise, or it was closed by hand. The shell has already written the ledger.
    PromiseClosed(PromiseId),
    /// Refuse new calls with 503 and let the present ones finish.
    Drain,
    /// End what is left with BYE.
    HangUpAll,
}
