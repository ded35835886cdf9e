//! A step `dial`: a party that stands in the dialplan is rung, talks and hangs up, and the caller goes on; while it rings
//! the caller can still ask for an agent.

use crate::baresip::{Account, Baresip};
use crate::call::{Call, What};
use crate::harness::{DIALPLAN, Program, Setup, alone, shared};
use crate::net::Net;
use crate::process::Folder;
use crate::rtp::Sound;
use crate::sipp::Sipp;
use crate::{tools, wav};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);

/// The dialplan of most tests, whose key 4 rings the branch at `party`; afterwards there is a menu of its own sound, and
/// another if nobody was there.
fn plan(party: SocketAddr, ring_timeout: &str) -> String {
    let plan = DIALPLAN.replace("3   = \"voicemail box\"", "3   = \"voicemail box\"\n4   = \"dial branch\"");
    format!(
        "{plan}\n[dial.branch]\nto = \"sip:branch@{party}\"\nring_timeout = \"{ring_timeout}\"\n\
         then = \"menu bills\"\nelse = \"menu nobody\"\n\n[menu.nobody]\nsay = [\"closed-now\"]\n9 = \"start\"\n"
    )
}

/// A caller with a voice, who has pressed 4 in the first menu.
fn caller_of_the_branch(net: &Net, program: &Program, said: &[i16]) -> Call {
    let caller = program.caller(net);
    caller.sound(Sound::Voice(Arc::new(said.iter().map(|sample| wav::to_mulaw(*sample)).collect())));
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.press('4');
    call
}

fn must_hear_prompt(call: &Call, name: &str, program: &Program) {
    let heard = call.must_hear(150, SOON);
    let share = wav::heard(&heard.samples(), &crate::a_key_reaches_a_person::prompt(name)[..12_000]);
    assert!(share > 0.5, "only {share} of {name} is heard\n{}", program.log());
}

#[test]
fn a_baresip_party_talks_and_when_it_hangs_up_the_caller_goes_on() {
    if !tools::present("a_baresip_party_talks_and_when_it_hangs_up_the_caller_goes_on", &["baresip"]) {
        return;
    }
    let _turn = shared();
    let (net, folder) = (Net::new(), Folder::new("microphone"));
    let microphone = folder.file("microphone.wav");
    wav::write(&microphone, &wav::voice(21, 60.0));
    let nowhere = net.sip_host();
    let account = Account { user: "branch", register: None, server: nowhere, answers: true };
    let mut party = Baresip::start(&net, &account, &microphone);
    let program = Setup::new(&net).agents(["1001"]).dialplan(&plan(party.address, "20s")).start();
    let said = wav::voice(22, 6.0);
    let call = caller_of_the_branch(&net, &program, &said);
    party.must_see("CALL_ESTABLISHED", SOON);
    call.stream.forget();
    let heard = call.must_hear(250, SOON);
    let share = wav::heard(&heard.samples(), &wav::voice(21, 8.0));
    assert!(share > 0.3, "the caller heard {share} of the party\n{}", program.log());
    party.command("hangup", "");
    party.must_see("CALL_CLOSED", SOON);
    let share = wav::heard(&party.heard(), &said);
    assert!(share > 0.5, "the party's recording holds {share} of the caller");
    call.stream.forget();
    must_hear_prompt(&call, "bills-menu", &program);
    call.hang_up();
}

#[test]
fn nobody_at_the_party_and_the_caller_goes_on() {
    if !tools::present("nobody_at_the_party_and_the_caller_goes_on", &["sipp"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let mut party = Sipp::run(net.host(), "agent_no_answer", net.sip_host(), 1, &[]);
    let program = Setup::new(&net).agents(["1001"]).dialplan(&plan(party.address, "5s")).start();
    let call = caller_of_the_branch(&net, &program, &wav::voice(23, 2.0));
    party.must_succeed(SOON);
    call.stream.forget();
    must_hear_prompt(&call, "closed-now", &program);
    call.hang_up();
}

#[test]
fn zero_while_the_party_rings_reaches_an_agent() {
    if !tools::present("zero_while_the_party_rings_reaches_an_agent", &["sipp"]) {
        return;
    }
    let _turn = alone();
    let net = Net::new();
    let mut party = Sipp::run(net.host(), "agent_no_answer", net.sip_host(), 1, &[]);
    let program = Setup::new(&net).agents(["1001"]).dialplan(&plan(party.address, "60s")).start();
    let agent = program.agent(&net, "1001");
    let call = caller_of_the_branch(&net, &program, &wav::voice(24, 2.0));
    std::thread::sleep(Duration::from_secs(6)); // "I am connecting you" is said first, and then it rings
    call.press('0');
    let taken = agent.take_call(SOON).expect("the agent's phone rings");
    taken.must(&What::Acked, SOON);
    taken.must_hear(50, SOON);
    party.must_succeed(SOON); // its ringing was cancelled
    call.hang_up();
    taken.must(&What::Ended, SOON);
    assert!(program.whole_log().contains("< promise closed conversation"), "{}", program.log());
}
