//! The server that is measured: this very program, serving in a process and a folder of its own on loopback.

use super::BenchError;
use super::cost::Cost;
use super::scratch::Scratch;
use super::wire;
use super::words::NUMBER;
use crate::ids::AgentId;
use crate::server::config::Config;
use crate::server::store::{Database, Hashes, NewAgent, SqliteStore, Store, StoreOptions};
use crate::sip::registrar::{Binding, DigestChoice};
use crate::sip::{Flow, Transport};
use crate::time::Wall;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// RTP ports that the server may use: beyond them this machine gives ports to whoever asks for any.
const RTP_PORTS: (u16, u16) = (10_000, 32_767);
const START: Duration = Duration::from_secs(20);

/// A menu whose words last a minute and a half, so that nobody is in need of a second prompt, and the queue that 0 leads to.
const DIALPLAN: &str = r#"
[line.bench]
numbers  = ["NUMBER"]
start    = "menu bench"
language = "en"

[line.bench.human]
to             = "queue bench"
unknown_caller = "ordinary"

[menu.bench]
say = [WORDS]
1   = "repeat"

[queue.bench]
ring_timeout = "60s"
wrap_up      = "0s"
"#;

/// What the server is to be like.
#[derive(Clone, Debug)]
pub struct Subject {
    pub agents: usize,
    /// The phone at which all agents are.
    pub phone: SocketAddrV4,
    pub calls: usize,
}

/// A running server. It is ended, and its folder removed, when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    scratch: Scratch,
    pub sip: SocketAddrV4,
}

impl Subject {
    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// The folder, the agents or the process cannot be made, or the server ends at once: with what it said.
    pub fn start(&self, config: &Config) -> Result<Running, BenchError> {
        let scratch = Scratch::new()?;
        // A port that nobody has at this moment.
        let (folder, sip) = (scratch.path(), wire::address(&UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?)?);
        std::fs::create_dir_all(folder.join("dialplans"))?;
        std::fs::write(folder.join("onekey.toml"), self.settings(config, sip)?)?;
        std::fs::write(folder.join("dialplans/bench.toml"), dialplan())?;
        self.register_agents(folder, sip)?;
        let log = std::fs::File::create(folder.join("log"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--config").arg(folder.join("onekey.toml")).arg("serve").current_dir(folder);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let mut running = Running { child, scratch, sip };
        running.wait()?;
        Ok(running)
    }

    fn settings(&self, config: &Config, sip: SocketAddrV4) -> Result<String, BenchError> {
        let prompts = std::path::absolute(&config.prompts)?;
        Ok(format!(
            "data = \"data\"\ndialplans = \"dialplans\"\nprompts = {prompts:?}\nsip.udp = [\"{sip}\"]\nsip.tcp = []\n\
             rtp.first_port = {}\nrtp.last_port = {}\nmedia.raw_socket = {}\n\
             http.listen = \"off\"\nlog.filter = \"warn,onekey::server=info\"\n\
             limits.calls = {}\nlimits.transactions = 100000\n\
             trunk = [{{ name = \"bench\", addresses = [\"127.0.0.1\"] }}]\n",
            RTP_PORTS.0,
            RTP_PORTS.1,
            config.media.raw_socket,
            self.calls * 2 + 100,
        ))
    }

    /// Straight into the database, as if each had registered its phone a moment ago.
    fn register_agents(&self, folder: &Path, sip: SocketAddrV4) -> Result<(), BenchError> {
        std::fs::create_dir_all(folder.join("data"))?;
        let path = folder.join("data/onekey.sqlite");
        let database = Database::open(&path, START).map_err(|error| BenchError(error.to_string()))?;
        let names: Vec<AgentId> = (0..self.agents.max(1)).map(|number| AgentId::new(format!("a{number}"))).collect();
        for agent in &names {
            let hashes = Hashes::of(agent, "onekey", "measured, never registered");
            let new =
                NewAgent { agent: agent.clone(), realm: "onekey".into(), hashes, digest: DigestChoice::default() };
            database.add_agent(&new).map_err(|error| BenchError(error.to_string()))?;
        }
        drop(database);
        let store = SqliteStore::open(&path, StoreOptions::default())?;
        let (done, stored) = std::sync::mpsc::channel();
        for agent in names.into_iter().take(self.agents) {
            let binding = self.binding(&agent, sip);
            let done = done.clone();
            store.save_bindings(agent, vec![binding], Box::new(move |result| drop(done.send(result))));
        }
        drop(done);
        for result in stored {
            result.map_err(BenchError)?;
        }
        Ok(())
    }

    fn binding(&self, agent: &AgentId, sip: SocketAddrV4) -> Binding {
        let flow = Flow { transport: Transport::Udp, local: sip.into(), remote: self.phone.into(), connection: None };
        let expires = Wall::from_micros((super::cost::wall() + Duration::from_secs(7200)).as_micros() as i64);
        let contact = format!("sip:{agent}@{}", self.phone);
        Binding { contact, flow, expires, call_id: format!("{agent}@bench"), cseq: 1 }
    }
}

impl Running {
    pub fn cost(&self) -> Cost {
        Cost::of(self.child.id())
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("log")).unwrap_or_default()
    }

    fn wait(&mut self) -> Result<(), BenchError> {
        let end = Instant::now() + START;
        while !self.said().contains("onekey is ready") {
            let is_over = self.child.try_wait()?.is_some();
            if is_over || Instant::now() > end {
                return Err(BenchError(format!("the server to be measured does not start:\n{}", self.said())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its calls are ours, and its folder goes after it: there is nothing to end politely.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn dialplan() -> String {
    let words = ["welcome", "bills-menu", "data-balance", "closed-now"].map(|word| format!("{word:?}"));
    let words = std::iter::repeat_n(words.join(", "), 5).collect::<Vec<_>>().join(", ");
    DIALPLAN.replace("NUMBER", NUMBER).replace("WORDS", &words)
}
