//! Counters, and the snapshot that console and metrics see.

use super::Engine;
use super::snapshot::{AgentView, CallView, QueueView, Snapshot};
use crate::codec::StreamCounts;
use crate::key::Key;
use crate::time::Now;
use std::collections::BTreeMap;

/// Counted since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub calls: u64,
    pub answered_by_person: u64,
    pub ledger_troubles: u64,
    pub registry_troubles: u64,
    pub store_troubles: u64,
    /// Our own mistakes: a step that panicked.
    pub panics: u64,
    keys: BTreeMap<char, u64>,
    refusals: BTreeMap<&'static str, u64>,
    streams: StreamCounts,
}

impl Counters {
    pub fn refused(&mut self, why: &'static str) {
        *self.refusals.entry(why).or_default() += 1;
    }

    pub fn key(&mut self, key: Key) {
        *self.keys.entry(key.as_char()).or_default() += 1;
    }

    pub fn stream(&mut self, counts: &StreamCounts) {
        self.streams.packets_sent += counts.packets_sent;
        self.streams.packets_late += counts.packets_late;
        self.streams.packets_refused += counts.packets_refused;
    }
}

impl Engine {
    /// What the console may see, as plain values.
    pub fn snapshot(&self, now: Now) -> Snapshot {
        Snapshot {
            calls: self
                .calls
                .values()
                .filter(|entry| !entry.call.is_over())
                .map(|entry| CallView {
                    call: entry.call.id,
                    line: entry.call.line.clone(),
                    since: entry.began.time,
                    place: entry.call.place(),
                })
                .collect(),
            queues: self.queue_views(now),
            agents: self
                .queues
                .agents()
                .map(|(id, agent)| {
                    let view = AgentView {
                        state: agent.state.as_str(),
                        call: agent.state.call(),
                        since: agent.since,
                        answered_total: agent.answered_total,
                        missed_total: agent.missed_total,
                    };
                    (id.clone(), view)
                })
                .collect(),
            promises_open: self.promises.len() as u64,
            promises_due: self.promises.values().filter(|due| **due).count() as u64,
            ledger_troubles: self.counters.ledger_troubles,
            calls_total: self.counters.calls,
            answered_by_person_total: self.counters.answered_by_person,
            keys_total: self.counters.keys.clone(),
            refusals_total: self.refusals(),
            strangers_refused_total: self.sip.strangers_refused().clone(),
            sip_dropped_total: self.sip.dropped(),
            packets_sent_total: self.counters.streams.packets_sent,
            packets_late_total: self.counters.streams.packets_late,
            packets_refused_total: self.counters.streams.packets_refused,
            draining: self.draining,
        }
    }

    /// INVITEs refused by the engine, and by the stack before they came to it.
    fn refusals(&self) -> BTreeMap<&'static str, u64> {
        let mut refusals = self.counters.refusals.clone();
        for reason in ["unknown_number", "overload", "draining"] {
            if let Some(count) = self.sip.strangers_refused().get(reason) {
                *refusals.entry(reason).or_default() += count;
            }
        }
        refusals
    }

    fn queue_views(&self, now: Now) -> BTreeMap<crate::ids::QueueName, QueueView> {
        let figures = self.queues.figures(now.time).map(|(name, figures)| {
            let view = QueueView {
                waiting: figures.waiting,
                calls: figures.calls,
                longest_wait_seconds: figures.longest_wait.as_secs_f64(),
                offered_total: figures.offered_total,
                answered_total: figures.answered_total,
                abandoned_total: figures.abandoned_total,
                expected_wait_seconds: figures.expected_wait.as_secs_f64(),
            };
            (name.clone(), view)
        });
        figures.collect()
    }
}
