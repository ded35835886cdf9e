//! Session descriptions (RFC 8866) and their offer/answer (RFC 3264), for one G.711 audio stream with RFC 4733 events.

use crate::codec::{Codec, Direction, StreamFormat};
use std::net::{IpAddr, SocketAddr};

/// Our side of a description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalMedia {
    /// What stands in `c=`: the advertised address or the local one.
    pub address: IpAddr,
    pub port: u16,
    /// Accepted, best first. In an answer the peer's order decides among these (its first match).
    pub codecs: Vec<Codec>,
    pub direction: Direction,
    /// `o=` session id; the same for the whole dialog.
    pub session_id: u64,
    /// `o=` version; one more with each changed description.
    pub version: u64,
}

/// Why an offer or answer cannot be used; the INVITE is refused with this status (400 unreadable, 488 not acceptable).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    pub status: u16,
    pub reason: String,
}

/// The answer to an offer, and what was agreed.
pub fn answer(_offer: &[u8], _local: &LocalMedia) -> Result<(Vec<u8>, StreamFormat), Refused> {
    unimplemented!()
}

/// An offer of ours.
pub fn offer(_local: &LocalMedia) -> Vec<u8> {
    unimplemented!()
}

/// What the answer to our offer settled.
pub fn settled(_offered: &LocalMedia, _answer: &[u8]) -> Result<StreamFormat, Refused> {
    unimplemented!()
}

/// Where the peer says that its media comes from; for trust decisions before an answer is made.
pub fn remote_address(_description: &[u8]) -> Option<SocketAddr> {
    unimplemented!()
}
