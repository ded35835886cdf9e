//! SIPp with the scenarios in `tests/phones/sipp`: its exit status is the outcome.

use crate::net::Net;
use crate::process::{Folder, Running};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// One SIPp with one scenario.
#[derive(Debug)]
pub struct Sipp {
    folder: Folder,
    pub process: Running,
    pub address: SocketAddr,
}

impl Sipp {
    /// A caller that dials `number` at `server`, `calls` times at ten calls a second, with further options.
    pub fn call(net: &Net, scenario: &str, server: SocketAddr, number: &str, calls: u32, more: &[&str]) -> Sipp {
        let mut arguments = vec!["-s", number, "-r", "10"];
        arguments.extend_from_slice(more);
        Sipp::run(net.host(), scenario, server, calls, &arguments)
    }

    /// An agent: first registers by digest, then waits on the same port for `calls` calls.
    pub fn agent(net: &Net, scenario: &str, server: SocketAddr, user: &str, password: &str, calls: u32) -> Sipp {
        let host = net.host();
        let mut register = Sipp::run(host, "register", server, 1, &["-s", user, "-au", user, "-ap", password]);
        register.must_succeed(Duration::from_secs(10));
        Sipp::run(host, scenario, server, calls, &["-rtp_echo"])
    }

    /// Waits for its end with every call as the scenario says.
    pub fn must_succeed(&mut self, limit: Duration) {
        let ended = self.process.wait(limit);
        if !ended.is_some_and(|status| status.success()) {
            panic!("SIPp: {ended:?}\n{}\n{}", self.process.tail(60), self.errors());
        }
    }

    /// What SIPp wrote of messages that it did not expect.
    fn errors(&self) -> String {
        let files = std::fs::read_dir(self.folder.path()).into_iter().flatten().flatten();
        let files = files.filter(|file| file.file_name().to_string_lossy().ends_with("_errors.log"));
        files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect()
    }

    /// Any scenario from `host`, towards `server`.
    pub fn run(host: Ipv4Addr, scenario: &str, server: SocketAddr, calls: u32, more: &[&str]) -> Sipp {
        let folder = Folder::new(&format!("sipp-{scenario}"));
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/phones/sipp/{scenario}.xml"));
        let host = host.to_string();
        let mut command = Command::new("sipp");
        command.current_dir(folder.path()).arg(server.to_string()).arg("-sf").arg(file);
        command.args(["-i", &host, "-mi", &host, "-p", "5060", "-mp", "7000", "-nostdin", "-trace_err"]);
        command.args(["-m", &calls.to_string(), "-timeout", "60", "-timeout_error"]).args(more);
        let process = Running::start("sipp", command, folder.file("log"), Stdio::null());
        Sipp { address: format!("{host}:5060").parse().expect("an address"), folder, process }
    }
}
