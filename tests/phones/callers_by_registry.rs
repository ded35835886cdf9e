//! Callers whom the registry flags meet no prompt, also when the registry cannot answer; and callers who press nothing,
//! or only wrong keys, reach a person all the same (issue points 3 and 4).

use crate::call::{Call, What};
use crate::database::{Locked, destroy};
use crate::harness::{PASSWORD, Program, Setup, shared};
use crate::net::Net;
use crate::phone::Phone;
use crate::rtp::Sound;
use crate::sipp::Sipp;
use crate::tools;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);
/// A wide bound for "at once": two builds may share the machine with the test. The menu's first prompt takes 4 s.
const AT_ONCE: Duration = Duration::from_secs(2);
const AGED_70: &str = "+12025550170";
const ASSISTED: &str = "+12025550171";
const LISTED_30: &str = "+12025550130";

/// Three people and many more, so that the registry is larger than what a database keeps in memory from its opening.
fn people() -> String {
    let mut csv = String::from("number,birth_date,flags,language\n");
    csv += &format!("{AGED_70},1950-05-05,,\n{ASSISTED},1990-01-01,assist,\n{LISTED_30},1995-03-03,,en\n");
    for number in 0..4000 {
        csv += &format!("+1303555{number:04},1980-02-02,,\n");
    }
    csv
}

fn program(net: &Net) -> (Program, Phone, Phone) {
    let program = Setup::new(net).agents(["1001"]).people(&people()).start();
    let agent = program.agent(net, "1001");
    agent.sound(Sound::Pattern(0x1717));
    let caller = program.caller(net);
    (program, agent, caller)
}

/// The agent's phone rings at once, and the caller has heard no prompt: the agent is the first whom she hears.
fn must_ring_at_once(program: &Program, agent: &Phone, caller: &Phone, number: &str) -> Call {
    let began = Instant::now();
    let call = caller.dial(number, program.number());
    let taken = agent.take_call(SOON).expect("the agent's phone rings");
    let rang = taken.must(&What::Invited, SOON);
    assert!(rang - began < AT_ONCE, "it rang {:?} after the caller's INVITE", rang - began);
    call.must_hear_pattern(0x1717, SOON);
    taken.hang_up();
    call.must(&What::Ended, SOON);
    call
}

#[test]
fn an_old_caller_and_an_assisted_one_meet_no_menu_and_an_ordinary_one_does() {
    let _turn = shared();
    let net = Net::new();
    let (program, agent, caller) = program(&net);
    must_ring_at_once(&program, &agent, &caller, AGED_70);
    must_ring_at_once(&program, &agent, &caller, ASSISTED);
    let call = caller.dial(LISTED_30, program.number());
    call.must_hear(100, SOON);
    assert!(agent.take_call(Duration::ZERO).is_none(), "an ordinary caller rang the agent without a key");
    call.hang_up();
}

#[test]
fn a_withheld_number_goes_straight_to_a_person() {
    let _turn = shared();
    let net = Net::new();
    let (program, agent, caller) = program(&net);
    must_ring_at_once(&program, &agent, &caller, "anonymous");
}

#[test]
fn with_the_registry_destroyed_every_caller_goes_straight_to_a_person() {
    let _turn = shared();
    let net = Net::new();
    let (mut program, agent, caller) = program(&net);
    destroy(&program.file("data"));
    must_ring_at_once(&program, &agent, &caller, "+13035551234");
    must_ring_at_once(&program, &agent, &caller, "+13035553999");
    assert!(program.is_running());
}

#[test]
fn with_the_database_locked_flagged_callers_go_straight_to_a_person() {
    let _turn = shared();
    let net = Net::new();
    let (program, agent, caller) = program(&net);
    let _lock = Locked::new(&program.file("data"));
    must_ring_at_once(&program, &agent, &caller, AGED_70);
    must_ring_at_once(&program, &agent, &caller, ASSISTED);
    // An ordinary one is met as the registry can be read or not, but with one key she has a person.
    let call = caller.dial(LISTED_30, program.number());
    call.must(&What::Answered, SOON);
    call.press('0');
    agent.take_call(SOON).expect("the agent's phone rings");
}

#[test]
fn a_caller_who_presses_nothing_reaches_a_person() {
    let _turn = shared();
    let net = Net::new();
    let (program, agent, caller) = program(&net);
    let call = caller.dial(LISTED_30, program.number());
    call.must(&What::Answered, SOON);
    // Welcome, 2 s, "I did not hear a key" and welcome again, 2 s.
    agent.take_call(Duration::from_secs(60)).expect("the agent's phone rings");
    call.must_hear_pattern(0x1717, SOON);
}

#[test]
fn a_caller_who_presses_only_wrong_keys_reaches_a_person() {
    let _turn = shared();
    let net = Net::new();
    let (program, agent, caller) = program(&net);
    let call = caller.dial(LISTED_30, program.number());
    call.must_hear(25, SOON);
    for _ in 0..2 {
        call.press('7');
        std::thread::sleep(Duration::from_millis(1500));
    }
    agent.take_call(Duration::from_secs(30)).expect("the agent's phone rings");
    call.must_hear_pattern(0x1717, SOON);
}

#[test]
fn silent_sipp_callers_and_those_with_wrong_keys_reach_a_person() {
    if !tools::present("silent_sipp_callers_and_those_with_wrong_keys_reach_a_person", &["sipp"]) {
        return;
    }
    for scenario in ["caller_silent", "caller_wrong_keys"] {
        let _turn = shared();
        let net = Net::new();
        let program = Setup::new(&net).agents(["1001"]).start();
        let mut agent = Sipp::agent(&net, "agent_hangs_up", program.sip, "1001", PASSWORD, 1);
        let mut caller = Sipp::call(&net, scenario, program.sip, program.number(), 1, &[]);
        caller.must_succeed(Duration::from_secs(50));
        agent.must_succeed(SOON);
    }
}
