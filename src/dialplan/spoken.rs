//! What callers hear: every prompt and every piece of a value is there, in each language in which a call can come to it.
//!
//! When it is heard, and whether a person is offered in time, is for the proof.

use super::Facts;
use super::draft::{Drafts, LineDraft};
use super::near::near;
use super::reach::Proof;
use super::section::Text;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::prompt::{PromptLibrary, spoken};
use crate::saying::{self, Currency, Form};
use crate::step::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longest short gate (DESIGN §5).
const GATE_LONGEST: Duration = Duration::from_secs(8);

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

pub(super) fn check(drafts: &Drafts, proofs: &[(&LineDraft, Proof)], facts: &Facts<'_>, told: &mut Vec<Diagnostic>) {
    let mut languages: BTreeMap<&str, &Text> = BTreeMap::new();
    let mut missing = Missing::default();
    for line in &drafts.lines {
        languages.entry(&line.language.value).or_insert(&line.language);
        if has_language(facts.prompts, &line.language.value) {
            gate(line, facts, told);
        }
    }
    for draft in drafts.steps.values() {
        if let Some(language) = &draft.language {
            languages.entry(&language.value).or_insert(language);
        }
    }
    for (line, proof) in proofs {
        if has_language(facts.prompts, &line.language.value) {
            missing.tell(drafts, line, proof, facts, told);
        }
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
    // A language with a grammar says places in a queue by it.
    let places = saying::every_piece(language, Form::Ordinal, Currency::Usd);
    let needed: BTreeSet<String> =
        spoken::REQUIRED.iter().map(|id| (*id).to_owned()).chain(numbers).chain(places).collect();
    let lacking: Vec<String> = needed.into_iter().filter(|id| prompts.get(language, id).is_none()).collect();
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

/// Prompts and pieces that are not there, each told once.
#[derive(Default)]
struct Missing {
    known: BTreeSet<(String, Span)>,
}

impl Missing {
    /// What the steps say that a call of the line can come to, in each language in which it comes to them.
    fn tell(
        &mut self,
        drafts: &Drafts,
        line: &LineDraft,
        proof: &Proof,
        facts: &Facts<'_>,
        told: &mut Vec<Diagnostic>,
    ) {
        let own = line.language.value.as_str();
        let set: BTreeSet<&str> =
            drafts.steps.values().filter_map(|draft| Some(draft.language.as_ref()?.value.as_str())).collect();
        for (at, language) in &proof.reached {
            let Some(draft) = drafts.steps.get(at) else { continue };
            // Of other languages only those count that a step of this line sets: what the registry may say falls back.
            if language.as_str() != own
                && (!set.contains(language.as_str()) || !has_language(facts.prompts, language.as_str()))
            {
                continue;
            }
            for text in &draft.prompts {
                let lacks = facts.prompts.get(language.as_str(), &text.value).is_none();
                if lacks && self.known.insert((language.to_string(), text.span.clone())) {
                    told.push(no_prompt(text, line, language.as_str(), facts.prompts));
                }
            }
            for (form, currency, span) in &draft.values {
                self.tell_pieces(line, language.as_str(), (*form, *currency), span, facts, told);
            }
            if let Step::Collect(collect) = &draft.step
                && collect.confirm
            {
                self.tell_pieces(line, language.as_str(), (Form::Digits, Currency::Usd), &draft.name, facts, told);
            }
        }
    }

    /// Everything that a value of this form may be put together of.
    fn tell_pieces(
        &mut self,
        line: &LineDraft,
        language: &str,
        (form, currency): (Form, Currency),
        span: &Span,
        facts: &Facts<'_>,
        told: &mut Vec<Diagnostic>,
    ) {
        if !self.known.insert((format!("{language} {}", form.as_str()), span.clone())) {
            return;
        }
        let callers = format!("callers of line {} would be sent to a person instead", line.name);
        if !saying::knows(language) {
            told.push(
                Diagnostic::error(
                    "D065",
                    format!("language `{language}` has no rules for how {} is spoken", said_of(form, currency)),
                )
                .at(span, callers)
                .help("values can be said in en and zh; use prompts alone in other languages"),
            );
            return;
        }
        let pieces = saying::every_piece(language, form, currency);
        let lacking: Vec<String> = pieces.into_iter().filter(|id| facts.prompts.get(language, id).is_none()).collect();
        if lacking.is_empty() {
            return;
        }
        let what = said_of(form, currency);
        let message = match &lacking[..] {
            [one] => format!("language `{language}` lacks a piece of {what}: {one}"),
            many => format!("language `{language}` lacks {} pieces of {what}: {}", many.len(), some_of(many)),
        };
        told.push(
            Diagnostic::error("D066", message)
                .at(span, format!("callers of line {} would hear a sentence with a hole in it", line.name))
                .help(format!("add them to prompts/{language} and type `onekey prompts build --language {language}`")),
        );
    }
}

/// A value in a sentence.
fn said_of(form: Form, currency: Currency) -> String {
    match form {
        Form::Money => format!("an amount of {}", currency.as_str()),
        Form::Digits => "a row of digits".to_owned(),
        Form::Duration => "a length of time".to_owned(),
        Form::Time => "a time of day".to_owned(),
        Form::Ordinal => "an ordinal".to_owned(),
        Form::Number | Form::Date => format!("a {}", form.as_str()),
    }
}

/// In the line's own language an error; in another that the call has changed to, the line's own is heard instead.
fn no_prompt(text: &Text, line: &LineDraft, language: &str, prompts: &PromptLibrary) -> Diagnostic {
    let ids = prompts.of_language(language).map(|prompt| prompt.id.as_str());
    let message = format!("there is no prompt `{}` in language `{language}`", text.value);
    let own = &line.language.value;
    let diagnostic = match *own == language {
        true => Diagnostic::error("D042", message)
            .at(&text.span, format!("callers of line {} would hear silence here", line.name)),
        false => Diagnostic::warning("D064", message).at(
            &text.span,
            format!("callers of line {} who have changed to `{language}` hear `{own}` here", line.name),
        ),
    };
    match near(&text.value, ids) {
        Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
        None => diagnostic.help(format!(
            "add `[{}]` with its words to prompts/{language}/prompts.toml and type `onekey prompts build`",
            text.value
        )),
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
