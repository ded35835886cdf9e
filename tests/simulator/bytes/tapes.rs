//! Recordings, kept in memory and listened to when they are closed: as long as they should be, everybody on his own side,
//! frames in order and (nearly) all there, nobody else's voice.
//!
//! The disk answers 5 ms after a file is closed or has failed, as the shell's writing thread would; it may refuse to record.

use super::wire::{FRAME, read_samples};
use onekey::ids::LegId;
use onekey::media::command::{MediaCommand, RecordChannels};
use onekey::time::Time;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

pub const DISK: Duration = Duration::from_millis(5);
/// Longest that can be cut off the end: a second.
const CUT_MAX: u64 = 8000;
/// Frames that may be missing at both ends together.
const EDGES: u32 = 15;

/// What the plane must be told of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Closed,
    Failed,
}

#[derive(Debug, Default)]
pub struct Tapes {
    pub fails: bool,
    /// Being recorded, by the listener's own account; the plane has opened the file or will at once.
    running: BTreeMap<LegId, Tape>,
    /// Ended, and to be told: file, length and when.
    owed: BTreeMap<LegId, VecDeque<(PathBuf, Duration, Time)>>,
    /// Answers of the disk, in their order.
    answers: BTreeMap<LegId, VecDeque<Answer>>,
    /// The disk's view of open files.
    open: BTreeMap<LegId, bool>,
    /// The air has changed shortly before.
    disturbed_until: Time,
    /// Seconds recorded, so that an idle listener is seen.
    pub seconds: u64,
}

#[derive(Debug)]
struct Tape {
    file: PathBuf,
    channels: usize,
    began: Time,
    silence: Option<Duration>,
    loud: Time,
    /// Ordered to end, so much before now.
    ending: Option<Duration>,
    samples: Vec<i16>,
    sides: [Side; 2],
    /// The air has changed: sound may have been laid anew, over what was there.
    disturbed: bool,
}

/// Who may be heard on a side, and how much of them came.
#[derive(Debug, Default)]
struct Side {
    speakers: Vec<u16>,
    newest: Option<u32>,
    frames: u32,
}

impl Tapes {
    /// What an order means for the recordings; before the plane gets it.
    pub fn order(&mut self, command: &MediaCommand) {
        let (leg, cut) = match command {
            MediaCommand::Record { leg, .. } | MediaCommand::Close { leg } => (leg, Duration::ZERO),
            MediaCommand::StopRecord { leg, cut_tail } => (leg, *cut_tail),
            _ => return,
        };
        if let Some(tape) = self.running.get_mut(leg) {
            tape.ending = Some(cut);
        }
    }

    /// After the plane has had the order: a new recording is open, an ended one is closed.
    pub fn ordered(&self, command: &MediaCommand) -> Result<(), &'static str> {
        match command {
            MediaCommand::Record { leg, file, silence, .. } => {
                let fits = |tape: &&Tape| tape.file == *file && tape.silence == *silence;
                self.running.get(leg).filter(fits).map(|_| ()).ok_or("a recording does not begin")
            }
            MediaCommand::StopRecord { leg, .. } | MediaCommand::Close { leg } if self.running.contains_key(leg) => {
                Err("a recording does not end")
            }
            _ => Ok(()),
        }
    }

    /// The plane opens a file. `true`: the disk has an answer.
    pub fn open(
        &mut self,
        now: Time,
        leg: LegId,
        file: PathBuf,
        channels: RecordChannels,
        order: &MediaCommand,
    ) -> bool {
        let silence = match order {
            MediaCommand::Record { silence, .. } => *silence,
            _ => None,
        };
        let tape = Tape {
            file,
            channels: if channels == RecordChannels::Two { 2 } else { 1 },
            began: now,
            silence,
            loud: now,
            ending: None,
            samples: Vec::new(),
            sides: Default::default(),
            disturbed: now < self.disturbed_until,
        };
        self.running.insert(leg, tape);
        self.open.insert(leg, !self.fails);
        if self.fails {
            self.answers.entry(leg).or_default().push_back(Answer::Failed);
        }
        self.fails
    }

    /// The plane writes. `Ok(true)`: the disk has an answer.
    pub fn write(&mut self, leg: LegId, samples: &[i16]) -> Result<bool, &'static str> {
        let Some(tape) = self.running.get_mut(&leg) else { return Err("samples are written that nobody records") };
        tape.samples.extend_from_slice(samples);
        if self.fails && self.open.get(&leg) == Some(&true) {
            self.open.insert(leg, false);
            self.answers.entry(leg).or_default().push_back(Answer::Failed);
            return Ok(true);
        }
        Ok(false)
    }

    /// The plane closes the file. `true`: the disk has an answer.
    pub fn close(&mut self, now: Time, leg: LegId) -> (bool, Result<(), &'static str>) {
        let Some(tape) = self.running.remove(&leg) else { return (false, Err("a file is closed that nobody records")) };
        let whole = self.open.remove(&leg) == Some(true);
        if whole {
            self.answers.entry(leg).or_default().push_back(Answer::Closed);
        }
        let frames = (tape.samples.len() / tape.channels) as u64;
        self.seconds += frames / 8000;
        let length = Duration::from_micros(frames * 125);
        self.owed.entry(leg).or_default().push_back((tape.file.clone(), length, now));
        (whole, tape.judge(now, frames))
    }

    /// The disk's oldest answer for a leg; what the plane must tell of it is settled by [`Tapes::failed`].
    pub fn answer(&mut self, leg: LegId) -> Option<Answer> {
        self.answers.get_mut(&leg)?.pop_front()
    }

    /// `Recorded` is told.
    pub fn recorded(&mut self, leg: LegId, file: &PathBuf, length: Duration) -> Result<(), &'static str> {
        match self.owed.get_mut(&leg).and_then(VecDeque::pop_front) {
            Some((whole, long, _)) if (&whole, long) == (file, length) => Ok(()),
            Some(_) => Err("a recording is told with another file or length"),
            None => Err("a recording is told that has not ended"),
        }
    }

    /// `RecordFailed` is told: it stands for all that the leg records.
    pub fn failed(&mut self, leg: LegId) -> Result<(), &'static str> {
        let closing = self.owed.get_mut(&leg).and_then(VecDeque::pop_front).is_some();
        let running = self.running.remove(&leg).is_some();
        if closing || running { Ok(()) } else { Err("a recording fails that nobody made") }
    }

    /// A marked frame is taken on one side of a leg's recording.
    pub fn hear(&mut self, now: Time, leg: LegId, right: bool, speaker: u16, number: u32) {
        if self.running.is_empty() {
            return;
        }
        let Some(tape) = self.running.get_mut(&leg).filter(|tape| tape.began <= now) else { return };
        if !right {
            tape.loud = now;
        }
        let side = &mut tape.sides[usize::from(right)];
        if side.speakers.last() != Some(&speaker) {
            side.speakers.push(speaker);
            side.newest = None;
        }
        if side.newest.is_none_or(|newest| newest < number) {
            side.newest = Some(number);
            side.frames += 1;
        }
    }

    /// The air changes: what was sent before that arrives at once with what was sent after it.
    pub fn disturb(&mut self, now: Time) {
        self.disturbed_until = now + Duration::from_secs(1);
        self.running.values_mut().for_each(|tape| tape.disturbed = true);
    }

    /// Everything that has ended is told soon, and a silent one ends.
    pub fn audit(&mut self, now: Time) -> Option<(LegId, &'static str)> {
        let late =
            |told: &VecDeque<(PathBuf, Duration, Time)>| told.front().is_some_and(|(_, _, at)| now > *at + DISK * 2);
        if let Some((leg, told)) = self.owed.iter_mut().find(|(_, told)| late(told)) {
            told.pop_front();
            return Some((*leg, "the end of a recording is not told"));
        }
        let overdue = |tape: &Tape| tape.silence.is_some_and(|silence| now > tape.loud + silence + DISK);
        let (leg, tape) = self.running.iter_mut().find(|(_, tape)| overdue(tape))?;
        tape.silence = None;
        Some((*leg, "silence does not end a recording"))
    }
}

impl Tape {
    fn judge(&self, now: Time, frames: u64) -> Result<(), &'static str> {
        let lasted = now.since(self.began).as_micros() as u64 / 125;
        let cut = self.ending.map_or(0, |cut| (cut.as_micros() as u64 / 125).min(CUT_MAX));
        if self.ending.is_none() && self.silence.is_none_or(|silence| now < self.loud + silence) {
            return Err("a recording ends that should go on");
        }
        let whole = lasted.saturating_sub(cut);
        // What was given out already stays.
        if frames.abs_diff(whole) > 8 {
            return Err("a recording has a wrong length");
        }
        (0..self.channels).try_for_each(|channel| self.judge_side(channel, cut as u32))
    }

    fn judge_side(&self, channel: usize, cut: u32) -> Result<(), &'static str> {
        let side = &self.sides[channel];
        let (mut at, mut found, mut last) = (0, 0, None::<(u16, u32)>);
        let count = self.samples.len() / self.channels;
        while at + FRAME <= count {
            let sample = |at: usize| self.samples[at * self.channels + channel];
            let marked = if sample(at) == 0 { None } else { read_samples((at..count).map(sample)) };
            let Some((speaker, number)) = marked else {
                at += 1;
                continue;
            };
            if !side.speakers.contains(&speaker) {
                return Err("somebody is recorded who was not to be heard");
            }
            if !self.disturbed && last.is_some_and(|(who, newest)| who == speaker && newest >= number) {
                return Err("a recording is out of order");
            }
            last = Some((speaker, number));
            found += 1;
            at += FRAME;
        }
        let streams = side.speakers.len().max(1) as u32;
        let expected = (side.frames * 17 / 20).saturating_sub(EDGES * streams + cut / FRAME as u32);
        if found < expected && !self.disturbed {
            return Err("a recording lacks what was said");
        }
        Ok(())
    }
}
