//! linphonec as a caller that sends its keys by SIP INFO, driven by its standard input.

use crate::net::free_port;
use crate::process::{Folder, Running};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

/// One linphonec. It cannot be told its address: it takes 127.0.0.1 and a free port.
#[derive(Debug)]
pub struct Linphone {
    input: ChildStdin,
    _process: Running,
    _folder: Folder,
    port: u16,
}

impl Linphone {
    pub fn start() -> Linphone {
        let folder = Folder::new("linphone");
        std::fs::create_dir_all(folder.file(".local/share/linphone")).expect("linphone's folder");
        let port = free_port(Ipv4Addr::LOCALHOST);
        let settings = format!(
            "[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\nuse_info=1\nuse_rfc2833=0\nmedia_encryption=none\n\
             verify_server_certs=0\nregister_only_when_network_is_up=0\nauto_net_state_mon=0\n\
             [rtp]\naudio_rtp_port={}\n",
            free_port(Ipv4Addr::LOCALHOST) & !1,
        );
        std::fs::write(folder.file("rc"), settings).expect("linphone's settings");
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(folder.file("rc")).env("HOME", folder.path());
        let mut process = Running::start("linphonec", command, folder.file("log"), Stdio::piped());
        let input = process.input();
        let mut phone = Linphone { input, _process: process, _folder: folder, port };
        phone.command("ipv6 disable");
        phone.command("soundcard use files");
        phone
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    pub fn command(&mut self, line: &str) {
        writeln!(self.input, "{line}").and_then(|()| self.input.flush()).expect("linphonec's input");
    }

    pub fn dial(&mut self, uri: &str, microphone: &Path) {
        self.command(&format!("call {uri}"));
        self.command(&format!("play {}", microphone.display()));
    }

    pub fn press(&mut self, key: char) {
        self.command(&key.to_string());
    }

    pub fn hang_up(&mut self) {
        self.command("terminate");
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _ = writeln!(self.input, "quit");
    }
}
