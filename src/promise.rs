//! The words of the promise ledger: each request for a person is an entry that only a person, or the caller, can close.

use crate::ids::{CallId, LineName, PromiseId, QueueName};
use crate::time::Wall;

/// One line of the ledger's file. Entries are appended, never changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    Opened(Opened),
    /// The promise has become a call-back that is due (or a message to be taken up): the caller has left without a person.
    Due {
        promise: PromiseId,
        at: Wall,
        why: Due,
    },
    Closed {
        promise: PromiseId,
        at: Wall,
        how: Closing,
    },
    /// A person has taken it up by hand and works on it.
    Taken {
        promise: PromiseId,
        at: Wall,
        by: String,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    pub promise: PromiseId,
    pub call: CallId,
    pub line: LineName,
    pub queue: QueueName,
    pub at: Wall,
    pub asked_by: AskedBy,
    /// The number to call back, encrypted; `None` when withheld or not diallable ("not reachable").
    pub number: Option<SealedNumber>,
    /// The registry sent this caller here without a menu.
    pub flagged: bool,
}

/// A telephone number under the ledger's key (XChaCha20-Poly1305: nonce, then ciphertext). Erased when its entry is closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedNumber(pub Vec<u8>);

/// How a person was asked for (mark t4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AskedBy {
    Key,
    HeldZero,
    Silence,
    Errors,
    Registry,
    UnknownCaller,
    /// A target of the dialplan led to a queue.
    Dialplan,
    /// Something of ours failed and the caller was moved to a person.
    Failure,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Due {
    /// The caller was told "we will call you back".
    CallBackPromised,
    /// The line broke, or we restarted.
    Cut,
    /// A message was left in this file.
    Message(String),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Closing {
    /// Two-way speech with a person.
    Conversation,
    CallBackDone,
    MessageTaken,
    /// The caller's own BYE or CANCEL.
    CallerHungUp,
    /// Closed by an operator's order.
    ByHand,
}
