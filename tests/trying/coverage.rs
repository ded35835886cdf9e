//! Which ways of a known plan are walked by known calls.

use super::{Folder, onekey, said};

const PLAN: &str = r#"[line.care]
numbers = ["5550100"]
start = "menu main"

[line.care.human]
to = "queue care"

[line.other]
numbers = ["5550101"]
start = "menu main"

[line.other.human]
to = "queue care"

[menu.main]
say = ["welcome", "main-menu"]
1 = "hours office"
2 = "play data-balance"
3 = "voicemail message"
9 = "repeat"

[hours.office]
zone = "UTC"
open = ["mon-fri 08:00-20:00"]
then = "menu bills"
else = "menu bills"

[menu.bills]
say = ["bills-menu"]
1 = "play bill-amount"

[play.data-balance]
say = ["data-balance"]
then = "menu main"

[play.bill-amount]
say = ["bill-amount"]
finished = true

[voicemail.message]
say = ["voicemail-greeting"]

[queue.care]
else = "queue night"

[queue.night]
"#;

const KEYS: &str = "line care\ncaller +12025550123\nregistry ordinary\nagents 1001\nat 2026-11-23 10:00\n\n\
    0.0 > call\n0.5 > press 2\n1.0 > press 5\n1.5 > press 9\n2.0 > press 7\n2.5 > press 1\n3.0 > press 7\n3.5 > hang-up\n";
const NOBODY: &str = "line care\ncaller +12025550123\nregistry ordinary\n\n0.0 > call\n0.5 > press 0\n1.0 > hang-up\n";

fn folder(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.write("plan.toml", PLAN);
    folder.write("keys.call", KEYS);
    folder.write("nobody.call", NOBODY);
    assert!(onekey(&["test", "--bless", &folder.0.display().to_string()], "").status.success());
    folder
}

#[test]
fn ways_that_no_test_walks_are_listed_for_each_line() {
    let folder = folder("coverage");
    let output = onekey(&["test", "--coverage", &folder.0.display().to_string()], "");
    assert!(output.status.success());
    let said = said(&output);
    let (_, coverage) = said.split_once("2 calls, 0 of them otherwise than written\n").unwrap();
    let expected = "\
line care: 2 calls; 6 of 8 steps met, 8 of 15 ways walked
  menu main: key 3, errors, silence not walked
  hours office: else not walked
  voicemail message: not met
  menu bills: key 1, errors, silence not walked
  play bill-amount: not met
line other: no test calls it; 0 of 8 steps met, 0 of 15 ways walked
";
    assert_eq!(coverage, expected);
}

#[test]
fn json_counts_how_often_each_way_was_walked() {
    let folder = folder("coverage-json");
    let output = onekey(&["test", "--coverage", "--json", &folder.0.display().to_string()], "");
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(all["calls"].as_array().unwrap().len(), 2);
    let line = &all["coverage"]["care"];
    let main = &line["by_step"][0];
    assert_eq!((&main["step"], &main["met"]), (&"menu main".into(), &4.into()));
    let walked = |name: &str| {
        let ways = main["ways"].as_array().unwrap();
        ways.iter().find(|way| way["way"] == name).unwrap()["walked"].as_u64().unwrap()
    };
    assert_eq!((walked("key 9"), walked("wrong input"), walked("silence")), (1, 1, 0));
    assert_eq!(all["coverage"]["other"]["ways_walked"], 0);
}
