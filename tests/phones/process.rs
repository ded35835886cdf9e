//! Programs that a test starts: output to a file, ended by their own process number, never left behind.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A folder that is gone with the value, unless the test failed or `ONEKEY_PHONES_KEEP=1` asks to keep it.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("onekey-phones-{}-{number}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for a test");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() && std::env::var_os("ONEKEY_PHONES_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A program under way.
#[derive(Debug)]
pub struct Running {
    child: Child,
    pub log: PathBuf,
    status: Option<ExitStatus>,
}

impl Running {
    /// Starts `command` with its output in `log` (appended) and its input from `input`.
    pub fn start(name: &str, mut command: Command, log: PathBuf, input: Stdio) -> Running {
        let file = std::fs::File::options().create(true).append(true).open(&log).expect("a log file");
        command.stdin(input).stdout(file.try_clone().expect("the log file again")).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Running { child, log, status: None }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn input(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().expect("started with a pipe for input")
    }

    pub fn is_running(&mut self) -> bool {
        self.ended().is_none()
    }

    /// Its exit status, once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("a child's state");
        }
        self.status
    }

    /// Waits for its end.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + limit;
        while self.ended().is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.status
    }

    pub fn signal(&self, signal: Signal) {
        if self.status.is_none() {
            let _ = kill(Pid::from_raw(self.child.id() as i32), signal);
        }
    }

    /// TERM, a moment, then KILL.
    pub fn stop(&mut self, patience: Duration) {
        self.signal(Signal::SIGTERM);
        if self.wait(patience).is_none() {
            self.signal(Signal::SIGKILL);
            self.wait(Duration::from_secs(5));
        }
    }

    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    pub fn tail(&self, lines: usize) -> String {
        let text = self.log_text();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop(Duration::from_millis(300));
    }
}
