//! The marks of a call: when each thing happened that some regulator starts or stops a clock at (DESIGN §1).

use crate::time::Time;

/// Each mark is set once, the first time it happens; `None` where it never did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// t0: INVITE received.
    pub invited: Option<Time>,
    /// t1: our 200 sent.
    pub answered: Option<Time>,
    /// t2: the first prompt begins (music does not count).
    pub first_prompt: Option<Time>,
    /// t3: the last sample of the words that offer a person has left the player.
    pub human_offered: Option<Time>,
    /// t4: a person is asked for.
    pub human_asked: Option<Time>,
    /// t5: in the queue.
    pub queued: Option<Time>,
    /// t6: an agent's phone rings (its first INVITE sent).
    pub agent_rings: Option<Time>,
    /// t7: two-way speech with a person: bridge up and RTP from the agent.
    pub speaking: Option<Time>,
    /// t8: a transfer is asked for.
    pub transfer_asked: Option<Time>,
    /// t9: the second person is connected.
    pub transferred: Option<Time>,
    /// cb0: a call-back is promised.
    pub callback_promised: Option<Time>,
    /// cb1: the call-back is connected.
    pub callback_connected: Option<Time>,
    pub ended: Option<Time>,
}
