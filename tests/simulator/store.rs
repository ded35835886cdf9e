//! The world's memory: what the ledger's file and the store hold, what is still on its way there, and what a process that
//! starts again finds (DESIGN §1, §12).

use crate::books::Books;
use crate::phone::{PASSWORD, REALM};
use onekey::engine::Remembered;
use onekey::engine::output::QuestionId;
use onekey::ids::{AgentId, PromiseId};
use onekey::promise::{Due, Entry};
use onekey::queue::ledger::promise_of;
use onekey::sip::digest;
use onekey::sip::registrar::{AgentAccount, Binding, DigestChoice};
use onekey::time::Wall;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub struct Store {
    pub accounts: BTreeMap<AgentId, AgentAccount>,
    bindings: BTreeMap<AgentId, Vec<Binding>>,
    /// Asked to be written and not on disk yet, in the order of asking.
    pending: BTreeMap<QuestionId, Entry>,
    /// Promises of which something is not on disk, be it that the disk has just failed.
    unwritten: BTreeSet<PromiseId>,
}

impl Store {
    pub fn add_agent(&mut self, name: &str) -> AgentAccount {
        let account = AgentAccount {
            agent: AgentId::new(name),
            ha1_md5: digest::ha1_md5(name, REALM, PASSWORD),
            ha1_sha256: digest::ha1_sha256(name, REALM, PASSWORD),
            digest: DigestChoice::Md5,
        };
        self.accounts.insert(account.agent.clone(), account.clone());
        account
    }

    pub fn remove_agent(&mut self, agent: &AgentId) {
        self.accounts.remove(agent);
        self.bindings.remove(agent);
    }

    pub fn keep_bindings(&mut self, agent: &AgentId, bindings: Vec<Binding>) {
        if self.accounts.contains_key(agent) {
            self.bindings.insert(agent.clone(), bindings);
        }
    }

    pub fn asked(&mut self, id: QuestionId, entry: Entry) {
        self.unwritten.insert(promise_of(&entry));
        self.pending.insert(id, entry);
    }

    /// The write went well: the entry is on disk.
    pub fn written(&mut self, id: QuestionId, books: &mut Books) -> bool {
        let entry = self.pending.remove(&id);
        if let Some(entry) = &entry {
            self.unwritten.remove(&promise_of(entry));
            books.entry_written(entry);
        }
        entry.is_some()
    }

    /// The write failed: it will be asked again under another number.
    pub fn failed(&mut self, id: QuestionId) {
        self.pending.remove(&id);
    }

    /// All that was asked so far, for a disk that works again.
    pub fn pending(&self) -> Vec<QuestionId> {
        self.pending.keys().copied().collect()
    }

    /// The process is gone. Of what was on its way the first `survivors` are on disk, though nobody was told; a promise
    /// that is open is due when the file is opened again.
    pub fn crash(&mut self, survivors: usize, at: Wall, books: &mut Books) {
        for (_, entry) in std::mem::take(&mut self.pending).into_iter().take(survivors) {
            books.entry_written(&entry);
        }
        // What only the dead process knew is lost: its callers had not been told that they are in the queue.
        books.excuse(std::mem::take(&mut self.unwritten));
        for promise in books.open_and_not_due() {
            books.entry_written(&Entry::Due { promise, at, why: Due::Cut });
        }
    }

    pub fn remembered(&self, promises_due: Vec<PromiseId>) -> Remembered {
        let of = |agent: &AgentId| self.bindings.get(agent).cloned().unwrap_or_default();
        Remembered {
            agents: self.accounts.values().map(|account| (account.clone(), of(&account.agent))).collect(),
            promises_due,
        }
    }

    /// Agents with a phone that is registered at this time.
    pub fn registered(&self, at: Wall) -> Vec<AgentId> {
        let live = self.bindings.iter().filter(|(_, bindings)| bindings.iter().any(|binding| binding.expires > at));
        live.map(|(agent, _)| agent.clone()).collect()
    }
}
