//! The scenario tests of the core: each file of `tests/calls/` is one behaviour, named for it, run against the real engine
//! in virtual time. `BLESS=1 cargo test --test calls` rewrites their `<` lines: read the difference before you commit it.

use onekey::server::rehearse::{call_files, run_file, stage};
use std::path::Path;

fn run_folder(folder: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join(folder);
    let stage =
        stage(&folder, &root.join("prompts"), &[60, 65]).unwrap_or_else(|told| panic!("{}: {told}", folder.display()));
    let bless = std::env::var_os("BLESS").is_some();
    let files = call_files(&folder).unwrap();
    let mut failed = String::new();
    for file in &files {
        let verdict = run_file(&stage, file, bless);
        if !verdict.differences.is_empty() {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            failed.push_str(&format!("\n{name}\n{}\n", verdict.differences.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{failed}");
    files.len()
}

#[test]
fn every_scenario_goes_as_written() {
    assert!(run_folder("tests/calls") >= 30, "the scenarios are there");
}

#[test]
fn every_service_does_what_its_scenarios_say() {
    assert!(run_folder("tests/calls/services") >= 30, "the scenarios are there");
}

#[test]
fn the_sample_dialplan_does_what_its_own_tests_say() {
    assert!(run_folder("dialplans") >= 5, "the samples are there");
}
