//! What a caller hears: prompts, music, numbers. Nothing of it before the caller can hear.

use super::Call;
use super::event::{CallTimer, Effect, LineDirection, Standing};
use crate::ids::{PlayId, PromptId};
use crate::prompt::spoken;

impl Call {
    /// Speaks prompts by id; returns the play, so that its end can be told from an older one's.
    pub(super) fn speak(&mut self, prompts: Vec<PromptId>) -> PlayId {
        if self.marks.human_asked.is_none() {
            self.prompts += prompts.len() as u32;
        }
        let names: Vec<&str> = prompts.iter().map(PromptId::as_str).collect();
        self.trace(LineDirection::Engine, format!("play {}", names.join(" ")));
        self.plays += 1;
        let play = PlayId(self.plays);
        self.play(Effect::Speak { play, prompts, repeat: false });
        play
    }

    /// Queue and phones do not wait for the caller's ACK, but words do: their beginning would be lost.
    pub(super) fn play(&mut self, effect: Effect) {
        if !self.hears {
            self.unheard = Some(effect);
            return;
        }
        if let Effect::Speak { repeat: false, .. } = effect {
            self.marks.first_prompt = self.marks.first_prompt.or(Some(self.now.time));
        }
        self.effects.push(effect);
    }

    pub(super) fn hears_now(&mut self) {
        if !std::mem::replace(&mut self.hears, true) {
            self.effects.push(Effect::Clear(CallTimer::Start));
            if let Some(effect) = self.unheard.take() {
                self.play(effect);
            }
        }
    }

    pub(super) fn quiet(&mut self) {
        self.unheard = None;
        self.effects.push(Effect::Quiet);
    }

    pub(super) fn music(&mut self, prompt: PromptId) {
        self.plays += 1;
        self.play(Effect::Speak { play: PlayId(self.plays), prompts: vec![prompt], repeat: true });
    }
}

pub(super) fn prompt(id: &str) -> PromptId {
    PromptId::new(id)
}

/// The pieces that say where a caller stands: "your place in the queue is … three; the wait is about … two minutes".
pub(super) fn standing_prompts(standing: Standing) -> Vec<PromptId> {
    let mut said = vec![prompt(spoken::PLACE_IS)];
    said.extend(number_prompts(standing.place, spoken::number));
    said.push(prompt(spoken::PLACE_UNIT));
    if let Some(minutes) = standing.minutes {
        said.push(prompt(spoken::WAIT_IS));
        said.extend(number_prompts(minutes, spoken::count));
        said.push(prompt(if minutes == 1 { spoken::WAIT_UNIT_ONE } else { spoken::WAIT_UNIT }));
    }
    said
}

pub(super) fn number_prompts(value: u32, form: fn(u32) -> String) -> Vec<PromptId> {
    let number = PromptId::new(form(value));
    if value > 100 { vec![prompt(spoken::MORE_THAN), number] } else { vec![number] }
}
