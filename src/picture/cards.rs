//! From sections to cards: a row for each of a step's links, in the order of `Step::links`, in words for a wall.

use super::{Card, Help, Leads, Row, Weight};
use crate::dialplan::reach::Proof;
use crate::dialplan::{Dialplan, DirectRule, Line, Welcome};
use crate::ids::PromptId;
use crate::step::Step;
use crate::step::collect::Collect;
use crate::step::hours::{DayRange, Hours};
use crate::step::link::{Link, Role};
use crate::step::queue::{Queue, Strategy};
use crate::target::{StepRef, Target};
use crate::variable::Word;
use jiff::civil::Weekday;
use std::collections::{BTreeMap, BTreeSet};

/// The line's own card, then those of `drawn`.
pub(super) fn of(plan: &Dialplan, line: &Line, proof: &Proof, drawn: &[&StepRef]) -> Vec<Card> {
    let places: BTreeMap<&StepRef, usize> = drawn.iter().enumerate().map(|(nth, at)| (*at, nth + 1)).collect();
    let leads = |target: &Target| match target {
        Target::Human => Leads::Person,
        Target::Repeat => Leads::Again,
        Target::Start => lead(&places, &line.start),
        Target::Step(at) => lead(&places, at),
    };
    let met: BTreeSet<&StepRef> = proof.steps().collect();
    let mut cards = vec![of_line(line, &places)];
    for at in drawn {
        let Some(step) = plan.step(at) else { continue };
        let is_met = met.contains(at);
        let mut rows: Vec<Row> = step.links().iter().map(|link| row(step, link, leads(&link.target))).collect();
        rows.extend(ends(step));
        cards.push(Card {
            at: Some((*at).clone()),
            name: at.name.to_string(),
            about: about(step),
            rows,
            met: is_met,
            help: help(step, proof, at, is_met),
            codes: BTreeSet::new(),
        });
    }
    cards
}

fn lead(places: &BTreeMap<&StepRef, usize>, at: &StepRef) -> Leads {
    places.get(at).map_or_else(|| Leads::Says(at.to_string()), |place| Leads::Card(*place))
}

fn help(step: &Step, proof: &Proof, at: &StepRef, is_met: bool) -> Help {
    match step {
        Step::Hours(_) | Step::Set(_) | Step::Queue(_) => Help::NotNeeded,
        _ if !is_met => Help::Unknown,
        _ => match proof.help.get(at) {
            Some(Some(longest)) => Help::After(*longest),
            Some(None) => Help::Never,
            None => Help::Unknown,
        },
    }
}

fn of_line(line: &Line, places: &BTreeMap<&StepRef, usize>) -> Card {
    let plain =
        |when: &str, leads, weight| Row { role: None, when: when.to_owned(), leads, weight, codes: BTreeSet::new() };
    let mut rows = vec![
        plain("a call", lead(places, &line.start), Weight::Done),
        plain("0", lead(places, &line.person()), Weight::Human),
    ];
    let human = &line.human;
    rows.extend(human.direct.iter().map(|rule| plain(&said(rule), Leads::Person, Weight::Failed)));
    for rule in &human.gentle {
        rows.push(plain(&said(rule), Leads::Says("twice the time".to_owned()), Weight::Failed));
    }
    let met_by = |welcome| match welcome {
        Welcome::HumanFirst => Leads::Person,
        Welcome::ShortGate => Leads::Says("asked once; then a person".to_owned()),
        Welcome::Ordinary => Leads::Says("as everybody".to_owned()),
    };
    rows.push(plain("number unknown", met_by(human.unknown_caller), Weight::Failed));
    if human.unlisted_caller != Welcome::Ordinary {
        rows.push(plain("not registered", met_by(human.unlisted_caller), Weight::Failed));
    }
    Card {
        at: None,
        name: line.name.to_string(),
        about: vec![format!("dial {}", line.numbers.join(", "))],
        rows,
        met: true,
        help: Help::NotNeeded,
        codes: BTreeSet::new(),
    }
}

fn said(rule: &DirectRule) -> String {
    match rule {
        DirectRule::AgeAtLeast(age) => format!("{age} years or older"),
        DirectRule::Flag(flag) => format!("flag {flag}"),
    }
}

fn row(step: &Step, link: &Link, leads: Leads) -> Row {
    let (when, weight) = match &link.role {
        Role::Key(key) => (key.as_char().to_string(), Weight::Key),
        Role::Then => (done(step).to_owned(), Weight::Done),
        Role::Else => (failed(step).to_owned(), Weight::Failed),
        Role::Case(value) => (format!("= {value}"), Weight::Done),
        Role::Failed(how) => (how.as_str().to_owned(), Weight::Failed),
        Role::Errors => ("silence, errors".to_owned(), Weight::Failed),
    };
    Row { role: Some(link.role.clone()), when, leads, weight, codes: BTreeSet::new() }
}

/// When `then` is taken.
fn done(step: &Step) -> &'static str {
    match step {
        Step::Hours(_) => "open",
        Step::Collect(_) => "entered",
        Step::Lookup(lookup) if lookup.cases.is_empty() => "answered",
        Step::Lookup(_) => "any other",
        Step::Voicemail(_) => "recorded",
        Step::Callback(_) => "promised",
        Step::Dial(_) => "after the talk",
        _ => "then",
    }
}

/// When `else` is taken.
fn failed(step: &Step) -> &'static str {
    match step {
        Step::Hours(_) => "closed",
        Step::Queue(_) => "nobody serves",
        Step::Lookup(_) => "fails",
        Step::Dial(_) => "no answer",
        Step::Say(_) => "no value",
        _ => "else",
    }
}

/// What happens where a step leads no further.
fn ends(step: &Step) -> Option<Row> {
    let (when, what, weight) = match step {
        Step::Play(play) if play.then.is_none() => ("finished", "a person is offered, then goodbye", Weight::Done),
        Step::Say(say) if say.then.is_none() => ("finished", "a person is offered, then goodbye", Weight::Done),
        Step::Queue(queue) if queue.otherwise.is_none() => ("nobody serves", "a call-back is promised", Weight::Failed),
        Step::Voicemail(mail) if mail.then.is_none() => ("recorded", "kept, then goodbye", Weight::Done),
        Step::Callback(back) if back.then.is_none() => ("promised", "kept, then goodbye", Weight::Done),
        Step::Dial(dial) if dial.then.is_none() => {
            ("after the talk", "a person is offered, then goodbye", Weight::Done)
        }
        Step::HangUp(_) => ("then", "the call ends", Weight::Done),
        _ => return None,
    };
    Some(Row { role: None, when: when.to_owned(), leads: Leads::Says(what.to_owned()), weight, codes: BTreeSet::new() })
}

fn about(step: &Step) -> Vec<String> {
    match step {
        Step::Menu(menu) => prompts(&menu.say),
        Step::Play(play) => prompts(&play.say),
        Step::Collect(collect) => [vec![entry(collect)], prompts(&collect.say)].concat(),
        Step::Say(say) => vec![say.say.iter().map(Word::to_string).collect::<Vec<_>>().join(", ")],
        Step::Hours(hours) => opening(hours),
        Step::Lookup(lookup) => {
            let on = lookup.on.iter().map(|name| format!("by {name}"));
            on.chain([format!("an answer within {}", super::text::seconds(lookup.deadline))]).collect()
        }
        Step::Set(set) => {
            let language = set.language.iter().map(|language| format!("language {language}"));
            language.chain(set.values.iter().map(|(name, _)| format!("value {name}"))).collect()
        }
        Step::Queue(queue) => of_queue(queue),
        Step::Voicemail(voicemail) => prompts(&voicemail.say),
        Step::Callback(callback) => prompts(&callback.say),
        Step::Dial(dial) => vec![dial.to.to_string()],
        Step::HangUp(hangup) => prompts(&hangup.say),
    }
}

fn prompts(ids: &[PromptId]) -> Vec<String> {
    vec![ids.iter().map(PromptId::to_string).collect::<Vec<_>>().join(", ")]
}

fn entry(collect: &Collect) -> String {
    let digits = match (collect.least, collect.most) {
        (1, 1) => "1 digit".to_owned(),
        (least, most) if least == most => format!("{most} digits"),
        (least, most) => format!("{least} to {most} digits"),
    };
    match collect.end_key {
        Some(key) => format!("{digits}, then {}", key.as_char()),
        None => digits,
    }
}

fn of_queue(queue: &Queue) -> Vec<String> {
    let strategy = match queue.strategy {
        Strategy::LongestIdle => "rings who has been idle longest",
        Strategy::RingAll => "rings all agents",
    };
    let agents = match queue.agents.len() {
        0 => None,
        1 => Some("1 agent".to_owned()),
        many => Some(format!("{many} agents")),
    };
    let hours = queue.hours.as_ref().map(|hours| format!("while hours {hours} are open"));
    [strategy.to_owned()].into_iter().chain(agents).chain(hours).collect()
}

/// At most three ranges: the file has the rest.
fn opening(hours: &Hours) -> Vec<String> {
    const SHOWN: usize = 3;
    let mut lines: Vec<String> = hours.open.iter().take(SHOWN).map(range).collect();
    if hours.open.len() > SHOWN {
        lines.push(format!("and {} more", hours.open.len() - SHOWN));
    }
    let holidays = match hours.holidays.len() {
        0 => String::new(),
        1 => ", but 1 holiday".to_owned(),
        many => format!(", but {many} holidays"),
    };
    lines.push(format!("{}{holidays}", hours.zone.iana_name().unwrap_or("UTC")));
    lines
}

fn range(range: &DayRange) -> String {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let holds = |day: usize| Weekday::from_monday_zero_offset(day as i8).is_ok_and(|day| range.days.contains(day));
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for day in (0..7).filter(|day| holds(*day)) {
        match spans.last_mut().filter(|(_, last)| *last + 1 == day) {
            Some((_, last)) => *last = day,
            None => spans.push((day, day)),
        }
    }
    let days: Vec<String> = spans
        .into_iter()
        .map(|span| match span {
            (0, 6) => "daily".to_owned(),
            (first, last) if first == last => NAMES[first].to_owned(),
            (first, last) => format!("{}-{}", NAMES[first], NAMES[last]),
        })
        .collect();
    let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    format!("{} {}-{}", days.join(","), time(range.from), time(range.to))
}
