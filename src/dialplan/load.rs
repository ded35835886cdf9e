//! From a folder's files to a dialplan: the only way to make one. Never stops at the first problem.
//!
//! Reads every section of every file, then resolves names, then checks the plan as a whole; each stage goes on with
//! what the ones before could make of it.

use super::draft::{Drafts, LineDraft, is_name};
use super::near::near;
use super::reach::Proof;
use super::section::Section;
use super::syntax::Source;
use super::{
    Dialplan, Facts, collects, dials, hours, lines, lookups, names, profiles, queues, reach, says, spoken, steps,
    values, verdicts,
};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::ids::LineName;
use crate::target::StepKind;
use toml::de::{DeTable, DeValue};

/// Reads and checks a whole folder. `files` are path and text; the order does not matter. The dialplan is there unless
/// a diagnostic is an error; warnings may stand beside it. Diagnostics are in the order of the files.
pub fn load(files: &[(String, String)], facts: &Facts<'_>) -> (Option<Dialplan>, Vec<Diagnostic>) {
    let (drafts, mut told) = read(files, facts);
    let mut plan = names::whole(&drafts);
    if !drafts.damaged {
        let proofs = prove(&drafts, &plan, facts);
        verdicts::tell(&drafts, &proofs, &mut told);
        spoken::check(&drafts, &proofs, facts, &mut told);
        plan.judged = profiles::judge(&drafts, &plan, &proofs, facts, &mut told);
        plan.bounds = proofs.into_iter().map(|(line, proof)| (LineName::new(&line.name), proof.bounds)).collect();
    }
    let order = |span: &Span| (files.iter().position(|(path, _)| *path == span.file), span.start);
    told.sort_by_key(|diagnostic| diagnostic.span.as_ref().map_or((None, 0), order));
    if has_errors(&told) {
        return (None, told);
    }
    (Some(plan), told)
}

/// A plan that can be read, without any proof that it keeps the promise: for whoever must see a broken one run, which is the
/// tests of the proof. No call is ever taken on it.
pub fn load_unproved(files: &[(String, String)], facts: &Facts<'_>) -> Result<Dialplan, Vec<Diagnostic>> {
    let (drafts, told) = read(files, facts);
    if has_errors(&told) { Err(told) } else { Ok(names::whole(&drafts)) }
}

fn has_errors(told: &[Diagnostic]) -> bool {
    told.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// Every section by itself, and every name between them.
fn read(files: &[(String, String)], facts: &Facts<'_>) -> (Drafts, Vec<Diagnostic>) {
    let mut told = Vec::new();
    let mut drafts = Drafts::default();
    for (path, text) in files {
        let source = Source::new(path, text, &mut told);
        read_file(&source, &mut drafts, &mut told);
        drafts.damaged |= source.any_damage();
        drafts.hinted.extend(source.hinted.iter().cloned());
    }
    if drafts.lines.is_empty() && !drafts.damaged {
        told.push(no_line(files));
    }
    names::check(&drafts, facts, &mut told);
    values::check(&drafts, facts, &mut told);
    names::resolve(&mut drafts, &mut told);
    (drafts, told)
}

/// Every line that has a beginning and a person.
fn prove<'d>(drafts: &'d Drafts, plan: &Dialplan, facts: &Facts<'_>) -> Vec<(&'d LineDraft, Proof)> {
    let prove = |line: &'d LineDraft| {
        let whole = plan.lines.get(line.name.as_str())?;
        Some((line, reach::prove(plan, whole, facts.prompts)))
    };
    drafts.lines.iter().filter_map(prove).collect()
}

fn read_file(source: &Source, drafts: &mut Drafts, told: &mut Vec<Diagnostic>) {
    let (tree, _) = DeTable::parse_recoverable(&source.text);
    let mut kinds: Vec<_> = tree.get_ref().iter().collect();
    kinds.sort_by_key(|(kind, _)| kind.span().start);
    for (kind, sections) in kinds {
        let span = source.span(kind.span());
        let DeValue::Table(sections) = sections.get_ref() else {
            told.push(outside(kind.get_ref(), &span));
            continue;
        };
        let Some(kind) = kinds_of_section().find(|known| *known == kind.get_ref()) else {
            told.push(unknown_kind(kind.get_ref(), &span));
            continue;
        };
        let mut sections: Vec<_> = sections.iter().collect();
        sections.sort_by_key(|(name, _)| name.span().start);
        for (name, table) in sections {
            let span = source.span(name.span());
            let DeValue::Table(table) = table.get_ref() else {
                told.push(no_name(kind, name.get_ref(), &span));
                continue;
            };
            if !is_name(name.get_ref()) {
                told.push(bad_name(name.get_ref(), &span));
                continue;
            }
            if kind == "line" && name.get_ref() == "human" {
                told.push(human_of_no_line(&span));
                continue;
            }
            let said = format!("{kind} {}", name.get_ref());
            read_section(Section::new(source, said, name.get_ref(), name.span(), table), kind, drafts, told);
        }
    }
}

fn read_section(section: Section<'_>, kind: &str, drafts: &mut Drafts, told: &mut Vec<Diagnostic>) {
    let draft = match StepKind::from_word(kind) {
        Some(StepKind::Menu) => steps::read_menu(section, told),
        Some(StepKind::Play) => steps::read_play(section, told),
        Some(StepKind::Collect) => collects::read_collect(section, told),
        Some(StepKind::Say) => says::read_say(section, told),
        Some(StepKind::Lookup) => lookups::read_lookup(section, told),
        Some(StepKind::Set) => says::read_set(section, told),
        Some(StepKind::Callback) => steps::read_callback(section, told),
        Some(StepKind::Dial) => dials::read_dial(section, told),
        Some(StepKind::Hours) => hours::read_hours(section, told),
        Some(StepKind::Queue) => queues::read_queue(section, told),
        Some(StepKind::Voicemail) => steps::read_voicemail(section, told),
        Some(StepKind::Hangup) => steps::read_hangup(section, told),
        None => {
            let line = lines::read_line(section, told);
            match drafts.lines.iter().find(|earlier| earlier.name == line.name) {
                Some(earlier) => told.push(twice(&format!("line {}", line.name), &line.name_span, &earlier.name_span)),
                None => drafts.lines.push(line),
            }
            return;
        }
    };
    match drafts.steps.get(&draft.at) {
        Some(earlier) => told.push(twice(&draft.at.to_string(), &draft.name, &earlier.name)),
        None => {
            drafts.steps.insert(draft.at.clone(), draft);
        }
    }
}

/// `line` and all kinds of step.
fn kinds_of_section() -> impl Iterator<Item = &'static str> {
    std::iter::once("line").chain(StepKind::WORDS)
}

fn twice(said: &str, here: &Span, earlier: &Span) -> Diagnostic {
    Diagnostic::error("D012", format!("{said} is written twice; names are shared by all files of the folder"))
        .at(here, "nobody can say which of the two callers are to meet")
        .also(earlier, "first written here")
        .help("give one of the two another name, or delete it")
}

fn outside(word: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("D003", format!("`{word}` stands in no section"))
        .at(span, "nothing would be done with it")
        .help("settings belong under a header such as `[menu.main]` or `[line.care]`")
}

fn unknown_kind(word: &str, span: &Span) -> Diagnostic {
    let diagnostic = Diagnostic::error("D003", format!("there is no kind of section called `{word}`"))
        .at(span, "callers would never meet what stands in it");
    match near(word, kinds_of_section()) {
        Some(kind) => diagnostic.help(format!("did you mean `[{kind}.NAME]`?")),
        None => diagnostic.help(format!("the kinds are: {}", kinds_of_section().collect::<Vec<_>>().join(", "))),
    }
}

fn no_name(kind: &str, word: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("D003", format!("`{word}` stands in a `[{kind}]` section without a name"))
        .at(span, format!("no call could ever be sent to this {kind}"))
        .help(format!("write the header with one bracket and a name, such as `[{kind}.main]`"))
}

fn human_of_no_line(span: &Span) -> Diagnostic {
    Diagnostic::error("D003", "`[line.human]` does not say whose human key it is")
        .at(span, "callers of no line could be put through by it")
        .help("write the line's name between, such as `[line.care.human]`")
}

fn bad_name(name: &str, span: &Span) -> Diagnostic {
    let good: String =
        name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).take(64).collect();
    let diagnostic = Diagnostic::error("D008", format!("`{name}` cannot be a name"))
        .at(span, "a target has two words, kind and name, so no target could lead here");
    match good.is_empty() {
        true => diagnostic.help("a name is made of letters, digits, `-` and `_`"),
        false => diagnostic.help(format!("a name is made of letters, digits, `-` and `_`: `{good}`")),
    }
}

fn no_line(files: &[(String, String)]) -> Diagnostic {
    let message = match files.is_empty() {
        true => "there is no dialplan: the folder holds no .toml file",
        false => "there is no line, so no number can be dialled",
    };
    Diagnostic::error("D039", message)
        .help("add a section such as `[line.care]` with `numbers`, `start` and `[line.care.human]`")
}
