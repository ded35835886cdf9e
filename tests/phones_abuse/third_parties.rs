//! SDP that names somebody else: a voice server must not be had to flood a third party, and yet phones behind NAT and those
//! who only listen must hear everything.

use crate::attack::invite;
use crate::call::{Call, What};
use crate::harness::{Program, Setup, shared};
use crate::net::Net;
use crate::phone::Phone;
use crate::rtp::Sound;
use crate::siege::SOON;
use crate::tools;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Three seconds of sound, as `media/allowance.rs` says.
const ALLOWED: u64 = 150;
const CALLERS: u64 = 10;

/// Somebody who asked for nothing, and what came to him until now: RTP packets, and bytes of all kinds.
struct Victim(UdpSocket);

impl Victim {
    fn new(net: &Net) -> Victim {
        let socket = UdpSocket::bind((net.host(), 7000)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a limit");
        Victim(socket)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("its address")
    }

    /// RTP packets within this time.
    fn hears(&self, length: Duration) -> u64 {
        let (end, mut packets, mut bytes) = (Instant::now() + length, 0, [0u8; 2048]);
        while Instant::now() < end {
            if let Ok(length) = self.0.recv(&mut bytes) {
                packets += u64::from(length >= 12 && bytes[0] >> 6 == 2);
            }
        }
        packets
    }
}

fn program(net: &Net) -> Program {
    Setup::new(net).agents(["1001"]).start()
}

fn dial(phone: &Phone, program: &Program, count: u64) -> Vec<Call> {
    let calls: Vec<Call> = (0..count).map(|n| phone.dial(&format!("+120255501{n:02}"), program.number())).collect();
    for call in &calls {
        call.must(&What::Answered, SOON);
    }
    calls
}

#[test]
fn a_third_party_gets_three_seconds_of_each_call_and_no_more() {
    let _turn = shared();
    let net = Net::new();
    let program = program(&net);
    let victim = Victim::new(&net);
    let phone = program.caller(&net);
    phone.sound(Sound::Nothing);
    phone.name_media(victim.address());
    let calls = dial(&phone, &program, CALLERS);
    // All press 0, so that music without end plays: nothing but the bound keeps it from the victim.
    calls.iter().for_each(|call| call.press_by_info('0'));
    let heard = victim.hears(Duration::from_secs(6));
    assert!(calls.iter().all(Call::is_up), "nobody was hung up for it");
    let later = victim.hears(Duration::from_secs(if tools::long() { 20 } else { 3 }));
    tools::say(&format!(
        "SDP of {CALLERS} calls names a third party: {heard} packets came to it in 6 s, {later} after that"
    ));
    assert!((50..=ALLOWED * CALLERS).contains(&heard), "{heard} packets");
    assert_eq!(later, 0, "packets after the allowance");
}

#[test]
fn who_forges_his_address_and_never_acknowledges_brings_no_more_either() {
    let _turn = shared();
    let net = Net::new();
    let program = program(&net);
    let victim = Victim::new(&net);
    // The answers go to the victim as well: as if INVITEs had come from it.
    let own = victim.address();
    for n in 0..CALLERS {
        let text = String::from_utf8(invite(own, program.sip, "5550100", n)).expect("text");
        victim.0.send_to(text.replace("m=audio 9000", "m=audio 7000").as_bytes(), program.sip).expect("a datagram");
    }
    let heard = victim.hears(Duration::from_secs(8));
    assert!((50..=ALLOWED * CALLERS).contains(&heard), "{heard} packets");
}

#[test]
fn who_only_listens_hears_everything() {
    let _turn = shared();
    let net = Net::new();
    let program = program(&net);
    let phone = program.caller(&net);
    phone.sound(Sound::Nothing);
    let call = &dial(&phone, &program, 1)[0];
    call.press_by_info('0');
    call.must_hear(ALLOWED * 2, SOON);
}

#[test]
fn who_speaks_from_elsewhere_than_the_sdp_says_is_heard_and_hears_everything() {
    let _turn = shared();
    let net = Net::new();
    let program = program(&net);
    let agent = program.agent(&net, "1001");
    agent.sound(Sound::Pattern(0x1717));
    let phone = program.caller(&net);
    phone.sound(Sound::Pattern(0x2a2a));
    // A private address, as a phone behind NAT writes it.
    phone.name_media(SocketAddr::from((net.host(), 9000)));
    let call = &dial(&phone, &program, 1)[0];
    call.press('0');
    let taken = agent.take_call(SOON).expect("the agent's phone rings");
    taken.must_hear_pattern(0x2a2a, SOON);
    call.must_hear(ALLOWED * 2, SOON);
    call.must_hear_pattern(0x1717, SOON);
}
