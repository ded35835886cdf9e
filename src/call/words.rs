//! What a caller hears: prompts, music, numbers. Nothing of it before the caller can hear.

use super::Call;
use super::event::{CallTimer, Effect, LineDirection, Spoken, Standing, StandingOf};
use crate::ids::{PlayId, PromptId};
use crate::prompt::spoken;
use crate::saying::{self, Currency, Form};
use crate::variable::{Variable, Word};

impl Call {
    /// Speaks prompts by id; returns the play, so that its end can be told from an older one's.
    pub(super) fn speak(&mut self, prompts: Vec<PromptId>) -> PlayId {
        let names = prompts.iter().map(PromptId::to_string).collect();
        self.say(names, prompts.into_iter().map(Spoken::Prompt).collect())
    }

    /// Speaks prompts and values; `None` where a value is not known or is none of its form: then nothing is heard. The
    /// trace names the values and does not tell them: a balance is nobody's but the caller's.
    pub(super) fn speak_words(&mut self, words: &[Word]) -> Option<PlayId> {
        let mut said = Vec::new();
        for word in words {
            match word {
                Word::Prompt(id) => said.push(Spoken::Prompt(id.clone())),
                Word::Value { of, form, currency } => said.extend(self.say_value(of, *form, *currency)?),
            }
        }
        Some(self.say(words.iter().map(Word::to_string).collect(), said))
    }

    fn say_value(&self, of: &Variable, form: Form, currency: Currency) -> Option<Vec<Spoken>> {
        let standing = |of| Some(vec![Spoken::Standing { queue: self.line_plan().human.to.clone(), of, form }]);
        match of {
            Variable::QueuePosition => standing(StandingOf::Place),
            Variable::QueueWait => standing(StandingOf::Wait),
            of => {
                let value = self.value(of)?;
                let pieces = saying::pieces(self.language.as_str(), form, currency, &value).ok()?;
                Some(pieces.into_iter().map(Spoken::Prompt).collect())
            }
        }
    }

    /// What the call knows under this name.
    pub(super) fn value(&self, of: &Variable) -> Option<String> {
        match of {
            Variable::CallerLanguage => Some(self.language.as_str().to_owned()),
            of => self.known.get(of).cloned(),
        }
    }

    fn say(&mut self, names: Vec<String>, said: Vec<Spoken>) -> PlayId {
        if self.marks.human_asked.is_none() {
            self.prompts += names.len() as u32;
        }
        self.trace(LineDirection::Engine, format!("play {}", names.join(" ")));
        self.plays += 1;
        let play = PlayId(self.plays);
        self.play(Effect::Speak { play, said, repeat: false });
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
        self.play(Effect::Speak { play: PlayId(self.plays), said: vec![Spoken::Prompt(prompt)], repeat: true });
    }
}

pub(super) fn prompt(id: &str) -> PromptId {
    PromptId::new(id)
}

/// The pieces that say where a caller stands: "you are … third … in the queue; the wait is about … two minutes". A
/// language without a grammar says the number.
pub(super) fn standing_prompts(language: &str, standing: Standing) -> Vec<PromptId> {
    let mut said = vec![prompt(spoken::PLACE_IS)];
    let place = saying::pieces(language, Form::Ordinal, Currency::Usd, &standing.place.to_string());
    said.extend(place.unwrap_or_else(|_| number_prompts(standing.place, spoken::number)));
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
