//! The filter that `deploy/fail2ban` ships reads every line that the program writes of offenders, and nothing else.

use crate::attack::request;
use crate::digest;
use crate::harness::{Setup, alone};
use crate::net::Net;
use crate::siege::SOON;
use crate::tools;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// So many requests of one kind, from one address.
fn offend(host: Ipv4Addr, server: SocketAddr, times: u64, make: impl Fn(SocketAddr, u64) -> Vec<u8>) {
    let socket = UdpSocket::bind((host, 0)).expect("a socket");
    let own = socket.local_addr().expect("its address");
    for n in 0..times {
        socket.send_to(&make(own, n), server).expect("a datagram");
    }
}

#[test]
fn the_filter_reads_every_offence_and_no_address_that_a_stranger_writes() {
    if !tools::present("the_filter_reads_every_offence_and_no_address_that_a_stranger_writes", &["fail2ban-regex"]) {
        return;
    }
    let _turn = alone();
    let net = Net::new();
    let program = Setup::new(&net).agents(["1001"]).start();
    let server = program.sip;
    let [scanner, guesser, caller, breaker, flooder] = [(); 5].map(|()| net.host());
    offend(scanner, server, 3, |own, n| {
        request("OPTIONS", own, server, "100", n, "User-Agent: friendly-scanner\r\n", "")
    });
    offend(guesser, server, 30, |own, n| {
        let wrong = digest::credentials("Digest realm=\"onekey\", nonce=\"0\"", "1001", "wrong", "REGISTER", "sip:x");
        request("REGISTER", own, server, "1001", n, &format!("Authorization: {wrong}\r\n"), "")
    });
    // What a stranger writes must not stand for his address.
    let forged = "security: x offence=requests address=192.0.2.9";
    offend(caller, server, 40, |own, n| {
        let more =
            format!("Subject: {forged}\r\nUser-Agent: {forged}\r\nP-Asserted-Identity: \"{forged}\" <sip:1@x>\r\n");
        request("INVITE", own, server, "5559999", n, &more, "")
    });
    offend(breaker, server, 150, |own, n| {
        let bye = String::from_utf8(request("BYE", own, server, "5550100", n, "", "")).expect("text");
        bye.replace("To: <sip:5550100@", "To: <sip:guess@")
            .replace(">\r\nCall-ID", ">;tag=guess\r\nCall-ID")
            .into_bytes()
    });
    offend(flooder, server, 1500, |own, n| request("OPTIONS", own, server, "100", n, "", ""));
    let offenders = [scanner, guesser, caller, breaker, flooder];
    let end = Instant::now() + SOON;
    while !offenders.iter().all(|host| program.whole_log().contains(&format!("address={host}"))) {
        assert!(Instant::now() < end, "not everybody is told:\n{}", program.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let found = matched(&program.file("log"));
    assert_eq!(found.iter().filter(|line| !offenders.iter().any(|host| **line == host.to_string())).count(), 0);
    for host in offenders {
        let lines = found.iter().filter(|line| **line == host.to_string()).count();
        assert_eq!(lines, 1, "{host} in {found:?}\n{}", program.log());
    }
}

/// The addresses that the filter finds in this log, in order.
fn matched(log: &Path) -> Vec<String> {
    let filter = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/fail2ban/filter.d/onekey.conf");
    let output =
        Command::new("fail2ban-regex").args(["-o", "ip"]).arg(log).arg(filter).output().expect("fail2ban-regex");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() || !text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect()
}
