//! `kill -9` while callers wait: whoever heard "you are in the queue" is in the ledger afterwards (issue point 7).

use crate::a_key_reaches_a_person::prompt;
use crate::call::{Call, What};
use crate::database::Locked;
use crate::harness::{Program, Setup, shared};
use crate::net::Net;
use crate::wav;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);
const CALLERS: usize = 50;

/// Fifty callers who have asked for a person and have heard that they are in the queue.
fn fifty_wait(program: &Program, net: &Net) -> Vec<Call> {
    let phone = program.caller(net);
    let calls: Vec<Call> =
        (0..CALLERS).map(|number| phone.dial(&format!("+120255501{number:02}"), program.number())).collect();
    for call in &calls {
        call.must(&What::Answered, SOON);
        call.stream.forget();
        call.press('0');
    }
    let words = prompt("queued");
    let end = Instant::now() + Duration::from_secs(40);
    let mut told = vec![false; CALLERS];
    while told.contains(&false) {
        assert!(Instant::now() < end, "told that they are in the queue: {told:?}\n{}", program.log());
        std::thread::sleep(Duration::from_millis(1500));
        for (told, call) in told.iter_mut().zip(&calls).filter(|(told, _)| !**told) {
            let heard = call.stream.heard().samples();
            // The words come within the first seconds; all of a long wait would be much to search.
            *told = wav::heard(&heard[..heard.len().min(40_000)], &words[..8_000]) > 0.5;
        }
    }
    calls
}

#[test]
fn fifty_callers_in_the_queue_survive_a_kill() {
    let _turn = shared();
    let net = Net::new();
    let mut program = Setup::new(&net).agents(["1001"]).start();
    let agent = program.agent(&net, "1001");
    agent.manner(crate::phone::Manner::Ring);
    let _calls = fifty_wait(&program, &net);
    program.crash();
    program.start_again();
    program.must_promise(CALLERS, SOON);
}

#[test]
fn fifty_callers_in_the_queue_survive_a_kill_with_the_database_locked() {
    let _turn = shared();
    let net = Net::new();
    let mut program = Setup::new(&net).agents(["1001"]).start();
    let agent = program.agent(&net, "1001");
    agent.manner(crate::phone::Manner::Ring);
    let lock = Locked::new(&program.file("data"));
    let _calls = fifty_wait(&program, &net);
    program.crash();
    drop(lock);
    program.start_again();
    program.must_promise(CALLERS, SOON);
}

#[test]
fn agents_are_still_registered_after_a_kill() {
    let _turn = shared();
    let net = Net::new();
    let mut program = Setup::new(&net).agents(["1001"]).start();
    let agent = program.agent(&net, "1001");
    std::thread::sleep(Duration::from_secs(1));
    program.crash();
    program.start_again();
    let caller = program.caller(&net);
    let call = caller.dial("+12025550124", program.number());
    call.must(&What::Answered, SOON);
    call.press('0');
    agent.take_call(SOON).expect("the agent's phone rings after the restart");
}

#[test]
fn a_polite_stop_refuses_new_calls_and_lets_the_present_one_end() {
    let _turn = shared();
    let net = Net::new();
    let mut program = Setup::new(&net).agents(["1001"]).start();
    let caller = program.caller(&net);
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    program.signal(nix::sys::signal::Signal::SIGTERM);
    std::thread::sleep(Duration::from_millis(300));
    let late = caller.dial("+12025550124", program.number());
    late.must(&What::Refused(503), SOON);
    let before = call.stream.heard().packets;
    call.must_hear(before + 50, SOON);
    call.hang_up();
    let status = program.wait(SOON);
    assert!(status.is_some_and(|status| status.success()), "ended with {status:?}\n{}", program.log());
}
