//! Strangers who break into calls: their sound, and their BYE and CANCEL. Nothing of it is heard or obeyed.

use crate::attack::{flood, rtp};
use crate::harness::alone;
use crate::net::Net;
use crate::siege::{INTRUDER, New, Siege};
use crate::tools;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

fn length() -> Duration {
    Duration::from_secs(if tools::long() { 20 } else { 3 })
}

/// Where the program takes the sound of each call and of each agent.
fn doors(siege: &Siege) -> Vec<SocketAddr> {
    siege.calls.iter().chain(&siege.taken).filter_map(|call| call.stream.remote()).collect()
}

#[test]
fn a_strangers_sound_is_never_heard() {
    let _turn = alone();
    let net = Net::new();
    let siege = Siege::begin(&net);
    let doors = doors(&siege);
    assert!(doors.len() > 140);
    let stranger = UdpSocket::bind((net.host(), 0)).expect("a socket");
    siege.endure("RTP injected from another address, 7 000/s", New::Everybody, || {
        let (end, mut sequence) = (Instant::now() + length(), 0u16);
        while Instant::now() < end {
            for door in &doors {
                let _ = stranger.send_to(&rtp(0xbad, sequence, INTRUDER), door);
            }
            sequence = sequence.wrapping_add(1);
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    // The right address, as who can forge it would have, with an SSRC that is not the phone's.
    siege.endure("RTP injected from the right address with another SSRC, 7 000/s", New::Everybody, || {
        let (end, mut sequence) = (Instant::now() + length(), 0u16);
        while Instant::now() < end {
            for call in siege.calls.iter().chain(&siege.taken) {
                call.stream.inject(&rtp(0xbad, sequence, INTRUDER));
            }
            sequence = sequence.wrapping_add(1);
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    siege.calls.iter().for_each(crate::call::Call::hang_up);
    let end = Instant::now() + Duration::from_secs(10);
    while siege.program.metric("onekey_packets_refused_total") < 1000.0 {
        assert!(Instant::now() < end, "refused packets are not counted:\n{}", siege.program.metrics());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn guessed_byes_and_cancels_end_nobodys_call() {
    let _turn = alone();
    let net = Net::new();
    let siege = Siege::begin(&net);
    let server = siege.program.sip;
    // The attacker has seen the callers' own messages, but none of ours: all is right but the tag that we gave.
    let invites: Vec<_> = siege.calls.iter().map(crate::call::Call::invite).collect();
    let attackers = [net.host(), net.host()];
    let (echo, _) = siege.endure("BYE and CANCEL with guessed tags and branches, 5 000/s", New::Everybody, || {
        flood(&attackers, server, 5000, length(), |own, n| {
            let invite = &invites[(n / 2) as usize % invites.len()];
            let (method, via, tag) = if n % 2 == 0 {
                ("BYE", format!("SIP/2.0/UDP {own};branch=z9hG4bKg{n}"), format!(";tag={n:016x}"))
            } else {
                ("CANCEL", invite.header("Via").to_string(), String::new())
            };
            format!(
                "{method} {uri} SIP/2.0\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}{tag}\r\nCall-ID: {id}\r\n\
                 CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                uri = invite.uri(),
                from = invite.header("From"),
                to = invite.header("To"),
                id = invite.header("Call-ID"),
                cseq = if method == "BYE" { 2 } else { 1 },
            )
            .into_bytes()
        })
    });
    assert!(echo.sent > 5000, "{echo:?}");
    assert!(siege.program.whole_log().contains("offence=dialogs address=127."), "{}", siege.program.log());
}
