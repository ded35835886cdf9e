//! Rules of menus and entries: how many options, how deep, which keys, how long they wait.

use super::case::{Case, Fault, Verdict};
use super::rule::{By, Figure, Rule};
use crate::dialplan::draft::Draft;
use crate::dialplan::near::near;
use crate::dialplan::section::{Aim, Text, Written, say_duration};
use crate::dialplan::verdicts::OFFER;
use crate::key::Key;
use crate::step::Step;
use crate::step::link::Role;
use crate::target::StepKind;
use std::time::Duration;

pub(super) const BARGE_IN: Rule = Rule::new(
    "barge_in",
    By::Checker,
    "keys work while something is spoken: no section has `barge_in = false`",
    |case, _| Verdict::of(case.reached().filter(|draft| !barges_in(&draft.step)).map(talks_on).collect()),
);
pub(super) const MAX_COMMANDS: Rule = Rule::new(
    "max_commands_per_menu",
    By::Checker,
    "a menu has at most {} options, besides repeat, back, start and 0",
    |case, most| Verdict::of(case.of_kind(StepKind::Menu).filter_map(|menu| too_many(menu, most.number())).collect()),
);
pub(super) const MAX_OPTIONS_LEVEL1: Rule = Rule::new(
    "max_options_level1",
    By::Checker,
    "the first menu has at most {} options, 0 for a person among them",
    |case, most| {
        let too_many = |menu: &Draft| {
            let options = options(menu) + 1;
            let why = format!("{} has {options} options with 0 for a person, more than {}", menu.at, most.number());
            (options > most.number()).then(|| Fault::new(&menu.name, why, FEWER))
        };
        Verdict::of(case.menus_at(1).into_iter().filter_map(too_many).collect())
    },
);
pub(super) const MAX_DEPTH: Rule = Rule::new("max_depth", By::Checker, "no menu lies deeper than level {}", deepest);
pub(super) const MAX_DEPTH_SOFT: Rule =
    Rule::new("max_depth_soft", By::Checker, "menus should lie no deeper than level {}", deepest);
pub(super) const NO_MENU: Rule =
    Rule::new("ivr_menu", By::Checker, "a line should have no menu: callers meet a person at once", |case, _| {
        let menus = case.of_kind(StepKind::Menu);
        let told = menus.map(|menu| Fault::new(&menu.name, format!("callers meet {}", menu.at), START_AT_QUEUE));
        Verdict::of(told.collect())
    });
pub(super) const NO_INPUT_TIMEOUT: Rule = Rule::new(
    "no_input_timeout_s",
    By::Checker,
    "menus and entries wait {} seconds for the first key",
    |case, wanted| {
        let Figure::Between(least, most) = wanted else { return Verdict::Kept };
        let range = Duration::from_secs(least.into())..=Duration::from_secs(most.into());
        let wrong = |draft: &Draft| {
            let (waits, _) = patience(&draft.step).filter(|(waits, _)| !range.contains(waits))?;
            let why = format!("{} waits {} for the first key", draft.at, say_duration(waits));
            Some(Fault::new(&draft.name, why, format!("write `first_digit_timeout` from {least}s to {most}s")))
        };
        Verdict::of(case.reached().filter_map(wrong).collect())
    },
);
pub(super) const MAX_ERRORS: Rule = Rule::new(
    "max_errors_then_human",
    By::Checker,
    "{} wrong keys or silences in a section, at most, lead to a person",
    |case, most| {
        let wrong = |draft: &Draft| {
            let (_, errors) = patience(&draft.step).filter(|(_, errors)| u32::from(*errors) > most.number())?;
            let why = format!("{} leads to a person only after {errors} errors", draft.at);
            Some(Fault::new(&draft.name, why, format!("write `max_errors = {}`, or leave it out", most.number())))
        };
        Verdict::of(case.reached().filter_map(wrong).collect())
    },
);
pub(super) const KEYS: Rule = Rule::new(
    "keys",
    By::Checker,
    "0 is a person, # goes back (below the first menu) and * repeats, in every menu",
    |case, _| {
        let first: Vec<_> = case.menus_at(1).into_iter().map(|menu| &menu.at).collect();
        let wrong = |menu: &Draft| {
            let star = matches!(aim(menu, Key::STAR).map(|aim| &aim.written), Some(Written::Repeat));
            let back = match aim(menu, Key::HASH).map(|aim| &aim.written) {
                None => first.contains(&&menu.at),
                Some(Written::Back | Written::Start) => true,
                Some(Written::Step(to)) => to.kind == StepKind::Menu && *to != menu.at,
                Some(_) => false,
            };
            let mut told = Vec::new();
            if !star {
                let why = format!("`star` of {} does not repeat", menu.at);
                told.push(Fault::new(place(menu, Key::STAR), why, "write `star = \"repeat\"`"));
            }
            if !back {
                let why = format!("`hash` of {} does not go back", menu.at);
                told.push(Fault::new(place(menu, Key::HASH), why, "write `hash = \"back\"`"));
            }
            told
        };
        Verdict::of(case.of_kind(StepKind::Menu).flat_map(wrong).collect())
    },
);
pub(super) const REPEAT_KEY: Rule =
    Rule::new("repeat_key", By::Checker, "every menu can be heard again by a key", |case, _| {
        let can_not = |menu: &&Draft| menu.aims.iter().all(|slot| !matches!(slot.aim.written, Written::Repeat));
        let told = |menu: &Draft| {
            let why = format!("{} cannot be heard again by a key", menu.at);
            Fault::new(&menu.name, why, "add `star = \"repeat\"` or `9 = \"repeat\"`, and say so in its words")
        };
        Verdict::of(case.of_kind(StepKind::Menu).filter(can_not).map(told).collect())
    });
pub(super) const EXTEND_TIME: Rule = Rule::new(
    "extend_time_s",
    By::Partly,
    "callers can take {} seconds more before their time is over",
    |case, wanted| {
        let wanted = Duration::from_secs(wanted.number().into());
        more_time(
            case,
            |(waits, _)| waits < wanted,
            format!("write `first_digit_timeout = \"{}\"` there", say_duration(wanted)),
        )
    },
);
pub(super) const EXTEND_TIMES: Rule =
    Rule::new("extend_times", By::Partly, "callers can ask for more time {} times", |case, wanted| {
        let wanted = wanted.number();
        more_time(case, |(_, errors)| u32::from(errors) < wanted, format!("write `max_errors = {wanted}` there"))
    });
pub(super) const LEVEL1_OPTIONS: Rule =
    Rule::new("level1_options", By::Partly, "the first menu has options for: {}", |case, wanted| {
        let Figure::Topics(wanted) = wanted else { return Verdict::Kept };
        let mut told = Vec::new();
        for menu in case.menus_at(1) {
            let topics: Vec<&str> = menu.topics.iter().map(|(_, topic)| topic.value.as_str()).collect();
            for topic in wanted.iter().filter(|topic| !topics.contains(topic)) {
                if *topic == "human" {
                    if case.proof.quiet_menus.contains(&menu.at) {
                        told.push(Fault::new(&menu.name, format!("{} does not offer a person", menu.at), OFFER));
                    }
                } else if topics.is_empty() {
                    let why = format!("{} does not say what its keys are for", menu.at);
                    return Verdict::undecidable(&menu.name, why, write_topic(topic));
                } else {
                    told.push(no_topic(menu, topic, &topics));
                }
            }
        }
        Verdict::of(told)
    });
pub(super) const LEVEL1_LANGUAGE: Rule =
    Rule::new("level1_is_language_choice", By::Checker, "the first menu is the choice of a language", |case, _| {
        let told = |menu: &Draft| {
            let why = format!("{} has options that choose no language", menu.at);
            Fault::new(&menu.name, why, "begin with a menu whose keys lead to `[set.NAME]` sections with a `language`")
        };
        let is_other = |menu: &&Draft| !chooses_language(case, menu);
        Verdict::of(case.menus_at(1).into_iter().filter(is_other).map(told).collect())
    });

const FEWER: &str = "put some of its options into a menu of their own";
const START_AT_QUEUE: &str = "start the line at a queue, such as `start = \"queue care\"`";

fn barges_in(step: &Step) -> bool {
    match step {
        Step::Menu(menu) => menu.barge_in,
        Step::Play(play) => play.barge_in,
        Step::Collect(collect) => collect.barge_in,
        Step::Say(say) => say.barge_in,
        _ => true,
    }
}

fn talks_on(draft: &Draft) -> Fault {
    Fault::new(&draft.name, format!("keys do not work while {} is spoken", draft.at), "delete `barge_in = false`")
}

/// Keys that lead to something new.
fn options(menu: &Draft) -> u32 {
    let universal = |aim: &Aim| aim.is_back || matches!(aim.written, Written::Repeat | Written::Start | Written::Human);
    menu.aims.iter().filter(|slot| !universal(&slot.aim)).count() as u32
}

fn too_many(menu: &Draft, most: u32) -> Option<Fault> {
    let options = options(menu);
    let why = format!("{} has {options} options, more than {most}", menu.at);
    (options > most).then(|| Fault::new(&menu.name, why, FEWER))
}

fn deepest(case: &Case<'_>, most: Figure) -> Verdict {
    let too_deep = case.proof.bounds.levels.iter().filter(|(_, level)| **level > most.number());
    let told = too_deep.filter_map(|(at, level)| {
        let why = format!("{at} lies at level {level}, deeper than {}", most.number());
        Some(Fault::new(&case.drafts.steps.get(at)?.name, why, "lead to it from a menu nearer to the first one"))
    });
    Verdict::of(told.collect())
}

/// How long a section waits for the first key, and how many errors it forgives.
fn patience(step: &Step) -> Option<(Duration, u8)> {
    match step {
        Step::Menu(menu) => Some((menu.first_digit_timeout, menu.max_errors)),
        Step::Collect(collect) => Some((collect.first_digit_timeout, collect.max_errors)),
        _ => None,
    }
}

/// Who is too slow reaches a person; whether that counts as more time is not for a checker to say.
fn more_time(case: &Case<'_>, is_less: impl Fn((Duration, u8)) -> bool, help: String) -> Verdict {
    match case.reached().find(|draft| patience(&draft.step).is_some_and(&is_less)) {
        None => Verdict::Kept,
        Some(draft) => Verdict::undecidable(
            &draft.name,
            format!(
                "who is too slow for {} reaches a person; whether that is as good as more time is for you to say",
                draft.at
            ),
            help,
        ),
    }
}

fn aim(menu: &Draft, key: Key) -> Option<&Aim> {
    menu.aims.iter().find(|slot| slot.role == Role::Key(key)).map(|slot| &slot.aim)
}

fn place(menu: &Draft, key: Key) -> &crate::diagnostic::Span {
    aim(menu, key).map_or(&menu.name, |aim| &aim.span)
}

fn chooses_language(case: &Case<'_>, menu: &Draft) -> bool {
    let sets = |aim: &Aim| match &aim.written {
        Written::Step(to) => {
            matches!(case.plan.steps.get(to), Some(Step::Set(set)) if set.language.is_some())
        }
        _ => true,
    };
    options(menu) >= 2 && menu.aims.iter().all(|slot| sets(&slot.aim))
}

/// Where the key of a topic leads.
pub(super) fn topic_aim<'a>(case: &Case<'a>, topic: &str) -> Option<(&'a Text, &'a Written)> {
    let (menu, text, key) = case.of_kind(StepKind::Menu).find_map(|menu| {
        let (key, text) = menu.topics.iter().find(|(_, text)| text.value == topic)?;
        Some((menu, text, *key))
    })?;
    Some((text, &aim(menu, key)?.written))
}

pub(super) fn write_topic(topic: &str) -> String {
    format!("write what the key is for, such as `topics = {{ 1 = \"{topic}\" }}`, with the right key")
}

fn no_topic(menu: &Draft, topic: &str, written: &[&str]) -> Fault {
    let why = format!("{} has no option for \"{topic}\" among its topics", menu.at);
    let help = match near(topic, written.iter().copied()) {
        Some(meant) => format!("write \"{topic}\" for \"{meant}\" in its `topics`"),
        None => format!("add a key for it, and {}", write_topic(topic)),
    };
    Fault::new(&menu.name, why, help)
}
