//! The section `[line.NAME]` with its `[line.NAME.human]`: what is dialled, where it starts, the one-key promise.
//!
//! Whether the targets are there, and the ages known, is for `names`.

use super::draft::LineDraft;
use super::near::near;
use super::section::{Aim, Section, Text, Written};
use super::steps::step_of;
use super::{DirectRule, HumanPromise, Welcome, profiles};
use crate::diagnostic::{Diagnostic, Span};
use crate::ids::QueueName;
use crate::target::{StepKind, StepRef};
use toml::de::DeValue;

const WELCOMES: [(&str, Welcome); 3] =
    [("human_first", Welcome::HumanFirst), ("short_gate", Welcome::ShortGate), ("ordinary", Welcome::Ordinary)];

pub(super) fn read_line(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> LineDraft {
    let has_numbers = section.has("numbers");
    let before = told.len();
    let numbers = section.texts("numbers", told).unwrap_or_default();
    if numbers.is_empty() && told.len() == before && !section.damaged {
        let place = if has_numbers { "an empty list of numbers" } else { "no numbers" };
        told.push(
            Diagnostic::error("D023", format!("{} has {place}", section.said))
                .at(&section.name_span, "no caller could dial it")
                .help("add what callers dial, such as `numbers = [\"5550100\"]`"),
        );
    }
    let start = read_start(&mut section, told);
    let language = section.text("language", told);
    let profiles = section.texts("profiles", told).unwrap_or_default();
    profiles.iter().for_each(|profile| check_profile(profile, told));
    let announce_within = section.duration("announce_within", 1..=120, 30, told);
    let help_within = section.duration("help_within", 10..=3600, 180, told);
    let promise = read_human(&mut section, told);
    let name_span = section.name_span.clone();
    let draft = LineDraft {
        name: section.name.clone(),
        language: language.unwrap_or_else(|| Text::standing_for("en", &name_span)),
        name_span,
        numbers: numbers.into_iter().filter(|number| is_number(number, told)).collect(),
        start,
        profiles,
        to: promise.to,
        short_gate: [promise.human.unknown_caller, promise.human.unlisted_caller].contains(&Welcome::ShortGate),
        human: promise.human,
        ages: promise.ages,
        announce_within,
        help_within,
    };
    section.finish(told);
    draft
}

fn read_start(section: &mut Section<'_>, told: &mut Vec<Diagnostic>) -> Option<(StepRef, Aim)> {
    if !section.has("start") && !section.damaged {
        told.push(
            Diagnostic::error("D017", format!("{} has no `start`", section.said))
                .at(&section.name_span, "callers would be answered and hear nothing")
                .help("add where callers begin, such as `start = \"menu main\"`"),
        );
    }
    let aim = section.target("start", told)?;
    match step_of(&aim) {
        Some(step) => Some((step.clone(), aim)),
        None => {
            told.push(
                Diagnostic::error("D009", "`start` must name a section")
                    .at(&aim.span, "callers have not been anywhere yet to which this could lead")
                    .help("write a kind and a name, such as `start = \"menu main\"` or `start = \"queue care\"`"),
            );
            None
        }
    }
}

struct Promise {
    to: Option<(StepRef, Aim)>,
    human: HumanPromise,
    ages: Vec<(u8, Span)>,
}

/// `[line.NAME.human]`, with what holds where nothing is written: flagged callers go straight to a person, unknown ones
/// meet the short gate.
fn read_human(line: &mut Section<'_>, told: &mut Vec<Diagnostic>) -> Promise {
    let said = format!("{}.human", line.said);
    let value = line.take("human");
    let empty = toml::de::DeTable::new();
    let (table, at) = match value.map(|value| (value, value.get_ref())) {
        Some((value, DeValue::Table(table))) => (table, value.span()),
        Some((value, _)) => {
            told.push(line.wrong_type("human", value, &format!("a section of its own, `[line.{}.human]`", line.name)));
            (&empty, value.span())
        }
        None => (&empty, line.name_span.start..line.name_span.end),
    };
    let mut section = Section::new(line.source, said, &line.name, at, table);
    section.damaged |= line.damaged;
    if !section.has("to")
        && !section.damaged
        && !matches!(value.map(|value| value.get_ref()), Some(value) if !value.is_table())
    {
        told.push(
            Diagnostic::error(
                "D018",
                format!("line {} does not say which queue its callers reach by the key 0", line.name),
            )
            .at(&section.name_span, "callers who press 0 would reach nobody")
            .help(format!("add `[line.{}.human]` with `to = \"queue care\"`", line.name)),
        );
    }
    let to = section.target("to", told).and_then(|aim| read_to(aim, told));
    let mut ages = Vec::new();
    let direct = match section.texts("direct", told) {
        Some(rules) => rules.iter().filter_map(|rule| read_direct(rule, &mut ages, told)).collect(),
        None => {
            ages.push((65, section.name_span.clone()));
            vec![DirectRule::AgeAtLeast(65), DirectRule::Flag("assist".to_owned())]
        }
    };
    let gentle = section.texts("gentle", told).unwrap_or_default();
    let gentle = gentle.iter().filter_map(|rule| read_direct(rule, &mut ages, told)).collect();
    let unknown_caller = read_welcome(&mut section, "unknown_caller", Welcome::ShortGate, told);
    let unlisted_caller = read_welcome(&mut section, "unlisted_caller", Welcome::Ordinary, told);
    section.finish(told);
    // The queue's name is put in when the target has been resolved.
    let human = HumanPromise { to: QueueName::new(""), direct, gentle, unknown_caller, unlisted_caller };
    Promise { to, human, ages }
}

fn read_to(aim: Aim, told: &mut Vec<Diagnostic>) -> Option<(StepRef, Aim)> {
    match &aim.written {
        Written::Step(step) if step.kind == StepKind::Queue => Some((step.clone(), aim)),
        _ => {
            told.push(
                Diagnostic::error("D019", "the human key must lead to a queue")
                    .at(&aim.span, "callers who press 0 would not be put through to a person")
                    .help("write `to = \"queue NAME\"` and add a `[queue.NAME]` if there is none"),
            );
            None
        }
    }
}

/// `age >= 65` or `flag assist`.
fn read_direct(rule: &Text, ages: &mut Vec<(u8, Span)>, told: &mut Vec<Diagnostic>) -> Option<DirectRule> {
    let spaced = rule.value.replace(">=", " >= ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    match words[..] {
        ["age", ">=", years] => {
            if let Ok(years) = years.parse::<u8>() {
                ages.push((years, rule.span.clone()));
                return Some(DirectRule::AgeAtLeast(years));
            }
        }
        ["flag", flag] => return Some(DirectRule::Flag(flag.to_owned())),
        _ => {}
    }
    let meant = match words[..] {
        ["age", ">" | "=>" | "over" | "=", years] if years.parse::<u8>().is_ok() => Some(format!("age >= {years}")),
        [years] if years.parse::<u8>().is_ok() => Some(format!("age >= {years}")),
        [flag] if flag != "age" && flag != "flag" => Some(format!("flag {flag}")),
        _ => None,
    };
    let help = match meant {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => "write \"age >= 65\" or \"flag assist\"".to_owned(),
    };
    told.push(
        Diagnostic::error("D020", format!("`{}` cannot be read as a rule for direct callers", rule.value))
            .at(&rule.span, "callers who should go straight to a person would meet the menu")
            .help(help),
    );
    None
}

fn read_welcome(section: &mut Section<'_>, key: &'static str, default: Welcome, told: &mut Vec<Diagnostic>) -> Welcome {
    let Some(text) = section.text(key, told) else { return default };
    if let Some((_, welcome)) = WELCOMES.iter().find(|(word, _)| *word == text.value) {
        return *welcome;
    }
    let words = WELCOMES.map(|(word, _)| word);
    let spelled = text.value.to_lowercase().replace(['-', ' '], "_");
    let diagnostic = Diagnostic::error("D040", format!("`{key}` does not know the word `{}`", text.value))
        .at(&text.span, "nobody can say how these callers are to be met");
    told.push(match near(&spelled, words) {
        Some(word) => diagnostic.help(format!("did you mean \"{word}\"?")),
        None => diagnostic.help(format!("one of: {}", words.join(", "))),
    });
    default
}

fn check_profile(profile: &Text, told: &mut Vec<Diagnostic>) {
    if !profiles::is_known(&profile.value) {
        told.push(
            Diagnostic::error("D041", format!("there is no profile `{}`", profile.value))
                .at(&profile.span, "no rule of it would be kept for callers")
                .help(profiles::meant(&profile.value)),
        );
    }
}

/// The user part of what is dialled: digits, or a name such as `care`.
fn is_number(number: &Text, told: &mut Vec<Diagnostic>) -> bool {
    let value = &number.value;
    let good = |letter: char| letter.is_ascii_alphanumeric() || "+-_.*#".contains(letter);
    if !value.is_empty() && value.len() <= 64 && value.chars().all(good) {
        return true;
    }
    let bare: String = value.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '+').collect();
    let help = match bare.is_empty() {
        true => "write what callers dial, such as \"5550100\"".to_owned(),
        false => format!("write it as a phone sends it: \"{bare}\""),
    };
    told.push(
        Diagnostic::error(
            "D024",
            if value.is_empty() {
                "an empty text cannot be dialled".to_owned()
            } else {
                format!("`{value}` cannot be dialled")
            },
        )
        .at(&number.span, "no caller's phone sends it in this form")
        .help(help),
    );
    false
}
