//! Rules of people: that there is one, that callers are told of them in time, when they are there, and who goes straight to
//! one.

use super::case::{Case, Fault, Verdict};
use super::menus::{topic_aim, write_topic};
use super::rule::{By, Figure, Rule, kept};
use super::week::{Wanted, Week};
use crate::dialplan::draft::Draft;
use crate::dialplan::reach::Broken;
use crate::dialplan::section::{Written, say_duration};
use crate::dialplan::verdicts::OFFER;
use crate::dialplan::{DirectRule, Welcome};
use crate::step::hours::Hours;
use crate::step::queue::Queue;
use crate::target::{StepKind, StepRef, Target};
use std::time::Duration;

pub(super) const KEY_EVERY_STATE: Rule = Rule::new(
    "key_every_state",
    By::Checker,
    "0 reaches a person from every point of every call, also where digits are entered (alone, or held)",
    |case, _| {
        unless(case, |what| matches!(what, Broken::OneKey | Broken::AskedAndHungUp), "0 does not reach a person here")
    },
);
pub(super) const KEY_RESERVED: Rule = Rule::new(
    "key_reserved",
    By::Server,
    "0 never means anything else; where digits are entered it is a digit, and a person when alone or held",
    kept,
);
pub(super) const NO_HANG_UP: Rule = Rule::new(
    "no_system_hangup_before_human",
    By::Checker,
    "the system never ends a call before a person, a kept promise or a finished service",
    |case, _| {
        let is_one = |what| matches!(what, Broken::HungUp | Broken::AskedAndHungUp | Broken::Stuck);
        unless(case, is_one, "the call would end here with nothing done")
    },
);
pub(super) const LOOPS_EXIT: Rule = Rule::new(
    "loops_exit_to_human",
    By::Checker,
    "no caller who does nothing goes round in a circle without reaching a person",
    |case, _| unless(case, |what| matches!(what, Broken::Round { .. }), "callers would go round for ever here"),
);
pub(super) const NO_ENTRY_FIRST: Rule = Rule::new(
    "no_data_before_human",
    By::Checker,
    "nobody has to enter anything before a person is offered, or after asking for one",
    |case, _| {
        let early = case.proof.early_entries.iter().filter_map(|at| case.drafts.steps.get(at));
        let told = early.map(|entry| {
            let why = format!("{} asks for digits before a person", entry.at);
            Fault::new(&entry.name, why, "offer the key 0 in words before it, and lead no queue's `else` to it")
        });
        Verdict::of(told.collect())
    },
);
pub(super) const EXISTS: Rule = Rule::new(
    "human_option_exists",
    By::Checker,
    "a person can be reached on the line at some hour of the week",
    someone,
);
pub(super) const NO_BOT_ONLY: Rule = Rule::new(
    "bot_only",
    By::Checker,
    "a machine is never the only way: a person can be reached at some hour of the week",
    someone,
);
pub(super) const ANNOUNCED: Rule = Rule::new(
    "human_option_announced",
    By::Checker,
    "callers are told in words that they can speak to a person, before the first key is asked of them",
    |case, _| Verdict::of(quiet(case)),
);
pub(super) const SHORTEST: Rule = Rule::new(
    "human_path_is_shortest",
    By::Checker,
    "the way to a person is one key, and callers are told of it before the first key is asked of them",
    |case, _| Verdict::of(quiet(case)),
);
pub(super) const EVERY_MENU: Rule =
    Rule::new("human_option_every_menu", By::Checker, "every menu says that 0 reaches a person", |case, _| {
        Verdict::of(case.of_kind(StepKind::Menu).filter(|menu| !case.offers(menu)).map(does_not_offer).collect())
    });
pub(super) const MAX_LEVEL: Rule = Rule::new(
    "human_max_level",
    By::Checker,
    "a person is among the options at level {} of the menus, or before",
    |case, most| {
        let tells = |level: u32| {
            let menus = case.menus_at(level);
            !menus.is_empty() && menus.iter().all(|menu| case.offers(menu))
        };
        let quiet = quiet(case);
        if quiet.is_empty() || (2..=most.number()).any(tells) { Verdict::Kept } else { Verdict::of(quiet) }
    },
);
pub(super) const SECONDS_TO_OFFER: Rule = Rule::new(
    "max_secs_to_human_offer",
    By::Checker,
    "a person is offered within {} seconds of the answer, every prompt counted",
    |case, most| {
        let after = case.proof.bounds.told_after;
        let why = format!("a person is offered only after {:.1} s", after.as_secs_f64());
        match after > Duration::from_secs(most.number().into()) {
            true => Verdict::broken(case.start(), why, "offer the key 0 in the first prompt that is spoken"),
            false => Verdict::Kept,
        }
    },
);
pub(super) const AUTO_HUMAN: Rule = Rule::new(
    "auto_human_after_s",
    By::Partly,
    "who has got nowhere after {} seconds is put through to a person without asking",
    |case, most| {
        let most = most.number();
        let longest = case.proof.bounds.silent_longest;
        if longest > Duration::from_secs(most.into()) {
            let why = format!("who does nothing is helped only after {:.1} s", longest.as_secs_f64());
            return Verdict::broken(
                case.start(),
                why,
                format!("write `help_within = \"{most}s\"` and see which way is too long"),
            );
        }
        match case.asks() {
            false => Verdict::Kept,
            true => Verdict::undecidable(
                case.start(),
                format!(
                    "who does nothing is helped within {:.1} s, but who goes on pressing keys is not put through by the clock",
                    longest.as_secs_f64()
                ),
                "measure it while calls run; or lead callers to a queue instead of a menu",
            ),
        }
    },
);
pub(super) const ELDER_DIRECT: Rule = Rule::new(
    "elder_direct",
    By::Checker,
    "callers of {} and over go straight to a person: no prompt that waits, no key",
    |case, age| {
        let age = age.number();
        if let Some(at) = case.breach(|what| what == Broken::FlaggedAsked) {
            return Verdict::broken(
                at,
                "callers who go straight to a person are asked for a key here",
                "lead elsewhere",
            );
        }
        let is_met = |rule: &DirectRule| matches!(rule, DirectRule::AgeAtLeast(from) if u32::from(*from) <= age);
        if case.line.human.direct.iter().any(is_met) {
            return Verdict::Kept;
        }
        let at = case.draft.ages.first().map_or(case.here(), |(_, at)| at);
        let why = format!("callers of {age} meet the menu");
        Verdict::broken(at, why, format!("add \"age >= {age}\" to `direct` in `[line.{}.human]`", case.draft.name))
    },
);
pub(super) const ELDER_UNKNOWN: Rule = Rule::new(
    "elder_unknown_first",
    By::Checker,
    "callers whose number is withheld are met like elders: straight to a person",
    |case, _| match case.line.human.unknown_caller {
        Welcome::HumanFirst => Verdict::Kept,
        _ => Verdict::broken(
            case.here(),
            "an elder who withholds the number meets a prompt or the menu",
            format!("write `unknown_caller = \"human_first\"` in `[line.{}.human]`", case.draft.name),
        ),
    },
);
pub(super) const ELDER_ANY: Rule = Rule::new(
    "elder_route_any_of",
    By::Checker,
    "elders have a desk, a menu or one key of their own to a person: 0 is that key, from everywhere",
    |case, _| unless(case, |what| what == Broken::OneKey, "0 does not reach a person here"),
);
pub(super) const HOURS: Rule = Rule::new(
    "hours",
    By::Checker,
    "people are there {} by the hours of the queues (whether they log in is measured at run time)",
    |case, wanted| match wanted {
        Figure::Week(wanted) => open_at(case, &case.line.person(), wanted),
        Figure::Weeks(wanted, business) => match open_at(case, &case.line.person(), wanted) {
            Verdict::Broken(mut faults) if matches!(open_at(case, &case.line.person(), business), Verdict::Kept) => {
                let Some(fault) = faults.pop() else { return Verdict::Kept };
                let why = format!(
                    "{}; that is enough for a line of business customers, and whom it serves is not known here",
                    fault.why
                );
                Verdict::undecidable(&fault.at, why, fault.help)
            }
            other => other,
        },
        _ => Verdict::Kept,
    },
);
pub(super) const HOURS_BUSINESS: Rule = Rule::new(
    "hours_business_lines",
    By::Checker,
    "on lines of business customers people are there {}",
    |case, wanted| match wanted {
        Figure::Week(wanted) => open_at(case, &case.line.person(), wanted),
        _ => Verdict::Kept,
    },
);
pub(super) const SERVICE_HOURS: Rule =
    Rule::new("hours_service", By::Server, "calls are answered at every hour of every day", kept);
pub(super) const HOURS_PER_DAY: Rule = Rule::new(
    "human_hours_per_day_min",
    By::Checker,
    "people are there at least {} hours of every day, by the hours of the queues",
    |case, least| {
        let open = match Open::of(case, &case.line.person()) {
            Ok(open) => open,
            Err(verdict) => return verdict,
        };
        let (day, minutes) = open.week.shortest_day();
        if minutes < least.number() * 60 {
            let hours = f64::from(minutes) / 60.0;
            let why = format!("on {day} people are there for {hours:.1} hours, fewer than {}", least.number());
            return Verdict::broken(open.place(case), why, WIDER);
        }
        open.but_for_holidays(case)
    },
);
pub(super) const HOURS_PER_WEEK: Rule = Rule::new(
    "hours_per_week_min",
    By::Checker,
    "people are there at least {} hours of the week, by the hours of the queues",
    |case, least| match Open::of(case, &case.line.person()) {
        Err(verdict) => verdict,
        Ok(open) if open.week.minutes() >= least.number() * 60 => Verdict::Kept,
        Ok(open) => {
            let hours = f64::from(open.week.minutes()) / 60.0;
            let why = format!("people are there for {hours:.1} hours of the week, fewer than {}", least.number());
            Verdict::broken(open.place(case), why, WIDER)
        }
    },
);
pub(super) const LOSS_HOURS: Rule =
    Rule::new("loss_line_hours", By::Partly, "who has lost a card reaches a person {}", |case, wanted| {
        let Figure::Week(wanted) = wanted else { return Verdict::Kept };
        let of_line = open_at(case, &case.line.person(), wanted);
        let Some((text, aim)) = topic_aim(case, "card_loss") else {
            return match of_line {
                Verdict::Kept => Verdict::Kept,
                _ => Verdict::undecidable(
                    case.here(),
                    "no menu says which of its keys is for a lost card",
                    write_topic("card_loss"),
                ),
            };
        };
        match aim {
            Written::Human => of_line,
            Written::Step(to) if to.kind == StepKind::Queue => open_at(case, to, wanted),
            _ if matches!(of_line, Verdict::Kept) => Verdict::Kept,
            _ => Verdict::undecidable(
                &text.span,
                "this key leads to no queue at once",
                "lead it to a queue that never closes",
            ),
        }
    });
pub(super) const CARD_CANCEL: Rule = Rule::new(
    "card_cancel_not_diverted",
    By::Partly,
    "who wants to cancel a card is put through and not diverted",
    |case, _| match topic_aim(case, "card_cancel") {
        Some((_, Written::Human)) => Verdict::Kept,
        Some((_, Written::Step(to))) if to.kind == StepKind::Queue => Verdict::Kept,
        Some((text, _)) => Verdict::undecidable(
            &text.span,
            "this key leads to no queue at once, and whether its way diverts callers is for you to say",
            "lead it to a queue",
        ),
        _ if !case.asks() => Verdict::Kept,
        _ => Verdict::undecidable(
            case.here(),
            "no menu says which of its keys cancels a card",
            write_topic("card_cancel"),
        ),
    },
);
pub(super) const CALLBACK_AFTER: Rule = Rule::new(
    "callback_after_s",
    By::Checker,
    "who has waited in a queue for {} seconds is offered a call-back",
    |case, most| {
        let longest = Duration::from_secs(most.number().into());
        let late = |draft: &Draft| {
            let every = case.queue(&draft.at)?.announce_every;
            let why = format!("{} offers a call-back only after {}", draft.at, say_duration(every));
            let help = format!("write `announce_every = \"{}s\"`", most.number());
            (every > longest).then(|| Fault::new(&draft.name, why, help))
        };
        Verdict::of(case.of_kind(StepKind::Queue).filter_map(late).collect())
    },
);
pub(super) const ANNOUNCE_WAIT: Rule = Rule::new(
    "announce_wait",
    By::Server,
    "who waits is told the place and the expected wait at once, and again every `announce_every`",
    kept,
);
pub(super) const FIFO: Rule =
    Rule::new("queue_order", By::Checker, "callers are served in the order in which they came", |case, _| {
        let jumps = |draft: &Draft| {
            let ahead = case.queue(&draft.at).is_some_and(|queue| queue.flagged_priority > 0);
            let why = format!("{} puts callers of `direct` before those who came earlier", draft.at);
            ahead.then(|| Fault::new(&draft.name, why, "write `flagged_priority = 0`"))
        };
        if case.line.human.direct.is_empty() {
            return Verdict::Kept;
        }
        Verdict::of(case.of_kind(StepKind::Queue).filter_map(jumps).collect())
    });

const WIDER: &str = "give the queue wider `hours`, or an `else` to a queue that is open then";

/// Kept where the proof found none of these; the proof's own message tells the rest.
fn unless(case: &Case<'_>, is_one: impl Fn(Broken) -> bool, why: &str) -> Verdict {
    match case.breach(is_one) {
        None => Verdict::Kept,
        Some(at) => Verdict::broken(at, why, "mend what the proof of the line tells of this place"),
    }
}

fn does_not_offer(menu: &Draft) -> Fault {
    Fault::new(&menu.name, format!("{} does not say that 0 reaches a person", menu.at), OFFER)
}

/// Menus that ask for a key before anybody was told of a person.
fn quiet(case: &Case<'_>) -> Vec<Fault> {
    let menus = case.proof.quiet_menus.iter().filter_map(|at| case.drafts.steps.get(at));
    menus.map(does_not_offer).collect()
}

fn someone(case: &Case<'_>, _: Figure) -> Verdict {
    let open = match Open::of(case, &case.line.person()) {
        Ok(open) => open,
        // Two zones, each of them open at some time.
        Err(_) => return Verdict::Kept,
    };
    match open.week.is_never() {
        true => Verdict::broken(open.place(case), "its hours are never open, so no person is ever there", WIDER),
        false => Verdict::Kept,
    }
}

/// When people are there, by the hours of a queue and of those that its `else` leads to.
struct Open<'a> {
    week: Week,
    /// The first queue that closes at some time.
    closes: Option<&'a Queue>,
    /// Hours with holidays, where no queue is open for ever.
    holidays: Option<&'a Hours>,
}

impl<'a> Open<'a> {
    /// `Err` where the hours go by the clocks of two zones.
    fn of(case: &Case<'a>, queue: &StepRef) -> Result<Open<'a>, Verdict> {
        let mut open = Open { week: Week::closed(), closes: None, holidays: None };
        let mut zone: Option<&jiff::tz::TimeZone> = None;
        let mut tried: Vec<StepRef> = Vec::new();
        let mut next = Some(queue.clone());
        while let Some(at) = next.take().filter(|at| !tried.contains(at)) {
            let Some(queue) = case.queue(&at) else { break };
            tried.push(at);
            let Some(hours) = queue.hours.as_ref().and_then(|name| case.plan.hours(name)) else {
                return Ok(Open { week: Week::always(), closes: None, holidays: None });
            };
            if zone.is_some_and(|zone| *zone != hours.zone) {
                let why = "the hours of its queues go by the clocks of two zones";
                return Err(Verdict::undecidable(case.here(), why, "give the queues hours of one zone"));
            }
            zone = Some(&hours.zone);
            open.week.add(hours);
            open.closes = open.closes.or(Some(queue));
            if !hours.holidays.is_empty() {
                open.holidays = open.holidays.or(Some(hours));
            }
            next = match &queue.otherwise {
                Some(Target::Step(to)) if to.kind == StepKind::Queue => Some(to.clone()),
                _ => None,
            };
        }
        Ok(open)
    }

    fn place(&self, case: &Case<'a>) -> &'a crate::diagnostic::Span {
        let draft = self.closes.and_then(|queue| case.drafts.steps.get(&StepRef::queue(&queue.name)));
        draft.map_or(case.here(), |draft| draft.hours.as_ref().map_or(&draft.name, |text| &text.span))
    }

    /// A day that the rule names and that a holiday closes.
    fn but_for_holidays(&self, case: &Case<'a>) -> Verdict {
        match self.holidays {
            None => Verdict::Kept,
            Some(hours) => Verdict::undecidable(
                self.place(case),
                format!("hours {} close on holidays, and whether the rule excuses them is not known here", hours.name),
                "let a queue serve on holidays too, or ask who wrote the rule",
            ),
        }
    }
}

fn open_at(case: &Case<'_>, queue: &StepRef, wanted: Wanted) -> Verdict {
    let open = match Open::of(case, queue) {
        Ok(open) => open,
        Err(verdict) => return verdict,
    };
    if let Some(closed) = open.week.lacks(wanted) {
        let why = format!("nobody is there at {closed}; wanted is {}", wanted.said());
        return Verdict::broken(open.place(case), why, WIDER);
    }
    match (wanted.is_daily(), wanted == Wanted::ALWAYS, open.holidays) {
        (true, true, Some(hours)) => {
            let why = format!("hours {} close on holidays; wanted is 24x7", hours.name);
            Verdict::broken(open.place(case), why, WIDER)
        }
        (true, false, Some(_)) => open.but_for_holidays(case),
        _ => Verdict::Kept,
    }
}
