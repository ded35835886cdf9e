//! How much is sent to an address that nothing has come from and that only its caller's SDP has named.
//!
//! Whoever calls may name anybody there, and so have a voice server flood a third party. An address that RTP has come from
//! (`latch`) has proved itself; whom the control plane trusts is not confined. All others get [`PACKETS_MAX`] in a leg's
//! whole life, re-negotiated or not: time enough for a phone behind a NAT or a relay to speak first.

/// Three seconds of sound, about 30 KB.
pub const PACKETS_MAX: u32 = 150;

#[derive(Debug)]
pub struct Allowance {
    confined: bool,
    left: u32,
}

impl Default for Allowance {
    fn default() -> Allowance {
        Allowance { confined: false, left: PACKETS_MAX }
    }
}

impl Allowance {
    pub fn confine(&mut self, confined: bool) {
        self.confined = confined;
    }

    /// May a packet leave? `is_heard`: it goes to where RTP came from.
    pub fn takes(&mut self, is_heard: bool) -> bool {
        if is_heard || !self.confined {
            return true;
        }
        let takes = self.left > 0;
        self.left = self.left.saturating_sub(1);
        takes
    }
}
