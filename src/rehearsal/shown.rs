//! What somebody who walks through a plan is shown: facts of the call, put in words. Where and how they appear is the
//! terminal's business.

use super::choices::answers;
use super::seen::Seen;
use crate::call::event::LineDirection;
use crate::dialplan::Dialplan;
use crate::prompt::Prompt;
use crate::script::{Script, act_words, registry_words};
use crate::step::link::Walk;
use crate::step::{Event, Step};
use std::sync::Arc;
use std::time::Duration;

/// Keeps what was shown, so that nothing is said twice.
pub struct Shown {
    plan: Arc<Dialplan>,
    sounds: Sounds,
    /// Until when a key is awaited.
    awaits: Option<Duration>,
    /// What the last step did, for what keys do now.
    last: Option<Walk>,
    hint: String,
    last_act: String,
}

/// What the caller hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sounds {
    Nothing,
    WordsUntil(Duration),
    Music,
}

impl Shown {
    pub fn new(plan: Arc<Dialplan>) -> Shown {
        Shown { plan, sounds: Sounds::Nothing, awaits: None, last: None, hint: String::new(), last_act: String::new() }
    }

    /// Who calls which line, and when.
    pub fn opening(&self, script: &Script) -> String {
        let agents: Vec<&str> = script.agents.iter().map(|agent| agent.as_str()).collect();
        let agents = if agents.is_empty() { "none".to_owned() } else { agents.join(" ") };
        let numbers = self.plan.lines.get(script.line.as_str()).map(|line| line.numbers.join(" "));
        format!(
            "line {} ({}), caller {}, registry {}, agents {agents}, at {}",
            script.line,
            numbers.unwrap_or_default(),
            script.caller.as_deref().unwrap_or("withheld"),
            registry_words(&script.registry),
            script.at.as_deref().unwrap_or(super::MOMENT),
        )
    }

    /// The lines for one fact.
    pub fn tell(&mut self, at: Duration, seen: &Seen) -> Vec<String> {
        match seen {
            Seen::Did(act) => {
                self.last_act = act_words(act);
                vec![timed(at, '>', &self.last_act)]
            }
            Seen::Traced(LineDirection::Engine, words) => vec![timed(at, '<', words)],
            Seen::Traced(LineDirection::World, words) => self.happened(at, words),
            Seen::Played { prompts, is_music } => self.played(at, prompts, *is_music),
            Seen::Heard | Seen::Stopped | Seen::Ended => {
                self.sounds = Sounds::Nothing;
                Vec::new()
            }
            Seen::LooksUp(name) => self.looks_up(name),
            Seen::Walked(walk) => self.walked(at, walk),
        }
    }

    /// What the world did by itself; what somebody chose has been shown as they did it.
    fn happened(&self, at: Duration, words: &str) -> Vec<String> {
        let is_of_world = ["agent ", "party ", "lookup "].iter().any(|who| words.starts_with(who));
        let is_chosen = self.last_act.starts_with(words);
        if is_of_world && !is_chosen { vec![timed(at, '>', words)] } else { Vec::new() }
    }

    fn played(&mut self, at: Duration, prompts: &[Arc<Prompt>], is_music: bool) -> Vec<String> {
        self.awaits = None;
        if is_music {
            self.sounds = Sounds::Music;
            return vec![beside("(music)")];
        }
        let length = prompts.iter().map(|prompt| prompt.facts.length).sum();
        self.sounds = Sounds::WordsUntil(at + length);
        let texts: Vec<&str> = prompts.iter().map(|prompt| prompt.facts.text.trim()).collect();
        let words = texts.iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join(" ");
        vec![beside(&format!("\"{words}\" ({:.1} s)", length.as_secs_f64()))]
    }

    fn looks_up(&self, name: &str) -> Vec<String> {
        let mut lines = vec![beside(&format!("look-up {name} waits for its answer, and the clock with it:"))];
        let answers = answers(&self.plan, name);
        let numbered = answers.iter().take(9).enumerate();
        lines.extend(numbered.map(|(index, (words, _))| beside(&format!("{} {words}", index + 1))));
        lines
    }

    fn walked(&mut self, at: Duration, walk: &Walk) -> Vec<String> {
        self.last = Some(walk.clone());
        self.awaits = walk.awaits.map(|length| at + length);
        let Some(length) = walk.awaits else { return Vec::new() };
        vec![format!("{:>5.1}    a key is awaited for {:.1} s", at.as_secs_f64(), length.as_secs_f64())]
    }

    /// What keys do where the caller is, if that is not what was shown last.
    pub fn hint(&mut self, place: &str) -> Option<String> {
        let hint = self.keys(place);
        if hint == self.hint {
            return None;
        }
        self.hint.clone_from(&hint);
        (!hint.is_empty()).then(|| beside(&hint))
    }

    /// One line for now: the clock, where the caller is, and what is awaited.
    pub fn status(&self, now: Duration, place: &str) -> String {
        let left = |until: Duration| until.saturating_sub(now).as_secs_f64();
        let doing = match (self.sounds, self.awaits) {
            (Sounds::WordsUntil(until), _) => format!("speaks for another {:.1} s", left(until)),
            (Sounds::Nothing, Some(until)) => format!("awaits a key for another {:.1} s", left(until)),
            (Sounds::Music, _) => "music".to_owned(),
            (Sounds::Nothing, None) => String::new(),
        };
        format!("{:>5.1}  [{place}] {doing}", now.as_secs_f64())
    }

    fn keys(&self, place: &str) -> String {
        match place.split_once(' ').map_or((place, ""), |(kind, name)| (kind, name)) {
            ("gate", _) => "keys: 0 a person, any other the menu; silence leads to a person".into(),
            ("queue", _) => "keys: 0 says the place, 1 asks for a call-back; a, r: the agent answers, rejects".into(),
            ("talking", _) => "they talk; e: the agent hangs up, q: the caller does".into(),
            ("kept", _) => "keys: 0 a person, 1 a message; silence: a call-back".into(),
            _ => self.keys_of_step(place),
        }
    }

    fn keys_of_step(&self, place: &str) -> String {
        let Some(last) = self.last.as_ref().filter(|walk| walk.at.to_string() == place) else { return String::new() };
        let is_on = last.to.is_none();
        match self.plan.step(&last.at) {
            Some(Step::Menu(menu)) => {
                let keys = menu.keys.iter().map(|(key, target)| format!("{} {target}", key.as_char()));
                format!("keys: {}, 0 a person", keys.collect::<Vec<_>>().join(", "))
            }
            Some(Step::Collect(collect)) if collect.confirm && matches!(last.event, Event::Checked { good: true }) => {
                "keys: 1 it is right, 2 enter it again, 0 a person".into()
            }
            Some(Step::Collect(collect)) => {
                let digits = match (collect.least, collect.most) {
                    (least, most) if least == most => least.to_string(),
                    (least, most) => format!("{least} to {most}"),
                };
                let end = collect.end_key.map(|key| format!(", {} ends", key.as_char())).unwrap_or_default();
                format!("keys: {digits} digits{end}, * begins anew; 0 alone, or held (h): a person")
            }
            Some(Step::Play(_) | Step::Say(_)) if is_on && matches!(last.event, Event::Spoken | Event::Key(_)) => {
                "keys: 9 or * again, 0 a person; silence goes on".into()
            }
            Some(Step::Play(_) | Step::Say(_)) => "keys: 0 a person, any other skips".into(),
            Some(Step::Voicemail(_) | Step::Callback(_)) => "keys: 0 a person, any other ends the message".into(),
            Some(Step::Dial(_)) => "keys: 0 a person; a, r: the other side answers, rejects; e hangs up".into(),
            Some(Step::Lookup(_)) => "keys: 0 a person".into(),
            Some(Step::Hours(_) | Step::Set(_) | Step::Queue(_) | Step::HangUp(_)) | None => String::new(),
        }
    }
}

fn timed(at: Duration, direction: char, words: &str) -> String {
    format!("{:>5.1}  {direction} {words}", at.as_secs_f64())
}

fn beside(words: &str) -> String {
    format!("         {words}")
}
