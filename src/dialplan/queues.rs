//! The section `[queue.NAME]`: who serves, how callers wait, where they go when nobody can serve (DESIGN §8).
//!
//! Whether its hours and agents are there is for `names`; how it serves is the queue's own matter.

use super::draft::{Draft, Role, Slot};
use super::near::near;
use super::section::{Section, Text};
use super::steps::draft;
use crate::diagnostic::Diagnostic;
use crate::ids::{AgentId, PromptId, QueueName, StepName};
use crate::prompt::spoken;
use crate::step::Step;
use crate::step::queue::{Queue, Strategy};
use crate::target::StepKind;

const STRATEGIES: [(&str, Strategy); 2] = [("longest_idle", Strategy::LongestIdle), ("ring_all", Strategy::RingAll)];

pub(super) fn read_queue(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let hours = section.text("hours", told);
    let otherwise = section.target("else", told);
    let hold_music = section.text("hold_music", told);
    let written = section.texts("agents", told).unwrap_or_default();
    let (agents, levels): (Vec<_>, Vec<_>) =
        written.into_iter().filter_map(|text| agent(&text, told).map(|agent| (text, agent))).unzip();
    let queue = Queue {
        name: QueueName::new(&section.name),
        hours: hours.as_ref().map(|text| StepName::new(hours_name(&text.value))),
        otherwise: None,
        strategy: section.text("strategy", told).map(|text| strategy(&text, told)).unwrap_or_default(),
        ring_timeout: section.duration("ring_timeout", 5..=120, 20, told),
        missed_max: section.count("missed_max", 1..=20, 2, told) as u8,
        wrap_up: section.duration("wrap_up", 0..=600, 5, told),
        length_max: section.count("length_max", 1..=100_000, 500, told) as usize,
        announce_every: section.duration("announce_every", 10..=600, 30, told),
        keep_place: section.duration("keep_place", 0..=3600, 300, told),
        ages_every: section.duration("ages_every", 1..=3600, 60, told),
        flagged_priority: section.count("flagged_priority", 0..=100, 5, told) as u8,
        unstaffed_after: section.duration("unstaffed_after", 0..=3600, 60, told),
        agents: levels,
        record: section.flag("record", false, told),
        hold_music: PromptId::new(hold_music.as_ref().map_or(spoken::HOLD_MUSIC, |text| &text.value)),
    };
    let aims = otherwise.map(|aim| Slot { role: Role::Else, aim }).into_iter().collect();
    let prompts = hold_music.into_iter().collect();
    Draft { hours, agents, ..draft(section, StepKind::Queue, Step::Queue(queue), aims, prompts, told) }
}

/// `office`; `hours office`, the form of a target, is taken as well.
pub(super) fn hours_name(written: &str) -> &str {
    written.trim().strip_prefix("hours ").unwrap_or(written).trim()
}

fn strategy(text: &Text, told: &mut Vec<Diagnostic>) -> Strategy {
    if let Some((_, strategy)) = STRATEGIES.iter().find(|(word, _)| *word == text.value) {
        return *strategy;
    }
    let words = STRATEGIES.map(|(word, _)| word);
    let spelled = text.value.to_lowercase().replace(['-', ' '], "_");
    let diagnostic = Diagnostic::error("D037", format!("`{}` is no way to choose an agent", text.value))
        .at(&text.span, "nobody can say whose phone would ring for a caller");
    told.push(match near(&spelled, words) {
        Some(word) => diagnostic.help(format!("did you mean \"{word}\"?")),
        None => diagnostic.help(format!("one of: {}", words.join(", "))),
    });
    Strategy::default()
}

/// `1001`, or `1001 level 2`.
fn agent(text: &Text, told: &mut Vec<Diagnostic>) -> Option<(AgentId, u8)> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let (id, level) = match words[..] {
        [id] => (id, Some(1)),
        [id, "level", level] => (id, level.parse().ok().filter(|level| (1..=9).contains(level))),
        _ => (text.value.as_str(), None),
    };
    if level.is_none() {
        told.push(
            Diagnostic::error("D049", format!("`{}` cannot be read as an agent", text.value))
                .at(&text.span, "this agent's phone would not ring for callers")
                .help("write the agent's name, such as \"1001\", or with a level from 1 to 9: \"1001 level 2\""),
        );
    }
    Some((AgentId::new(id), level?))
}

/// The agent's name in an entry of `agents`.
pub(super) fn agent_name(written: &str) -> &str {
    written.split_whitespace().next().unwrap_or(written)
}
