//! The architecture as a test: who may import whom, what the core may not name, one home each, lengths, names.
//!
//! Fails with `file:line: what`. The rules are in `tidy/rules.rs`, what they read in `tidy/lexer.rs`; the tests here
//! show each rule a file that breaks it and one that only seems to, so that none can pass by not looking.

#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/rules.rs"]
mod rules;

use rules::breaches;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "examples", "benches"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    assert!(files.iter().any(|file| file.ends_with("src/lib.rs")), "the walk did not find src/lib.rs");
    let mut all = Vec::new();
    for file in &files {
        let path = file.strip_prefix(root).expect("found under the root").to_string_lossy().replace('\\', "/");
        all.extend(breaches(&path, &fs::read_to_string(file).expect("a source file can be read")));
    }
    assert!(all.is_empty(), "{} things are untidy:\n{}\n", all.len(), all.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("a folder can be listed").path()) {
        match path.is_dir() {
            true if path.file_name().is_some_and(|name| name != "target") => collect(&path, files),
            false if path.extension().is_some_and(|end| end == "rs") => files.push(path),
            _ => {}
        }
    }
}

/// The breaches of a file that opens as it should, without the path; its first line of code is line 2.
fn wrong(path: &str, code: &str) -> Vec<String> {
    let source = format!("//! A sample.\n{code}");
    breaches(path, &source).iter().map(|breach| breach.strip_prefix(path).expect("the path").to_string()).collect()
}

fn fine(path: &str, code: &str) {
    assert_eq!(wrong(path, code), Vec::<String>::new(), "{code}");
}

#[test]
fn imports_go_down_by_the_table_only() {
    assert_eq!(wrong("src/step/menu.rs", "use crate::sip::Datagram;"), [":2: `step` may not import `sip` (DESIGN §2)"]);
    assert_eq!(
        wrong("src/call/leg.rs", "\nuse crate::queue::Ticket;"),
        [":3: `call` may not import `queue` (DESIGN §2)"]
    );
    assert_eq!(
        wrong("src/sip/sdp.rs", "use crate::engine::Engine;"),
        [":2: `sip` may not import `engine` (DESIGN §2)"]
    );
    assert_eq!(
        wrong("src/server/mod.rs", "use crate::console::Page;"),
        [":2: `server` may not import `console` (DESIGN §2)"]
    );
    assert_eq!(
        wrong("src/caller.rs", "use crate::promise::Due;"),
        [":2: `caller` may not import `promise` (DESIGN §2)"]
    );
    assert_eq!(
        wrong("src/other.rs", "")[0],
        ":1: `other` is in no layer: give it a line in the table of tests/tidy/rules.rs"
    );
    fine("src/step/menu.rs", "use crate::ids::{PromptId, StepName};\nuse crate::step::Edge;\nuse super::Event;");
    fine("src/engine/mod.rs", "use crate::{call::Call, sip::{Datagram, stack}, media};");
    fine("src/prompt.rs", "use crate::codec::Codec;");
}

#[test]
fn no_spelling_of_an_import_escapes() {
    let upward = [":2: `step` may not import `sip` (DESIGN §2)"];
    for spelling in [
        "use crate::{ids::LegId, sip};",
        "use crate::{ids::{LegId, CallId}, sip::{Datagram}};",
        "fn f(d: crate::sip::Datagram) {}",
        "pub use super::super::sip::Datagram;",
        "mod tests { use super::super::super::sip; }",
        "use super::super::{ids, sip};",
    ] {
        assert_eq!(wrong("src/step/menu.rs", spelling), upward, "{spelling}");
    }
    assert_eq!(wrong("src/step/mod.rs", "use super::sip;"), upward);
    fine("src/step/menu.rs", "use super::sip;");
    fine(
        "src/step/menu.rs",
        "// crate::sip\n/* crate::sip /* nested */ crate::sip */\nconst A: &str = \"crate::sip\";",
    );
}

#[test]
fn the_core_names_nothing_of_the_world() {
    for word in ["tokio", "Instant", "SystemTime", "HashMap", "HashSet", "Mutex", "thread_rng", "UdpSocket"] {
        let code = format!("use somewhere::{word};");
        assert_eq!(wrong("src/queue/mod.rs", &code), [format!(":2: the core may not name `{word}`")]);
        fine("src/server/clock.rs", &code);
        fine("src/queue/mod.rs", &format!("// {word}\nconst A: &str = r#\"{word} \"quoted\" {word}\"#; // {word}"));
    }
    assert_eq!(wrong("src/call/mod.rs", "async fn f() {}"), [":2: the core may not name `async`"]);
    for part in ["fs", "env", "thread"] {
        let breach = [format!(":2: the core may not name `std::{part}`")];
        assert_eq!(wrong("src/call/mod.rs", &format!("fn f() {{ std::{part}::x(); }}")), breach);
        assert_eq!(wrong("src/call/mod.rs", &format!("use std::{{collections::BTreeMap, {part}::x}};")), breach);
        fine("src/main.rs", &format!("use std::{part};"));
    }
    assert_eq!(wrong("src/call/mod.rs", "fn f() { println!(\"x\"); }"), [":2: the core may not print: `println!`"]);
    fine("src/call/mod.rs", "use std::net::{IpAddr, SocketAddr};\nuse std::time::Duration;\nfn env() {}");
}

#[test]
fn each_of_these_crates_has_one_home() {
    assert_eq!(wrong("src/sip/message.rs", "use rsip::Uri;"), [":2: `rsip` has one home, src/sip/compose.rs"]);
    assert_eq!(wrong("src/server/mod.rs", "fn f() { hound::x(); }"), [":2: `hound` has one home, src/server/files.rs"]);
    assert_eq!(wrong("src/media/jitter.rs", "use rtp_rs::Seq;"), [":2: `rtp_rs` has one home, src/media/stream.rs"]);
    assert_eq!(wrong("src/server/http.rs", "use axum::Router;"), [":2: `axum` has one home, src/console/"]);
    assert_eq!(wrong("src/server/mod.rs", "use rusqlite::Row;"), [":2: `rusqlite` has one home, src/server/store"]);
    fine("src/sip/compose.rs", "use rsip::Uri;");
    fine("src/server/store/schema.rs", "use rusqlite::Row;");
    fine("src/console/api.rs", "use axum::Router;");
    fine("tests/phones.rs", "use rsip::Uri;");
}

#[test]
fn long_files_and_functions_are_found() {
    let function = |lines: usize| {
        format!("impl A {{\n    fn long(a: [u8; 4]) -> u8 {{\n{}    }}\n}}", "        { '{'; }\n".repeat(lines - 2))
    };
    assert_eq!(wrong("src/time.rs", &function(71)), [":3: the function `long` has 71 lines, more than 70"]);
    fine("src/time.rs", &function(70));
    assert_eq!(wrong("src/time.rs", &"\n".repeat(800)), [":801: the file has 801 lines, more than 800"]);
    fine("src/time.rs", &"\n".repeat(799));
    // A declaration without a body, a type of function, and a string with a brace are no functions.
    fine(
        "src/time.rs",
        &format!("trait A {{ fn a(&self); }}\ntype B = fn(u8);\nconst C: &str = \"{{\";{}", "\n".repeat(100)),
    );
}

#[test]
fn empty_names_are_found_and_datagram_is_not_one() {
    let breach = |name: &str, word: &str| [format!(":2: the name `{name}` contains `{word}`, which says nothing")];
    assert_eq!(wrong("src/time.rs", "struct CallManager;"), breach("CallManager", "manager"));
    assert_eq!(wrong("src/time.rs", "pub enum DataKind {}"), breach("DataKind", "data"));
    assert_eq!(wrong("src/time.rs", "trait SipHandlers {}"), breach("SipHandlers", "handler"));
    assert_eq!(wrong("src/time.rs", "mod utils {}"), breach("utils", "util"));
    assert_eq!(wrong("src/sip/call_info.rs", ""), [":1: the file's name contains `info`, which says nothing"]);
    fine("src/time.rs", "struct Datagram;\nenum Method { Info }\nstruct Informed;\nstruct Database;");
}

#[test]
fn unfinished_work_is_found() {
    assert_eq!(wrong("tests/calls.rs", "fn f() { todo!() }"), [":2: `todo!` is left"]);
    assert_eq!(wrong("tests/calls.rs", "fn f() { unimplemented!(\"later\") }"), [":2: `unimplemented!` is left"]);
    assert_eq!(wrong("tests/calls.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"), [":3: a test is ignored"]);
    let mark = concat!("FIX", "ME");
    assert_eq!(wrong("src/time.rs", &format!("// {mark}: wrong")), [format!(":2: `{mark}` is left in a comment")]);
    fine("src/time.rs", &format!("const A: &str = \"{mark} todo!() #[ignore]\";\nfn todo() {{}}"));
    assert_eq!(breaches("src/time.rs", "// no\nfn f() {}\n").len(), 1);
}

#[test]
fn globs_of_the_parent_are_for_tests() {
    let breach = [":2: `use super::*` outside a test module hides what is used"];
    assert_eq!(wrong("src/step/menu.rs", "use super::*;"), breach);
    assert_eq!(wrong("src/step/menu.rs", "mod inner { use super::*; }"), breach);
    fine("src/step/menu.rs", "#[cfg(test)]\nmod tests { use super::*; }");
}

#[test]
fn characters_lifetimes_and_strings_do_not_confuse_the_lexer() {
    let words =
        |source: &str| lexer::lex(source).tokens.iter().map(|token| token.text.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(words("a '\"' b '\\'' c '\\u{41}' d 'x e b'\"' f"), "a b c d e f");
    assert_eq!(words("fn f<'a>(x: &'a str) {}"), "fn f < > ( x : & str ) { }");
    assert_eq!(words("a \"\\\\\" b \"\\\" c\" d b\"e\" f br##\"g\"# h\"## i r\"j\\\" k"), "a b d f i k");
    assert_eq!(words("a // b\nc /* d /* e */ f */ g"), "a c g");
    assert_eq!(words("0..n 1_000u64 0x1f r#type"), ". . n r # type");
}
