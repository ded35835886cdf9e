//! One line with everything that was found of it, and what the judging of a rule can come to.

use crate::diagnostic::Span;
use crate::dialplan::draft::{Draft, Drafts, LineDraft};
use crate::dialplan::reach::{Broken, Proof};
use crate::dialplan::section::Text;
use crate::dialplan::{Dialplan, Line};
use crate::ids::Language;
use crate::prompt::{Prompt, PromptLibrary};
use crate::step::Step;
use crate::target::{StepKind, StepRef};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) struct Case<'a> {
    pub drafts: &'a Drafts,
    pub plan: &'a Dialplan,
    pub draft: &'a LineDraft,
    pub line: &'a Line,
    pub proof: &'a Proof,
    pub prompts: &'a PromptLibrary,
}

/// What a rule comes to on a line.
#[derive(Debug)]
pub(super) enum Verdict {
    Kept,
    /// At least one place.
    Broken(Vec<Fault>),
    Undecidable(Box<Fault>),
}

/// One thing that is not as it should be, or that cannot be known.
#[derive(Debug)]
pub(super) struct Fault {
    /// The section or word that is to be mended; the line's name where there is none.
    pub at: Span,
    /// A sentence without its full stop: what was found.
    pub why: String,
    /// What to type.
    pub help: String,
}

impl Verdict {
    /// Kept where nothing is wrong.
    pub fn of(faults: Vec<Fault>) -> Verdict {
        if faults.is_empty() { Verdict::Kept } else { Verdict::Broken(faults) }
    }

    pub fn broken(at: &Span, why: impl Into<String>, help: impl Into<String>) -> Verdict {
        Verdict::Broken(vec![Fault::new(at, why, help)])
    }

    pub fn undecidable(at: &Span, why: impl Into<String>, help: impl Into<String>) -> Verdict {
        Verdict::Undecidable(Box::new(Fault::new(at, why, help)))
    }
}

impl Fault {
    pub fn new(at: &Span, why: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault { at: at.clone(), why: why.into(), help: help.into() }
    }
}

impl<'a> Case<'a> {
    /// Where the line is written.
    pub fn here(&self) -> &'a Span {
        &self.draft.name_span
    }

    /// Where the line's beginning is written.
    pub fn start(&self) -> &'a Span {
        self.draft.start.as_ref().map_or(&self.draft.name_span, |(_, aim)| &aim.span)
    }

    /// Sections that calls of the line can come to, each once, in the order of their names.
    pub fn reached(&self) -> impl Iterator<Item = &'a Draft> + use<'a> {
        let met: BTreeSet<&StepRef> = self.proof.steps().collect();
        let drafts = self.drafts;
        met.into_iter().filter_map(move |at| drafts.steps.get(at))
    }

    pub fn of_kind(&self, kind: StepKind) -> impl Iterator<Item = &'a Draft> + use<'a> {
        self.reached().filter(move |draft| draft.at.kind == kind)
    }

    /// Menus of this level; the first is 1.
    pub fn menus_at(&self, level: u32) -> Vec<&'a Draft> {
        let at_level = self.proof.bounds.levels.iter().filter(|(_, of)| **of == level);
        at_level.filter_map(|(at, _)| self.drafts.steps.get(at)).collect()
    }

    /// Whether anybody is ever asked for a key.
    pub fn asks(&self) -> bool {
        self.reached().any(|draft| draft.step.asks())
    }

    /// A prompt as callers of the line hear it in this language.
    pub fn prompt(&self, language: &str, id: &str) -> Option<&'a Arc<Prompt>> {
        self.prompts.heard(id, language, self.line.language.as_str(), false)
    }

    /// The languages in which calls of the line come to a section.
    pub fn languages_at(&self, at: &StepRef) -> Vec<&'a str> {
        let met = self.proof.reached.range((at.clone(), Language::new(""))..);
        met.take_while(|(met, _)| met == at).map(|(_, language)| language.as_str()).collect()
    }

    /// Whether a section's own words offer a person, in every language in which they are heard.
    pub fn offers(&self, draft: &Draft) -> bool {
        let offers = |language: &str| {
            let mut heard = draft.prompts.iter().filter_map(|text| self.prompt(language, &text.value));
            heard.any(|prompt| prompt.facts.offer_ends.is_some())
        };
        self.languages_at(&draft.at).into_iter().all(offers)
    }

    /// The first way in which the proof found one of these to be broken: the section where it is.
    pub fn breach(&self, is_one: impl Fn(Broken) -> bool) -> Option<&'a Span> {
        let breach = self.proof.breaches.iter().find(|breach| is_one(breach.what))?;
        let last = breach.way.last().and_then(|(at, _)| self.drafts.steps.get(at));
        Some(last.map_or(self.start(), |draft| &draft.name))
    }

    /// Prompts of a section that advertise something, in a language in which it is met.
    pub fn adverts_of(&self, draft: &'a Draft) -> Vec<&'a Text> {
        let languages = self.languages_at(&draft.at);
        let is_advert = |id: &str| {
            let heard = languages.iter().filter_map(|language| self.prompt(language, id));
            heard.into_iter().any(|prompt| prompt.facts.advert)
        };
        draft.prompts.iter().filter(|text| is_advert(&text.value)).collect()
    }

    pub fn queue(&self, at: &StepRef) -> Option<&'a crate::step::queue::Queue> {
        match self.plan.steps.get(at) {
            Some(Step::Queue(queue)) => Some(queue),
            _ => None,
        }
    }
}
