//! Which keys a leg must tell: each press once, on the first of its packets that the leg must take, and its hold at 800 ms.
//!
//! What was pressed is known from the phone itself, not from the packets' contents. Where the truth is unclear (a press in
//! segments, a source that came back) a second telling is forgiven, and counted.

use super::air::Sort;
use onekey::key::Key;
use onekey::media::command::MediaEvent;
use onekey::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// 800 ms, in timestamp units.
const HELD: u32 = 6400;
const LAPSE: Duration = Duration::from_millis(120);
const REMEMBERED: usize = 32;

#[derive(Debug, Default)]
pub struct Keys {
    recent: VecDeque<Press>,
    owed: VecDeque<u32>,
    held_owed: Option<u32>,
    /// Presses of which something was heard, and those of which not everything can be said.
    pub heard: u64,
    pub unclear: u64,
}

#[derive(Debug)]
struct Press {
    id: u32,
    key: Key,
    /// Units before the first segment of which something was heard.
    missed: u32,
    units: u32,
    last: Time,
    told: bool,
    held_told: bool,
    ends_told: u8,
    ended: bool,
    /// Another key was heard in between: what comes after that may be ignored.
    overtaken: bool,
    unclear: bool,
    /// Pressed before the bridge.
    private: bool,
}

impl Keys {
    /// A packet of a press is taken.
    pub fn take(&mut self, now: Time, sort: Sort) {
        let Sort::Event { press: id, key, from, units, end } = sort else { return };
        let at = match self.recent.iter().rposition(|press| press.id == id) {
            Some(at) => at,
            None => {
                let newest = self.recent.iter().all(|press| press.id < id);
                self.recent.iter_mut().for_each(|press| press.overtaken = true);
                if self.recent.len() == REMEMBERED {
                    self.recent.pop_front();
                }
                self.recent.push_back(Press {
                    id,
                    key,
                    missed: from,
                    units: 0,
                    last: now,
                    told: false,
                    held_told: false,
                    ends_told: 0,
                    ended: false,
                    overtaken: !newest,
                    unclear: false,
                    private: false,
                });
                self.owed.push_back(id);
                self.heard += 1;
                self.recent.len() - 1
            }
        };
        let press = &mut self.recent[at];
        if from > 0 && !press.unclear {
            press.unclear = true;
            self.unclear += 1;
        }
        press.last = now;
        press.units = press.units.max(units);
        let must = !(press.held_told || press.overtaken || press.ended || press.unclear);
        if must && press.units - press.missed >= HELD {
            self.held_owed = Some(id);
        }
        press.ended |= end;
    }

    /// The leg listens to another source from now on.
    pub fn source_is_new(&mut self) {
        for press in self.recent.iter_mut().filter(|press| !press.unclear) {
            press.unclear = true;
        }
    }

    /// What has been pressed so far was meant for us and not for the partner.
    pub fn bridged(&mut self) {
        self.recent.iter_mut().for_each(|press| press.private = true);
    }

    /// May the partner hear of this press? `None`: unclear.
    pub fn is_private(&self, id: u32) -> Option<bool> {
        let press = self.recent.iter().rev().find(|press| press.id == id)?;
        (!press.unclear).then_some(press.private)
    }

    pub fn told(&mut self, event: &MediaEvent) -> Result<(), &'static str> {
        match *event {
            MediaEvent::Key { key, .. } => self.told_key(key),
            MediaEvent::KeyHeld { key, .. } => self.told_held(key),
            MediaEvent::KeyEnded { key, held, .. } => self.told_end(key, held),
            _ => Ok(()),
        }
    }

    /// Everything that came with the last packet has been told?
    pub fn settle(&mut self) -> Result<(), &'static str> {
        if self.owed.is_empty() && self.held_owed.is_none() {
            return Ok(());
        }
        let untold = !self.owed.is_empty();
        self.owed.clear();
        self.held_owed = None;
        if untold { Err("a key of which a packet arrived is not told") } else { Err("a hold of 800 ms is not told") }
    }

    /// The end of each press, however many packets are lost.
    pub fn audit(&mut self, now: Time) -> Result<(), &'static str> {
        let overdue = |press: &Press| press.told && press.ends_told == 0 && now > press.last + LAPSE * 2;
        match self.recent.iter_mut().find(|press| overdue(press)) {
            Some(press) => {
                press.ends_told = 1;
                Err("the end of a key is not told")
            }
            None => Ok(()),
        }
    }

    fn told_key(&mut self, key: Key) -> Result<(), &'static str> {
        let Some(id) = self.owed.pop_front() else {
            return match self.recent.iter().rev().find(|press| press.key == key && press.told) {
                Some(press) if press.unclear => Ok(()),
                Some(_) => Err("a key is told twice for one press"),
                None => Err("a key is told that nobody pressed"),
            };
        };
        match self.recent.iter_mut().find(|press| press.id == id) {
            Some(press) if press.key == key => {
                press.told = true;
                Ok(())
            }
            _ => Err("another key is told than was pressed"),
        }
    }

    fn told_held(&mut self, key: Key) -> Result<(), &'static str> {
        let mut told = self.recent.iter_mut().rev().filter(|press| press.key == key && press.told);
        let Some(press) = told.find(|press| press.units >= HELD && (!press.held_told || press.unclear)) else {
            return Err("a hold is told before 800 ms, or twice");
        };
        press.held_told = true;
        if self.held_owed == Some(press.id) {
            self.held_owed = None;
        }
        Ok(())
    }

    fn told_end(&mut self, key: Key, held: Duration) -> Result<(), &'static str> {
        let down = |press: &Press| press.key == key && press.told;
        // A hold that went on after a gap has a second end.
        let again = |press: &Press| down(press) && (press.ends_told < 2 && press.held_told || press.unclear);
        let first = self.recent.iter().position(|press| down(press) && press.ends_told == 0);
        let Some(at) = first.or_else(|| self.recent.iter().position(again)) else {
            return Err("the end of a key is told that is not down");
        };
        let press = &mut self.recent[at];
        press.ends_told = press.ends_told.saturating_add(1);
        let most = Duration::from_micros(u64::from(press.units) * 125);
        if held > most && !press.unclear { Err("a key is told to have been down longer than it was") } else { Ok(()) }
    }
}
