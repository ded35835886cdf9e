//! One press of 0, from wherever and however: a person's phone rings and both hear each other (issue points 1 and 5).

use crate::call::{Call, What};
use crate::harness::{Program, Setup, shared};
use crate::net::Net;
use crate::phone::{Manner, Phone};
use crate::rtp::{Press, Sound};
use crate::sipp::Sipp;
use crate::{tools, wav};
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);
const CALLER: u16 = 0x2a2a;
const AGENT: u16 = 0x1717;

struct Scene {
    _turn: std::sync::RwLockReadGuard<'static, ()>,
    net: Net,
    program: Program,
    agent: Phone,
    caller: Phone,
}

fn scene() -> Scene {
    let turn = shared();
    let net = Net::new();
    let program = Setup::new(&net).agents(["1001", "1002"]).start();
    let agent = program.agent(&net, "1001");
    agent.sound(Sound::Pattern(AGENT));
    let caller = program.caller(&net);
    caller.sound(Sound::Pattern(CALLER));
    Scene { _turn: turn, net, program, agent, caller }
}

impl Scene {
    /// A call that has been answered.
    fn call(&self) -> Call {
        let call = self.caller.dial("+12025550123", self.program.number());
        call.must(&What::Answered, SOON);
        call
    }

    /// The agent's phone rings, both hear each other, the agent's BYE ends the call, and nobody rang twice.
    fn must_talk(&self, call: &Call) {
        let taken = self.agent.take_call(SOON).expect("the agent's phone rings");
        taken.must(&What::Acked, SOON);
        taken.must_hear_pattern(CALLER, SOON);
        call.must_hear_pattern(AGENT, SOON);
        taken.hang_up();
        call.must(&What::Ended, SOON);
        assert!(self.agent.take_call(Duration::from_millis(500)).is_none(), "the agent's phone rang again");
    }
}

/// Samples of a prompt as callers are to hear it.
pub fn prompt(id: &str) -> Vec<i16> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("prompts/en/{id}.wav"));
    let (samples, rate) = wav::read(&file).expect("a prompt");
    assert_eq!(rate, 8000, "{id}");
    samples
}

#[test]
fn the_menu_is_heard_and_a_key_during_it_reaches_the_agent() {
    let scene = scene();
    let call = scene.call();
    let heard = call.must_hear(100, SOON);
    assert!(wav::heard(&heard.samples(), &prompt("welcome")[..12_000]) > 0.6, "the prompt is not what is heard");
    assert_eq!((heard.astray, heard.junk), (0, 0), "RTP from another address than the SDP's, or no RTP");
    call.press('0');
    scene.must_talk(&call);
}

#[test]
fn the_callers_bye_ends_the_agents_leg() {
    let scene = scene();
    let call = scene.call();
    call.press('0');
    let taken = scene.agent.take_call(SOON).expect("the agent's phone rings");
    taken.must(&What::Acked, SOON);
    call.must_hear_pattern(AGENT, SOON);
    call.hang_up();
    taken.must(&What::Ended, SOON);
    call.must(&What::Done("BYE".into(), 200), SOON);
}

#[test]
fn a_key_in_the_first_20_ms_reaches_the_agent() {
    let scene = scene();
    let call = scene.call();
    call.press('0');
    scene.must_talk(&call);
}

#[test]
fn a_key_in_a_sub_menu_reaches_the_agent() {
    let scene = scene();
    let call = scene.call();
    call.must_hear(25, SOON);
    call.press('1');
    std::thread::sleep(Duration::from_millis(300));
    call.stream.forget();
    let heard = call.must_hear(150, SOON);
    assert!(wav::heard(&heard.samples(), &prompt("bills-menu")) > 0.2, "the sub-menu is not heard");
    call.press('0');
    scene.must_talk(&call);
}

#[test]
fn a_key_in_voicemail_reaches_the_agent() {
    let scene = scene();
    let call = scene.call();
    call.must_hear(25, SOON);
    call.press('3');
    // The greeting takes two seconds, then the recording runs.
    std::thread::sleep(Duration::from_secs(4));
    call.press('0');
    scene.must_talk(&call);
}

#[test]
fn two_keys_at_once_in_two_ways_ring_the_agent_once() {
    let scene = scene();
    let call = scene.call();
    call.must_hear(25, SOON);
    scene.agent.manner(Manner::Ring);
    call.press('0');
    call.press_by_info('0');
    call.press('0');
    call.must(&What::Done("INFO".into(), 200), SOON);
    let taken = scene.agent.take_call(SOON).expect("the agent's phone rings");
    scene.program.must_promise(1, SOON);
    taken.answer();
    taken.must_hear_pattern(CALLER, SOON);
    call.must_hear_pattern(AGENT, SOON);
    // The conversation keeps the promise, and nobody else rings for it.
    scene.program.must_promise(0, SOON);
    assert!(scene.agent.take_call(Duration::from_millis(500)).is_none(), "the agent's phone rang again");
}

#[test]
fn a_key_held_for_3_s_reaches_the_agent_at_its_first_packet() {
    let scene = scene();
    let call = scene.call();
    call.must_hear(25, SOON);
    let pressed = call.stream.press(Press { key: '0', held: Duration::from_secs(3), ends: 3 });
    let taken = scene.agent.take_call(SOON).expect("the agent's phone rings");
    let rang = taken.must(&What::Invited, SOON);
    assert!(rang - pressed < Duration::from_secs(2), "it rang {:?} after the key went down", rang - pressed);
    taken.must_hear_pattern(CALLER, SOON);
    taken.hang_up();
    call.must(&What::Ended, SOON);
}

#[test]
fn a_key_without_end_packets_reaches_the_agent() {
    let scene = scene();
    let call = scene.call();
    call.must_hear(25, SOON);
    call.stream.press(Press { ends: 0, ..Press::new('0') });
    scene.must_talk(&call);
}

#[test]
fn a_key_by_info_reaches_the_agent() {
    let scene = scene();
    let call = scene.call();
    call.press_by_info('0');
    scene.must_talk(&call);
}

#[test]
fn keys_pass_through_while_talking_and_zero_changes_nothing() {
    let scene = scene();
    let call = scene.call();
    call.press('0');
    let taken = scene.agent.take_call(SOON).expect("the agent's phone rings");
    call.must_hear_pattern(AGENT, SOON);
    call.press('5');
    call.press('0');
    let end = std::time::Instant::now() + SOON;
    while taken.stream.heard().keys != "50" {
        assert!(std::time::Instant::now() < end, "keys heard: {:?}", taken.stream.heard().keys);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(call.is_up() && taken.is_up());
}

#[test]
fn a_stranger_cannot_speak_into_a_call() {
    let scene = scene();
    let call = scene.call();
    call.press('0');
    let taken = scene.agent.take_call(SOON).expect("the agent's phone rings");
    taken.must_hear_pattern(CALLER, SOON);
    let door = call.stream.remote().expect("where the program takes the caller's RTP");
    let stranger = crate::rtp::Stream::open(scene.net.host());
    stranger.say(Sound::Pattern(0x6666));
    stranger.connect(door, 101);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(taken.stream.heard_pattern(0x6666), 0, "the agent hears a stranger");
    assert_eq!(stranger.heard().packets, 0, "the stranger is sent the call");
    let before = taken.stream.heard_pattern(CALLER);
    std::thread::sleep(Duration::from_millis(500));
    assert!(taken.stream.heard_pattern(CALLER) > before + 10, "the caller is no longer heard");
}

#[test]
fn sipp_calls_press_zero_and_reach_a_sipp_agent() {
    if !tools::present("sipp_calls_press_zero_and_reach_a_sipp_agent", &["sipp"]) {
        return;
    }
    // The caller's way of sending the key, and who ends the call.
    for (caller, agent) in
        [("caller_key_bye", "agent_answer"), ("caller_key", "agent_hangs_up"), ("caller_info", "agent_hangs_up")]
    {
        let _turn = shared();
        let net = Net::new();
        let program = Setup::new(&net).agents(["1001"]).start();
        let mut agent = Sipp::agent(&net, agent, program.sip, "1001", crate::harness::PASSWORD, 1);
        let mut caller = Sipp::call(&net, caller, program.sip, program.number(), 1, &[]);
        caller.must_succeed(SOON * 2);
        agent.must_succeed(SOON);
    }
}

#[test]
fn a_sipp_agent_hears_and_is_heard() {
    if !tools::present("a_sipp_agent_hears_and_is_heard", &["sipp"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let program = Setup::new(&net).agents(["1001"]).start();
    // It says what it hears: the caller hears himself by way of the agent.
    let mut agent = Sipp::agent(&net, "agent_answer", program.sip, "1001", crate::harness::PASSWORD, 1);
    let caller = program.caller(&net);
    caller.sound(Sound::Pattern(CALLER));
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.press('0');
    call.must_hear_pattern(CALLER, SOON);
    call.hang_up();
    agent.must_succeed(SOON);
}

#[test]
fn a_caller_who_waits_is_answered_when_another_agent_comes() {
    let scene = scene();
    let first = scene.call();
    first.press('0');
    let taken = scene.agent.take_call(SOON).expect("the agent's phone rings");
    taken.must_hear_pattern(CALLER, SOON);
    let second = scene.caller.dial("+12025550124", scene.program.number());
    second.must(&What::Answered, SOON);
    second.press('0');
    second.must_hear(100, SOON);
    let other = scene.program.agent(&scene.net, "1002");
    other.take_call(SOON).expect("the phone rings once it is registered").must_hear_pattern(CALLER, SOON);
    assert!(taken.is_up() && first.is_up());
}
