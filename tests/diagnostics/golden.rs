//! The golden files and the dialplan that comes with the program, as texts.
//!
//! An input is the file dialplans/care.toml; `=== path` begins another file. Where it begins with `# beside:`, the line and
//! the queue of [`BESIDE`] are loaded with it. `=== prompts/en/prompts.toml` is loaded for its sounds alone.

use onekey::dialplan::codes::DASHES;
use std::path::{Path, PathBuf};

/// What is loaded beside an input that begins with `# beside:`.
pub const BESIDE: &str = r#"[line.care]
numbers = ["5550100"]
start = "menu main"

[line.care.human]
to = "queue care"

[queue.care]
"#;

/// The files of a dialplan, path and text.
pub type Files = Vec<(String, String)>;

/// The dialplan's files of an input.
pub fn files_of(input: &str) -> Files {
    split(input).0
}

/// The dialplan's files of an input, and those of its prompts.
pub fn split(input: &str) -> (Files, Files) {
    let mut files = vec![("dialplans/care.toml".to_owned(), String::new())];
    for line in input.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(path) => files.push((path.trim().to_owned(), String::new())),
            None => files.last_mut().unwrap().1.push_str(line),
        }
    }
    if input.contains("# beside:") {
        files.push(("dialplans/line.toml".to_owned(), BESIDE.to_owned()));
    }
    files.into_iter().partition(|(path, _)| !path.starts_with("prompts/"))
}

/// One golden file.
pub struct Golden {
    pub path: PathBuf,
    pub input: String,
    pub drawing: String,
    /// The input as it ought to be, of which nothing is told.
    pub repaired: Option<String>,
}

impl Golden {
    /// `d010-no-such-section`
    pub fn name(&self) -> &str {
        self.path.file_stem().unwrap().to_str().unwrap()
    }
}

pub fn golden() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut golden = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let dashes = format!("{DASHES}\n");
        let parts: Vec<&str> = text.split(&dashes).collect();
        assert!((2..=3).contains(&parts.len()), "{path:?} has {} parts", parts.len());
        let repaired = parts.get(2).map(|part| (*part).to_owned());
        golden.push(Golden { path, input: parts[0].to_owned(), drawing: parts[1].to_owned(), repaired });
    }
    golden.sort_by(|one, other| one.path.cmp(&other.path));
    golden
}

/// The dialplan that comes with the program.
pub fn sample() -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().unwrap().to_str().unwrap();
            files.push((format!("dialplans/{name}"), std::fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    files
}
