//! The ways of a call through the plan as far as this issue proves them: no trap, no hang-up before a person.
//!
//! Walks the drafts, whose targets stand beside their places. The full proof (every key, every failure of the world, the
//! shortest call that breaks the promise) is the next issue's and takes `Step::next` itself.

use super::draft::{Draft, Drafts, LineDraft, Role, Slot, ends};
use super::section::Written;
use crate::diagnostic::{Diagnostic, Span};
use crate::step::Step;
use crate::target::{StepKind, StepRef};
use std::collections::BTreeSet;

/// Errors that take a link out of the plan: what they cut off is not to be called unreachable.
const BREAKS_LINKS: [&str; 13] =
    ["D002", "D003", "D005", "D008", "D009", "D010", "D012", "D016", "D017", "D018", "D019", "D029", "D030"];

/// Most sections on one way of a silent caller; also bounds the depth of the search.
const WAY_MAX: usize = 500;

pub(super) fn check(drafts: &Drafts, told: &mut Vec<Diagnostic>) {
    hang_ups(drafts, told);
    refused_hang_ups(drafts, told);
    let links_whole = !told.iter().any(|told| BREAKS_LINKS.contains(&told.code));
    let mut known = BTreeSet::new();
    let mut reached = BTreeSet::new();
    for line in &drafts.lines {
        let mut of_line = BTreeSet::new();
        reach(drafts, line, &mut of_line);
        let mut search = Search {
            drafts,
            line,
            path: Vec::new(),
            done: BTreeSet::new(),
            begun: BTreeSet::new(),
            known: &mut known,
            told,
        };
        // Keys can bring a caller to any of these, who then does nothing.
        of_line.iter().for_each(|step| search.silent(step));
        reached.extend(of_line);
    }
    if links_whole && !drafts.lines.is_empty() {
        let lost = drafts.steps.values().filter(|draft| !reached.contains(&draft.at));
        told.extend(lost.map(|draft| unreachable(&draft.at, &draft.name)));
    }
}

/// Every step that a call of this line can come to, and the hours that its queues ask.
pub(super) fn reach(drafts: &Drafts, line: &LineDraft, reached: &mut BTreeSet<StepRef>) {
    let mut open: Vec<StepRef> = [&line.start, &line.to].into_iter().flatten().map(|(step, _)| step.clone()).collect();
    let mut seen: BTreeSet<StepRef> = BTreeSet::new();
    while let Some(at) = open.pop() {
        let Some(draft) = drafts.steps.get(&at) else { continue };
        if !seen.insert(at.clone()) {
            continue;
        }
        open.extend(draft.aims.iter().filter_map(|slot| end(&slot.aim.written, &at, line)));
        if let Step::Queue(queue) = &draft.step
            && let Some(hours) = &queue.hours
        {
            open.push(StepRef { kind: StepKind::Hours, name: hours.clone() });
        }
    }
    reached.extend(seen);
}

fn end(written: &Written, from: &StepRef, line: &LineDraft) -> Option<StepRef> {
    let step = |place: &Option<(StepRef, _)>| place.as_ref().map(|(step, _)| step.clone());
    ends(written, from, step(&line.start).as_ref(), step(&line.to).as_ref())
}

/// Looks for a way round on which a caller who does nothing would stay for ever.
struct Search<'a> {
    drafts: &'a Drafts,
    line: &'a LineDraft,
    /// Where the silent caller has been, each with the place in the text that led on from there.
    path: Vec<(StepRef, Option<Span>)>,
    done: BTreeSet<StepRef>,
    /// Steps to which a queue's `else` has led.
    begun: BTreeSet<StepRef>,
    /// Rounds told already, also by other lines.
    known: &'a mut BTreeSet<BTreeSet<StepRef>>,
    told: &'a mut Vec<Diagnostic>,
}

impl Search<'_> {
    fn silent(&mut self, at: &StepRef) {
        if let Some(begin) = self.path.iter().position(|(step, _)| step == at) {
            let round = &self.path[begin..];
            if self.known.insert(round.iter().map(|(step, _)| step.clone()).collect()) {
                self.told.push(round_trip(round));
            }
            return;
        }
        if self.done.contains(at) {
            return;
        }
        if self.path.len() >= WAY_MAX {
            return self.too_long(at);
        }
        let Some(draft) = self.drafts.steps.get(at) else { return };
        for (step, span) in self.silent_ways(draft) {
            if at.kind == StepKind::Queue && step.kind != StepKind::Queue {
                // A call takes such a way once; when it asks for a person again its promise is kept instead. So no
                // round leads through here, and what lies beyond is walked as if the call began there.
                if self.begun.insert(step.clone()) {
                    let path = std::mem::take(&mut self.path);
                    self.silent(&step);
                    self.path = path;
                }
                continue;
            }
            self.path.push((at.clone(), span));
            self.silent(&step);
            self.path.pop();
        }
        self.done.insert(at.clone());
    }

    fn too_long(&mut self, at: &StepRef) {
        let Some(draft) = self.drafts.steps.get(at).filter(|_| self.known.insert(BTreeSet::new())) else { return };
        let message = format!("a caller who does nothing passes more than {WAY_MAX} sections on the way to {at}");
        self.told.push(
            Diagnostic::error("D034", message)
                .at(&draft.name, "callers would give up long before they reach a person")
                .help("lead to a queue or a menu much earlier"),
        );
    }

    /// Where a caller who does nothing can get from here, by open or closed hours and queues.
    fn silent_ways(&self, draft: &Draft) -> Vec<(StepRef, Option<Span>)> {
        let written = draft.aims.iter().filter(|slot| !matches!(slot.role, Role::Key(_)));
        let ways = written
            .filter_map(|slot| Some((end(&slot.aim.written, &draft.at, self.line)?, Some(slot.aim.span.clone()))));
        let mut ways: Vec<_> = ways.collect();
        if draft.at.kind == StepKind::Menu
            && let Some((queue, _)) = &self.line.to
        {
            ways.push((queue.clone(), None));
        }
        ways
    }
}

fn round_trip(round: &[(StepRef, Option<Span>)]) -> Diagnostic {
    let mut names: Vec<String> = round.iter().map(|(step, _)| step.to_string()).collect();
    names.push(names[0].clone());
    let way = names.join(" -> ");
    let places: Vec<&Span> = round.iter().filter_map(|(_, span)| span.as_ref()).collect();
    let only_queues = round.iter().all(|(step, _)| step.kind == StepKind::Queue);
    let diagnostic =
        match only_queues {
            true => Diagnostic::error("D035", format!("queues that send their callers round in a circle: {way}"))
                .help("let the last queue have no `else`: its callers are then promised a call-back"),
            false => Diagnostic::error("D034", format!("a caller who does nothing goes round for ever: {way}")).help(
                match round.iter().any(|(step, _)| step.kind == StepKind::Queue) {
                    true => "leave the queue's `else` out (a call-back is then promised), or lead it to a voicemail",
                    false => "let one of these lead to a queue, or to a menu (its silence leads to a person)",
                },
            ),
        };
    let Some((last, others)) = places.split_last() else { return diagnostic };
    let label = match only_queues {
        true => "callers would be sent on and on while nobody can serve",
        false => "callers would never reach a person on this way",
    };
    others.iter().fold(diagnostic.at(last, label), |told, span| told.also(span, "and from here on"))
}

/// A hang-up may come only after a finished service or a kept message.
fn hang_ups(drafts: &Drafts, told: &mut Vec<Diagnostic>) {
    for draft in drafts.steps.values() {
        for slot in draft.aims.iter().filter(|slot| is_hang_up(drafts, slot)) {
            match &draft.step {
                Step::Play(play) if !play.finished => told.push(
                    Diagnostic::error(
                        "D031",
                        format!("{} leads to a hang-up without being marked as finished", draft.at),
                    )
                    .at(&slot.aim.span, "callers would be hung up on without having been offered a person")
                    .also(&draft.name, "the play that is to be the end of a service")
                    .help("add `finished = true`: a person is then offered before the end, and `then` can be left out"),
                ),
                Step::Play(_) | Step::Voicemail(_) => {}
                Step::Queue(_) => {} // told by `refused_hang_ups`, which sees longer ways too
                _ => told.push(early_hang_up(&slot.role.said(), &slot.aim.span)),
            }
        }
    }
    for line in &drafts.lines {
        if let Some((step, aim)) = &line.start
            && step.kind == StepKind::Hangup
        {
            told.push(early_hang_up("`start`", &aim.span));
        }
    }
}

fn is_hang_up(drafts: &Drafts, slot: &Slot) -> bool {
    matches!(&slot.aim.written, Written::Step(step) if step.kind == StepKind::Hangup && drafts.steps.contains_key(step))
}

fn early_hang_up(said: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("D032", format!("{said} leads to a hang-up before a person or a finished service"))
        .at(span, "callers would be hung up on with nothing done for them")
        .help("lead to a play with `finished = true`, a voicemail or a queue; whoever wants to end a call hangs up")
}

/// Whoever asked for a person and could not be served now must not be hung up on: from a queue's `else`, no way but
/// through a voicemail may end in a hang-up.
fn refused_hang_ups(drafts: &Drafts, told: &mut Vec<Diagnostic>) {
    let mut known = BTreeSet::new();
    for line in &drafts.lines {
        for queue in drafts.steps.values().filter(|draft| draft.at.kind == StepKind::Queue) {
            for slot in &queue.aims {
                let Some(first) = end(&slot.aim.written, &queue.at, line) else { continue };
                let Some(last) = silent_hang_up(drafts, line, &first) else { continue };
                if known.insert(slot.aim.span.clone()) {
                    told.push(refused(queue, slot, last, last.at == first));
                }
            }
        }
    }
}

fn refused(queue: &Draft, slot: &Slot, last: &Draft, at_once: bool) -> Diagnostic {
    let message = format!("callers whom {} cannot serve would be hung up on by {}", queue.at, last.at);
    let diagnostic = Diagnostic::error("D033", message)
        .at(&slot.aim.span, "these callers have asked for a person")
        .help("lead to another queue or to a voicemail, or leave `else` out: a call-back is then promised");
    if at_once { diagnostic } else { diagnostic.also(&last.name, "the call would end here") }
}

/// Where a caller who does nothing is hung up on, on ways without a menu, a queue or a voicemail.
fn silent_hang_up<'a>(drafts: &'a Drafts, line: &LineDraft, first: &StepRef) -> Option<&'a Draft> {
    let mut seen = BTreeSet::new();
    let mut open = vec![first.clone()];
    while let Some(at) = open.pop() {
        let Some(draft) = drafts.steps.get(&at).filter(|_| seen.insert(at.clone())) else { continue };
        match &draft.step {
            Step::HangUp(_) => return Some(draft),
            Step::Play(play) if play.finished && draft.aims.is_empty() => return Some(draft),
            Step::Play(_) | Step::Hours(_) => {
                open.extend(draft.aims.iter().filter_map(|slot| end(&slot.aim.written, &at, line)));
            }
            Step::Menu(_) | Step::Queue(_) | Step::Voicemail(_) => {}
        }
    }
    None
}

fn unreachable(at: &StepRef, name: &Span) -> Diagnostic {
    Diagnostic::warning("D036", format!("nothing leads to {at}"))
        .at(name, "no caller will ever meet it")
        .help(format!("lead somewhere to \"{at}\", or delete the section"))
}
