//! A call as the engine holds it: the call itself, its legs, and what must be settled before its record can be written.

use crate::call::Call;
use crate::call::record::{CallRecord, ReleasedBy};
use crate::codec::StreamCounts;
use crate::engine::output::QuestionId;
use crate::ids::{LegId, PromiseId, WorkerId};
use crate::sip::Invitation;
use crate::time::Now;

#[derive(Debug)]
pub struct CallEntry {
    pub call: Call,
    pub leg: LegId,
    pub worker: WorkerId,
    pub invitation: Invitation,
    /// E.164, for the ledger's sealed number. Never logged above DEBUG, never in the record.
    pub number: Option<String>,
    pub began: Now,
    pub answered: bool,
    /// The agent's leg that has been answered.
    pub agent_leg: Option<LegId>,
    pub promise: Option<PromiseId>,
    pub registry_question: Option<QuestionId>,
    pub lookup_question: Option<QuestionId>,
    /// The status with which an unanswered call is refused.
    pub refusal: Option<u16>,
    pub status: Option<u16>,
    pub caller_media: StreamCounts,
    pub agent_media: StreamCounts,
    /// Legs (the caller's and agents') whose ports are not free yet.
    pub legs_open: u32,
    /// Recordings that are not whole yet: one may begin while the file of the last is being closed.
    pub recordings_open: u32,
    /// Times a step of this call has panicked.
    pub panics: u8,
}

impl CallEntry {
    pub fn new(
        call: Call,
        leg: LegId,
        worker: WorkerId,
        invitation: Invitation,
        number: Option<String>,
        now: Now,
    ) -> CallEntry {
        CallEntry {
            call,
            leg,
            worker,
            invitation,
            number,
            began: now,
            answered: false,
            agent_leg: None,
            promise: None,
            registry_question: None,
            lookup_question: None,
            refusal: None,
            status: None,
            caller_media: StreamCounts::default(),
            agent_media: StreamCounts::default(),
            legs_open: 1,
            recordings_open: 0,
            panics: 0,
        }
    }

    /// Nothing more will be heard of it.
    pub fn is_settled(&self) -> bool {
        self.call.is_over() && self.legs_open == 0 && self.recordings_open == 0
    }

    pub fn into_record(self) -> CallRecord {
        let call = self.call;
        let (released_by, cause) = match (call.released.unwrap_or((ReleasedBy::System, 16)), self.status) {
            ((ReleasedBy::System, 16), Some(status)) => (ReleasedBy::System, cause_of_refusal(status)),
            (released, _) => released,
        };
        CallRecord {
            call: call.id,
            sip_call_id: self.invitation.sip_call_id,
            line: call.line,
            language: call.language,
            caller: call.caller,
            flagged: call.flagged,
            began: self.began.wall,
            t0: self.began.time,
            marks: call.marks,
            asked_by: call.asked_by,
            queue: call.queue,
            agent: call.agent,
            promise: self.promise,
            released_by,
            cause,
            status: self.status,
            keys: call.keys,
            prompts: call.prompts,
            missed: call.missed,
            caller_media: self.caller_media,
            agent_media: self.agent_media,
            recordings: call.recordings,
        }
    }
}

/// The Q.850 cause that stands for our own refusal (RFC 3398 §7.2.4.1, read backwards).
fn cause_of_refusal(status: u16) -> u8 {
    match status {
        // Bearer capability not implemented.
        415 | 488 => 65,
        // No circuit available.
        503 => 34,
        // Temporary failure.
        500 => 41,
        _ => 31,
    }
}
