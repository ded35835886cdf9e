//! What is kept of a call when it is over. No clear number, no birth date: the number only as its keyed hash.

use super::marks::Marks;
use crate::caller::NumberHash;
use crate::codec::StreamCounts;
use crate::ids::{AgentId, CallId, Language, LineName, PromiseId, QueueName};
use crate::promise::AskedBy;
use crate::time::{Time, Wall};

/// One call, ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallRecord {
    pub call: CallId,
    pub sip_call_id: String,
    pub line: LineName,
    pub language: Language,
    pub caller: Option<NumberHash>,
    pub flagged: bool,
    /// Wall clock at mark t0; the other marks are counted from it.
    pub began: Wall,
    /// Monotonic time of `began`, so that a mark's wall time is `began + (mark - t0)`.
    pub t0: Time,
    pub marks: Marks,
    pub asked_by: Option<AskedBy>,
    pub queue: Option<QueueName>,
    pub agent: Option<AgentId>,
    pub promise: Option<PromiseId>,
    pub released_by: ReleasedBy,
    /// Q.850 cause (16: normal clearing), RFC 3398 §7.
    pub cause: u8,
    /// The SIP status of a call that was never answered (487, 404, 503).
    pub status: Option<u16>,
    /// Keys pressed by the caller before a person spoke.
    pub keys: u32,
    /// Prompts begun before a person was asked for.
    pub prompts: u32,
    /// Times an agent's phone rang unanswered or was rejected.
    pub missed: u32,
    pub caller_media: StreamCounts,
    pub agent_media: StreamCounts,
    /// File names under `data/recordings`.
    pub recordings: Vec<String>,
}

/// Who ended the call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ReleasedBy {
    Caller,
    Agent,
    System,
    Network,
}
