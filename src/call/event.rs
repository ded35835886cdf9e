//! What happens to a call, and what a call wishes: the words between `call` and the engine.
//!
//! No SIP and no RTP here: a leg is a [`LegId`], a prompt is an id, an agent is a name.

use crate::caller::CallerFacts;
use crate::ids::{AgentId, LegId, PlayId, PromptId, QueueName, StepName};
use crate::key::Key;
use crate::promise::{AskedBy, Closing, Due};
use crate::saying::Form;
use crate::step::dial::Party;
use crate::step::link::Walk;
use crate::step::lookup::{LookupFailure, Method};
use std::collections::BTreeMap;
use std::time::Duration;

/// A fact for one call.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The registry has answered.
    Registry(Option<CallerFacts>),
    /// The registry failed, was too late, or had no number to look up.
    RegistryUnknown,
    /// A media port is there, so the call can be answered.
    Ready,
    /// The 200 has been sent.
    Answered,
    /// ACK or first RTP: the caller can hear.
    Hears,
    Timer(CallTimer),
    /// The prompts of this play have been heard.
    Spoken(PlayId),
    /// The words that offer a person have been heard whole (mark t3).
    OfferHeard(PlayId),
    /// A prompt of the last wish to speak does not exist.
    PromptMissing,
    Key(Key),
    /// The key that was told last has been held for 800 ms.
    KeyHeld(Key),
    /// Look-up `number` of this call has ended: the values by their names, or why there are none.
    LookedUp {
        number: u64,
        found: Result<BTreeMap<String, String>, LookupFailure>,
    },
    /// The dialled party has answered.
    PartyAnswers {
        leg: LegId,
    },
    /// Busy, refused, not to be reached.
    PartyRefuses,
    /// Voicemail or message: the recording is whole.
    Recorded {
        file: String,
        length: Duration,
    },
    RecordFailed,
    /// The queue took the caller (or has them still): where they stand and how long it may take.
    Joined(Standing),
    /// The queue cannot serve now: full, or nobody is logged in.
    NotServed,
    /// The answer to `AskServed`: the queue can serve.
    Served,
    /// Nobody has been logged in for too long while the caller waited; the ticket has been taken out.
    Deserted,
    /// An agent's phone begins to ring.
    AgentRings(AgentId),
    /// That agent has refused or has not answered.
    AgentMissed {
        agent: AgentId,
        rejected: bool,
    },
    AgentAnswers {
        agent: AgentId,
        leg: LegId,
    },
    /// The first RTP packet from the agent.
    AgentHeard,
    /// The leg of the agent, or of the dialled party, is over.
    AgentLeft {
        lost: bool,
    },
    /// The agent put us on hold, or took us back.
    AgentHeld(bool),
    /// The promise's opening entry is on disk.
    PromiseWritten,
    /// The entry that makes it due is on disk.
    DueWritten,
    /// The caller has left.
    CallerLeft {
        network: bool,
    },
    /// The caller put us on hold, or took us back.
    Held(bool),
    /// An operator's order, or the end of a drain.
    HangUp,
}

/// Where a caller stands in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// 1 is next.
    pub place: u32,
    /// Expected wait, rounded up; `None` where an agent is being rung already or none is needed to be waited for.
    pub minutes: Option<u32>,
}

/// The timers of a call; one of each at most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CallTimer {
    /// Prompts start 200 ms after the 200 OK even if neither ACK nor RTP has come.
    Start,
    /// The end of listening for a key.
    Listen,
    /// Time to say place and wait again.
    Announce,
    /// The ledger has been waited for long enough: speak without "you are in the queue".
    Ledger,
    /// The agent has answered and nothing is heard of her.
    AgentMedia,
    /// The dialled party has been rung for long enough.
    Ring,
}

/// A wish of one call. The engine carries them out in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// 200 to the caller.
    Answer,
    Speak {
        play: PlayId,
        said: Vec<Spoken>,
        repeat: bool,
    },
    /// Stop what plays.
    Quiet,
    Set(CallTimer, Duration),
    Clear(CallTimer),
    /// Take a ticket, if the queue can serve.
    Join {
        queue: QueueName,
        flagged: bool,
    },
    /// Tell `Served` if this queue can take a caller now; else nothing.
    AskServed {
        queue: QueueName,
    },
    /// Tell `Joined` with the standing of now.
    AskStanding,
    /// Give the ticket back; the place is kept for a while. `abandoned`: by hanging up while waiting, which is counted.
    Leave {
        abandoned: bool,
    },
    OpenPromise {
        asked_by: AskedBy,
        queue: QueueName,
    },
    PromiseDue(Due),
    ClosePromise(Closing),
    /// Record the caller alone into this file.
    RecordMessage {
        file: String,
        silence: Duration,
    },
    /// Record both sides.
    RecordTalk {
        file: String,
    },
    /// End the recording, taking this much off its end.
    StopRecord {
        cut_tail: Duration,
    },
    Bridge {
        agent_leg: LegId,
    },
    /// Two-way speech has begun.
    Speaking,
    /// End the agent's leg; `back_to_queue` gives the caller the same ticket again.
    DropAgent {
        back_to_queue: bool,
    },
    /// Ask the world (an HTTP address of the allow-list); told as `LookedUp`.
    LookUp(Box<Query>),
    /// Nobody waits for the answers of this call's look-ups any more.
    ForgetLookUp,
    /// Ring a party that the dialplan names; told as `PartyAnswers` or `PartyRefuses`.
    Dial(Party),
    /// End the party's leg, answered or not.
    DropParty,
    /// End the caller's leg.
    HangUp {
        cause: u8,
    },
    Trace(LineDirection, String),
    /// Which way the call has gone: for coverage and for whoever follows a call.
    Walked(Walk),
}

/// One piece of what is spoken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Spoken {
    Prompt(PromptId),
    /// What only the queue knows, as of the moment in which it is said.
    Standing {
        queue: QueueName,
        of: StandingOf,
        form: Form,
    },
}

/// What of a caller's standing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StandingOf {
    Place,
    /// In minutes.
    Wait,
}

/// One question over HTTP, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    pub lookup: StepName,
    /// Of the call's look-ups.
    pub number: u64,
    pub url: String,
    pub method: Method,
    /// Sent as a JSON object of texts by a POST.
    pub body: Vec<(String, String)>,
    pub deadline: Duration,
    /// Each value's name with the JSON pointer to it.
    pub values: BTreeMap<String, String>,
}

/// Who speaks in a line of a call's trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineDirection {
    /// `>`: what people and the world did.
    World,
    /// `<`: what the engine wished.
    Engine,
}
