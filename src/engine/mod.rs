//! The door: facts go in, wishes come out (DESIGN §3).

pub mod input;
pub mod output;
pub mod snapshot;

use crate::dialplan::Dialplan;
use crate::ids::{AgentId, CallId, PromiseId};
use crate::prompt::PromptLibrary;
use crate::sip::SipConfig;
use crate::sip::registrar::{AgentAccount, Binding};
use crate::time::{Now, Time};
use input::Input;
use output::Output;
use snapshot::Snapshot;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Fixed facts of the engine, from `onekey.toml` and the store.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub sip: SipConfig,
    /// Stands in SDP where others reach our media by another address than the local one (NAT).
    pub media_advertised: Option<IpAddr>,
    /// Media workers, at least 1; calls are spread over them.
    pub media_workers: u16,
    /// Feeds every random value of the engine.
    pub seed: [u8; 32],
    /// Key of the registry's number hashes.
    pub registry_key: [u8; 32],
    /// Key that seals numbers in the ledger.
    pub ledger_key: [u8; 32],
    /// ISO 3166 code by which national numbers are read, such as `US`.
    pub default_country: String,
    /// Most calls at once; above it an INVITE gets 503 with Retry-After.
    pub calls_max: usize,
    /// The registry's answer is awaited this long (300 ms).
    pub registry_deadline: Duration,
    /// Where recordings and messages go.
    pub recordings: PathBuf,
    /// The first call's number; the shell makes it unique over restarts.
    pub first_call: CallId,
    pub first_promise: PromiseId,
}

/// What the store knew when the engine starts.
#[derive(Default, Debug)]
pub struct Remembered {
    pub agents: Vec<(AgentAccount, Vec<Binding>)>,
    /// How many promises of earlier runs are open: counted in the snapshot.
    pub promises_open: Vec<PromiseId>,
}

/// The control plane: every decision of every call.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    pub fn new(
        _now: Now,
        _config: EngineConfig,
        _dialplan: Arc<Dialplan>,
        _prompts: Arc<PromptLibrary>,
        _remembered: Remembered,
    ) -> Engine {
        unimplemented!()
    }

    /// Takes one fact; pushes wishes to `out` in the order in which they are to be carried out.
    pub fn handle(&mut self, _now: Now, _input: Input, _out: &mut Vec<Output>) {
        unimplemented!()
    }

    /// When it next wants a `Tick`.
    pub fn next_timeout(&self) -> Option<Time> {
        unimplemented!()
    }

    pub fn snapshot(&self, _now: Now) -> Snapshot {
        unimplemented!()
    }
}
