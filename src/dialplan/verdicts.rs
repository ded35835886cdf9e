//! What the proof found, as messages: in the administrator's words, at the place in the text that is to be mended, with the
//! shortest call that shows it.

use super::draft::{Draft, Drafts, LineDraft, said};
use super::reach::{Breach, Broken, Proof};
use super::section::{Written, say_duration};
use crate::diagnostic::{Diagnostic, Span};
use crate::script;
use crate::step::link::Role;
use crate::target::{StepKind, StepRef};
use std::collections::BTreeSet;

/// Errors that take a link out of the plan: what they cut off is not to be called unreachable.
const BREAKS_LINKS: [&str; 15] = [
    "D002", "D003", "D005", "D008", "D009", "D010", "D012", "D016", "D017", "D018", "D019", "D029", "D030", "D056",
    "D059",
];

/// How a menu tells of a person.
pub(super) const OFFER: &str =
    "say \"for a person, press 0\" in its prompts and mark that prompt with `offers_human = true`";

/// Tells what is wrong with the lines, each thing once, however many lines it concerns. `proofs` are of lines that could
/// be put together.
pub(super) fn tell(drafts: &Drafts, proofs: &[(&LineDraft, Proof)], told: &mut Vec<Diagnostic>) {
    let links_whole = !told.iter().any(|told| BREAKS_LINKS.contains(&told.code));
    let mut known = BTreeSet::new();
    for (line, proof) in proofs {
        for breach in &proof.breaches {
            tell_breach(drafts, line, breach, &mut known, told);
        }
    }
    queues_in_a_circle(drafts, told);
    let mut quiet = BTreeSet::new();
    for menu in proofs.iter().flat_map(|(_, proof)| &proof.quiet_menus).filter(|menu| quiet.insert((*menu).clone())) {
        let Some(draft) = drafts.steps.get(menu) else { continue };
        told.push(
            Diagnostic::warning("D047", format!("{menu} does not say that 0 reaches a person"))
                .at(&draft.name, "the first menu that callers meet; those who do not know the key will not press it")
                .help(OFFER),
        );
    }
    if links_whole && !proofs.is_empty() {
        let reached: BTreeSet<&StepRef> = proofs.iter().flat_map(|(_, proof)| proof.steps()).collect();
        told.extend(drafts.steps.values().filter(|draft| !reached.contains(&draft.at)).map(unreachable));
    }
}

fn tell_breach(
    drafts: &Drafts,
    line: &LineDraft,
    breach: &Breach,
    known: &mut BTreeSet<(&'static str, BTreeSet<StepRef>, Option<Span>)>,
    told: &mut Vec<Diagnostic>,
) {
    for (diagnostic, shows) in diagnostics(drafts, line, breach) {
        // The picture of the line marks it by the same code.
        debug_assert!(
            [breach.what.code(), "D031"].contains(&diagnostic.code),
            "{:?} is {}",
            breach.what,
            diagnostic.code
        );
        let steps = match breach.what {
            Broken::Round { from } => breach.way[from..].iter().map(|(at, _)| at.clone()).collect(),
            _ => BTreeSet::new(),
        };
        let place = if steps.is_empty() { diagnostic.span.clone() } else { None };
        if known.insert((diagnostic.code, steps, place)) {
            told.push(if shows { diagnostic.shown_by(script::write(&breach.call)) } else { diagnostic });
        }
    }
}

/// The messages, each with whether the breach's call goes by what it tells.
fn diagnostics(drafts: &Drafts, line: &LineDraft, breach: &Breach) -> Vec<(Diagnostic, bool)> {
    let last = breach.way.last().and_then(|(at, _)| drafts.steps.get(at));
    let start = line.start.as_ref().map_or(&line.name_span, |(_, aim)| &aim.span);
    let at_last = last.map_or(start, |draft| &draft.name);
    let told = match breach.what {
        Broken::HungUp => return hung_up(drafts, line, breach),
        Broken::AskedAndHungUp => return refused(drafts, breach),
        Broken::Round { from } => vec![round(drafts, &breach.way[from..])],
        Broken::ToldTooLate(after) => vec![told_too_late(line, start, after.as_secs_f64())],
        Broken::HelpTooLate(after) => vec![help_too_late(line, start, after.as_secs_f64())],
        // The next three no section can bring about as it is read today: the loader refuses a format that takes a lone 0, each
        // wait of a step has an end, and a call asks nobody who is flagged. They are told all the same, should a step change.
        Broken::OneKey => vec![
            Diagnostic::error("D050", "a 0 alone does not reach a person here")
                .at(at_last, "callers rely on it, everywhere")
                .help("ask for other digits, so that a single 0 is none of the entries"),
        ],
        Broken::Stuck => vec![
            Diagnostic::error("D034", "the call would stand still here")
                .at(at_last, "callers would hear nothing more, and nothing would ever happen")
                .help("lead on to a queue, or to a menu (its silence leads to a person)"),
        ],
        Broken::FlaggedAsked => vec![
            Diagnostic::error("D033", "callers who go straight to a person would be asked for a key here")
                .at(at_last, "these callers are to meet no menu")
                .help("lead elsewhere where a queue cannot serve"),
        ],
    };
    told.into_iter().map(|diagnostic| (diagnostic, true)).collect()
}

/// The shortest call goes by this link.
fn passes(breach: &Breach, at: &StepRef, role: &Role) -> bool {
    breach.way.iter().any(|(step, by)| step == at && by.as_ref() == Some(role))
}

fn told_too_late(line: &LineDraft, start: &Span, seconds: f64) -> Diagnostic {
    let limit = say_duration(line.announce_within);
    Diagnostic::error("D048", format!("callers of line {} are told of a person after {seconds:.1} s", line.name))
        .at(start, format!("from here on nothing offers a person within {limit} (`announce_within`)"))
        .help("offer the key 0 in the first prompt that is spoken, before anything else")
}

fn help_too_late(line: &LineDraft, start: &Span, seconds: f64) -> Diagnostic {
    let limit = say_duration(line.help_within);
    Diagnostic::error(
        "D070",
        format!("a caller of line {} who does nothing is helped only after {seconds:.1} s", line.name),
    )
    .at(start, format!("the longest way of such a caller from here takes more than {limit} (`help_within`)"))
    .help("make the prompts on this way shorter, ask for fewer keys, or lead to a queue earlier")
}

/// A hang-up may come only after a finished service, or after something has been kept.
fn hung_up(drafts: &Drafts, line: &LineDraft, breach: &Breach) -> Vec<(Diagnostic, bool)> {
    let mut told: Vec<(Diagnostic, bool)> = Vec::new();
    for (at, role) in &breach.links {
        let Some(draft) = drafts.steps.get(at) else { continue };
        let Some(place) = slot(draft, role) else { continue };
        let diagnostic = match draft.step.is_unfinished() {
            true => not_finished(draft, &place),
            false => early_hang_up(&said(role), &place),
        };
        told.push((diagnostic, passes(breach, at, role)));
    }
    if let Some((start, aim)) = &line.start
        && start.kind == StepKind::Hangup
        && breach.way.iter().all(|(at, _)| at == start)
    {
        told.push((early_hang_up("`start`", &aim.span), true));
    }
    told
}

fn not_finished(draft: &Draft, place: &Span) -> Diagnostic {
    Diagnostic::error("D031", format!("{} leads to a hang-up without being marked as finished", draft.at))
        .at(place, "callers would be hung up on without having been offered a person")
        .also(&draft.name, format!("the {} that is to be the end of a service", draft.at.kind))
        .help("add `finished = true`: a person is then offered before the end, and `then` can be left out")
}

fn early_hang_up(said: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("D032", format!("{said} leads to a hang-up before a person or a finished service"))
        .at(span, "callers would be hung up on with nothing done for them")
        .help("lead to a play with `finished = true`, a voicemail or a queue; whoever wants to end a call hangs up")
}

/// Whoever asked for a person and could not be served now must not be hung up on.
fn refused(drafts: &Drafts, breach: &Breach) -> Vec<(Diagnostic, bool)> {
    let Some((last, _)) = breach.way.last() else { return Vec::new() };
    let mut told = Vec::new();
    for (queue, role) in &breach.links {
        let Some(place) = drafts.steps.get(queue).and_then(|draft| slot(draft, role)) else { continue };
        let leads_to = drafts.steps.get(queue).and_then(|draft| target(draft, role));
        let diagnostic =
            Diagnostic::error("D033", format!("callers whom {queue} cannot serve would be hung up on by {last}"))
                .at(&place, "these callers have asked for a person")
                .help("lead to another queue or to a voicemail, or leave `else` out: a call-back is then promised");
        let diagnostic = match drafts.steps.get(last).filter(|_| leads_to.as_ref() != Some(last)) {
            Some(end) => diagnostic.also(&end.name, "the call would end here"),
            None => diagnostic,
        };
        told.push((diagnostic, passes(breach, queue, role)));
    }
    told
}

fn round(drafts: &Drafts, round: &[(StepRef, Option<Role>)]) -> Diagnostic {
    let names = ring(round.iter().map(|(step, _)| step));
    let places = round.iter().filter_map(|(at, role)| slot(drafts.steps.get(at)?, role.as_ref()?)).collect();
    let has_queue = round.iter().any(|(step, _)| step.kind == StepKind::Queue);
    let diagnostic = Diagnostic::error("D034", format!("a caller who does nothing goes round for ever: {names}")).help(
        match has_queue {
            true => "leave the queue's `else` out (a call-back is then promised), or lead it to a voicemail",
            false => "let one of these lead to a queue, or to a menu (its silence leads to a person)",
        },
    );
    along(diagnostic, places, "callers would never reach a person on this way")
}

/// The names of a way that comes back to where it began.
fn ring<'a>(steps: impl Iterator<Item = &'a StepRef>) -> String {
    let mut names: Vec<String> = steps.map(StepRef::to_string).collect();
    names.extend(names.first().cloned());
    names.join(" -> ")
}

/// At the last of these places, and from the others on.
fn along(diagnostic: Diagnostic, places: Vec<Span>, label: &str) -> Diagnostic {
    let Some((last, others)) = places.split_last() else { return diagnostic };
    others.iter().fold(diagnostic.at(last, label), |told, span| told.also(span, "and from here on"))
}

/// Calls break out of such a circle by themselves (a call-back is promised), but whoever wrote it meant something else.
fn queues_in_a_circle(drafts: &Drafts, told: &mut Vec<Diagnostic>) {
    let mut known: BTreeSet<BTreeSet<&StepRef>> = BTreeSet::new();
    for first in drafts.steps.values().filter(|draft| draft.at.kind == StepKind::Queue) {
        let mut way: Vec<&Draft> = vec![first];
        while let Some(next) = way.last().and_then(|draft| next_queue(drafts, draft)) {
            if let Some(begins) = way.iter().position(|draft| draft.at == next.at) {
                let round = &way[begins..];
                if known.insert(round.iter().map(|draft| &draft.at).collect()) {
                    told.push(circle(round));
                }
                break;
            }
            way.push(next);
        }
    }
}

fn next_queue<'a>(drafts: &'a Drafts, queue: &Draft) -> Option<&'a Draft> {
    let next = target(queue, &Role::Else).filter(|step| step.kind == StepKind::Queue)?;
    drafts.steps.get(&next)
}

fn circle(round: &[&Draft]) -> Diagnostic {
    let names = ring(round.iter().map(|draft| &draft.at));
    let places = round.iter().filter_map(|draft| slot(draft, &Role::Else)).collect();
    let diagnostic = Diagnostic::error("D035", format!("queues that send their callers round in a circle: {names}"))
        .help("let the last queue have no `else`: its callers are then promised a call-back");
    along(diagnostic, places, "callers would be sent on and on while nobody can serve")
}

fn unreachable(draft: &Draft) -> Diagnostic {
    let at = &draft.at;
    Diagnostic::warning("D036", format!("nothing leads to {at}"))
        .at(&draft.name, "no caller will ever meet it")
        .help(format!("lead somewhere to \"{at}\", or delete the section"))
}

/// Where a link stands in the text.
fn slot(draft: &Draft, role: &Role) -> Option<Span> {
    draft.aims.iter().find(|slot| slot.role == *role).map(|slot| slot.aim.span.clone())
}

fn target(draft: &Draft, role: &Role) -> Option<StepRef> {
    draft.aims.iter().find(|slot| slot.role == *role).and_then(|slot| match &slot.aim.written {
        Written::Step(step) => Some(step.clone()),
        _ => None,
    })
}
