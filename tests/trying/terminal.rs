//! A walk at a real terminal: keys count as they are pressed, the bottom line shows what is awaited, and afterwards the
//! terminal is as it was.

use super::{in_order, root};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Command;

/// Both ends: ours, and the program's.
fn terminal() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = File::options().read(true).write(true).open(name).unwrap();
    (File::from(ours), theirs)
}

/// Reads until this has been shown.
fn until(ours: &mut File, shown: &mut String, wanted: &str) {
    let mut some = [0; 4096];
    while !shown.contains(wanted) {
        let read = ours.read(&mut some).unwrap_or_else(|error| panic!("{error}; no `{wanted}` in\n{shown}"));
        shown.push_str(&String::from_utf8_lossy(&some[..read]));
    }
}

/// Walks by pressing each key once the words beside it have been shown.
fn walk(keys: &[(&str, &str)]) -> String {
    let (mut ours, theirs) = terminal();
    let before = tcgetattr(&theirs).unwrap().local_modes;
    let end = || OwnedFd::from(theirs.try_clone().unwrap());
    let mut running = Command::new(env!("CARGO_BIN_EXE_onekey"))
        .args(["try", "care", "--fast"])
        .current_dir(root())
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    let mut shown = String::new();
    for (wanted, key) in keys {
        until(&mut ours, &mut shown, wanted);
        if wanted == &"[menu main]" {
            assert!(!tcgetattr(&theirs).unwrap().local_modes.contains(LocalModes::ECHO), "keys are not shown");
        }
        ours.write_all(key.as_bytes()).unwrap();
    }
    until(&mut ours, &mut shown, "the call is over");
    assert!(running.wait().unwrap().success());
    assert_eq!(tcgetattr(&theirs).unwrap().local_modes, before, "the terminal is as it was");
    assert!(before.contains(LocalModes::ECHO | LocalModes::ICANON));
    shown
}

#[test]
fn keys_count_as_they_are_pressed_and_a_line_may_be_typed() {
    let shown = walk(&[
        ("[menu main]", "0"),
        ("< ring 1001", "a"),
        ("< bridge 1001", ":"),
        ("\u{1b}[2K: ", "wait 99\u{7f}\u{7f}2.0\n"),
        ("[talking 1001]", "e"),
    ]);
    in_order(&shown, &["? shows what the keys do", "speaks for another 15.", "> press 0", ": wait 2.0", "hangs up"]);
}

#[test]
fn control_c_hangs_up_and_puts_the_terminal_back() {
    let shown = walk(&[("[menu main]", "\u{3}")]);
    in_order(&shown, &["< answer", "> hang-up", "the call is over"]);
}
