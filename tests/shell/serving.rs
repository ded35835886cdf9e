//! The whole server in this process, with the project's own dialplan and prompts: it answers, drains and stops clean.

use super::Folder;
use onekey::console::metrics;
use onekey::engine::input::Command;
use onekey::server::commands::serve::{load, prepare};
use onekey::server::config::Config;
use onekey::server::shutdown::{Happening, end_calls};
use onekey::server::{Running, start};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// `ports`: a range that no other test uses.
fn config(folder: &Folder, ports: (u16, u16)) -> Config {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = Config::default();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    (config.sip.udp, config.sip.tcp, config.http.listen) = (vec![any], vec![any], Some(any));
    (config.rtp.first_port, config.rtp.last_port) = ports;
    config.data = folder.join("data");
    config.database.path = folder.join("data/onekey.sqlite");
    (config.dialplans, config.prompts) = (project.join("dialplans"), project.join("prompts"));
    config
}

fn running(config: &Config) -> Running {
    let loaded = load(config, None).unwrap_or_else(|problems| panic!("{problems}"));
    let (serve_config, parts) = prepare(config, loaded, metrics::pages()).unwrap();
    start(serve_config, parts).unwrap()
}

/// Sends one request by UDP and gives the status line of the answer.
fn ask(server: SocketAddr, method: &str, body: &str) -> String {
    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    phone.set_read_timeout(Some(SOON)).unwrap();
    let us = phone.local_addr().unwrap();
    let request = format!(
        "{method} sip:5550100@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:+12025550123@{us}>;tag=1\r\nTo: <sip:5550100@{server}>\r\nCall-ID: 1@{us}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:{us}>\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    phone.send_to(request.as_bytes(), server).unwrap();
    let mut buffer = [0; 4000];
    loop {
        let (length, _) = phone.recv_from(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]);
        let status = text.lines().next().unwrap_or_default().to_string();
        if !status.starts_with("SIP/2.0 1") {
            return status;
        }
    }
}

fn health(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

#[test]
fn a_server_answers_drains_and_leaves_its_ports() {
    let folder = Folder::new("serving");
    let server = running(&config(&folder, (21_100, 21_199)));
    let (udp, http) = (server.udp[0], server.http.unwrap());
    assert!(ask(udp, "OPTIONS", "").starts_with("SIP/2.0 200"));
    assert!(health(http).starts_with("HTTP/1.1 200"));
    assert!(server.view().unwrap().snapshot.calls.is_empty());
    server.order(Command::Drain);
    let refused = ask(udp, "INVITE", "");
    assert!(refused.starts_with("SIP/2.0 503"), "{refused}");
    assert!(health(http).starts_with("HTTP/1.1 503"));
    server.stop();
    assert!(UdpSocket::bind(udp).is_ok(), "the port is free once it has stopped");
    // The ledger's lock and the database are free too.
    running(&config(&folder, (21_200, 21_299))).stop();
}

#[test]
fn a_second_signal_says_bye_to_those_who_are_talking() {
    let folder = Folder::new("second-signal");
    let server = running(&config(&folder, (21_500, 21_599)));
    let (phone, udp) = (UdpSocket::bind("127.0.0.1:0").unwrap(), server.udp[0]);
    phone.set_read_timeout(Some(SOON)).unwrap();
    let us = phone.local_addr().unwrap();
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n",
        us.port()
    );
    let send = |method: &str, branch: u8, to: &str, body: &str| {
        let request = format!(
            "{method} sip:5550100@{udp} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{branch};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:+12025550123@{us}>;tag=1\r\n{to}\r\nCall-ID: 2@{us}\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:{us}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        phone.send_to(request.as_bytes(), udp).unwrap();
    };
    let next = |start: &str| loop {
        let mut buffer = [0; 4000];
        let (length, _) = phone.recv_from(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if text.starts_with(start) {
            return text;
        }
    };
    send("INVITE", 1, &format!("To: <sip:5550100@{udp}>"), &sdp);
    let answer = next("SIP/2.0 200");
    send("ACK", 2, answer.lines().find(|line| line.starts_with("To:")).unwrap(), "");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (tell, told) = mpsc::channel();
    end_calls(runtime.handle(), server.inbox().clone(), tell);
    next("BYE ");
    assert_eq!(told.recv_timeout(SOON), Ok(Happening::Drained));
    server.stop();
}

#[test]
fn two_servers_on_one_folder_are_told_apart() {
    let folder = Folder::new("twice");
    let first = config(&folder, (21_300, 21_399));
    let server = running(&first);
    let loaded = load(&first, None).unwrap();
    let error = prepare(&first, loaded, metrics::pages()).err().expect("the ledger has an owner").to_string();
    assert!(error.contains("another onekey serves from this folder"), "{error}");
    server.stop();
}

#[test]
fn a_range_without_ports_is_said_before_anything_runs() {
    let folder = Folder::new("ports");
    let mut narrow = config(&folder, (21_400, 21_401));
    narrow.media.workers = Some(4);
    let loaded = load(&narrow, None).unwrap();
    let (serve_config, parts) = prepare(&narrow, loaded, metrics::pages()).unwrap();
    let error = start(serve_config, parts).err().expect("four workers cannot share one pair").to_string();
    assert!(error.contains("[rtp] first_port"), "{error}");
}
