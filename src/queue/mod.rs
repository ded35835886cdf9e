//! Queues.
pub mod ledger;
