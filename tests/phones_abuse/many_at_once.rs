//! Two thousand honest callers at once, from a trunk: everybody is answered, and nobody who talks already notices.

use crate::call::{Call, What};
use crate::harness::{alone, rtp_ports};
use crate::net::Net;
use crate::phone::Phone;
use crate::rtp::Sound;
use crate::siege::{New, Siege, setup};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const PHONES: u16 = 20;
const CALLS_EACH: u16 = 100;

/// The test itself opens thousands of sockets.
pub fn many_files() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit on files");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("more files");
}

#[test]
fn two_thousand_calls_at_once_are_all_answered() {
    let _turn = alone();
    many_files();
    let net = Net::new();
    let (setup, trunk) = setup(&net);
    let setup = setup.ports(rtp_ports(5000)).setting("limits.calls = 2200");
    let siege = Siege::around(&net, setup.start(), trunk);
    let phones: Vec<Phone> =
        (0..PHONES).map(|number| Phone::at(SocketAddr::new(trunk.ip(), 5070 + number), siege.program.sip)).collect();
    for phone in &phones {
        phone.count_only();
        phone.sound(Sound::Nothing);
    }
    let name = "2 000 calls at once from a trunk, all in two seconds";
    let (answered, _) = siege.endure(name, New::Nobody, || {
        let mut calls: Vec<Call> = Vec::new();
        for _ in 0..CALLS_EACH {
            calls.extend(phones.iter().map(|phone| phone.dial("+12025550198", "5550100")));
            std::thread::sleep(Duration::from_millis(20));
        }
        let answered = happened(&calls, &What::Answered);
        calls.iter().for_each(Call::hang_up);
        let ended = happened(&calls, &What::Done("BYE".into(), 200));
        assert_eq!(ended, calls.len(), "calls that ended when they were hung up");
        answered
    });
    assert_eq!(answered, usize::from(PHONES * CALLS_EACH), "{}", siege.program.log());
}

/// To how many calls this has happened within half a minute.
fn happened(calls: &[Call], what: &What) -> usize {
    let end = Instant::now() + Duration::from_secs(30);
    let left = || end.saturating_duration_since(Instant::now());
    calls.iter().filter(|call| call.wait(what, left()).is_some()).count()
}
