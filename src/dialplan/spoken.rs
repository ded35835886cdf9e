//! What callers hear: every prompt is there in the line's language, and a person is offered in time.
//!
//! The times come from walking a silent caller's way by `Step::next` itself, with the lengths of the prompts' sounds.

use super::Facts;
use super::draft::{Drafts, LineDraft};
use super::near::near;
use super::paths::reach;
use super::section::{Text, say_duration};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::ids::PromptId;
use crate::prompt::{PromptFacts, PromptLibrary, spoken};
use crate::step::{Edge, Event, Step, StepState};
use crate::target::{StepKind, StepRef, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longest short gate (DESIGN §5).
const GATE_LONGEST: Duration = Duration::from_secs(8);
/// Events of silent ways that are walked; no good plan comes near. What is left then is judged as it stands.
const WALK_MAX: usize = 10_000;

/// What is wrong with a prompt's sound, told by whoever loads the prompts, in the checker's form. `file` is the file that has
/// to be mended.
pub fn prompt_trouble(severity: Severity, file: &str, message: &str) -> Diagnostic {
    let said = format!("{file}: {message}");
    let diagnostic = match severity {
        Severity::Error => Diagnostic::error("D044", said),
        Severity::Warning => Diagnostic::warning("D044", said),
    };
    diagnostic.help("type `onekey prompts build`, or put a good WAV file there")
}

pub(super) fn check(drafts: &Drafts, facts: &Facts<'_>, told: &mut Vec<Diagnostic>) {
    let mut languages: BTreeMap<&str, &Text> = BTreeMap::new();
    let mut missing = BTreeSet::new();
    let mut silent_menus = BTreeSet::new();
    for line in &drafts.lines {
        languages.entry(&line.language.value).or_insert(&line.language);
        if !has_language(facts.prompts, &line.language.value) {
            continue;
        }
        missing_prompts(drafts, line, facts, &mut missing, told);
        gate(line, facts, told);
        offered(drafts, line, facts, &mut silent_menus, told);
    }
    for (language, text) in languages {
        whole_language(language, text, facts.prompts, told);
    }
}

fn has_language(prompts: &PromptLibrary, language: &str) -> bool {
    prompts.languages().any(|known| known.as_str() == language)
}

/// The prompts that the engine itself speaks, once for each language.
fn whole_language(language: &str, text: &Text, prompts: &PromptLibrary, told: &mut Vec<Diagnostic>) {
    if !has_language(prompts, language) {
        let diagnostic = Diagnostic::error("D045", format!("there are no prompts in language `{language}`"))
            .at(&text.span, "callers would hear nothing");
        let known: Vec<&str> = prompts.languages().map(|known| known.as_str()).collect();
        told.push(match near(language, known.iter().copied()) {
            Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
            None => diagnostic.help(format!("add a folder `prompts/{language}`, or use one of: {}", known.join(", "))),
        });
        return;
    }
    let numbers = (0..=100).map(spoken::number);
    let needed = spoken::REQUIRED.iter().map(|id| (*id).to_owned()).chain(numbers);
    let lacking: Vec<String> = needed.filter(|id| prompts.get(language, id).is_none()).collect();
    let Some(first) = lacking.first() else { return };
    let message = match lacking.len() {
        1 => format!("language `{language}` lacks the prompt `{first}`, which every call may need"),
        many => format!("language `{language}` lacks {many} prompts that every call may need: {}", some_of(&lacking)),
    };
    told.push(
        Diagnostic::error("D043", message)
            .at(&text.span, "callers would hear silence where they need words most")
            .help(format!("add them to prompts/{language}/prompts.toml and type `onekey prompts build`")),
    );
}

fn some_of(ids: &[String]) -> String {
    match ids.len() {
        0..=8 => ids.join(", "),
        _ => format!("{} ...", ids[..8].join(", ")),
    }
}

fn missing_prompts(
    drafts: &Drafts,
    line: &LineDraft,
    facts: &Facts<'_>,
    known: &mut BTreeSet<(String, Span)>,
    told: &mut Vec<Diagnostic>,
) {
    let language = line.language.value.as_str();
    let mut reached = BTreeSet::new();
    reach(drafts, line, &mut reached);
    for text in reached.iter().filter_map(|at| drafts.steps.get(at)).flat_map(|draft| &draft.prompts) {
        let lacks = facts.prompts.get(language, &text.value).is_none();
        if !lacks || !known.insert((language.to_owned(), text.span.clone())) {
            continue;
        }
        let ids = facts.prompts.of_language(language).map(|prompt| prompt.id.as_str());
        let diagnostic =
            Diagnostic::error("D042", format!("there is no prompt `{}` in language `{language}`", text.value))
                .at(&text.span, format!("callers of line {} would hear silence here", line.name));
        told.push(match near(&text.value, ids) {
            Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
            None => diagnostic.help(format!(
                "add `[{}]` with its words to prompts/{language}/prompts.toml and type `onekey prompts build`",
                text.value
            )),
        });
    }
}

fn gate(line: &LineDraft, facts: &Facts<'_>, told: &mut Vec<Diagnostic>) {
    let Some(gate) = facts.prompts.get(&line.language.value, spoken::SHORT_GATE).filter(|_| line.short_gate) else {
        return;
    };
    let language = &line.language.value;
    let (message, help) = if gate.facts.length > GATE_LONGEST {
        let length = gate.facts.length.as_secs_f64();
        (
            format!("the short gate of language `{language}` lasts {length:.1} s; 8 s is the most"),
            "make its words fewer",
        )
    } else if gate.facts.offer_ends.is_none() {
        (
            format!("the short gate of language `{language}` does not offer a person"),
            "say \"press 0\" in it and mark it",
        )
    } else {
        return;
    };
    told.push(
        Diagnostic::error("D046", message)
            .at(&line.language.span, "callers whom nobody knows would wait too long to be told of a person")
            .help(format!("{help}: `[short-gate]` in prompts/{language}/prompts.toml, with `offers_human = true`")),
    );
}

/// When a caller of this line is told of a person: D047, D048.
fn offered(
    drafts: &Drafts,
    line: &LineDraft,
    facts: &Facts<'_>,
    silent_menus: &mut BTreeSet<StepRef>,
    told: &mut Vec<Diagnostic>,
) {
    let Some((start, aim)) = &line.start else { return };
    let step = |at: &StepRef| drafts.steps.get(at).map(|draft| &draft.step);
    let walked = walk(&step, start, &line.language.value, facts.prompts);
    for menu in walked.quiet_menus {
        let Some(draft) = drafts.steps.get(&menu).filter(|_| silent_menus.insert(menu.clone())) else { continue };
        told.push(
            Diagnostic::warning("D047", format!("{menu} does not say that 0 reaches a person"))
                .at(&draft.name, "the first menu that callers meet; those who do not know the key will not press it")
                .help("say \"for a person, press 0\" in its prompts and mark that prompt with `offers_human = true`"),
        );
    }
    if let Some(told_after) = walked.told_after.filter(|after| *after > line.announce_within) {
        let seconds = told_after.as_secs_f64();
        let limit = say_duration(line.announce_within);
        told.push(
            Diagnostic::error(
                "D048",
                format!("callers of line {} are told of a person after {seconds:.1} s", line.name),
            )
            .at(&aim.span, format!("from here on nothing offers a person within {limit} (`announce_within`)"))
            .help("offer the key 0 in the first prompt that is spoken, before anything else"),
        );
    }
}

/// What a caller who does nothing hears from a step on.
#[derive(Default, Debug)]
pub(super) struct Walked {
    /// The latest time, over open and closed hours, at which a person has been offered or reached.
    pub told_after: Option<Duration>,
    /// The longest time until a queue or the end, `told_after` or later.
    pub silent: Duration,
    /// Menus that were met first and awaited a key before a person had been offered.
    pub quiet_menus: BTreeSet<StepRef>,
}

/// One of the ways that are still to be walked.
struct Way {
    at: StepRef,
    state: StepState,
    event: Event,
    heard: Duration,
    offered: Option<Duration>,
    menus: u32,
}

/// Walks a silent caller's way by the steps' own transition functions. Hours are both open and closed.
pub(super) fn walk<'a>(
    step: &dyn Fn(&StepRef) -> Option<&'a Step>,
    start: &StepRef,
    language: &str,
    prompts: &PromptLibrary,
) -> Walked {
    let mut walked = Walked::default();
    let enter = |at: &StepRef, open| Way {
        at: at.clone(),
        state: StepState::default(),
        event: Event::Entered { open },
        heard: Duration::ZERO,
        offered: None,
        menus: 0,
    };
    let mut ways: Vec<Way> = both_ways(start).iter().map(|open| enter(start, *open)).collect();
    for _ in 0..WALK_MAX {
        let Some(mut way) = ways.pop() else { break };
        let Some(here) = step(&way.at) else { continue };
        match here.next(&mut way.state, way.event) {
            Edge::Speak { prompts: ids, .. } => {
                way.hear(&ids, language, prompts);
                ways.push(Way { event: Event::Spoken, ..way });
            }
            Edge::Listen { within } => {
                if way.offered.is_none() && way.menus == 0 && says_all(here, language, prompts) {
                    walked.quiet_menus.insert(way.at.clone());
                }
                way.menus += 1;
                ways.push(Way { event: Event::Silence, heard: way.heard + within, ..way });
            }
            Edge::Go(Target::Step(to)) => {
                for open in both_ways(&to) {
                    let (at, event) = (to.clone(), Event::Entered { open: *open });
                    ways.push(Way { at, event, state: StepState::default(), ..way });
                }
            }
            // A person, the end, or a voicemail: nothing more is to be told. Circles are refused by `paths`.
            _ => walked.over(&way),
        }
    }
    ways.iter().for_each(|way| walked.over(way));
    walked
}

/// Whether it is a menu of which every prompt is there (a missing one is told elsewhere, and might have offered a person).
fn says_all(step: &Step, language: &str, prompts: &PromptLibrary) -> bool {
    let Step::Menu(menu) = step else { return false };
    !menu.say.is_empty() && menu.say.iter().all(|id| prompts.get(language, id.as_str()).is_some())
}

/// What hours may say; other steps are entered once.
fn both_ways(at: &StepRef) -> &'static [bool] {
    if at.kind == StepKind::Hours { &[true, false] } else { &[true] }
}

impl Way {
    fn hear(&mut self, ids: &[PromptId], language: &str, prompts: &PromptLibrary) {
        for facts in ids.iter().filter_map(|id| prompts.get(language, id.as_str())).map(|prompt| &prompt.facts) {
            let PromptFacts { length, offer_ends, .. } = facts;
            if let (None, Some(ends)) = (self.offered, offer_ends) {
                self.offered = Some(self.heard + *ends);
            }
            self.heard += *length;
        }
    }
}

impl Walked {
    fn over(&mut self, way: &Way) {
        let told_after = way.offered.unwrap_or(way.heard);
        self.told_after = Some(self.told_after.map_or(told_after, |known| known.max(told_after)));
        self.silent = self.silent.max(way.heard);
    }
}
