//! Where a call can stand in the proof, and what can happen to it there: small values, numbers for names, so that there can be
//! millions. What leads where is `world`'s.

use crate::key::Key;
use crate::step::{Event, StepState};

/// Where a call stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Node {
    pub place: Place,
    pub carry: Carry,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Place {
    /// The short prompt for callers whom nobody can tell, and the wait after it.
    Gate {
        listening: bool,
    },
    /// About to begin a step.
    Entering {
        at: u32,
        state: StepState,
    },
    In {
        at: u32,
        state: StepState,
        doing: Doing,
    },
    /// A queue is asked.
    Joining {
        queue: u32,
    },
    /// A person will be had: the end of what has to be proved.
    Person,
    /// A call-back or a message is promised and written down (`call/kept.rs`).
    Kept,
    /// The call has ended the call, well.
    Ended,
}

/// What a step is waiting for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Doing {
    /// The number of the words in [`World::said`](super::world::World).
    Speaking(u32),
    /// Milliseconds.
    Listening(u32),
    Recording,
    /// The ledger: a message, or a call-back.
    Keeping {
        callback: bool,
    },
    Checking,
    LookingUp,
    Ringing,
    Connected,
    /// Nothing: whoever is here stays here.
    Nothing,
}

/// What a call carries along.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Carry {
    /// The number of the language in [`World::languages`](super::world::World).
    pub language: u8,
    pub flagged: bool,
    pub gentle: bool,
    /// There is a number to call back.
    pub reachable: bool,
    /// A person has been asked for, and nothing has been kept since.
    pub asked: bool,
    /// A service is finished and a person was offered, or a message or call-back is kept, and no key has been asked since.
    pub done: bool,
    /// A queue has led to a step (`Call::overflowed`).
    pub overflowed: bool,
    /// The number of the set in [`World::tried`](super::world::World): queues that could not serve since a person was last asked for.
    pub tried: u32,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Move {
    /// The step is told this.
    Step(Event),
    /// `0`, where it is the human key.
    Human,
    /// `0` held, where it is a digit or another party's.
    HeldZero,
    /// The short gate: its words are over, or its time.
    GateGoesOn,
    /// Any other key opens the gate.
    GateKey(Key),
    /// No agent is there, or the queue is closed or full.
    CannotServe,
    Served,
    /// Ledger or disk do not work.
    CannotWrite,
}

/// What can happen at a node: what, and the node that it leads to or why it must not.
pub(super) type Moves = Vec<(Move, Result<Node, Wrong>)>;

impl Move {
    /// Whether the caller does nothing in it.
    pub fn is_silent(self) -> bool {
        !matches!(self, Move::Step(Event::Key(_)) | Move::Human | Move::HeldZero | Move::GateKey(_) | Move::Served)
    }

    /// What counts when the shortest call is looked for: what somebody does, or what goes wrong.
    pub fn is_act(self) -> bool {
        let fails = matches!(
            self,
            Move::CannotServe
                | Move::CannotWrite
                | Move::Step(Event::LookUpFailed(_) | Event::NotConnected | Event::Unspeakable)
        );
        fails || !self.is_silent()
    }
}

/// How a move can be wrong in itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    OneKey,
    AskedAndHungUp,
    HungUp,
    FlaggedAsked,
}

/// How a caller is known when the call is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Beginning {
    Ordinary,
    Unlisted,
    Withheld,
    RegistryFails,
    Gentle,
    Direct,
    DirectAndGentle,
}
