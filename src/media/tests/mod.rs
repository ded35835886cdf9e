//! The data plane from outside, under virtual time: one file for each thing that a caller would notice.
//!
//! What the single parts do by themselves is tested in their own files.

mod bridging;
mod confined;
mod hearing;
mod junk;
mod keys;
mod keys_model;
mod opening;
mod pacing;
mod recording;
mod reports;
mod sending_keys;

use crate::media::MediaOutput;

/// The names of wishes, in order.
fn kinds(wishes: &[MediaOutput]) -> Vec<String> {
    let name = |wish| format!("{wish:?}").split([' ', '(', '{']).next().unwrap_or_default().to_string();
    wishes.iter().map(name).collect()
}
