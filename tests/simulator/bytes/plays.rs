//! What a leg plays: the right frames in the right law at the right time, its offer and its end told when they are due.
//!
//! The first frame leaves at once or within a frame's time, the second up to 5 ms early, all others every 20 ms.

use super::wire::FRAME;
use onekey::codec::Codec;
use onekey::ids::PlayId;
use onekey::prompt::Prompt;
use onekey::time::Time;
use std::sync::Arc;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(20);
const EARLY: Duration = Duration::from_millis(5);
const LATE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub struct Playing {
    pub id: PlayId,
    prompts: Vec<Arc<Prompt>>,
    repeat: bool,
    /// The prompt and frame to come.
    prompt: usize,
    frame: usize,
    first_round: bool,
    /// When it began, or went on after a pause; frames since.
    since: Option<Time>,
    frames: u32,
    /// A talk spurt may begin.
    begins: bool,
    /// When it was ordered or last could go on.
    ready: Time,
    offer_owed: bool,
    /// It may have gone on unheard: its peer's address has not proved itself and has had its allowance.
    pub excused: bool,
}

impl Playing {
    pub fn new(now: Time, id: PlayId, prompts: &[Arc<Prompt>], repeat: bool) -> Playing {
        let prompts = prompts.iter().filter(|prompt| prompt.frames() > 0).cloned().collect();
        let (prompt, frame, since) = (0, 0, None);
        Playing {
            id,
            prompts,
            repeat,
            prompt,
            frame,
            first_round: true,
            since,
            frames: 0,
            begins: true,
            ready: now,
            offer_owed: false,
            excused: false,
        }
    }

    /// The format was settled anew: after a hold it may go on at another time, from where it was.
    pub fn resettled(&mut self, now: Time) {
        (self.begins, self.ready) = (true, now);
    }

    /// A frame leaves. `true`: it may begin a talk spurt.
    pub fn frame(&mut self, now: Time, codec: Codec, payload: &[u8]) -> Result<bool, &'static str> {
        if self.excused {
            self.catch_up(codec, payload);
        }
        if self.offer_owed {
            return Err("the end of the offer was not told");
        }
        if self.is_at_end() {
            return Err("a play goes on after its end");
        }
        let (prompt, frame) = (&self.prompts[self.prompt], self.frame);
        let same = payload.len() == FRAME && payload == prompt.frame(codec, frame);
        self.offer_owed = self.first_round && offer_frame(prompt) == Some(frame);
        self.frame += 1;
        if self.frame == prompt.frames() {
            (self.prompt, self.frame) = (self.prompt + 1, 0);
            if self.prompt == self.prompts.len() && self.repeat {
                (self.prompt, self.first_round) = (0, false);
            }
        }
        let begins = std::mem::take(&mut self.begins);
        let in_time = self.since.is_some_and(|since| self.is_due(now, since));
        if begins && !in_time {
            (self.since, self.frames) = (Some(now), 0);
        }
        self.frames += 1;
        match () {
            () if !same => Err("another frame is played than is due"),
            () if !in_time && !begins => Err("a frame is played early or late"),
            () => Ok(begins),
        }
    }

    /// Passes over frames that were not sent, up to the one that was.
    fn catch_up(&mut self, codec: Codec, payload: &[u8]) {
        (self.offer_owed, self.begins) = (false, true);
        for _ in 0..self.prompts.iter().map(|prompt| prompt.frames()).sum::<usize>() {
            let Some(prompt) = self.prompts.get(self.prompt) else { return };
            if payload == prompt.frame(codec, self.frame) {
                return;
            }
            self.frame += 1;
            if self.frame == prompt.frames() {
                (self.prompt, self.frame) = (self.prompt + 1, 0);
                if self.prompt == self.prompts.len() && self.repeat {
                    (self.prompt, self.first_round) = (0, false);
                }
            }
        }
    }

    pub fn offer_heard(&mut self) -> Result<(), &'static str> {
        if std::mem::take(&mut self.offer_owed) || self.excused {
            Ok(())
        } else {
            Err("the end of an offer is told at a wrong time")
        }
    }

    pub fn done(&self, now: Time) -> Result<(), &'static str> {
        if self.excused && !self.repeat {
            return Ok(());
        }
        if self.repeat || !self.is_at_end() {
            return Err("a play is told to be done that is not");
        }
        let in_time = match self.since {
            Some(since) => self.begins || self.is_due(now, since),
            None => now <= self.ready + TICK + LATE,
        };
        if self.offer_owed {
            return Err("the end of the offer was not told");
        }
        if in_time { Ok(()) } else { Err("the end of a play is told at a wrong time") }
    }

    /// A frame, or the end, should have come by now.
    pub fn is_overdue(&self, now: Time) -> bool {
        if self.excused {
            return false;
        }
        let grace = TICK + EARLY;
        let due = self.since.map_or(self.ready, |since| (since + TICK * self.frames).max(self.ready));
        now > due + grace
    }

    pub fn is_void(&self) -> bool {
        self.prompts.is_empty() && self.repeat
    }

    fn is_at_end(&self) -> bool {
        self.prompt >= self.prompts.len()
    }

    fn is_due(&self, now: Time, since: Time) -> bool {
        let due = since + TICK * self.frames;
        now + EARLY >= due && now <= due + LATE
    }
}

/// The frame in which the words that offer a person end.
fn offer_frame(prompt: &Prompt) -> Option<usize> {
    let ends = prompt.facts.offer_ends?.as_micros() as usize;
    Some(ends.div_ceil(20_000).max(1).min(prompt.frames()) - 1)
}
