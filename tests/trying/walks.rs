//! Walks through a pipe: what is typed, what is shown, and what is kept.

use super::{Folder, command, in_order, onekey, root, said, told};
use onekey::rehearsal::Stage;
use onekey::server::rehearse::{run_file, stage};
use std::sync::LazyLock;

const CALLS: &str = "tests/calls";
const SERVICES: &str = "tests/calls/services";

static CALLS_STAGE: LazyLock<Stage> = LazyLock::new(|| staged(CALLS));
static SERVICES_STAGE: LazyLock<Stage> = LazyLock::new(|| staged(SERVICES));

fn staged(plan: &str) -> Stage {
    stage(&root().join(plan), &root().join("prompts"), &[60, 65]).unwrap()
}

/// Walks, keeps the walk, and runs it as a test.
#[track_caller]
fn kept(test: &str, plan: &str, arguments: &[&str], typed: &str, shown: &[&str]) -> String {
    let folder = Folder::new(test);
    let kept = folder.0.join("kept.call");
    let file = kept.display().to_string();
    let options = ["--fast", "--folder", plan, "--save", file.as_str()];
    let walked = onekey(&[&["try"], arguments, &options].concat(), typed);
    assert!(walked.status.success(), "{}{}", said(&walked), told(&walked));
    in_order(&said(&walked), shown);
    let stage = if plan == CALLS { &CALLS_STAGE } else { &SERVICES_STAGE };
    let verdict = run_file(stage, &kept, false);
    assert!(verdict.is_well(), "{}", verdict.text());
    std::fs::read_to_string(kept).unwrap()
}

#[test]
fn a_menu_is_walked_with_keys_and_the_agent_answers_and_hangs_up() {
    let shown = [
        "line care (5550100), caller +12025550123, registry ordinary, agents 1001",
        "< play welcome main-menu",
        "\"Welcome: to speak to a person, press 0 at any time.",
        "keys: 1 ",
        "0 a person",
        "> press 7",
        "< play not-understood main-menu",
        "a key is awaited for 5.0 s",
        "> press 0",
        "< queue care",
        "< ring 1001",
        "> agent 1001 answers",
        "< bridge 1001",
        "> agent 1001 hangs up",
        "< hang-up",
        "the call is over",
        "saved as",
    ];
    let kept = kept("menu", CALLS, &["care"], "7\n\n0\na\nwait 3.5\ne\n", &shown);
    in_order(&kept, &["line     care", "> call", "> press 7", "> press 0", "> agent 1001 answers", "hangs up"]);
}

#[test]
fn the_world_is_chosen_no_agents_night_and_a_flagged_caller() {
    let plan = CALLS;
    kept("nobody", plan, &["5550100", "--no-agents"], "0\n\n\n", &["agents none", "queue care cannot serve", "keep"]);
    let night = ["office", "--at", "2026-11-23 22:00 Asia/Shanghai"];
    kept("night", plan, &night, "0\n", &["queue office closed", "> hang-up"]);
    let flagged = ["care", "--age", "70", "--flag", "assist", "--language", "zh"];
    let script = kept("flagged", plan, &flagged, "r\ni\nr\n", &["< ring 1001", "> agent 1001 rejects", "< ring 1002"]);
    in_order(&script, &["registry age 70 flag assist language zh", "> agent 1002 logs in"]);
    kept(
        "withheld",
        plan,
        &["gate", "--caller", "withheld"],
        "\n\n",
        &["caller withheld", "play short-gate", "keys: 0"],
    );
    let silent = ["care", "--registry", "silent"];
    kept("silent", plan, &silent, "\n\n", &["registry silent", "  0.3  < answer", "  0.3  < queue care"]);
}

#[test]
fn a_look_up_is_answered_as_it_is_chosen_and_the_clock_waits_for_it() {
    let plan = SERVICES;
    let asked = [
        "  0.1  < look up account",
        "look-up account waits for its answer",
        "1 answers balance=1 status=blocked",
        "4 late",
        "  0.1  > lookup account answers",
        "< play bill-amount",
    ];
    let script = kept("found", plan, &["services"], "2\n1\n\n\n", &asked);
    in_order(&script, &["lookup   account answers balance=1 status=blocked", "> press 2"]);
    let line = "2\n0\nlookup account answers balance=12.50 status=open\n\n";
    let told = ["waits for its answer: 1 to 8", "> lookup account answers balance=12.50 status=open"];
    assert!(kept("typed", plan, &["services"], line, &told).contains("balance=12.50"));
    let late = ["> lookup account late", "  2.1  < play one-moment", " 12.1  < queue care"];
    kept("late", plan, &["services"], "2\n4\n\n\n\n\n\n\n", &late);
    let given = ["services", "--lookup", "account refused"];
    kept("given", plan, &given, "2\n\n", &["< look up account", "> lookup account refused", "play bill-how-to-pay"]);
    let left = ["waits for its answer", "> lookup account late", "> hang-up"];
    kept("left", plan, &["services"], "2\nq\n", &left);
}

#[test]
fn digits_are_entered_zero_is_held_and_whoever_is_dialled_answers_and_hangs_up() {
    let plan = SERVICES;
    let shown = [
        "keys: 16 digits",
        "> press 4",
        "< entry good",
        "keys: 1 it is right, 2 enter it again",
        "> press 1",
        "< play queued {collect.card}",
    ];
    kept("digits", plan, &["services"], "1\n4111111111111111\n1\n\n", &shown);
    kept("held", plan, &["services"], "1\n4h\n\n", &["> press 4", "> hold 0 1.0", "< queue care"]);
    let dialled =
        ["< dial sip:desk@192.0.2.10", "> party answers", "< connect party", "> party hangs up", "offer-human"];
    kept("dialled", plan, &["services"], "3\n\na\ne\n", &dialled);
    let rejected = ["> party rejects", "< play bill-how-to-pay"];
    kept("rejected", plan, &["services"], "3\n\nr\n", &rejected);
}

#[test]
fn what_cannot_be_done_is_told_and_nothing_comes_of_it() {
    let typed = "?\na\ne\nagent 1009 answers\njump\nwait x\n~\ni\ni\nq\n";
    let walked = onekey(&["try", "care", "--fast"], typed);
    assert!(walked.status.success());
    let shown = [
        "the caller presses that key",
        "no phone rings",
        "nobody talks",
        "there is no agent 1009 here",
        "`jump` is not known: call, press KEY",
        "`x` is not a number of seconds",
        "`~` is not known",
        "> agent 1002 logs in",
        "all agents are logged in",
        "> hang-up",
    ];
    in_order(&said(&walked), &shown);
}

#[test]
fn a_walk_that_cannot_begin_is_wrong_use() {
    let folder = Folder::new("wrong");
    let there = folder.write("there.call", "").display().to_string();
    let cases: [(&[&str], &str); 6] = [
        (&["try", "nobody"], "there is no line `nobody`; the lines are care, care-mandarin"),
        (&["try", "care", "--at", "noon"], "write `at 2026-11-23 10:00 Asia/Shanghai`"),
        (&["try", "care", "--save", &there], "the file is there already"),
        (&["try", "care", "--save", "walk.txt"], "files that end in .call"),
        (&["try", "care", "--save", "no/such/walk.call"], "there is no folder no/such"),
        (&["try", "care", "--lookup", "account perhaps"], "is not known: answers NAME=VALUE"),
    ];
    for (arguments, wanted) in cases {
        let output = onekey(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", told(&output));
        assert!(told(&output).contains(wanted), "{arguments:?}: {}", told(&output));
    }
}

#[test]
fn without_a_player_the_sound_is_told_to_be_missing_before_the_walk() {
    let folder = Folder::new("player");
    let output = command(&["try", "care", "--audio"], "q\n", |command| command.env("PATH", &folder.0));
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("--audio needs a program that plays sound"), "{}", told(&output));
    assert_eq!(said(&output), "");
}
