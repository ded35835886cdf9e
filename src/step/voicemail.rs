//! `[voicemail.NAME]`

use super::{Edge, Event, StepState};
use crate::ids::StepName;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Voicemail {
    pub name: StepName,
}

impl Voicemail {
    pub fn next(&self, _state: &mut StepState, _event: Event) -> Edge {
        unimplemented!()
    }
}
