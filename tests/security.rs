//! `SECURITY.md` names the test that shows each promise: every one of them must be there, so that a test renamed or taken
//! away is missed.

use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source text below a folder, one after the other.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            *text += &fs::read_to_string(&path).expect("a source file");
        }
    }
}

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let page = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let mut text = String::new();
    sources(&root().join("src"), &mut text);
    sources(&root().join("tests"), &mut text);
    // Between backticks, in the manner of a test's name: at least three words.
    let names: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|word| is_name(word)).collect();
    assert!(names.len() > 25, "only {names:?} were found");
    let missing: Vec<&&str> = names.iter().filter(|name| !text.contains(&format!("#[test]\nfn {name}()"))).collect();
    let missing: Vec<&&&str> =
        missing.iter().filter(|name| !text.contains(&format!("    #[test]\n    fn {name}()"))).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that there are not: {missing:?}");
}

fn is_name(word: &str) -> bool {
    let is_metric = word.starts_with("onekey_");
    !is_metric
        && word.matches('_').count() >= 3
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
}
