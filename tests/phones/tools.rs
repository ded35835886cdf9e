//! Which foreign phones and tools this machine has: looked up once. A test whose tool is missing says `left out` and
//! returns; with `ONEKEY_REQUIRE_PHONES=1` it fails instead, so that a run which must leave nothing out cannot.

use std::path::PathBuf;
use std::sync::Mutex;

static LEFT_OUT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// True if all of `tools` are installed. Otherwise the test `name` has been noted as left out and should return.
pub fn present(name: &str, tools: &[&str]) -> bool {
    let missing: Vec<&str> = tools.iter().copied().filter(|tool| path_of(tool).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    left_out(name, &missing.join(", "));
    false
}

/// Notes that the test `name` is left out for want of something.
pub fn left_out(name: &str, missing: &str) {
    let line = format!("left out: {name} needs {missing}");
    assert!(!is_asked("ONEKEY_REQUIRE_PHONES"), "{line}");
    LEFT_OUT.lock().expect("list of tests left out").push(line.clone());
    // Written past the test harness, which shows the output of failing tests only.
    say(&line);
}

/// One line on the terminal, whatever the test harness captures.
pub fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The program's path, from `PATH`.
pub fn path_of(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file())
}

/// True if sound is to leave by raw sockets in all tests (`ONEKEY_RAW_SOCKET=1`).
pub fn raw_socket() -> bool {
    is_asked("ONEKEY_RAW_SOCKET")
}

/// True if the long forms of the tests are asked for (`ONEKEY_PHONES_LONG=1`).
pub fn long() -> bool {
    is_asked("ONEKEY_PHONES_LONG")
}

fn is_asked(variable: &str) -> bool {
    std::env::var(variable).as_deref() == Ok("1")
}
