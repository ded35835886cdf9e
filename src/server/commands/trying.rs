//! `onekey try LINE`: walk the plan in a terminal, as a caller and as everybody else; what was walked can be kept as a test.

use super::{CommandError, Done};
use crate::dialplan::Dialplan;
use crate::dialplan::reach::CALLER;
use crate::ids::AgentId;
use crate::rehearsal::live::Live;
use crate::rehearsal::{self, CannotRun, Stage};
use crate::script::{self, LookupSays, Registry, Script};
use crate::server::config::Config;
use crate::server::files::folder_of;
use crate::server::rehearse::stage;
use crate::server::trying::Walking;
use crate::server::trying::audio::Audio;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// The agent who is there where no queue names any.
const AGENT: &str = "1001";

/// What is asked for on the command line.
#[derive(Clone, Default, Debug)]
pub struct Wish {
    /// A line, or a number that reaches one.
    pub line: String,
    pub folder: Option<PathBuf>,
    pub caller: Option<String>,
    pub age: Option<u8>,
    pub flags: Vec<String>,
    pub language: Option<String>,
    /// `unlisted`, `fails` or `silent`.
    pub registry: Option<Registry>,
    /// Empty: those whom the queues name.
    pub agents: Vec<String>,
    pub no_agents: bool,
    pub at: Option<String>,
    pub lookups: Vec<(String, LookupSays)>,
    pub fast: bool,
    pub audio: bool,
    pub save: Option<PathBuf>,
}

/// Walks until the call is over.
///
/// # Errors
/// There is no such line, its dialplan is refused, no player is there, or the call cannot be saved.
pub fn run(config: &Config, wish: &Wish) -> Done {
    if let Some(file) = &wish.save {
        can_save(file).map_err(CommandError::WrongUse)?;
    }
    let path = std::env::var_os("PATH");
    let audio = wish.audio.then(|| Audio::find(path.as_deref())).transpose().map_err(CommandError::Said)?;
    let folder = wish.folder.as_deref().unwrap_or(&config.dialplans);
    let stage = stage(folder, &config.prompts, &config.registry.thresholds).map_err(CommandError::Said)?;
    let plan = &stage.dialplan;
    let header = header(wish, plan)?;
    let mut more = named_agents(plan);
    more.extend(["1001", "1002"].map(AgentId::new));
    let live = Live::begin(&stage, header.clone(), &more).map_err(|CannotRun(why)| CommandError::WrongUse(why))?;
    let walking = Walking::begin(live, Arc::clone(plan), &header, wish.fast, audio);
    let script = walking.walk().map_err(CommandError::Said)?;
    if let Some(file) = &wish.save {
        save(&stage, &script, file).map_err(CommandError::Said)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Who calls, as at the top of a `.call` file.
fn header(wish: &Wish, plan: &Dialplan) -> Result<Script, CommandError> {
    let by_number = plan.line_for(&wish.line);
    let line = plan.lines.get(wish.line.as_str()).or(by_number).ok_or_else(|| {
        let all: Vec<&str> = plan.lines.keys().map(|name| name.as_str()).collect();
        CommandError::WrongUse(format!("there is no line `{}`; the lines are {}", wish.line, all.join(", ")))
    })?;
    let caller = wish.caller.as_deref().unwrap_or(CALLER);
    let agents = match (wish.no_agents, wish.agents.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => present_agents(plan),
        (false, false) => wish.agents.iter().map(AgentId::new).collect(),
    };
    let mut lookups: BTreeMap<String, Vec<LookupSays>> = BTreeMap::new();
    for (name, says) in &wish.lookups {
        lookups.entry(name.clone()).or_default().push(says.clone());
    }
    Ok(Script {
        remarks: vec!["Walked with `onekey try`: say here what it shows.".into()],
        line: line.name.to_string(),
        caller: (caller != "withheld").then(|| caller.to_owned()),
        registry: registry(wish),
        agents,
        at: wish.at.clone(),
        lookups,
        lines: Vec::new(),
    })
}

fn registry(wish: &Wish) -> Registry {
    if let Some(registry) = &wish.registry {
        return registry.clone();
    }
    let flags: BTreeSet<String> = wish.flags.iter().cloned().collect();
    if wish.age.is_none() && flags.is_empty() && wish.language.is_none() {
        return Registry::Ordinary;
    }
    Registry::Listed { age: wish.age, flags, language: wish.language.clone() }
}

/// Everybody whom a queue names.
fn named_agents(plan: &Dialplan) -> Vec<AgentId> {
    let all: BTreeSet<AgentId> =
        plan.queues().flat_map(|queue| queue.agents.iter().map(|(id, _)| id.clone())).collect();
    all.into_iter().collect()
}

fn present_agents(plan: &Dialplan) -> Vec<AgentId> {
    let named = named_agents(plan);
    if named.is_empty() { vec![AgentId::new(AGENT)] } else { named }
}

/// Told before the walk: afterwards it would be lost.
fn can_save(file: &Path) -> Result<(), String> {
    let shown = file.display();
    if file.extension().is_none_or(|end| end != "call") {
        return Err(format!("--save {shown}: `onekey test` reads files that end in .call; name it so"));
    }
    if file.exists() {
        return Err(format!("--save {shown}: the file is there already; choose another name, or remove it first"));
    }
    match folder_of(file) {
        folder if folder.is_dir() => Ok(()),
        folder => Err(format!("--save {shown}: there is no folder {}", folder.display())),
    }
}

/// Writes the file, and tells whether it goes as written when it is run.
fn save(stage: &Stage, script: &Script, file: &Path) -> Result<(), String> {
    let (text, shown) = (script::write(script), file.display());
    std::fs::write(file, &text).map_err(|error| format!("{shown}: {error}"))?;
    println!("saved as {shown}; `onekey test {shown}` runs it");
    let read = script::read(&text).map_err(|mistakes| format!("{shown}: {mistakes:?}"))?;
    let outcome = rehearsal::run(stage, &read).map_err(|CannotRun(why)| format!("{shown}: {why}"))?;
    if outcome.differences.is_empty() {
        return Ok(());
    }
    Err(format!("{shown} goes otherwise when it is run:\n{}", outcome.differences.join("\n")))
}

/// `unlisted`, `fails` or `silent`, for the command line.
///
/// # Errors
/// It is none of them.
pub fn parse_registry(word: &str) -> Result<Registry, String> {
    match word {
        "unlisted" => Ok(Registry::Unlisted),
        "fails" => Ok(Registry::Fails),
        "silent" => Ok(Registry::Silent),
        _ => Err("write unlisted, fails or silent; or say who it is by --age, --flag and --language".into()),
    }
}

/// `NAME answers VALUE=...`, as in a `.call` file.
///
/// # Errors
/// It is not written so.
pub fn parse_lookup(words: &str) -> Result<(String, LookupSays), String> {
    script::read_lookup(words)
}
