//! The sections of menus, plays, voicemails and hang-ups: read into drafts, with defaults filled in.
//!
//! What is wrong with one section is told here; what is wrong between sections is for `names`, `paths` and `spoken`.

use super::draft::{Draft, Role, Slot, step_name};
use super::section::{Aim, Section, Text, Written};
use super::syntax::bare_key;
use crate::diagnostic::{Diagnostic, Span};
use crate::ids::PromptId;
use crate::key::Key;
use crate::prompt::spoken;
use crate::step::Step;
use crate::step::callback::Callback;
use crate::step::hangup::HangUp;
use crate::step::menu::Menu;
use crate::step::play::Play;
use crate::step::voicemail::Voicemail;
use crate::target::{StepKind, StepRef, Target};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) fn read_menu(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let say = say(&mut section, told);
    let mut aims = Vec::new();
    let mut written = 0;
    section.may_hold(&["a key from 1 to 9", "star", "hash"]);
    for (key, span, value) in section.take_all(menu_key) {
        written += 1;
        match key {
            MenuKey::Human => told.push(human_key(&section.said, &span)),
            MenuKey::Sign(sign) => told.push(bare_key(&span, sign)),
            MenuKey::Good(key) => {
                if let Some(aim) = section.as_target(&key.to_string(), value, told) {
                    aims.push(Slot { role: Role::Key(key), aim });
                }
            }
        }
    }
    let topics = topics(&mut section, &aims, told);
    let menu = Menu {
        name: step_name(&section.name),
        say: ids(&say),
        keys: BTreeMap::new(),
        first_digit_timeout: section.duration("first_digit_timeout", 1..=60, 5, told),
        max_errors: section.count("max_errors", 1..=10, 2, told) as u8,
        barge_in: section.flag("barge_in", true, told),
    };
    if written == 0 && !section.damaged {
        told.push(
            Diagnostic::error("D016", format!("{} has no keys", section.said))
                .at(&section.name_span, "callers would be asked to press a key, and every key would be wrong")
                .help("add keys, such as `1 = \"menu bills\"`, or make it a play if it only speaks"),
        );
    }
    Draft { topics, ..draft(section, StepKind::Menu, Step::Menu(menu), aims, say, told) }
}

/// `topics = { 1 = "complaint" }`: what a key is for, where a profile wants to know. Callers notice nothing of it.
fn topics(section: &mut Section<'_>, keys: &[Slot], told: &mut Vec<Diagnostic>) -> Vec<(Key, Text)> {
    let mut topics = Vec::new();
    for (word, span, value) in section.table("topics", told) {
        let key = match menu_key(&word) {
            Some(MenuKey::Good(key)) if keys.iter().any(|slot| slot.role == Role::Key(key)) => key,
            _ => {
                told.push(
                    Diagnostic::error(
                        "D004",
                        format!("`topics` of {} names `{word}`, which is none of its keys", section.said),
                    )
                    .at(&span, "no caller could press it here")
                    .help("name a key that this menu leads on from, such as `topics = { 1 = \"complaint\" }`"),
                );
                continue;
            }
        };
        topics.extend(section.as_text(&word, value, told).map(|topic| (key, topic)));
    }
    topics
}

/// What a menu's setting is, if it is a key.
#[derive(Clone, Copy)]
enum MenuKey {
    Good(Key),
    /// `0`
    Human,
    /// `"*"` or `"#"`, which are written as words.
    Sign(char),
}

fn menu_key(written: &str) -> Option<MenuKey> {
    match written {
        "0" => Some(MenuKey::Human),
        "*" => Some(MenuKey::Sign('*')),
        "#" => Some(MenuKey::Sign('#')),
        "star" => Some(MenuKey::Good(Key::STAR)),
        "hash" => Some(MenuKey::Good(Key::HASH)),
        _ => {
            let mut letters = written.chars();
            let digit = letters.next().filter(char::is_ascii_digit)?;
            if letters.next().is_some() { None } else { Key::from_char(digit).map(MenuKey::Good) }
        }
    }
}

fn human_key(said: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("D013", format!("{said} binds the key 0; 0 is the human key and cannot be rebound"))
        .at(span, "0 always reaches a person, from everywhere; callers rely on it")
        .help("delete this line and use a key from 1 to 9, `star` or `hash`")
}

pub(super) fn read_play(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let say = say(&mut section, told);
    let finished = section.flag("finished", false, told);
    let has_then = section.has("then");
    let aims = then(&mut section, told);
    if !finished && !has_then && !section.damaged {
        told.push(nothing_after(&section).help(FINISH));
    }
    let play = Play {
        name: step_name(&section.name),
        say: ids(&say),
        then: None,
        finished,
        barge_in: section.flag("barge_in", true, told),
    };
    draft(section, StepKind::Play, Step::Play(play), aims, say, told)
}

pub(super) fn read_voicemail(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let say = say(&mut section, told);
    let aims = then(&mut section, told);
    let (longest, silence) = message(&mut section, told);
    let voicemail = Voicemail { name: step_name(&section.name), say: ids(&say), longest, silence, then: None };
    draft(section, StepKind::Voicemail, Step::Voicemail(voicemail), aims, say, told)
}

pub(super) fn read_callback(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let say = say(&mut section, told);
    let aims = then(&mut section, told);
    let (longest, silence) = message(&mut section, told);
    let callback = Callback { name: step_name(&section.name), say: ids(&say), longest, silence, then: None };
    draft(section, StepKind::Callback, Step::Callback(callback), aims, say, told)
}

/// The longest message, and the silence that ends one.
fn message(section: &mut Section<'_>, told: &mut Vec<Diagnostic>) -> (Duration, Duration) {
    (section.duration("longest", 5..=600, 120, told), section.duration("silence", 2..=30, 4, told))
}

pub(super) fn read_hangup(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let say = section.texts("say", told).unwrap_or_default();
    let prompts = if say.is_empty() { vec![PromptId::new(spoken::GOODBYE)] } else { ids(&say) };
    let hangup = HangUp { name: step_name(&section.name), say: prompts };
    draft(section, StepKind::Hangup, Step::HangUp(hangup), Vec::new(), say, told)
}

/// What to do where a step that speaks says nothing of what comes then.
pub(super) const FINISH: &str = "add `then = \"menu main\"`, or `finished = true` if this is what the caller wanted";

pub(super) fn nothing_after(section: &Section<'_>) -> Diagnostic {
    Diagnostic::error("D030", format!("nothing is said of what comes after {}", section.said))
        .at(&section.name_span, "callers would hear these words and then be left in silence")
}

/// `then`, which a step of this kind cannot do without.
pub(super) fn needed_then(section: &mut Section<'_>, told: &mut Vec<Diagnostic>) -> Vec<Slot> {
    if !section.has("then") && !section.damaged {
        told.push(nothing_after(section).help("add where the call goes on, such as `then = \"menu main\"`"));
    }
    then(section, told)
}

/// `say`, which these steps cannot do without.
pub(super) fn say(section: &mut Section<'_>, told: &mut Vec<Diagnostic>) -> Vec<Text> {
    let before = told.len();
    let say = section.texts("say", told).unwrap_or_default();
    if say.is_empty() && told.len() == before && !section.damaged {
        told.push(
            Diagnostic::error("D015", format!("{} says nothing", section.said))
                .at(&section.name_span, "callers would hear silence and not know what to do")
                .help("add `say = [\"prompt-id\"]`; prompt ids stand in prompts/<language>/prompts.toml"),
        );
    }
    say
}

pub(super) fn then(section: &mut Section<'_>, told: &mut Vec<Diagnostic>) -> Vec<Slot> {
    section.target("then", told).map(|aim| Slot { role: Role::Then, aim }).into_iter().collect()
}

/// The draft of a section that has been read to its end.
pub(super) fn draft(
    section: Section<'_>,
    kind: StepKind,
    step: Step,
    aims: Vec<Slot>,
    prompts: Vec<Text>,
    told: &mut Vec<Diagnostic>,
) -> Draft {
    let at = StepRef { kind, name: step_name(&section.name) };
    let name = section.name_span.clone();
    section.finish(told);
    Draft {
        at,
        name,
        step,
        aims,
        prompts,
        reads: Vec::new(),
        values: Vec::new(),
        language: None,
        url: None,
        rung: None,
        hours: None,
        agents: Vec::new(),
        topics: Vec::new(),
        lacks: Vec::new(),
    }
}

pub(super) fn ids(prompts: &[Text]) -> Vec<PromptId> {
    prompts.iter().map(|prompt| PromptId::new(&prompt.value)).collect()
}

/// What stands in for a target until it is resolved, and where one cannot be: a person.
pub(super) const UNRESOLVED: Target = Target::Human;

/// The section that a target names, if it names one.
pub(super) fn step_of(aim: &Aim) -> Option<&StepRef> {
    match &aim.written {
        Written::Step(step) => Some(step),
        _ => None,
    }
}
