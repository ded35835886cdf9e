//! baresip as a phone: a configuration of its own for each, no sound card (a WAV as microphone, recordings of both
//! sides), and control by its netstring-and-JSON port.

use crate::net::Net;
use crate::process::{Folder, Running};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One baresip.
#[derive(Debug)]
pub struct Baresip {
    folder: Folder,
    pub process: Running,
    control: TcpStream,
    unread: Vec<u8>,
    events: Vec<Value>,
    pub address: SocketAddr,
}

/// Its one account.
#[derive(Debug)]
pub struct Account<'a> {
    pub user: &'a str,
    /// Registers there with this password; without, it only calls.
    pub register: Option<&'a str>,
    pub server: SocketAddr,
    pub answers: bool,
}

impl Baresip {
    /// Starts on an address of its own with `microphone` (8 kHz WAV; baresip hangs up at its end).
    pub fn start(net: &Net, account: &Account<'_>, microphone: &Path) -> Baresip {
        let folder = Folder::new(&format!("baresip-{}", account.user));
        let address = net.sip_host();
        let SocketAddr::V4(v4) = address else { unreachable!("IPv4") };
        write_config(&folder, *v4.ip(), microphone);
        std::fs::write(folder.file("accounts"), account_line(account, address)).expect("accounts");
        std::fs::write(folder.file("contacts"), "").expect("contacts");
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder.path()).arg("-s");
        let process = Running::start("baresip", command, folder.file("log"), Stdio::null());
        let control = connect(SocketAddr::from((*v4.ip(), 4444)), &process);
        Baresip { folder, process, control, unread: Vec::new(), events: Vec::new(), address }
    }

    pub fn command(&mut self, command: &str, parameters: &str) {
        let text = json!({"command": command, "params": parameters, "token": command}).to_string();
        write!(self.control, "{}:{text},", text.len()).expect("baresip's control port");
    }

    pub fn dial(&mut self, uri: &str) {
        self.command("dial", uri);
    }

    /// Sends a key by RFC 4733.
    pub fn press(&mut self, key: char) {
        self.command("sndcode", &key.to_string());
    }

    /// Waits until it has registered: that may be over before its control port is open, so its log says it.
    pub fn must_register(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while !self.process.log_text().contains("binding]") {
            assert!(Instant::now() < end, "baresip does not register:\n{}", self.process.tail(60));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for an event of this type.
    pub fn must_see(&mut self, kind: &str, limit: Duration) {
        let end = Instant::now() + limit;
        loop {
            self.read_events();
            if self.events.iter().any(|event| event["type"] == kind) {
                return;
            }
            let seen: Vec<&Value> = self.events.iter().map(|event| &event["type"]).collect();
            assert!(Instant::now() < end, "baresip: no {kind} but {seen:?}\n{}", self.process.tail(60));
        }
    }

    /// Events seen until now are forgotten.
    pub fn forget_events(&mut self) {
        self.read_events();
        self.events.clear();
    }

    /// What it heard in its calls so far (8 kHz). The recording is whole when the call has ended.
    pub fn heard(&self) -> Vec<i16> {
        self.recordings("-dec.wav")
    }

    fn recordings(&self, end: &str) -> Vec<i16> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.file("rec"))
            .expect("baresip's recordings")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.to_string_lossy().ends_with(end))
            .collect();
        files.sort();
        files.iter().flat_map(|path| crate::wav::read(path).map(|(samples, _)| samples).unwrap_or_default()).collect()
    }

    fn read_events(&mut self) {
        let mut bytes = [0u8; 4096];
        if let Ok(length) = self.control.read(&mut bytes) {
            self.unread.extend_from_slice(&bytes[..length]);
        }
        while let Some((value, used)) = netstring(&self.unread) {
            self.unread.drain(..used);
            if value["event"] == true {
                self.events.push(value);
            }
        }
    }
}

/// The first netstring of `bytes` and its whole length.
fn netstring(bytes: &[u8]) -> Option<(Value, usize)> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let text = bytes.get(colon + 1..colon + 1 + length)?;
    Some((serde_json::from_slice(text).unwrap_or(Value::Null), colon + 2 + length))
}

fn connect(address: SocketAddr, process: &Running) -> TcpStream {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if let Ok(stream) = TcpStream::connect(address) {
            stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket with a time limit");
            return stream;
        }
        assert!(Instant::now() < end, "baresip does not open its control port:\n{}", process.tail(40));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn account_line(account: &Account<'_>, own: SocketAddr) -> String {
    let answers = if account.answers { ";answermode=auto" } else { "" };
    let (user, server) = (account.user, account.server);
    match account.register {
        Some(password) => format!(
            "<sip:{user}@{host}>;auth_user={user};auth_pass={password};outbound=\"sip:{server}\";regint=60\
             {answers};audio_codecs=PCMU/8000/1\n",
            host = server.ip()
        ),
        None => format!("<sip:{user}@{own}>;regint=0{answers};audio_codecs=PCMU/8000/1\n"),
    }
}

fn write_config(folder: &Folder, host: Ipv4Addr, microphone: &Path) {
    let recordings = folder.file("rec");
    std::fs::create_dir_all(&recordings).expect("a folder for recordings");
    let mut text = format!(
        "poll_method epoll\nsip_listen {host}:5060\ncall_local_timeout 120\ncall_max_calls 16\n\
         audio_path /usr/share/baresip\naudio_source aufile,{microphone}\naudio_player aubridge,nil\n\
         audio_alert aubridge,alert\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n\
         rtp_ports 21000-21200\nrtcp_mux no\njitter_buffer_delay 5-10\nrtp_stats yes\nnet_interface {host}\n\
         module_path /usr/lib/baresip/modules\nctrl_tcp_listen {host}:4444\nsnd_path {recordings}\n",
        microphone = microphone.display(),
        recordings = recordings.display(),
    );
    for module in ["g711", "aufile", "aubridge", "sndfile"] {
        text += &format!("module {module}.so\n");
    }
    text += "module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n";
    std::fs::write(folder.file("config"), text).expect("baresip's configuration");
}
