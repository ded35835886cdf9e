//! What the console and the metrics may see: plain values, copied out.

use crate::ids::{AgentId, CallId, LineName, QueueName};
use crate::time::Time;
use std::collections::BTreeMap;

/// The engine at one moment. Counters count from the start of the process.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Snapshot {
    pub calls: Vec<CallView>,
    pub queues: BTreeMap<QueueName, QueueView>,
    pub agents: BTreeMap<AgentId, AgentView>,
    pub promises_open: u64,
    pub promises_due: u64,
    /// Ledger writes that were late or failed.
    pub ledger_troubles: u64,
    pub calls_total: u64,
    pub answered_by_person_total: u64,
    /// Keys heard, by key.
    pub keys_total: BTreeMap<char, u64>,
    /// INVITEs refused, by reason (`unknown_number`, `overload`, `draining`, `no_port`, `not_acceptable`, ...).
    pub refusals_total: BTreeMap<&'static str, u64>,
    /// What strangers sent and was refused, by reason (`scanner`, `calls_a_second`, `unknown_dialog`, ...).
    pub strangers_refused_total: BTreeMap<&'static str, u64>,
    /// SIP messages that could not be read or had no place.
    pub sip_dropped_total: u64,
    /// Of closed legs.
    pub packets_sent_total: u64,
    pub packets_late_total: u64,
    pub packets_refused_total: u64,
    pub draining: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct CallView {
    pub call: CallId,
    pub line: LineName,
    pub since: Time,
    /// Such as `menu main`, `queue care`, `talking 1001`.
    pub place: String,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct QueueView {
    pub waiting: u64,
    /// Who waits, in the order of their tickets.
    pub calls: Vec<CallId>,
    pub longest_wait_seconds: f64,
    pub offered_total: u64,
    pub answered_total: u64,
    pub abandoned_total: u64,
    pub expected_wait_seconds: f64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct AgentView {
    /// `offline`, `available`, `ringing`, `on_call`, `wrap_up`, `away`.
    pub state: &'static str,
    /// The call that rings, or that she is in.
    pub call: Option<CallId>,
    pub since: Time,
    pub answered_total: u64,
    pub missed_total: u64,
}
