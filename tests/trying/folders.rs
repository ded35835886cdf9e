//! `onekey check` with several folders and files: all problems together, and its exit status.

use super::{Folder, in_order, onekey, root, said, told};

#[test]
fn problems_of_several_dialplans_are_told_together_each_once() {
    let folder = Folder::new("folders");
    let plan = std::fs::read_to_string(root().join("tests/calls/plan.toml")).unwrap();
    let good = folder.write("good/plan.toml", &plan).display().to_string();
    let one = folder.write("one/plan.toml", &plan.replace("menu main", "menu mian")).display().to_string();
    let two = folder.write("two/plan.toml", &plan.replace("[queue.care]", "[queue.caer]")).display().to_string();
    let (folder_one, folder_good) = (folder.0.join("one").display().to_string(), folder.0.join("good"));

    let both = onekey(&["check", &good, &one, &two, &folder_one], "");
    assert_eq!(both.status.code(), Some(1));
    let said_of_both = said(&both);
    in_order(&said_of_both, &["one/plan.toml", "two/plan.toml", "There are problems:"]);
    let alone = said(&onekey(&["check", &folder_one], ""));
    let count = |text: &str| text.matches("one/plan.toml:").count();
    assert_eq!(count(&said_of_both), count(&alone), "the folder and its file are one dialplan");

    let well = onekey(&["check", &folder_good.display().to_string(), "dialplans"], "");
    assert!(well.status.success());
    in_order(&said(&well), &["The 2 dialplans are well", "line care", "line care-mandarin"]);
    let json = onekey(&["check", "--json", &good, &one], "");
    let all: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(!all.as_array().unwrap().is_empty());
}

#[test]
fn what_is_no_dialplan_is_wrong_use() {
    for (path, wanted) in [
        ("no-such-folder", "no-such-folder: there is no such file or folder"),
        ("README.md", "README.md: neither a folder nor a .toml file"),
    ] {
        let output = onekey(&["check", "dialplans", path], "");
        assert_eq!(output.status.code(), Some(2));
        assert!(told(&output).contains(wanted), "{}", told(&output));
    }
    let output = onekey(&["test", "no-such-folder"], "");
    assert_eq!(output.status.code(), Some(2));
}
