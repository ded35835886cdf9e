//! `onekey try`, `test --coverage` and `check` as their users meet them: the real program, with what it is told through a
//! pipe; no time passes but the call's own. And walks at random, each of which must go again as it went.

#[path = "trying/coverage.rs"]
mod coverage;
#[path = "trying/differences.rs"]
mod differences;
#[path = "trying/folders.rs"]
mod folders;
#[path = "trying/random_walks.rs"]
mod random_walks;
#[path = "trying/terminal.rs"]
mod terminal;
#[path = "trying/walks.rs"]
mod walks;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("onekey-trying-{}-{test}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program, in the repository's root, with this typed into it.
fn onekey(arguments: &[&str], typed: &str) -> Output {
    command(arguments, typed, |command| command)
}

fn command(arguments: &[&str], typed: &str, with: impl Fn(&mut Command) -> &mut Command) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_onekey"));
    program.args(arguments).current_dir(root());
    let pipes = with(&mut program).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = pipes.spawn().unwrap();
    // Whoever is told of wrong use does not read on.
    let _ = running.stdin.take().unwrap().write_all(typed.as_bytes());
    running.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// These stand in it, in this order.
#[track_caller]
fn in_order(text: &str, wanted: &[&str]) {
    let mut rest = text;
    for piece in wanted {
        let Some(at) = rest.find(piece) else { panic!("`{piece}` is missing, or not in its place, in\n{text}") };
        rest = &rest[at + piece.len()..];
    }
}
