//! baresip and linphonec as agents and callers: what they record is what was said (issue point 2).

use crate::a_key_reaches_a_person::prompt;
use crate::baresip::{Account, Baresip};
use crate::call::What;
use crate::harness::{PASSWORD, Setup, shared};
use crate::linphone::Linphone;
use crate::net::Net;
use crate::process::Folder;
use crate::rtp::Sound;
use crate::{tools, wav};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);

fn microphone(folder: &Folder, seed: u32) -> PathBuf {
    let file = folder.file("microphone.wav");
    wav::write(&file, &wav::voice(seed, 60.0));
    file
}

#[test]
fn a_baresip_agent_registers_by_digest_and_records_the_caller() {
    if !tools::present("a_baresip_agent_registers_by_digest_and_records_the_caller", &["baresip"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    let program = Setup::new(&net).agents(["1001"]).start();
    let account = Account { user: "1001", register: Some(PASSWORD), server: program.sip, answers: true };
    let mut agent = Baresip::start(&net, &account, &microphone(&folder, 7));
    agent.must_register(SOON);
    let said = wav::voice(8, 4.0);
    let caller = program.caller(&net);
    caller.sound(Sound::Voice(Arc::new(said.iter().map(|sample| wav::to_mulaw(*sample)).collect())));
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.press('0');
    agent.must_see("CALL_ESTABLISHED", SOON);
    call.stream.forget();
    let heard = call.must_hear(250, SOON);
    call.hang_up();
    agent.must_see("CALL_CLOSED", SOON);
    let share = wav::heard(&heard.samples(), &wav::voice(7, 6.0));
    assert!(share > 0.4, "the caller heard {share} of the agent");
    let share = wav::heard(&agent.heard(), &said);
    assert!(share > 0.5, "the agent's recording holds {share} of the caller");
}

#[test]
fn a_baresip_caller_hears_the_menu_and_reaches_the_agent_by_key() {
    if !tools::present("a_baresip_caller_hears_the_menu_and_reaches_the_agent_by_key", &["baresip"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    let program = Setup::new(&net).agents(["1001"]).start();
    let agent = program.agent(&net, "1001");
    agent.sound(Sound::Pattern(0x1717));
    let account = Account { user: "+12025550123", register: None, server: program.sip, answers: false };
    let mut caller = Baresip::start(&net, &account, &microphone(&folder, 9));
    caller.dial(&format!("sip:{}@{}", program.number(), program.sip));
    caller.must_see("CALL_ESTABLISHED", SOON);
    std::thread::sleep(Duration::from_secs(3));
    caller.press('0');
    let taken = agent.take_call(SOON).expect("the agent's phone rings");
    taken.must(&What::Acked, SOON);
    taken.stream.forget();
    let heard = taken.must_hear(250, SOON);
    taken.hang_up();
    caller.must_see("CALL_CLOSED", SOON);
    let share = wav::heard(&heard.samples(), &wav::voice(9, 15.0));
    assert!(share > 0.15, "the agent heard {share} of the caller");
    let share = wav::heard(&caller.heard(), &prompt("welcome")[..20_000]);
    assert!(share > 0.5, "the caller's recording holds {share} of the prompt");
}

#[test]
fn a_baresip_agent_holds_the_call_and_takes_it_up_again() {
    if !tools::present("a_baresip_agent_holds_the_call_and_takes_it_up_again", &["baresip"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    let program = Setup::new(&net).agents(["1001"]).start();
    let account = Account { user: "1001", register: Some(PASSWORD), server: program.sip, answers: true };
    let mut agent = Baresip::start(&net, &account, &microphone(&folder, 11));
    agent.must_register(SOON);
    let caller = program.caller(&net);
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.press('0');
    agent.must_see("CALL_ESTABLISHED", SOON);
    call.must_hear(100, SOON);
    agent.command("hold", "");
    std::thread::sleep(Duration::from_secs(2));
    assert!(call.is_up(), "the caller is lost while on hold\n{}", program.log());
    agent.command("resume", "");
    std::thread::sleep(Duration::from_millis(500));
    call.stream.forget();
    let heard = call.must_hear(250, SOON);
    let share = wav::heard(&heard.samples(), &wav::voice(11, 15.0));
    assert!(share > 0.15, "after the hold the caller hears {share} of the agent\n{}", program.log());
    call.hang_up();
    agent.must_see("CALL_CLOSED", SOON);
}

#[test]
fn a_linphonec_caller_reaches_the_agent_by_an_info_key() {
    if !tools::present("a_linphonec_caller_reaches_the_agent_by_an_info_key", &["linphonec"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    let program = Setup::new(&net).agents(["1001"]).start();
    let agent = program.agent(&net, "1001");
    let mut caller = Linphone::start();
    caller.dial(&format!("sip:{}@{}", program.number(), program.sip), &microphone(&folder, 10));
    std::thread::sleep(Duration::from_secs(3));
    caller.press('0');
    let taken = agent.take_call(SOON).expect("the agent's phone rings");
    taken.must(&What::Acked, SOON);
    taken.stream.forget();
    let heard = taken.must_hear(250, SOON);
    let share = wav::heard(&heard.samples(), &wav::voice(10, 20.0));
    assert!(share > 0.1, "the agent heard {share} of the caller");
    caller.hang_up();
    taken.must(&What::Ended, SOON);
}

#[test]
fn sipsak_registers_an_agent_and_is_refused_with_a_wrong_password() {
    if !tools::present("sipsak_registers_an_agent_and_is_refused_with_a_wrong_password", &["sipsak"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let program = Setup::new(&net).agents(["1001"]).start();
    let register = |password: &str| {
        let target = format!("sip:1001@{}", program.sip);
        let contact = format!("sip:1001@{}", net.sip_host());
        let mut command = Command::new("sipsak");
        command.args(["-U", "-C", &contact, "-s", &target, "-u", "1001", "-a", password, "-x", "60", "-v"]);
        command.output().expect("sipsak runs").status.code()
    };
    assert_eq!(register(PASSWORD), Some(0));
    assert_ne!(register("wrong"), Some(0));
}
