//! Names: every target leads to a section that is there; `back` is resolved; numbers and ages are known.
//!
//! After `resolve` the steps of the drafts hold their targets. A target that leads nowhere is told and stands as a person.

use super::draft::{Draft, Drafts, LineDraft, Role, callers, said};
use super::hours;
use super::near::near;
use super::queues::{agent_name, hours_name};
use super::section::{Aim, Written};
use super::{Dialplan, Facts, Line};
use crate::diagnostic::{Diagnostic, Span};
use crate::ids::{Language, LineName, QueueName};
use crate::target::{StepKind, StepRef, Target};
use std::collections::{BTreeMap, BTreeSet};

/// Diagnostics after which no near names are looked for: comparing each wrong name with every name of a large plan takes
/// long, and nobody reads so many hints.
const NEAR_MAX: usize = 100;

/// What can be told of names before targets are put into the steps.
pub(super) fn check(drafts: &Drafts, facts: &Facts<'_>, told: &mut Vec<Diagnostic>) {
    let mut numbers: BTreeMap<&str, (&str, &Span)> = BTreeMap::new();
    for line in &drafts.lines {
        for number in &line.numbers {
            match numbers.get(number.value.as_str()) {
                Some((other, first)) => told.push(dialled_twice(&number.value, &number.span, other, first)),
                None => {
                    numbers.insert(&number.value, (&line.name, &number.span));
                }
            }
        }
        for (years, span) in &line.ages {
            if !facts.registry_thresholds.contains(years) {
                told.push(unknown_age(*years, span, &facts.registry_thresholds));
            }
        }
        let aims =
            [(&line.start, format!("line {} starts at", line.name)), (&line.to, "the human key leads to".to_owned())];
        for (aim, said) in aims {
            if let Some((step, aim)) = aim {
                check_step(drafts, step, aim, &said, "callers of this line could not be served", told);
            }
        }
    }
    for draft in drafts.steps.values() {
        for slot in &draft.aims {
            if let Written::Step(step) = &slot.aim.written {
                let label = format!("{} would be sent to a person instead", callers(&slot.role));
                check_step(drafts, step, &slot.aim, &format!("{} goes to", said(&slot.role)), &label, told);
            }
        }
        check_queue(drafts, draft, facts, told);
        check_hours(drafts, draft, told);
    }
}

fn check_step(drafts: &Drafts, step: &StepRef, aim: &Aim, said: &str, label: &str, told: &mut Vec<Diagnostic>) {
    if drafts.steps.contains_key(step) || drafts.hinted.contains(step) {
        return;
    }
    let message = format!("{said} {} `{}`, which does not exist", step.kind, step.name);
    let diagnostic = Diagnostic::error("D010", message).at(&aim.name, label);
    told.push(match told.len() < NEAR_MAX {
        true => offer_near(drafts, step, diagnostic, |near| near.to_string()),
        false => diagnostic.help(format!("add a section `[{}.{}]`, or name one that is there", step.kind, step.name)),
    });
}

/// Adds the step that was most likely meant: a near name of the same kind, or the same name of another.
fn offer_near(
    drafts: &Drafts,
    step: &StepRef,
    diagnostic: Diagnostic,
    typed: impl Fn(&StepRef) -> String,
) -> Diagnostic {
    let of_kind = drafts.steps.keys().filter(|at| at.kind == step.kind).map(|at| at.name.as_str());
    let near_name = near(step.name.as_str(), of_kind);
    let same_kind =
        drafts.steps.values().find(|draft| draft.at.kind == step.kind && Some(draft.at.name.as_str()) == near_name);
    if let Some(draft) = same_kind {
        let remark = match step.kind {
            StepKind::Hours => "hours with a similar name are here".to_owned(),
            kind => format!("a {kind} with a similar name is here"),
        };
        return diagnostic.also(&draft.name, remark).help(format!("did you mean `{}`?", typed(&draft.at)));
    }
    match drafts.steps.values().find(|draft| draft.at.name == step.name) {
        Some(draft) => {
            let remark = format!("this name is of the kind {}", draft.at.kind);
            diagnostic.also(&draft.name, remark).help(format!("did you mean `{}`?", draft.at))
        }
        None => diagnostic.help(format!("add a section `[{}.{}]`, or name one that is there", step.kind, step.name)),
    }
}

fn check_queue(drafts: &Drafts, draft: &Draft, facts: &Facts<'_>, told: &mut Vec<Diagnostic>) {
    if let Some(text) = &draft.hours {
        let name = hours_name(&text.value);
        let hours = StepRef { kind: StepKind::Hours, name: super::draft::step_name(name) };
        if !drafts.steps.contains_key(&hours) && !drafts.hinted.contains(&hours) {
            let message = format!("{} asks hours `{name}`, which do not exist", draft.at);
            let diagnostic = Diagnostic::error("D010", message)
                .at(&text.word(name), "callers who ask for a person at night would wait in vain");
            told.push(offer_near(drafts, &hours, diagnostic, |near| near.name.to_string()));
        }
    }
    let Some(known) = &facts.agents else { return };
    for text in &draft.agents {
        let name = agent_name(&text.value);
        if !known.contains(name) {
            let diagnostic = Diagnostic::warning("D038", format!("no agent is called `{name}`"))
                .at(&text.word(name), "this phone would never ring for callers");
            told.push(match near(name, known.iter().map(|agent| agent.as_str())) {
                Some(agent) => diagnostic.help(format!("did you mean \"{agent}\"? or: onekey agent add {name}")),
                None => diagnostic.help(format!("type `onekey agent add {name}`")),
            });
        }
    }
}

/// Hours that calls come to must say where they go.
fn check_hours(drafts: &Drafts, draft: &Draft, told: &mut Vec<Diagnostic>) {
    if draft.lacks.is_empty() {
        return;
    }
    let leads_here = |aim: &Aim| aim.written == Written::Step(draft.at.clone());
    let slots = drafts.steps.values().flat_map(|other| other.aims.iter().map(|slot| &slot.aim));
    let starts = drafts.lines.iter().filter_map(|line| line.start.as_ref().map(|(_, aim)| aim));
    let Some(from) = slots.chain(starts).find(|aim| leads_here(aim)) else { return };
    for role in &draft.lacks {
        let key = if *role == Role::Then { "then" } else { "else" };
        told.push(hours::missing(&draft.at.to_string(), &draft.name, key).also(&from.name, "calls come from here"));
    }
}

fn dialled_twice(number: &str, here: &Span, other: &str, first: &Span) -> Diagnostic {
    Diagnostic::error("D022", format!("the number {number} belongs to line {other} already"))
        .at(here, "nobody can say which line its callers are to meet")
        .also(first, "first written here")
        .help("delete it in one of the two lines")
}

fn unknown_age(years: u8, span: &Span, thresholds: &[u8]) -> Diagnostic {
    let known: Vec<String> = thresholds.iter().map(u8::to_string).collect();
    Diagnostic::error("D021", format!("the registry cannot tell who is {years} or older"))
        .at(span, format!("callers of {years} would meet the menu like everyone else"))
        .help(format!(
            "add {years} to `registry.thresholds` (now {}) and import again, or use one of these ages",
            known.join(", ")
        ))
}

/// Puts every target into its step.
pub(super) fn resolve(drafts: &mut Drafts, told: &mut Vec<Diagnostic>) {
    let mut filled: Vec<(StepRef, Role, Target)> = Vec::new();
    let leading = leading(drafts);
    for draft in drafts.steps.values() {
        for slot in &draft.aims {
            let target = match &slot.aim.written {
                Written::Step(step) if drafts.steps.contains_key(step) => Target::Step(step.clone()),
                Written::Step(_) | Written::Human => Target::Human,
                Written::Repeat => Target::Repeat,
                Written::Start => Target::Start,
                Written::Back => match back(&leading, &draft.at) {
                    Ok(menu) => Target::Step(menu),
                    Err(menus) => {
                        if !drafts.damaged {
                            told.push(no_back(drafts, &draft.at, &slot.aim.span, &menus));
                        }
                        Target::Human
                    }
                },
            };
            filled.push((draft.at.clone(), slot.role.clone(), target));
        }
    }
    for (at, role, target) in filled {
        let Some(draft) = drafts.steps.get_mut(&at) else { continue };
        // Later stages walk the aims, so `back` is replaced there too.
        if let (Target::Step(step), Some(slot)) = (&target, draft.aims.iter_mut().find(|slot| slot.role == role)) {
            slot.aim.written = Written::Step(step.clone());
        }
        draft.fill(role, target);
    }
}

/// Which steps lead to a step, by what is written at them.
fn leading(drafts: &Drafts) -> BTreeMap<&StepRef, BTreeSet<&StepRef>> {
    let mut leading: BTreeMap<&StepRef, BTreeSet<&StepRef>> = BTreeMap::new();
    for draft in drafts.steps.values() {
        for slot in &draft.aims {
            if let Written::Step(step) = &slot.aim.written {
                leading.entry(step).or_default().insert(&draft.at);
            }
        }
    }
    leading
}

/// The one menu that leads to a step, through plays and hours if need be; all of them where there is not one.
fn back(leading: &BTreeMap<&StepRef, BTreeSet<&StepRef>>, from: &StepRef) -> Result<StepRef, Vec<StepRef>> {
    let mut menus = BTreeSet::new();
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(step) = open.pop() {
        for earlier in leading.get(step).into_iter().flatten() {
            if !seen.insert(earlier) {
                continue;
            }
            match earlier.kind {
                StepKind::Menu => drop(menus.insert(*earlier)),
                _ => open.push(earlier),
            }
        }
    }
    let menus: Vec<StepRef> = menus.into_iter().cloned().collect();
    match &menus[..] {
        [menu] => Ok(menu.clone()),
        _ => Err(menus),
    }
}

fn no_back(drafts: &Drafts, from: &StepRef, span: &Span, menus: &[StepRef]) -> Diagnostic {
    if menus.is_empty() {
        return Diagnostic::error("D025", format!("`back` leads nowhere: no menu leads to {from}"))
            .at(span, "callers would be sent to a person instead")
            .help("write where callers are to go, such as \"menu main\" or \"start\"");
    }
    let names: Vec<String> = menus.iter().map(StepRef::to_string).collect();
    let diagnostic = Diagnostic::error("D025", format!("`back` could mean {}", names.join(" or ")))
        .at(span, "`back` is the same place for every caller, so only one menu may lead here");
    let places = menus.iter().filter_map(|menu| drafts.steps.get(menu));
    places
        .fold(diagnostic, |told, draft| told.also(&draft.name, "this menu leads here"))
        .help(format!("name the menu: \"{}\"", names[0]))
}

/// The dialplan of the drafts. A line without a beginning or a person is left out, and so is nothing else.
pub(super) fn whole(drafts: &Drafts) -> Dialplan {
    let mut lines = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    for draft in &drafts.lines {
        let Some(line) = line(draft) else { continue };
        numbers.extend(line.numbers.iter().map(|number| (number.clone(), line.name.clone())));
        lines.insert(line.name.clone(), line);
    }
    let steps = drafts.steps.iter().map(|(at, draft)| (at.clone(), draft.step.clone())).collect();
    Dialplan { lines, numbers, steps, bounds: BTreeMap::new(), judged: BTreeMap::new() }
}

/// `None` where start or `human.to` is missing, which has been told.
fn line(draft: &LineDraft) -> Option<Line> {
    let (to, _) = draft.to.as_ref()?;
    let (start, _) = draft.start.clone()?;
    let mut human = draft.human.clone();
    human.to = QueueName::new(to.name.as_str());
    Some(Line {
        name: LineName::new(&draft.name),
        numbers: draft.numbers.iter().map(|number| number.value.clone()).collect(),
        start,
        language: Language::new(&draft.language.value),
        profiles: draft.profiles.iter().map(|profile| profile.value.clone()).collect(),
        announce_within: draft.announce_within,
        help_within: draft.help_within,
        human,
    })
}
