//! `[hangup.NAME]`

use super::{Edge, Event, StepState};
use crate::ids::StepName;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HangUp {
    pub name: StepName,
}

impl HangUp {
    pub fn next(&self, _state: &mut StepState, _event: Event) -> Edge {
        unimplemented!()
    }
}
