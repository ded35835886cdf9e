//! The table of transactions (RFC 3261 §17): which message belongs to which of the four machines, and what these want done.
//!
//! Matching is by the top Via's branch (§17.1.3, §17.2.3), for RFC 2543 peers by what they keep the same.
//! What a request means is not decided here.

use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::message::{Message, Method};
use super::server_invite::ServerInvite;
use super::server_non_invite::ServerNonInvite;
use super::timers::TimerName;
use super::wire::SentInvite;
use super::{Flow, Transport};
use crate::ids::LegId;
use std::collections::BTreeMap;
use std::time::Duration;

/// A wish of one of the four machines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    Send(Vec<u8>),
    /// In so long from now; replaces an earlier one.
    Set(TimerName, Duration),
    Clear(TimerName),
    /// Nobody answered: tell the user.
    TimedOut,
    /// Forget the transaction. Always last.
    Terminated,
}

/// Number of a transaction, client's or server's; also the owner number of its timers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TransactionId(pub u64);

/// What makes two requests one transaction at the server (§17.2.3): an ACK and a CANCEL have their INVITE's key but for the method.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ServerKey {
    branch: String,
    sent_by: String,
    method: Method,
}

/// Every branch made by the rules of RFC 3261 begins so (§8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

impl ServerKey {
    /// The key of a request, its method put as `method` (INVITE, to look for what an ACK or CANCEL belongs to).
    pub fn of(request: &Message, method: Method) -> ServerKey {
        let via = request.via();
        let sent_by = format!("{}:{}", via.host, via.port.unwrap_or(5060)).to_ascii_lowercase();
        let branch = match &via.branch {
            Some(branch) if branch.starts_with(MAGIC_COOKIE) && branch.len() > MAGIC_COOKIE.len() => branch.clone(),
            // RFC 2543: the request URI, From tag, Call-ID, CSeq number and top Via together. To may differ in the ACK.
            other => format!(
                "2543 {} {} {} {} {}",
                request.request_uri().unwrap_or(""),
                request.from_tag().unwrap_or(""),
                request.call_id(),
                request.cseq(),
                other.as_deref().unwrap_or("")
            ),
        };
        ServerKey { branch, sent_by, method }
    }
}

/// What makes an INVITE that came by two ways one request (§8.2.2.2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MergeKey {
    call_id: String,
    from_tag: String,
    cseq: u32,
}

impl MergeKey {
    pub fn of(request: &Message) -> MergeKey {
        MergeKey {
            call_id: request.call_id().to_owned(),
            from_tag: request.from_tag().unwrap_or("").to_owned(),
            cseq: request.cseq(),
        }
    }
}

#[derive(Debug)]
pub enum ServerMachine {
    Invite(ServerInvite),
    Other(ServerNonInvite),
}

#[derive(Debug)]
pub struct ServerTransaction {
    pub machine: ServerMachine,
    /// Responses go back by it.
    pub flow: Flow,
    /// The leg whose first INVITE it is.
    pub leg: Option<LegId>,
    key: ServerKey,
    merge: Option<MergeKey>,
}

impl ServerTransaction {
    pub fn repeated(&mut self, effects: &mut Vec<Effect>) {
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.repeated(effects),
            ServerMachine::Other(machine) => machine.repeated(effects),
        }
    }

    pub fn respond(&mut self, status: u16, bytes: Vec<u8>, effects: &mut Vec<Effect>) {
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.respond(status, bytes, effects),
            ServerMachine::Other(machine) => machine.respond(status, bytes, effects),
        }
    }
}

#[derive(Debug)]
pub enum ClientMachine {
    Invite(ClientInvite, Box<SentInvite>),
    Other(ClientNonInvite),
}

#[derive(Debug)]
pub struct ClientTransaction {
    pub machine: ClientMachine,
    pub flow: Flow,
    /// Whom its end concerns.
    pub leg: Option<LegId>,
    key: (String, Method),
}

/// All transactions, by number and by what finds them.
#[derive(Debug, Default)]
pub struct Transactions {
    next: u64,
    servers: BTreeMap<TransactionId, ServerTransaction>,
    by_server_key: BTreeMap<ServerKey, TransactionId>,
    by_merge_key: BTreeMap<MergeKey, TransactionId>,
    clients: BTreeMap<TransactionId, ClientTransaction>,
    by_client_key: BTreeMap<(String, Method), TransactionId>,
}

impl Transactions {
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.clients.is_empty()
    }

    /// How many server transactions there are.
    pub fn servers(&self) -> usize {
        self.servers.len()
    }

    /// Begins a server transaction for a request that belongs to none.
    pub fn serve(&mut self, request: &Message, flow: Flow, leg: Option<LegId>) -> TransactionId {
        let id = self.number();
        let reliable = flow.transport != Transport::Udp;
        let key = ServerKey::of(request, request.method().clone());
        let (machine, merge) = if *request.method() == Method::Invite {
            let merge = request.to_tag().is_none().then(|| MergeKey::of(request));
            (ServerMachine::Invite(ServerInvite::new(reliable)), merge)
        } else {
            (ServerMachine::Other(ServerNonInvite::new(reliable)), None)
        };
        self.by_server_key.insert(key.clone(), id);
        if let Some(merge) = &merge {
            self.by_merge_key.entry(merge.clone()).or_insert(id);
        }
        self.servers.insert(id, ServerTransaction { machine, flow, leg, key, merge });
        id
    }

    /// The transaction that a request repeats, acknowledges or cancels.
    pub fn server_of(&self, request: &Message, method: Method) -> Option<TransactionId> {
        self.by_server_key.get(&ServerKey::of(request, method)).copied()
    }

    /// Has this INVITE come already by another way?
    pub fn is_merged(&self, request: &Message) -> bool {
        self.by_merge_key.contains_key(&MergeKey::of(request))
    }

    pub fn server(&mut self, id: TransactionId) -> Option<&mut ServerTransaction> {
        self.servers.get_mut(&id)
    }

    /// Begins a client transaction; `start` makes the machine, which sends the request at once.
    pub fn send(
        &mut self,
        branch: &str,
        method: Method,
        flow: Flow,
        leg: Option<LegId>,
        machine: ClientMachine,
    ) -> TransactionId {
        let id = self.number();
        let key = (branch.to_owned(), method);
        self.by_client_key.insert(key.clone(), id);
        self.clients.insert(id, ClientTransaction { machine, flow, leg, key });
        id
    }

    /// The transaction that a response belongs to (§17.1.3).
    pub fn client_of(&self, response: &Message) -> Option<TransactionId> {
        let branch = response.via().branch.clone()?;
        self.by_client_key.get(&(branch, response.method().clone())).copied()
    }

    pub fn client(&mut self, id: TransactionId) -> Option<&mut ClientTransaction> {
        self.clients.get_mut(&id)
    }

    pub fn forget(&mut self, id: TransactionId) {
        if let Some(server) = self.servers.remove(&id) {
            self.by_server_key.remove(&server.key);
            if let Some(merge) = server.merge
                && self.by_merge_key.get(&merge) == Some(&id)
            {
                self.by_merge_key.remove(&merge);
            }
        }
        if let Some(client) = self.clients.remove(&id) {
            self.by_client_key.remove(&client.key);
        }
    }

    fn number(&mut self) -> TransactionId {
        self.next += 1;
        TransactionId(self.next)
    }
}

/// What one step of a transaction wished.
#[cfg(test)]
pub(super) fn did(act: impl FnOnce(&mut Vec<Effect>)) -> Vec<Effect> {
    let mut effects = Vec::new();
    act(&mut effects);
    effects
}
