//! `[play.NAME]`

use super::{Edge, Event, StepState};
use crate::ids::StepName;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Play {
    pub name: StepName,
}

impl Play {
    pub fn next(&self, _state: &mut StepState, _event: Event) -> Edge {
        unimplemented!()
    }
}
