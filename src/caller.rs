//! A caller as the registry knows one: hashed, with ages as months, never a birth date (DESIGN §9).

use crate::ids::Language;
use std::collections::BTreeSet;

/// Keyed hash of an E.164 number: the registry's key. The number cannot be had from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NumberHash(pub [u8; 16]);

/// What the registry says of one number, today.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallerFacts {
    /// The ages of `registry.thresholds` that have been reached.
    pub ages_reached: BTreeSet<u8>,
    /// Such as `assist`.
    pub flags: BTreeSet<String>,
    pub language: Option<Language>,
}
