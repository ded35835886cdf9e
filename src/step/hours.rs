//! `[hours.NAME]`: open or closed, by zone, weekday, holiday.

use crate::ids::StepName;
use crate::time::Wall;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hours {
    pub name: StepName,
}

impl Hours {
    pub fn open_at(&self, _at: Wall) -> bool {
        unimplemented!()
    }
}
