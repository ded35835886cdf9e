//! `[menu.NAME]`

use super::{Edge, Event, StepState};
use crate::ids::StepName;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Menu {
    pub name: StepName,
}

impl Menu {
    pub fn next(&self, _state: &mut StepState, _event: Event) -> Edge {
        unimplemented!()
    }
}
