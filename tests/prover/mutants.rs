//! Every sample dialplan, broken in every place: settings taken out, ways led elsewhere, keys swallowed, prompts made longer
//! or silent about a person. Each mutant is refused when it is read, or refused by the proof or by a profile of its line, or
//! harmless; and where it is harmless, the walker finds no call that breaks the promise, and silent callers of the whole
//! engine are helped in time.

use crate::{THREADS, kind, walker};
use onekey::codec::Codec;
use onekey::diagnostic::Severity;
use onekey::dialplan::reach::prove;
use onekey::dialplan::{Facts, Line, load, load_unproved};
use onekey::ids::Language;
use onekey::prompt::{Prompt, PromptFacts, PromptLibrary};
use onekey::rehearsal::{self, Stage};
use onekey::script::{self, What};
use onekey::server::{files::read_dialplans, prompt_files::load_prompts};
use onekey::target::StepKind;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

type Files = Vec<(String, String)>;

#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy, Debug)]
enum End {
    RefusedWhenRead,
    RefusedByTheProof,
    /// The promise is kept, and a rule of the place, which the plan names itself, is not.
    RefusedByAProfile,
    Harmless,
}

#[test]
fn every_mutant_of_the_samples_is_refused_or_harmless() {
    let (prompts, problems) = load_prompts(&root().join("prompts"), &mut |_| {});
    assert!(problems.is_empty(), "{problems:?}");
    let prompts = Arc::new(prompts);
    let mut ends: BTreeMap<(&str, End), usize> = BTreeMap::new();
    for folder in samples() {
        let files = with_short_entries(&read_dialplans(&folder).expect("a sample can be read"));
        assert_eq!(judge("as it is", &files, &prompts), End::Harmless, "{}", folder.display());
        let mut all: Vec<Mutant> =
            mutants(&files).into_iter().map(|(how, files)| (how, files, Arc::clone(&prompts))).collect();
        let others = mutant_prompts(&files, &prompts).into_iter();
        all.extend(others.map(|(how, prompts)| (how, files.clone(), Arc::new(prompts))));
        for end in judge_all(&all) {
            *ends.entry(end).or_default() += 1;
        }
    }
    ends.iter().for_each(|((how, end), count)| println!("{how:<24} {end:?} {count}"));
    let count = |end: End| ends.iter().filter(|((_, known), _)| *known == end).map(|(_, count)| count).sum::<usize>();
    println!(
        "{} mutants: {} refused when read, {} by the proof, {} by a profile, {} harmless",
        ends.values().sum::<usize>(),
        count(End::RefusedWhenRead),
        count(End::RefusedByTheProof),
        count(End::RefusedByAProfile),
        count(End::Harmless)
    );
    let met = [End::RefusedByTheProof, End::RefusedByAProfile, End::Harmless].map(|end| count(end) >= 5);
    assert_eq!(met, [true; 3], "{ends:?}");
}

/// How, and what is then loaded.
type Mutant = (&'static str, Files, Arc<PromptLibrary>);

fn judge_all(mutants: &[Mutant]) -> Vec<(&'static str, End)> {
    std::thread::scope(|threads| {
        let running: Vec<_> = (0..THREADS as usize)
            .map(|first| {
                let mine = mutants.iter().skip(first).step_by(THREADS as usize);
                threads
                    .spawn(|| mine.map(|(how, files, prompts)| (*how, judge(how, files, prompts))).collect::<Vec<_>>())
            })
            .collect();
        running.into_iter().flat_map(|thread| thread.join().expect("the judges agree")).collect()
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Every folder with a line under `dialplans`, itself included.
fn samples() -> Vec<PathBuf> {
    let top = root().join("dialplans");
    let mut folders = vec![top.clone()];
    let mut open = vec![top];
    while let Some(folder) = open.pop() {
        let inside = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let mut inside: Vec<PathBuf> = inside.filter(|path| path.is_dir()).collect();
        inside.sort();
        open.extend(inside.clone());
        folders.extend(inside);
    }
    // `dialplans/examples` itself holds only the configuration that its folders share.
    folders.retain(|folder| read_dialplans(folder).expect("a folder").iter().any(|(_, text)| text.contains("[line.")));
    folders
}

/// Entries of more than two digits cut down to two: the walker types every entry that there is.
fn with_short_entries(files: &Files) -> Files {
    let short = |text: &str| {
        let mut table: toml::Table = text.parse().expect("a sample is TOML");
        let collects = table.get_mut("collect").and_then(toml::Value::as_table_mut);
        for (_, collect) in collects.into_iter().flat_map(|collects| collects.iter_mut()) {
            let digits = collect.get_mut("digits").filter(|digits| digits.as_integer().is_some_and(|many| many > 2));
            digits.into_iter().for_each(|digits| *digits = 2.into());
        }
        toml::to_string(&table).expect("a sample is TOML")
    };
    files.iter().map(|(name, text)| (name.clone(), short(text))).collect()
}

/// What becomes of a mutant. Whatever the proof and the other judges see differently ends the test.
fn judge(how: &str, files: &Files, prompts: &Arc<PromptLibrary>) -> End {
    let facts = Facts::of(prompts);
    let Ok(plan) = load_unproved(files, &facts) else { return End::RefusedWhenRead };
    let shown = || files.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
    let mut broken = false;
    for line in plan.lines.values() {
        let proof = prove(&plan, line, prompts);
        let proved: BTreeSet<_> = proof.breaches.iter().filter_map(|breach| kind(breach.what)).collect();
        let walked = walker::walk(&plan, &line.numbers[0]);
        let found: BTreeSet<_> = walked.broken.keys().copied().collect();
        assert_eq!(proved, found, "{how}: proof and walker ({:#?}) differ on\n{}", walked.broken, shown());
        broken |= !proof.breaches.is_empty();
    }
    let (loaded, told) = load(files, &facts);
    let refused = told.iter().any(|told| told.severity == Severity::Error);
    assert_eq!(loaded.is_none(), refused);
    let errors: BTreeSet<_> =
        told.iter().filter(|told| told.severity == Severity::Error).map(|told| told.code).collect();
    // Queues that lead to each other end well at run time, and are refused all the same: nobody can mean that.
    if refused && !broken && errors.iter().all(|code| *code == "D035") {
        return End::RefusedWhenRead;
    }
    if refused && !broken && errors.iter().all(|code| *code == "D075") {
        return End::RefusedByAProfile;
    }
    assert_eq!(refused, broken, "{how}: the proof found {broken}, the loader refuses {refused}\n{}", shown());
    if refused {
        return End::RefusedByTheProof;
    }
    let stage = Stage { dialplan: Arc::new(plan), prompts: Arc::clone(prompts) };
    stage.dialplan.lines.values().for_each(|line| is_helped_in_time(how, &stage, line));
    End::Harmless
}

/// A silent caller at noon and at midnight, with nobody there and with everybody: help comes within the line's limits.
fn is_helped_in_time(how: &str, stage: &Stage, line: &Line) {
    for (at, agents) in [("2026-11-23 04:00", ""), ("2026-11-23 16:00", ""), ("2026-11-23 04:00", "agents 1001\n")] {
        let text =
            format!("line {}\ncaller +12025550123\nregistry ordinary\n{agents}at {at}\n\n0.0 > call\n", line.name);
        let call = script::read(&text).expect("a script of the test");
        let wished = rehearsal::watch(stage, &call, line.help_within + Duration::from_secs(60)).expect("it can be run");
        let helped = wished.iter().find(|line| is_help(&line.what)).map(|line| line.at);
        let wished: Vec<String> = wished.iter().map(script::line_text).collect();
        let told = format!("{how}, line {}, at {at}, {agents:?}:\n{}", line.name, wished.join("\n"));
        let helped = helped.unwrap_or_else(|| panic!("never helped: {told}"));
        assert!(helped <= line.help_within, "helped after {helped:?}: {told}");
    }
}

/// A place in a queue, something kept, a recording, or the end of a service.
fn is_help(what: &What) -> bool {
    let What::Expects(words) = what else { return false };
    let is_queued = words.starts_with("queue ") && !words.ends_with("cannot serve");
    is_queued || ["keep ", "record", "hang-up"].iter().any(|word| words.starts_with(word))
}

/// The places of a text: the section, the setting, and the value where it is one of a list or of a table.
fn mutants(files: &Files) -> Vec<(&'static str, Files)> {
    let tables: Vec<toml::Table> = files.iter().map(|(_, text)| text.parse().expect("a sample is TOML")).collect();
    let mut targets: Vec<String> = ["human", "start", "repeat"].map(str::to_owned).into();
    for (kind, names) in tables.iter().flatten().filter(|(kind, _)| StepKind::from_word(kind).is_some()) {
        targets.extend(names.as_table().into_iter().flatten().map(|(name, _)| format!("{kind} {name}")));
    }
    let mut all = Vec::new();
    for (nth, table) in tables.iter().enumerate() {
        for (how, mutant) in of_table(table, &targets) {
            let mut mutated = files.clone();
            mutated[nth].1 = toml::to_string(&mutant).expect("a mutant is TOML");
            all.push((how, mutated));
        }
    }
    all
}

fn of_table(table: &toml::Table, targets: &[String]) -> Vec<(&'static str, toml::Table)> {
    let mut all = Vec::new();
    for key in table.keys() {
        let with = |value: Option<toml::Value>| {
            let mut mutant = table.clone();
            match value {
                Some(value) => drop(mutant.insert(key.clone(), value)),
                None => drop(mutant.remove(key)),
            }
            mutant
        };
        all.push(("taken out", with(None)));
        match &table[key] {
            toml::Value::Table(inner) => {
                let inside = of_table(inner, targets);
                all.extend(inside.into_iter().map(|(how, mutant)| (how, with(Some(mutant.into())))));
            }
            toml::Value::String(known) if targets.contains(known) || known == "back" => {
                let others = targets.iter().filter(|target| *target != known);
                all.extend(others.map(|target| ("led elsewhere", with(Some(target.as_str().into())))));
            }
            toml::Value::Boolean(known) => all.push(("turned round", with(Some((!known).into())))),
            toml::Value::Array(list) if list.len() > 1 => {
                for nth in 0..list.len() {
                    let mut fewer = list.clone();
                    fewer.remove(nth);
                    all.push(("one fewer in a list", with(Some(fewer.into()))));
                }
            }
            _ => {}
        }
    }
    all
}

/// Each prompt that the plan says, much longer, and without its offer of a person.
fn mutant_prompts(files: &Files, prompts: &PromptLibrary) -> Vec<(&'static str, PromptLibrary)> {
    let said = |id: &str| files.iter().any(|(_, text)| text.contains(&format!("\"{id}\"")));
    let languages: Vec<Language> = prompts.languages().cloned().collect();
    let mut all = Vec::new();
    for language in &languages {
        for prompt in prompts.of_language(language.as_str()).filter(|prompt| said(prompt.id.as_str())) {
            let facts = &prompt.facts;
            let longer = PromptFacts { offer_ends: facts.offer_ends.map(|ends| ends + LONGER), ..facts.clone() };
            all.push(("prompt 150 s longer", with_prompt(prompts, prompt, longer, LONGER)));
            if facts.offer_ends.is_some() {
                let silent = PromptFacts { offer_ends: None, ..facts.clone() };
                all.push(("prompt offers nobody", with_prompt(prompts, prompt, silent, Duration::ZERO)));
            }
        }
    }
    all
}

const LONGER: Duration = Duration::from_secs(150);

/// The same prompts, one of them other.
fn with_prompt(prompts: &PromptLibrary, of: &Prompt, facts: PromptFacts, longer: Duration) -> PromptLibrary {
    let mut library = prompts.clone();
    let more = vec![Codec::Pcmu.silence(); longer.as_secs() as usize * 8000];
    let sound = |law: Codec| (0..of.frames()).fold(more.clone(), |sound, nth| [&sound, of.frame(law, nth)].concat());
    library.insert(Prompt::new(of.id.clone(), of.language.clone(), facts, sound(Codec::Pcmu), sound(Codec::Pcma)));
    library
}
