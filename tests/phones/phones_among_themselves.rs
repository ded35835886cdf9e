//! The test phones against each other, without the program: what the other tests see is seen rightly.

use crate::baresip::{Account, Baresip};
use crate::call::What;
use crate::linphone::Linphone;
use crate::net::Net;
use crate::phone::{Manner, Phone};
use crate::process::Folder;
use crate::rtp::{Press, Sound};
use crate::sipp::Sipp;
use crate::{tools, wav};
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);

#[test]
fn our_phones_call_each_other_with_sound_and_keys() {
    let net = Net::new();
    let agent_address = net.sip_host();
    let caller = Phone::new(&net, agent_address);
    let agent = Phone::at(agent_address, caller.address());
    agent.sound(Sound::Pattern(0x1111));
    caller.sound(Sound::Pattern(0x2222));
    let call = caller.dial("+12025550123", "agent");
    let taken = agent.take_call(SOON).expect("the call comes in");
    assert_eq!((taken.from().as_str(), taken.dialled().as_str()), ("+12025550123", "agent"));
    call.must(&What::Answered, SOON);
    taken.must(&What::Acked, SOON);
    call.must_hear_pattern(0x1111, SOON);
    taken.must_hear_pattern(0x2222, SOON);
    call.press('0');
    call.stream.press(Press { key: '9', held: Duration::from_millis(300), ends: 0 });
    call.must_hear(taken.stream.heard().packets + 50, SOON);
    assert_eq!(taken.stream.heard().keys, "09");
    taken.hang_up();
    call.must(&What::Ended, SOON);
    assert!(!call.is_up());
}

#[test]
fn a_caller_who_cancels_is_seen_to() {
    let net = Net::new();
    let agent_address = net.sip_host();
    let caller = Phone::new(&net, agent_address);
    let agent = Phone::at(agent_address, caller.address());
    agent.manner(Manner::Ring);
    let call = caller.dial("+12025550123", "agent");
    call.must(&What::Provisional(180), SOON);
    call.cancel();
    call.must(&What::Refused(487), SOON);
    assert!(agent.take_call(SOON).expect("the call came in").has(&What::Cancelled));
}

#[test]
fn baresip_records_what_our_phone_says_and_is_heard() {
    if !tools::present("baresip_records_what_our_phone_says_and_is_heard", &["baresip"]) {
        return;
    }
    let net = Net::new();
    let folder = Folder::new("microphone");
    let (said, spoken) = (wav::voice(1, 4.0), wav::voice(2, 30.0));
    wav::write(&folder.file("microphone.wav"), &spoken);
    let account = Account { user: "bob", register: None, server: net.sip_host(), answers: true };
    let mut baresip = Baresip::start(&net, &account, &folder.file("microphone.wav"));
    let caller = Phone::new(&net, baresip.address);
    caller.sound(Sound::Voice(Arc::new(said.iter().map(|sample| wav::to_mulaw(*sample)).collect())));
    let call = caller.dial("+12025550123", "bob");
    call.must(&What::Answered, SOON);
    let heard = call.must_hear(200, SOON * 2);
    call.hang_up();
    baresip.must_see("CALL_CLOSED", SOON);
    assert!(wav::heard(&heard.samples(), &spoken[..16_000]) > 0.5);
    let recorded = wav::heard(&baresip.heard(), &said);
    assert!(recorded > 0.5, "baresip's recording holds {recorded} of what was said");
}

#[test]
fn sipp_callers_do_as_their_scenarios_say() {
    if !tools::present("sipp_callers_do_as_their_scenarios_say", &["sipp"]) {
        return;
    }
    for (scenario, keys) in [("caller_key", "0"), ("caller_info", ""), ("caller_silent", "")] {
        // Phones talk to one peer each, so each SIPp comes from the address that the phone sends to.
        let net = Net::new();
        let agent_address = net.sip_host();
        let sipp = Sipp::call(&net, scenario, agent_address, "agent", 1, &[]);
        let agent = Phone::at(agent_address, sipp.address);
        hang_up_after(&agent, keys, scenario == "caller_info", sipp);
    }
}

fn hang_up_after(agent: &Phone, keys: &str, info: bool, mut sipp: Sipp) {
    let call = agent.take_call(SOON).expect("SIPp calls");
    call.must(&What::Acked, SOON);
    if info {
        call.must(&What::Info("0".into()), SOON);
    }
    let heard = || call.stream.heard().keys;
    for _ in 0..300 {
        if heard() == keys {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(heard(), keys);
    call.hang_up();
    sipp.must_succeed(SOON);
}

#[test]
fn sipp_agents_do_as_their_scenarios_say() {
    if !tools::present("sipp_agents_do_as_their_scenarios_say", &["sipp"]) {
        return;
    }
    let net = Net::new();
    for scenario in ["agent_answer", "agent_hangs_up", "agent_rejects", "agent_no_answer"] {
        let mut sipp = Sipp::run(net.host(), scenario, net.sip_host(), 1, &["-rtp_echo"]);
        let caller = Phone::new(&net, sipp.address);
        caller.sound(Sound::Pattern(0x4242));
        let call = caller.dial("+12025550123", "agent");
        match scenario {
            "agent_answer" => {
                call.must(&What::Answered, SOON);
                call.must_hear_pattern(0x4242, SOON);
                call.hang_up();
            }
            "agent_hangs_up" => {
                call.must(&What::Ended, SOON);
            }
            "agent_rejects" => {
                call.must(&What::Refused(486), SOON);
            }
            _ => {
                call.must(&What::Provisional(180), SOON);
                call.cancel();
                call.must(&What::Refused(487), SOON);
            }
        }
        sipp.must_succeed(SOON);
    }
}

#[test]
fn linphonec_calls_speaks_and_sends_keys_by_info() {
    if !tools::present("linphonec_calls_speaks_and_sends_keys_by_info", &["linphonec"]) {
        return;
    }
    let folder = Folder::new("microphone");
    let spoken = wav::voice(5, 30.0);
    wav::write(&folder.file("microphone.wav"), &spoken);
    let net = Net::new();
    let mut linphone = Linphone::start();
    let agent = Phone::new(&net, linphone.address());
    linphone.dial(&format!("sip:agent@{}", agent.address()), &folder.file("microphone.wav"));
    let call = agent.take_call(SOON * 2).expect("linphonec calls");
    call.must(&What::Acked, SOON);
    linphone.press('0');
    call.must(&What::Info("0".into()), SOON);
    let heard = call.must_hear(200, SOON * 2);
    assert!(wav::heard(&heard.samples(), &spoken[..16_000]) > 0.5);
    call.hang_up();
}
