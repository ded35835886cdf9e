//! The machine itself fails: no room on the disk, not even for the log; a database that somebody else holds; no file
//! descriptors left. Calls go on, promises are kept, the operator is told, and afterwards all is as before.

use crate::call::{Call, What};
use crate::database::Locked;
use crate::harness::alone;
use crate::kernel::open_files;
use crate::net::Net;
use crate::siege::{New, SOON, Siege, setup};
use crate::tools;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// New callers who ask for a person while nothing can be written.
const ASKING: usize = 30;

fn length() -> Duration {
    Duration::from_secs(if tools::long() { 15 } else { 3 })
}

fn until(what: &str, limit: Duration, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !done() {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// They press 0 and hear music: nobody waits for a disk.
fn ask(siege: &Siege) -> Vec<Call> {
    let phone = siege.program.caller(siege.net);
    let calls: Vec<Call> =
        (0..ASKING).map(|n| phone.dial(&format!("+120255501{n:02}"), siege.program.number())).collect();
    for call in &calls {
        call.must(&What::Answered, SOON);
        call.press('0');
    }
    let before: Vec<u64> = calls.iter().map(|call| call.stream.heard().packets).collect();
    for (call, before) in calls.iter().zip(before) {
        call.must_hear(before + 75, SOON);
    }
    calls
}

/// A program whose data lie on a disk of 6 MiB, which only it can see; its log lies there too.
fn on_a_small_disk(folder: &std::path::Path) -> Command {
    let script = "cp -a data saved && mount -t tmpfs -o size=6m,mode=700 onekey-test data && cp -a saved/. data/ && \
                  exec \"$0\" serve --config onekey.toml 2>>data/log";
    let mut command = Command::new("unshare");
    command.current_dir(folder).args(["--mount", "--propagation", "private", "sh", "-c", script]);
    command.arg(env!("CARGO_BIN_EXE_onekey"));
    command
}

#[test]
fn a_full_disk_ends_no_call_and_loses_no_promise() {
    if !tools::present("a_full_disk_ends_no_call_and_loses_no_promise", &["unshare", "nsenter"]) {
        return;
    }
    let may = Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        return tools::left_out("a_full_disk_ends_no_call_and_loses_no_promise", "the right to mount (root)");
    }
    let _turn = alone();
    let net = Net::new();
    let (setup, trunk) = setup(&net);
    let folder = setup.folder().to_path_buf();
    let siege = Siege::around(&net, setup.start_by(on_a_small_disk(&folder)), trunk);
    let inside = PathBuf::from(format!("/proc/{}/root{}", siege.program.pid(), folder.join("data").display()));
    until("those who wait are promised", SOON, || promises(&siege) == 20);
    let (asking, _) = siege.endure("full disk, ledger and log on it", New::Everybody, || {
        let mut ballast = std::fs::File::create(inside.join("ballast")).expect("a file");
        let mut size = 1 << 20;
        while size > 0 {
            if ballast.write_all(&vec![0x55; size]).is_err() {
                size /= 2;
            }
        }
        let asking = ask(&siege);
        until("the operator is told", SOON, || siege.program.health().contains("ledger"));
        assert!(siege.program.metric("onekey_ledger_troubles_total") > 0.0);
        std::thread::sleep(length());
        asking
    });
    assert!(asking.iter().all(Call::is_up));
    std::fs::remove_file(inside.join("ballast")).expect("room again");
    until("what was promised meanwhile is in the ledger", SOON * 2, || promises(&siege) == 20 + ASKING);
    until("all is well again", SOON, || siege.program.health().contains("200 OK"));
    let log = std::fs::read_to_string(inside.join("log")).expect("the log");
    assert!(!log.contains("panicked"), "{log}");
}

/// Promises on the disk that only the program sees.
fn promises(siege: &Siege) -> usize {
    let mut command = Command::new("nsenter");
    command.args(["--target", &siege.program.pid().to_string(), "--mount", "sh", "-c"]);
    command.arg("cd \"$0\" && exec \"$1\" promises list --json --config onekey.toml");
    command.arg(siege.program.file("")).arg(env!("CARGO_BIN_EXE_onekey"));
    let output = command.output().expect("nsenter");
    let text = String::from_utf8_lossy(&output.stdout);
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(serde_json::Value::Array(list)) => list.len(),
        _ => text.lines().filter(|line| line.starts_with('{')).count(),
    }
}

#[test]
fn a_locked_database_ends_no_call_and_loses_no_promise() {
    let _turn = alone();
    let net = Net::new();
    let siege = Siege::begin(&net);
    until("those who wait are promised", SOON, || siege.program.promises().len() == 20);
    let (asking, _) = siege.endure("database locked by another process (BEGIN EXCLUSIVE)", New::Everybody, || {
        let lock = Locked::new(&siege.program.file("data"));
        let asking = ask(&siege);
        assert!(siege.is_answered(true), "a call whose record must be written");
        until("the operator is told", SOON, || siege.program.health().contains("database"));
        assert_eq!(siege.program.promises().len(), 20 + ASKING, "the ledger does not wait for the database");
        std::thread::sleep(length());
        drop(lock);
        asking
    });
    assert!(asking.iter().all(Call::is_up));
    until("all is well again", SOON, || siege.program.health().contains("200 OK"));
    let listed = siege.program.command(&["calls", "list", "--json"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("care"), "the records of calls that ended meanwhile");
}

#[test]
fn without_descriptors_new_calls_are_refused_and_the_others_go_on() {
    let _turn = alone();
    let net = Net::new();
    let siege = Siege::begin(&net);
    let pid = Pid::from_raw(siege.program.pid() as i32).expect("a process number");
    let hard = getrlimit(Resource::Nofile).maximum;
    siege.endure("no file descriptors left", New::Nobody, || {
        let open = open_files(siege.program.pid());
        prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(open), maximum: hard }).expect("a limit");
        let phone = siege.program.caller(&net);
        let calls: Vec<Call> = (0..20).map(|_| phone.dial("+12025550188", siege.program.number())).collect();
        for call in &calls {
            call.must(&What::Refused(503), SOON);
        }
        let _waiting: Vec<_> = (0..20).map(|_| std::net::TcpStream::connect(siege.program.sip)).collect();
        std::thread::sleep(length());
        prlimit(Some(pid), Resource::Nofile, Rlimit { current: hard, maximum: hard }).expect("no limit");
    });
    until("new callers are answered again", SOON, || siege.is_answered(false));
    let told = siege.program.whole_log().matches("no sockets for new calls").count();
    assert!((1..=4).contains(&told), "told {told} times:\n{}", siege.program.log());
}
