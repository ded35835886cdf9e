//! The program itself, run as administrators run it.

use super::ledger_file::opened;
use super::place::{Place, answer, reply};
use onekey::server::ledger_file::{LedgerFile, LedgerOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs in `place`, so that `data/` lies there.
fn onekey(place: &Place, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_onekey"))
        .args(arguments)
        .current_dir(place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = program.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn agents_are_added_listed_changed_and_removed() {
    let place = Place::new();
    let (status, out, _) = onekey(&place, &["agent", "add", "1001"], "");
    assert!(status == 0 && out.contains("password: "), "{out}");
    let (status, out, _) =
        onekey(&place, &["agent", "add", "1002", "--password-stdin", "--digest", "both"], "long enough\n");
    assert!(status == 0 && !out.contains("long enough"), "{out}");
    let (status, _, told) = onekey(&place, &["agent", "add", "1001"], "");
    assert!(status == 1 && told.contains("already"), "{told}");
    for (name, input, part) in [("a b", "", "1 to 32 letters"), ("1003", "short\n", "at least 8")] {
        let (status, _, told) = onekey(&place, &["agent", "add", name, "--password-stdin"], input);
        assert!(status == 1 && told.contains(part), "{told}");
    }
    assert_eq!(onekey(&place, &["agent", "passwd", "1002"], "").0, 0);
    let (status, out, _) = onekey(&place, &["agent", "list", "--json"], "");
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, list[1]["agent"].as_str(), list[1]["digest"].as_str()), (0, Some("1002"), Some("both")));
    assert_eq!(onekey(&place, &["agent", "remove", "1001"], "").0, 0);
    assert_eq!(onekey(&place, &["agent", "remove", "1001"], "").0, 1);
    std::fs::write(place.join("onekey.toml"), "[sip]\nrealm = 'other'\n").unwrap();
    let (status, out, _) = onekey(&place, &["agent", "list"], "");
    assert!(status == 1 && out.contains("cannot register"), "{out}");
}

#[test]
fn the_registry_is_imported_searched_and_counted() {
    let place = Place::new();
    let csv = "number,birth_date,flags\n+12025550123,1950-02-03,assist\nnobody,,\n";
    std::fs::write(place.join("people.csv"), csv).unwrap();
    let (status, out, told) = onekey(&place, &["registry", "import", "people.csv"], "");
    assert!(status == 1 && out.contains("1 numbers imported, 1 bad rows"), "{out}");
    assert!(told.contains("people.csv:3: not a telephone number"), "{told}");
    assert_eq!(onekey(&place, &["registry", "count"], "").1, "1\n");
    let (status, out, _) = onekey(&place, &["registry", "find", "202 555 0123"], "");
    assert!(status == 0 && out.contains("age 65: reached") && out.contains("flags: assist"), "{out}");
    assert_eq!(onekey(&place, &["registry", "find", "2025550199"], "").0, 1);
    assert_eq!(onekey(&place, &["registry", "find", "1001"], "").0, 1);
    assert!(!holds(&place.join("data"), b"2025550123"), "no clear number is stored");
    assert!(!holds(&place.join("data"), b"1950-02-03"), "no birth date is stored");
    let (status, _, told) = onekey(&place, &["registry", "import", "missing.csv"], "");
    assert!(status == 1 && told.contains("missing.csv"), "{told}");
}

fn holds(directory: &Path, text: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().flatten().any(|found| match found.path() {
        path if path.is_dir() => holds(&path, text),
        path => std::fs::read(path).unwrap().windows(text.len()).any(|part| part == text),
    })
}

#[test]
fn promises_are_listed_taken_and_closed_while_a_server_runs_and_after_it_was_killed() {
    let place = Place::new();
    let data = place.join("data");
    let (file, _) = LedgerFile::open(&data, LedgerOptions::default(), Box::new(())).unwrap();
    for promise in 1..=3 {
        let (reply, answers) = reply();
        file.append(opened(promise), reply);
        answer(&answers).unwrap();
    }
    let (status, out, _) = onekey(&place, &["promises", "list"], "");
    assert!(status == 0 && out.contains("waiting in a call") && out.contains("3 open, 0 of them due"), "{out}");
    let (_, out, _) = onekey(&place, &["promises", "take", "promise-2", "--by", "night desk"], "");
    assert_eq!(out, "promise-2 taken up\n");
    assert_eq!(onekey(&place, &["promises", "close", "3"], "").1, "promise-3 closed\n");
    assert_eq!(onekey(&place, &["promises", "close", "3"], "").0, 1, "it is not open any more");
    drop(file);
    let (_, out, _) = onekey(&place, &["promises", "list", "--json"], "");
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!((list[0]["is_due"].as_bool(), list[0]["why"].as_str()), (Some(true), Some("cut")));
    assert_eq!(list[1]["taken_by"].as_str(), Some("night desk"));
    assert_eq!(onekey(&place, &["promises", "close", "promise-1"], "").0, 0);
    assert!(onekey(&place, &["promises", "list"], "").1.ends_with("1 open, 1 of them due\n"));
}

#[test]
fn the_number_of_a_promise_is_shown_only_under_its_key() {
    let place = Place::new();
    let secrets = place.join("data/secrets");
    std::fs::create_dir_all(&secrets).unwrap();
    std::fs::write(secrets.join("ledger.key"), "01".repeat(32)).unwrap();
    let (file, _) = LedgerFile::open(&place.join("data"), LedgerOptions::default(), Box::new(())).unwrap();
    let (reply, answers) = reply();
    file.append(opened(1), reply);
    answer(&answers).unwrap();
    assert!(onekey(&place, &["promises", "list"], "").1.contains("+12025550123"));
    std::fs::write(secrets.join("ledger.key"), "02".repeat(32)).unwrap();
    assert!(onekey(&place, &["promises", "list"], "").1.contains("not reachable"));
}

#[test]
fn looking_makes_nothing() {
    let place = Place::new();
    for look in
        [&["agent", "list"][..], &["registry", "count"], &["registry", "find", "2025550123"], &["calls", "list"]]
    {
        let (status, _, told) = onekey(&place, look, "");
        assert!(status == 1 && told.contains("there is no database"), "{look:?}: {told}");
    }
    // "0 open" would be a dangerous thing to say in a wrong directory.
    let (status, out, told) = onekey(&place, &["promises", "list"], "");
    assert!(status == 1 && out.is_empty() && told.contains("there is no ledger"), "{out}{told}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn one_call_file_can_be_run_alone() {
    let (place, root) = (Place::new(), env!("CARGO_MANIFEST_DIR"));
    std::fs::write(place.join("onekey.toml"), format!("prompts = '{root}/prompts'\n")).unwrap();
    let file = format!("{root}/dialplans/caller-presses-0.call");
    let (status, out, told) = onekey(&place, &["test", &file], "");
    assert!(status == 0 && out.ends_with("1 calls, 0 of them otherwise than written\n"), "{out}{told}");
}

#[test]
fn a_dialplan_is_checked_and_its_codes_are_explained() {
    let place = Place::new();
    let root = env!("CARGO_MANIFEST_DIR");
    std::fs::write(place.join("onekey.toml"), format!("prompts = '{root}/prompts'\n")).unwrap();
    let (status, out, told) = onekey(&place, &["check", &format!("{root}/dialplans")], "");
    assert!(status == 0 && out.contains("The dialplan is well"), "{out}{told}");
    std::fs::create_dir(place.join("dialplans")).unwrap();
    std::fs::write(place.join("dialplans/a.toml"), "[line.care]\nnumbers = 5\n").unwrap();
    let (status, out, _) = onekey(&place, &["check"], "");
    assert!(status == 1 && out.contains("refused"), "{out}");
    let (status, out, _) = onekey(&place, &["check", "--json"], "");
    assert!(status == 1 && serde_json::from_str::<serde_json::Value>(&out).unwrap().is_array());
    assert_eq!(onekey(&place, &["test"], "").0, 1, "a refused dialplan cannot be tried");
    for (code, part) in [("D012", "What to do"), ("c003", "no such key"), ("C003", "no such key")] {
        let (status, out, _) = onekey(&place, &["explain", code], "");
        assert!(status == 0 && out.contains(part), "{out}");
    }
    assert_eq!(onekey(&place, &["explain", "X999"], "").0, 1);
    let (_, all, _) = onekey(&place, &["explain"], "");
    assert!(all.contains("D012") && all.contains("C007"));
}

#[test]
fn mistakes_in_the_settings_and_wrong_use_have_their_own_status() {
    let place = Place::new();
    std::fs::write(place.join("onekey.toml"), "[sip]\nreelm = 'x'\n[rtp]\nfirst_port = 'y'\n").unwrap();
    let (status, _, told) = onekey(&place, &["agent", "list"], "");
    let has_both =
        told.contains("onekey.toml:2:1") && told.contains("onekey.toml:4:14") && told.contains("error[C003]");
    assert!(status == 1 && has_both, "{told}");
    let (status, _, _) = onekey(&place, &["agent", "list", "--config", "other.toml"], "");
    assert_eq!(status, 1);
    assert_eq!(onekey(&place, &["agent", "no-such"], "").0, 2);
    assert_eq!(onekey(&place, &[], "").0, 2);
}
