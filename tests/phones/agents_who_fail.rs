//! Agents who are not there, refuse, let it ring or vanish, and callers who hang up at the wrong moment: nobody is lost
//! and nobody is rung for nothing (issue point 6).

use crate::call::{Call, What};
use crate::harness::{Program, Setup, dialplan, shared};
use crate::net::Net;
use crate::phone::{Manner, Phone};
use crate::rtp::Sound;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);
const CALLER: u16 = 0x2a2a;

/// A program with two agents, both registered; the first is rung first.
struct Scene {
    _turn: std::sync::RwLockReadGuard<'static, ()>,
    net: Net,
    program: Program,
    first: Phone,
    caller: Phone,
}

impl Scene {
    fn new(changes: &[(&str, &str)]) -> Scene {
        let turn = shared();
        let net = Net::new();
        let mut changes = changes.to_vec();
        changes.push(("wrap_up      = \"0s\"", "wrap_up = \"0s\"\nagents = [\"1001 level 1\", \"1002 level 2\"]"));
        let setup = Setup::new(&net).dialplan(&dialplan(&changes)).agents(["1001", "1002"]);
        let program = setup.setting("rtp.timeout = \"3s\"").start();
        let first = program.agent(&net, "1001");
        first.sound(Sound::Pattern(0x1001));
        let caller = program.caller(&net);
        caller.sound(Sound::Pattern(CALLER));
        Scene { _turn: turn, net, program, first, caller }
    }

    fn second(&self) -> Phone {
        let phone = self.program.agent(&self.net, "1002");
        phone.sound(Sound::Pattern(0x1002));
        phone
    }

    /// A call that has asked for a person.
    fn asks(&self) -> Call {
        let call = self.caller.dial("+12025550123", self.program.number());
        call.must(&What::Answered, SOON);
        call.press('0');
        call
    }
}

#[test]
fn a_refused_caller_is_taken_by_the_next_agent() {
    let scene = Scene::new(&[]);
    let second = scene.second();
    scene.first.manner(Manner::Reject(486, Duration::ZERO));
    let call = scene.asks();
    let refused = scene.first.take_call(SOON).expect("the first agent's phone rings");
    refused.must(&What::Acked, SOON);
    let taken = second.take_call(SOON).expect("the second agent's phone rings");
    taken.must_hear_pattern(CALLER, SOON);
    call.must_hear_pattern(0x1002, SOON);
}

#[test]
fn a_caller_whom_nobody_answers_is_taken_by_the_next_agent() {
    let scene = Scene::new(&[]);
    let second = scene.second();
    scene.first.manner(Manner::Ring);
    let call = scene.asks();
    let ringing = scene.first.take_call(SOON).expect("the first agent's phone rings");
    ringing.must(&What::Cancelled, SOON);
    ringing.must(&What::Acked, SOON);
    let taken = second.take_call(SOON).expect("the second agent's phone rings");
    taken.must_hear_pattern(CALLER, SOON);
    assert!(call.is_up());
}

#[test]
fn a_caller_whose_agents_phone_is_switched_off_is_taken_by_the_next_agent() {
    let scene = Scene::new(&[]);
    let second = scene.second();
    scene.first.manner(Manner::Deaf);
    let call = scene.asks();
    scene.first.take_call(SOON).expect("the first agent's INVITE");
    let taken = second.take_call(SOON * 4).expect("the second agent's phone rings");
    taken.must_hear_pattern(CALLER, SOON);
    assert!(call.is_up());
}

#[test]
fn a_caller_whose_agent_answers_without_sound_is_taken_by_the_next_agent() {
    let scene = Scene::new(&[]);
    let second = scene.second();
    scene.first.sound(Sound::Nothing);
    let call = scene.asks();
    let mute = scene.first.take_call(SOON).expect("the first agent's phone rings");
    mute.must(&What::Ended, SOON);
    second.take_call(SOON).expect("the second agent's phone rings").must_hear_pattern(CALLER, SOON);
    assert!(call.is_up());
}

#[test]
fn a_caller_whose_agent_vanishes_while_talking_is_not_lost() {
    let scene = Scene::new(&[]);
    let second = scene.second();
    let call = scene.asks();
    let taken = scene.first.take_call(SOON).expect("the first agent's phone rings");
    taken.must_hear_pattern(CALLER, SOON);
    call.must_hear_pattern(0x1001, SOON);
    scene.first.manner(Manner::Deaf);
    taken.vanish();
    second.take_call(SOON * 4).expect("the second agent's phone rings").must_hear_pattern(CALLER, SOON);
    call.must_hear_pattern(0x1002, SOON);
}

#[test]
fn a_caller_who_hangs_up_while_it_rings_stops_the_ringing() {
    let scene = Scene::new(&[]);
    scene.first.manner(Manner::Ring);
    let call = scene.asks();
    let ringing = scene.first.take_call(SOON).expect("the agent's phone rings");
    call.hang_up();
    ringing.must(&What::Cancelled, SOON);
    ringing.must(&What::Acked, SOON);
    // She is free for the next.
    scene.first.manner(Manner::Answer(Duration::ZERO));
    scene.asks();
    scene.first.take_call(SOON).expect("her phone rings again").must_hear_pattern(CALLER, SOON);
    scene.program.must_promise(0, SOON);
}

#[test]
fn an_agent_who_answers_as_the_caller_hangs_up_is_released() {
    let scene = Scene::new(&[]);
    scene.first.manner(Manner::Cross);
    let call = scene.asks();
    let crossing = scene.first.take_call(SOON).expect("the agent's phone rings");
    call.hang_up();
    // CANCEL meets her 200: it is acknowledged, and a BYE ends it.
    crossing.must(&What::Acked, SOON);
    crossing.must(&What::Ended, SOON);
    scene.first.manner(Manner::Answer(Duration::ZERO));
    scene.asks();
    scene.first.take_call(SOON).expect("her phone rings again").must_hear_pattern(CALLER, SOON);
}

#[test]
fn a_caller_who_cancels_before_the_answer_leaves_nothing_behind() {
    let scene = Scene::new(&[]);
    for _ in 0..20 {
        let call = scene.caller.dial("+12025550123", scene.program.number());
        call.cancel();
        // Answered before the CANCEL came: then a BYE, as a phone does.
        if call.wait(&What::Answered, Duration::from_millis(500)).is_some() {
            call.hang_up();
            call.must(&What::Done("BYE".into(), 200), SOON);
        } else {
            call.must(&What::Refused(487), SOON);
        }
    }
    scene.asks();
    scene.first.take_call(SOON).expect("the agent's phone rings").must_hear_pattern(CALLER, SOON);
}

#[test]
fn with_no_agent_the_wish_is_kept_and_listed() {
    let turn = shared();
    let net = Net::new();
    let text = dialplan(&[("wrap_up      = \"0s\"", "unstaffed_after = \"0s\"")]);
    let program = Setup::new(&net).dialplan(&text).agents(["1001"]).start();
    let caller = program.caller(&net);
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.press('0');
    // "We will call you back on this number", silence, "your request is recorded", and the program hangs up.
    call.must(&What::Ended, SOON * 6);
    let open = program.must_promise(1, SOON);
    assert!(open[0].to_string().contains("is_due\":true"), "{open:?}");
    drop(turn);
}

#[test]
fn thirty_callers_and_one_agent_keep_their_order() {
    let scene = Scene::new(&[]);
    scene.first.manner(Manner::Ring);
    let calls: Vec<(u16, Call)> = (0..30u16)
        .map(|index| {
            let number = format!("+120255501{index:02}");
            let call = scene.caller.dial(&number, scene.program.number());
            call.say(Sound::Pattern(0x3000 + index));
            call.must(&What::Answered, SOON);
            call.press('0');
            // The next one asks later, by any clock.
            std::thread::sleep(Duration::from_millis(150));
            (0x3000 + index, call)
        })
        .collect();
    // The first is ringing: answered, heard, ended. The rest follow by themselves.
    scene.first.manner(Manner::Answer(Duration::from_millis(20)));
    for (pattern, call) in &calls {
        let taken = scene.first.take_call(SOON).expect("the agent's phone rings");
        taken.answer();
        // Whom she hears is who is next: any other would be out of order.
        taken.must_hear_pattern(*pattern, SOON);
        call.must_hear_pattern(0x1001, SOON);
        taken.hang_up();
        call.must(&What::Ended, SOON);
    }
    scene.program.must_promise(0, SOON);
}
