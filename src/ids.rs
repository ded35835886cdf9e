//! One newtype for each thing that could be mistaken for another.
//!
//! Numbers are handed out by the engine in the order of events, so the same input gives the same numbers.
//! Names are shared text: cloning one costs a counter.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: impl AsRef<str>) -> $name {
                $name(Arc::from(text.as_ref()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

number!(
    /// One caller's whole journey, from the first INVITE to the record.
    CallId,
    "call-"
);
number!(
    /// One side of a call: a SIP dialog and an RTP stream.
    LegId,
    "leg-"
);
number!(
    /// One order to play prompts on a leg, so that a late "it has ended" cannot be taken for a newer one's.
    PlayId,
    "play-"
);
number!(
    /// A caller's place in a queue.
    TicketId,
    "ticket-"
);
number!(
    /// An entry of the promise ledger. Unique over restarts: made from the wall clock and a counter.
    PromiseId,
    "promise-"
);

name!(
    /// The user part under which an agent's phone registers, such as `1001`.
    AgentId
);
name!(
    /// `[queue.NAME]`
    QueueName
);
name!(
    /// `[line.NAME]`
    LineName
);
name!(
    /// The name of any step: `[menu.NAME]`, `[play.NAME]` and so on.
    StepName
);
name!(
    /// The id of a prompt in `prompts/<language>/prompts.toml`.
    PromptId
);
name!(
    /// A folder under `prompts/`, such as `en` or `zh`.
    Language
);

/// Which media worker (thread) serves a leg. Both legs of a call share one, so a bridge never crosses threads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WorkerId(pub u16);
