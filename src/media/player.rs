//! What plays on a leg: prompts one after the other, frame by frame, from sound that was encoded when it was loaded.
//!
//! Knows nothing of time: the wheel asks for a frame every 20 ms. A play that is paused simply is not asked.

use crate::codec::{Codec, FRAME_MS};
use crate::ids::PlayId;
use crate::prompt::Prompt;
use std::sync::Arc;

/// One order to play, with the place that it has reached.
#[derive(Debug)]
pub struct Play {
    pub id: PlayId,
    prompts: Vec<Arc<Prompt>>,
    /// The one that is heard, held here too: the list would be one more place in memory to wait for at each frame.
    playing: Option<Arc<Prompt>>,
    /// Whether it begins again after the last prompt.
    pub repeat: bool,
    prompt: usize,
    frame: usize,
    first_round: bool,
}

/// The next 20 ms.
#[derive(Debug)]
pub struct Frame<'a> {
    pub bytes: &'a [u8],
    /// The words that offer a person end in this frame (told in the first round only).
    pub offer_ends: bool,
}

impl Play {
    pub fn new(id: PlayId, mut prompts: Vec<Arc<Prompt>>, repeat: bool) -> Play {
        prompts.retain(|prompt| prompt.frames() > 0);
        let playing = prompts.first().cloned();
        Play { id, prompts, playing, repeat, prompt: 0, frame: 0, first_round: true }
    }

    /// Steps on by one frame; `None` after the last. The codec may change from one frame to the next.
    pub fn next(&mut self, codec: Codec) -> Option<Frame<'_>> {
        if self.playing.as_ref().is_none_or(|playing| self.frame == playing.frames()) {
            self.turn_over()?;
        }
        let playing = self.playing.as_deref()?;
        let frame = self.frame;
        self.frame += 1;
        let offer_ends = self.first_round && offer_frame(playing) == Some(frame);
        Some(Frame { bytes: playing.frame(codec, frame), offer_ends })
    }

    /// On to the next prompt, or to the first one again; `None` after the last.
    fn turn_over(&mut self) -> Option<()> {
        self.prompt += 1;
        if self.prompt >= self.prompts.len() {
            if !self.repeat {
                return None;
            }
            (self.prompt, self.first_round) = (0, false);
        }
        self.frame = 0;
        self.playing = Some(self.prompts.get(self.prompt)?.clone());
        Some(())
    }
}

/// The frame that holds the last sample of the offer.
fn offer_frame(prompt: &Prompt) -> Option<usize> {
    let ends_us = prompt.facts.offer_ends?.as_micros() as usize;
    let frame = ends_us.div_ceil(FRAME_MS as usize * 1000).saturating_sub(1);
    Some(frame.min(prompt.frames().saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::rig::prompt;
    use std::time::Duration;

    fn first_bytes(play: &mut Play, count: usize) -> Vec<u8> {
        (0..count).map_while(|_| play.next(Codec::Pcmu).map(|frame| frame.bytes[0])).collect()
    }

    #[test]
    fn prompts_follow_each_other_and_end() {
        let mut play = Play::new(PlayId(1), vec![prompt(10, 2, None), prompt(20, 0, None), prompt(30, 1, None)], false);
        assert_eq!(first_bytes(&mut play, 9), [10, 11, 30]);
    }

    #[test]
    fn a_repeated_play_has_no_seam_and_one_of_nothing_does_not_hang() {
        let mut play = Play::new(PlayId(1), vec![prompt(10, 2, None), prompt(30, 1, None)], true);
        assert_eq!(first_bytes(&mut play, 7), [10, 11, 30, 10, 11, 30, 10]);
        assert!(Play::new(PlayId(1), vec![prompt(1, 0, None)], true).next(Codec::Pcmu).is_none());
    }

    #[test]
    fn the_offer_ends_in_the_frame_of_its_last_sample_and_once() {
        for (ends_ms, expected) in [(0, 0), (1, 0), (20, 0), (21, 1), (60, 2), (900, 2)] {
            let offer = prompt(0, 3, Some(Duration::from_millis(ends_ms)));
            let mut play = Play::new(PlayId(1), vec![offer], true);
            let ends: Vec<bool> = (0..6).map(|_| play.next(Codec::Pcma).unwrap().offer_ends).collect();
            assert_eq!(ends.iter().position(|ends| *ends), Some(expected), "{ends_ms} ms");
            assert_eq!(ends.iter().filter(|ends| **ends).count(), 1);
        }
    }
}
