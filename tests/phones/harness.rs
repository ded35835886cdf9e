//! The real program, started for one test in a folder and on an address of its own, with a dialplan and agents of the
//! test's, and ended by its process number. Also the command line, as an operator uses it.

use crate::net::Net;
use crate::phone::Phone;
use crate::process::{Folder, Running};
use crate::tools;
use nix::sys::signal::Signal;
use serde_json::Value;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// What a test wants to be there before the program starts.
#[derive(Debug)]
pub struct Setup {
    host: Ipv4Addr,
    folder: Folder,
    agents: Vec<String>,
    settings: String,
    prompts: PathBuf,
    ports: (u16, u16),
}

/// The program under way.
#[derive(Debug)]
pub struct Program {
    folder: Folder,
    running: Running,
    host: Ipv4Addr,
    pub sip: SocketAddr,
}

/// Tests share the machine, but for the one that fills it.
static MACHINE: RwLock<()> = RwLock::new(());

pub fn shared() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Password of every agent of a test.
pub const PASSWORD: &str = "loopback-only";

/// The dialplan of most tests: short prompts, one queue whose agents need no rest.
pub const DIALPLAN: &str = r#"
[line.care]
numbers  = ["5550100"]
start    = "menu main"
language = "en"

[line.care.human]
to             = "queue care"
direct         = ["age >= 65", "flag assist"]
unknown_caller = "human_first"

[menu.main]
say = ["welcome"]
1   = "menu bills"
2   = "play balance"
3   = "voicemail box"
first_digit_timeout = "2s"

[menu.bills]
say = ["bills-menu"]
1   = "play balance"
9   = "start"

[play.balance]
say      = ["data-balance"]
finished = true

[voicemail.box]
say = ["closed-now"]

[queue.care]
ring_timeout = "5s"
wrap_up      = "0s"
"#;

/// As [`DIALPLAN`], but with other words in it.
pub fn dialplan(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(DIALPLAN.to_string(), |text, (old, new)| {
        assert!(text.contains(old), "the dialplan has no {old:?}");
        text.replace(old, new)
    })
}

impl Setup {
    pub fn new(net: &Net) -> Setup {
        let folder = Folder::new("program");
        std::fs::create_dir_all(folder.file("dialplans")).expect("a folder for the dialplan");
        let prompts = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
        let (agents, settings, ports) = (Vec::new(), String::new(), rtp_ports(120));
        let setup = Setup { host: net.host(), folder, agents, settings, prompts, ports };
        setup.dialplan(DIALPLAN)
    }

    pub fn dialplan(self, text: &str) -> Setup {
        std::fs::write(self.folder.file("dialplans/care.toml"), text).expect("the dialplan");
        self
    }

    pub fn agents(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Setup {
        self.agents.extend(names.into_iter().map(Into::into));
        self
    }

    /// Imports this CSV into the registry of callers before the start.
    pub fn people(self, csv: &str) -> Setup {
        std::fs::write(self.folder.file("people.csv"), csv).expect("the CSV");
        self
    }

    /// Further lines of the configuration, each `section.key = value`.
    pub fn setting(mut self, line: &str) -> Setup {
        self.settings += line;
        self.settings.push('\n');
        self
    }

    /// Takes the prompts from another folder than the project's.
    pub fn prompts(mut self, folder: &Path) -> Setup {
        self.prompts = folder.to_path_buf();
        self
    }

    /// First and last RTP port.
    pub fn ports(mut self, ports: (u16, u16)) -> Setup {
        self.ports = ports;
        self
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn host(&self) -> Ipv4Addr {
        self.host
    }

    /// Writes everything and runs the commands that come before `serve`.
    pub fn prepare(&self) {
        std::fs::write(self.folder.file("onekey.toml"), self.config()).expect("the configuration");
        for agent in &self.agents {
            let output = onekey_told(self.folder.path(), &["agent", "add", agent, "--password-stdin"], PASSWORD);
            assert!(output.status.success(), "agent add {agent}: {}", said(&output));
        }
        if self.folder.file("people.csv").exists() {
            let output = onekey(self.folder.path(), &["registry", "import", "people.csv"]);
            assert!(output.status.success(), "registry import: {}", said(&output));
        }
    }

    /// Starts the program and waits until it answers OPTIONS.
    pub fn start(self) -> Program {
        self.prepare();
        let running = serve(self.folder.path());
        let sip = SocketAddr::from((self.host, 5060));
        let mut program = Program { running, folder: self.folder, host: self.host, sip };
        program.wait_for_options();
        program
    }

    /// The same, by a command that becomes the program (`exec`) in the setup's folder.
    #[allow(dead_code)] // tests/phones_abuse uses it
    pub fn start_by(self, command: Command) -> Program {
        self.prepare();
        let running = Running::start("onekey serve", command, self.folder.file("log"), Stdio::null());
        let sip = SocketAddr::from((self.host, 5060));
        let mut program = Program { running, folder: self.folder, host: self.host, sip };
        program.wait_for_options();
        program
    }

    /// Starts the program where it cannot, and returns it with what it says once it has ended.
    pub fn start_in_vain(self) -> (Option<std::process::ExitStatus>, String) {
        self.prepare();
        let mut running = serve(self.folder.path());
        let status = running.wait(Duration::from_secs(15));
        (status, running.log_text())
    }

    fn config(&self) -> String {
        let (host, (first, last)) = (self.host, self.ports);
        let mut text = format!("data = \"data\"\ndialplans = \"dialplans\"\nprompts = {:?}\n", self.prompts);
        text += &format!(
            "sip.udp = [\"{host}:5060\"]\nsip.tcp = [\"{host}:5060\"]\nhttp.listen = \"{host}:9060\"\nlog.filter = \"info,onekey::call=debug\"\n"
        );
        text += &format!("rtp.first_port = {first}\nrtp.last_port = {last}\n");
        if tools::raw_socket() {
            text += "media.raw_socket = true\n";
        }
        text + &self.settings
    }
}

impl Program {
    /// Where callers and agents send SIP.
    pub fn number(&self) -> &'static str {
        "5550100"
    }

    /// One of our phones, registered as an agent.
    pub fn agent(&self, net: &Net, name: &str) -> Phone {
        let phone = Phone::new(net, self.sip);
        assert_eq!(phone.register(name, PASSWORD, 300), 200, "agent {name} cannot register:\n{}", self.log());
        phone
    }

    pub fn caller(&self, net: &Net) -> Phone {
        Phone::new(net, self.sip)
    }

    /// Runs `onekey` with these arguments on this program's configuration.
    pub fn command(&self, arguments: &[&str]) -> Output {
        onekey(self.folder.path(), arguments)
    }

    /// `onekey promises list --json`.
    pub fn promises(&self) -> Vec<Value> {
        let output = self.command(&["promises", "list", "--json"]);
        assert!(output.status.success(), "promises list: {}", said(&output));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match serde_json::from_str(&text) {
            Ok(Value::Array(list)) => list,
            _ => text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
        }
    }

    /// Waits until so many promises are listed.
    pub fn must_promise(&self, count: usize, limit: Duration) -> Vec<Value> {
        let end = Instant::now() + limit;
        loop {
            let list = self.promises();
            if list.len() == count {
                return list;
            }
            assert!(Instant::now() < end, "{} promises listed, {count} wanted: {list:?}\n{}", list.len(), self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    /// `kill -9`.
    pub fn crash(&mut self) {
        self.running.signal(Signal::SIGKILL);
        assert!(self.running.wait(Duration::from_secs(5)).is_some(), "killed, but it goes on");
    }

    pub fn start_again(&mut self) {
        self.running = serve(self.folder.path());
        self.wait_for_options();
    }

    pub fn signal(&self, signal: Signal) {
        self.running.signal(signal);
    }

    pub fn is_running(&mut self) -> bool {
        self.running.is_running()
    }

    /// Waits for its end; the exit status.
    pub fn wait(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
        self.running.wait(limit)
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("");
        line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
    }

    /// The most since [`forget_peak`](Self::forget_peak), in KiB.
    #[allow(dead_code)] // tests/phones_abuse uses it
    pub fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("");
        line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
    }

    #[allow(dead_code)] // tests/phones_abuse uses it
    pub fn forget_peak(&self) {
        // Where this is not allowed the peak is that since the start: more, never less.
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.running.pid()), "5");
    }

    #[allow(dead_code)] // tests/phones_abuse uses it
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Status and text of `/healthz`.
    #[allow(dead_code)] // tests/phones_abuse uses it
    pub fn health(&self) -> String {
        self.page("/healthz")
    }

    /// Processor time used so far, in clock ticks of 10 ms.
    pub fn processor_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.running.pid())).unwrap_or_default();
        let after = stat.rsplit(')').next().unwrap_or("");
        let fields: Vec<&str> = after.split_whitespace().collect();
        [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum()
    }

    /// The page of metrics.
    pub fn metrics(&self) -> String {
        self.page("/metrics")
    }

    fn page(&self, path: &str) -> String {
        use std::io::Read;
        let Ok(mut stream) = std::net::TcpStream::connect((self.host, 9060)) else { return String::new() };
        let _ = write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host);
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    }

    /// Sum of a metric over its labels.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.metrics();
        let own = text
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ') || rest.starts_with('{')));
        own.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.running.tail(60)
    }

    pub fn whole_log(&self) -> String {
        self.running.log_text()
    }

    fn wait_for_options(&mut self) {
        let end = Instant::now() + Duration::from_secs(30);
        while !answers_options(self.sip) {
            let gone = self.running.ended();
            assert!(gone.is_none() && Instant::now() < end, "the program does not serve ({gone:?}):\n{}", self.log());
        }
        let is_as_asked = !tools::raw_socket() || self.log().contains("RTP leaves by raw sockets");
        assert!(is_as_asked, "sound leaves by ordinary sockets:\n{}", self.log());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- end of the program's log ---\n{}", self.running.tail(120));
        }
        self.running.stop(Duration::from_millis(200));
    }
}

/// A range of RTP ports that no other program of this process has: RTP sockets are bound to every address.
pub fn rtp_ports(count: u16) -> (u16, u16) {
    static NEXT: AtomicU16 = AtomicU16::new(10_000);
    let first = NEXT.fetch_add(count, Ordering::Relaxed);
    assert!(first < 32_000 - count, "the tests have used all RTP ports below the kernel's own");
    (first, first + count - 1)
}

/// One OPTIONS; true if a 200 comes within 200 ms.
pub fn answers_options(server: SocketAddr) -> bool {
    options(server, Duration::from_millis(200)).is_some_and(|answer| answer.starts_with("SIP/2.0 200"))
}

fn options(server: SocketAddr, limit: Duration) -> Option<String> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    socket.set_read_timeout(Some(limit)).ok()?;
    let own = socket.local_addr().ok()?;
    let id = crate::phone::fresh("options");
    let request = format!(
        "OPTIONS sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{id};rport\r\nFrom: <sip:probe@{own}>;tag={id}\r\n\
         To: <sip:{server}>\r\nCall-ID: {id}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(request.as_bytes(), server).ok()?;
    let mut bytes = [0u8; 4096];
    match socket.recv(&mut bytes) {
        Ok(length) => Some(String::from_utf8_lossy(&bytes[..length]).into_owned()),
        Err(_) => {
            std::thread::sleep(Duration::from_millis(50));
            None
        }
    }
}

fn serve(folder: &Path) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onekey"));
    command.current_dir(folder).args(["serve", "--config", "onekey.toml"]);
    Running::start("onekey serve", command, folder.join("log"), Stdio::null())
}

/// Runs a command of the program to its end.
pub fn onekey(folder: &Path, arguments: &[&str]) -> Output {
    onekey_told(folder, arguments, "")
}

/// The same, with a line on its standard input.
fn onekey_told(folder: &Path, arguments: &[&str], line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onekey"));
    command.current_dir(folder).args(arguments).args(["--config", "onekey.toml"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("onekey runs");
    // A command that reads nothing may have ended already.
    let _ = writeln!(child.stdin.take().expect("its input"), "{line}");
    child.wait_with_output().expect("its output")
}

/// Both outputs of a command.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
