//! What an administrator reads of a call that goes otherwise than written: each file of `tests/differences/` is a script for
//! the plan of `tests/calls/`, a line of dashes, and what `onekey test` says of it. `BLESS=1` writes that anew.

use super::root;
use onekey::server::rehearse::{call_files, run_file, stage};

const DASHES: &str = "----------------------------------------\n";

#[test]
fn every_difference_is_told_as_it_is_written_here() {
    let folder = root().join("tests/differences");
    let stage = stage(&root().join("tests/calls"), &root().join("prompts"), &[60, 65]).unwrap();
    let bless = std::env::var_os("BLESS").is_some();
    let mut failed = String::new();
    let files = call_files(&folder).unwrap();
    for file in &files {
        // What stands below the dashes is no part of the script: it is commented out there.
        let text = std::fs::read_to_string(file).unwrap();
        let (script, golden) = text.split_once(&format!("# {DASHES}")).unwrap_or((text.as_str(), ""));
        let verdict = run_file(&stage, file, false);
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let really = verdict.text().replace(&file.display().to_string(), &name);
        let really: String = really.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect();
        if bless {
            std::fs::write(file, format!("{script}# {DASHES}{really}")).unwrap();
        } else if golden != really {
            failed.push_str(&format!("\n{name}\n{really}"));
        }
    }
    assert!(failed.is_empty(), "{failed}");
    assert!(files.len() >= 7, "the differences are there");
}
