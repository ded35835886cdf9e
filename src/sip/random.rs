//! Tags, branches, Call-IDs and pauses from one seeded cryptographic generator: the same seed gives the same messages.
//!
//! Nonces come from the digest's own key, which is drawn here once.

use super::transaction::MAGIC_COOKIE;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

#[derive(Debug)]
pub struct Random(ChaCha20Rng);

impl Random {
    pub fn new(seed: [u8; 32]) -> Random {
        Random(ChaCha20Rng::from_seed(seed))
    }

    /// At least 32 random bits are asked for (RFC 3261 §19.3); these are 64.
    pub fn tag(&mut self) -> String {
        format!("{:016x}", self.0.next_u64())
    }

    pub fn branch(&mut self) -> String {
        format!("{MAGIC_COOKIE}{:016x}{:08x}", self.0.next_u64(), self.0.next_u32())
    }

    /// Without a host: that would show an address of ours to everybody (RFC 3261 §8.1.1.4 leaves it out).
    pub fn call_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.0.next_u64(), self.0.next_u64())
    }

    /// Seconds for a Retry-After of 0 to 10 (RFC 3261 §14.2).
    pub fn retry_seconds(&mut self) -> u32 {
        self.0.next_u32() % 11
    }

    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }
}
