//! Takes a fuzzer's bytes apart into choices. When they are used up, every further choice is 0.

use std::time::Duration;

/// The bytes that are left.
#[derive(Clone, Debug)]
pub struct Take<'a>(&'a [u8]);

impl<'a> Take<'a> {
    pub fn new(bytes: &'a [u8]) -> Take<'a> {
        Take(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    pub fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    pub fn long(&mut self) -> u32 {
        u32::from(self.word()) | u32::from(self.word()) << 16
    }

    pub fn is_set(&mut self, bit: u8) -> bool {
        self.byte() >> bit & 1 == 1
    }

    /// 0 to below `sides`.
    pub fn below(&mut self, sides: usize) -> usize {
        usize::from(self.byte()) % sides.max(1)
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// At most so many bytes.
    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A length, then so many bytes.
    pub fn chunk(&mut self) -> &'a [u8] {
        let length = self.word();
        self.bytes(usize::from(length))
    }

    /// 0 to 65 s, short ones with the finest steps.
    pub fn pause(&mut self) -> Duration {
        let byte = u64::from(self.byte());
        Duration::from_millis(byte * byte)
    }
}
