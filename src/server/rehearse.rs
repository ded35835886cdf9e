//! `onekey test DIR`: the `.call` files of a folder, run on the dialplan of the same folder.

use super::files::read_dialplans;
use super::prompt_files::load_prompts;
use crate::dialplan::{Facts, load};
use crate::rehearsal::{self, CannotRun, Outcome, Stage};
use crate::script;
use crate::step::link::Walk;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What became of one `.call` file.
#[derive(Debug)]
pub struct Verdict {
    pub file: PathBuf,
    /// The line that it calls; empty where the file cannot be read.
    pub line: String,
    /// What the plan's steps did.
    pub walked: Vec<Walk>,
    /// Empty: it went as written.
    pub differences: Vec<String>,
}

impl Verdict {
    pub fn is_well(&self) -> bool {
        self.differences.is_empty()
    }

    /// What the terminal shows: a line, and below it what is different, with the file's name and line.
    pub fn text(&self) -> String {
        let file = self.file.display();
        let mut text = format!("{}  {file}\n", if self.is_well() { "ok    " } else { "FAILED" });
        for difference in &self.differences {
            let difference = match difference.strip_prefix("line ") {
                Some(rest) => format!("{file}:{rest}"),
                None => format!("{file}: {difference}"),
            };
            difference.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
        text
    }
}

/// Loads the folder's dialplan with the prompts. An error is what an administrator must mend first.
pub fn stage(folder: &Path, prompts: &Path, thresholds: &[u8]) -> Result<Stage, String> {
    let (library, problems) = load_prompts(prompts, &mut |_| {});
    if let Some(problem) = problems.iter().find(|problem| problem.severity == crate::diagnostic::Severity::Error) {
        return Err(problem.to_string());
    }
    let files = read_dialplans(folder)?;
    let facts = Facts { registry_thresholds: thresholds.to_vec(), ..Facts::of(&library) };
    let (plan, told) = load(&files, &facts);
    match plan {
        Some(plan) => Ok(Stage { dialplan: Arc::new(plan), prompts: Arc::new(library) }),
        None => Err(crate::diagnostic::draw(&told, &files, false)),
    }
}

/// Every `.call` file under `folder`, in order of name.
pub fn call_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "call"))
        .collect();
    files.sort();
    Ok(files)
}

/// Runs one file. With `bless` its `<` lines are rewritten as they really are.
pub fn run_file(stage: &Stage, file: &Path, bless: bool) -> Verdict {
    match run_text(stage, file, bless) {
        Ok((line, Outcome { walked, differences, .. })) => Verdict { file: file.to_owned(), line, walked, differences },
        Err(differences) => Verdict { file: file.to_owned(), line: String::new(), walked: Vec::new(), differences },
    }
}

fn run_text(stage: &Stage, file: &Path, bless: bool) -> Result<(String, Outcome), Vec<String>> {
    let text = std::fs::read_to_string(file).map_err(|error| vec![format!("cannot be read: {error}")])?;
    let mut script = script::read(&text).map_err(|mistakes| {
        mistakes.iter().map(|mistake| format!("line {}: {}", mistake.line, mistake.message)).collect::<Vec<_>>()
    })?;
    let cannot = |CannotRun(why)| vec![why];
    if bless {
        script = rehearsal::bless(stage, &script).map_err(cannot)?;
        std::fs::write(file, script::write(&script)).map_err(|error| vec![format!("cannot be written: {error}")])?;
    }
    let outcome = rehearsal::run(stage, &script).map_err(cannot)?;
    Ok((script.line, outcome))
}
