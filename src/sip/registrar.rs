//! Agents' accounts and where their phones are (RFC 3261 §10).

use super::Flow;
use crate::ids::AgentId;
use crate::time::Wall;

/// Which digest challenges an agent's phone is sent (RFC 8760; some phones break off at any SHA-256 challenge).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DigestChoice {
    #[default]
    Md5,
    Sha256,
    Both,
}

/// An agent's account as the SIP side needs it: no password, only the hashes H(name:realm:password).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentAccount {
    pub agent: AgentId,
    /// Hexadecimal.
    pub ha1_md5: String,
    /// Hexadecimal.
    pub ha1_sha256: String,
    pub digest: DigestChoice,
}

/// One phone of an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The Contact URI as the phone gave it: request URI of what we send there.
    pub contact: String,
    /// Where it really is: the path by which the REGISTER came.
    pub flow: Flow,
    pub expires: Wall,
    /// Call-ID and CSeq of the REGISTER, to tell late repeats (RFC 3261 §10.3 step 7).
    pub call_id: String,
    pub cseq: u32,
}
