//! `onekey demo --once` as a newcomer runs it: the real program in a folder with the sample dialplan and prompts, on ports
//! that somebody else holds already, so that it must find others.

use onekey::server::files::read_wav;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The silent caller alone takes 46 s; a busy machine may take longer.
const LIMIT: Duration = Duration::from_secs(180);

/// A folder of its own, removed at the end unless the test failed.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("onekey-test-demo-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("tmp")).unwrap();
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["dialplans", "prompts"] {
            copy(&project.join(name), &path.join(name));
        }
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Killed when the test ends before it does.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn three_callers_reach_a_person_and_nothing_real_is_touched() {
    let folder = Folder::new();
    let (sip, http) = (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (sip_at, http_at) = (sip.local_addr().unwrap(), http.local_addr().unwrap());
    let first_port = 20_000 + (std::process::id() % 100) * 100;
    let settings = format!(
        "[sip]\nudp = [\"{sip_at}\"]\ntcp = []\n[rtp]\nfirst_port = {first_port}\nlast_port = {}\n\
         [http]\nlisten = \"{http_at}\"\n",
        first_port + 99
    );
    std::fs::write(folder.0.join("onekey.toml"), settings).unwrap();

    let (status, said) = run(&folder.0);

    assert!(status, "{said}");
    assert!(said.contains("3 of 3 callers reached a person"), "{said}");
    assert!(said.contains("(the configured port is taken"), "{said}");
    assert_traces(&said);
    assert_recordings(&folder.0.join("data/demo"));
    let kept: Vec<_> =
        std::fs::read_dir(folder.0.join("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept, ["demo"], "a demo writes no ledger, registry or key of the real server");
    assert_eq!(std::fs::read_dir(folder.0.join("tmp")).unwrap().count(), 0, "its own are gone");
}

/// Each caller's lines are in order, whatever those of others between them.
fn assert_traces(said: &str) {
    let trace = |name: &str| -> Vec<&str> {
        let lines = said.lines().filter_map(|line| line.trim_start().strip_prefix(name));
        lines
            .filter_map(|line| line.split_once("  < ").or_else(|| line.split_once("  > ")))
            .map(|(_, what)| what)
            .collect()
    };
    let at = |lines: &[&str], word: &str| lines.iter().position(|line| line.starts_with(word));
    let (pressing, aged, silent) = (trace("presses 0"), trace("aged 70"), trace("silent"));
    for lines in [&pressing, &aged, &silent] {
        assert!(at(lines, "ring 1001").is_some() && at(lines, "bridge 1001").is_some(), "{said}");
    }
    assert!(at(&pressing, "play welcome") < at(&pressing, "press 0"), "{said}");
    assert!(at(&pressing, "press 0") < at(&pressing, "ring"), "{said}");
    let first_play = at(&aged, "play").unwrap_or(usize::MAX);
    assert!(at(&aged, "ring").unwrap() < first_play, "the flagged caller hears nothing before the phone rings: {said}");
    assert!(!aged.iter().chain(&silent).any(|line| line.starts_with("press")), "{said}");
}

fn assert_recordings(folder: &Path) {
    let names = ["presses-0-heard", "aged-70-heard", "silent-heard", "agent-heard-1", "agent-heard-2", "agent-heard-3"];
    for name in names {
        let wav = read_wav(&folder.join(format!("{name}.wav"))).unwrap_or_else(|error| panic!("{name}: {error}"));
        let seconds = wav.samples.len() as f32 / wav.rate_hz as f32;
        assert!(seconds > 2.5, "{name}: {seconds} s");
        let loud = wav.samples.iter().filter(|sample| sample.abs() > 0.02).count();
        assert!(loud > wav.samples.len() / 10, "{name} is silent: {loud} loud samples in {seconds} s");
    }
}

/// Success or not, and all that was said.
fn run(folder: &Path) -> (bool, String) {
    let log = folder.join("said.txt");
    let file = std::fs::File::create(&log).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_onekey"));
    command.args(["demo", "--once"]).current_dir(folder).env("TMPDIR", folder.join("tmp")).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
    let mut program = Program(command.spawn().unwrap());
    let until = Instant::now() + LIMIT;
    loop {
        let said = || std::fs::read_to_string(&log).unwrap();
        if let Some(status) = program.0.try_wait().unwrap() {
            return (status.success(), said());
        }
        assert!(Instant::now() < until, "the demo does not end:\n{}", said());
        std::thread::sleep(Duration::from_millis(100));
    }
}
