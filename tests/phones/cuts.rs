//! Cuts of the line between a phone and the program: after ten seconds the call goes on as if nothing had been; after a
//! minute it has ended cleanly, with the promise kept open, and who calls again stands where they stood.

use crate::baresip::{Account, Baresip};
use crate::call::What;
use crate::harness::{Program, Setup, shared};
use crate::net::Net;
use crate::phone::Phone;
use crate::process::Folder;
use crate::relay::{Relay, Way};
use crate::rtp::Sound;
use crate::weather::Weather;
use crate::{tools, wav};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(15);
const AGENT: u16 = 0x1717;

fn clear_line(net: &Net, program: &Program) -> Relay {
    Relay::start(net, program.sip, Weather::fair(), Weather::fair())
}

fn baresip(net: &Net, folder: &Folder, relay: &Relay, seed: u32) -> Baresip {
    wav::write(&folder.file("microphone.wav"), &wav::voice(seed, 200.0));
    let account = Account { user: "+12025550123", register: None, server: relay.address(), answers: false };
    Baresip::start(net, &account, &folder.file("microphone.wav"))
}

/// Dials and asks for a person.
fn ask_by(caller: &mut Baresip, program: &Program, relay: &Relay) {
    caller.forget_events();
    caller.dial(&format!("sip:{}@{}", program.number(), relay.address()));
    caller.must_see("CALL_ESTABLISHED", SOON);
    std::thread::sleep(Duration::from_millis(500));
    caller.press('0');
}

/// Waits until `is_so`, or fails with `what` and the log.
fn wait_until(program: &Program, what: &str, limit: Duration, is_so: impl Fn() -> bool) {
    let end = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < end, "{what}, not within {limit:?}\n{}", program.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_call_survives_ten_seconds_without_a_packet() {
    if !tools::present("a_call_survives_ten_seconds_without_a_packet", &["baresip"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    // Silence of a packetless phone is not yet the end of it: the default of `rtp.timeout` holds here.
    let program = Setup::new(&net).agents(["1001"]).start();
    let agent = program.agent(&net, "1001");
    agent.sound(Sound::Pattern(AGENT));
    let (first_line, second_line) = (clear_line(&net, &program), clear_line(&net, &program));
    let mut caller = baresip(&net, &folder, &first_line, 15);
    ask_by(&mut caller, &program, &first_line);
    let taken = agent.take_call(SOON).expect("the agent's phone rings");
    taken.must_hear(100, SOON);
    // Another caller, of whom a key by INFO is sent into the cut.
    let phone = Phone::new(&net, second_line.address());
    let other = phone.dial("+12025550124", program.number());
    other.must(&What::Answered, SOON);
    other.must_hear(10, SOON);

    first_line.cut();
    second_line.cut();
    let began = Instant::now();
    std::thread::sleep(Duration::from_secs(5));
    other.press_by_info('5');
    std::thread::sleep(Duration::from_secs(4));
    caller.command("hold", "");
    std::thread::sleep(Duration::from_secs(10).saturating_sub(began.elapsed()));
    taken.stream.forget();
    first_line.mend();
    second_line.mend();

    // What was asked for in the cut is asked again, and done once.
    other.must(&What::Done("INFO".into(), 200), SOON);
    let (passed, lost) = second_line.sip(Way::ToProgram, "INFO ");
    assert!(lost >= 2 && passed >= 1, "{lost} INFO lost, {passed} passed");
    wait_until(&program, "the hold gets through", SOON, || first_line.sip(Way::ToProgram, "INVITE ").0 >= 2);
    let (_, lost_holds) = first_line.sip(Way::ToProgram, "INVITE ");
    assert!(lost_holds >= 1, "the hold was not sent into the cut");
    wait_until(&program, "the hold is answered", SOON, || first_line.sip(Way::ToPhone, "SIP/2.0 200").0 >= 2);
    std::thread::sleep(Duration::from_millis(300));
    caller.command("resume", "");
    wait_until(&program, "the caller is heard again", SOON, || taken.stream.heard().audio.len() > 40_000);
    let share = wav::heard(&wav::voice(15, 40.0), &taken.stream.heard().samples());
    assert!(share > 0.5, "{share} of what the agent hears is the caller's voice");
    caller.press('5');
    wait_until(&program, "a key of the caller passes", SOON, || taken.stream.heard().keys == "5");
    let fives = program.whole_log().matches("> press 5").count();
    assert_eq!(fives, 2, "one by INFO over the cut, one by RTP after it");
    assert!(taken.is_up() && other.is_up());
    assert_eq!(program.metric("onekey_calls"), 2.0);
    tools::say(&format!(
        "a 10 s cut: both calls go on; INFO {lost} times lost, re-INVITE {lost_holds} times, each then done once"
    ));

    // The agent hangs up in another cut: the BYE is sent until it arrives.
    caller.forget_events();
    first_line.cut();
    taken.hang_up();
    wait_until(&program, "a BYE goes into the cut", SOON, || first_line.sip(Way::ToPhone, "BYE ").1 >= 2);
    first_line.mend();
    caller.must_see("CALL_CLOSED", SOON);
    assert!(first_line.sip(Way::ToPhone, "BYE ").0 >= 1);
}

/// How long the line is cut, and what `rtp.timeout` is then: in the long form the true ones.
fn long_cut() -> (Duration, Option<&'static str>) {
    if tools::long() { (Duration::from_secs(60), None) } else { (Duration::from_secs(6), Some("rtp.timeout = \"3s\"")) }
}

#[test]
fn after_a_long_cut_the_promise_is_due_and_the_place_is_kept() {
    if !tools::present("after_a_long_cut_the_promise_is_due_and_the_place_is_kept", &["baresip"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    let (length, setting) = long_cut();
    let setup = Setup::new(&net).agents(["1001"]);
    let program = setting.into_iter().fold(setup, Setup::setting).start();
    let agent = program.agent(&net, "1001");
    agent.sound(Sound::Pattern(AGENT));
    let direct = program.caller(&net);
    let ask = |number, pattern| {
        direct.sound(Sound::Pattern(pattern));
        let call = direct.dial(number, program.number());
        call.must(&What::Answered, SOON);
        call.press('0');
        call
    };
    // One caller has the agent; baresip waits first, another caller second.
    let busy = ask("+12025550100", 0x2b00);
    let talk = agent.take_call(SOON).expect("the agent's phone rings");
    talk.must_hear_pattern(0x2b00, SOON);
    let line = clear_line(&net, &program);
    let mut caller = baresip(&net, &folder, &line, 16);
    ask_by(&mut caller, &program, &line);
    program.must_promise(1, SOON);
    let second = ask("+12025550125", 0x2b05);
    program.must_promise(2, SOON);
    assert_eq!((program.metric("onekey_calls"), program.metric("onekey_legs")), (3.0, 4.0));

    line.cut();
    let began = Instant::now();
    wait_until(&program, "the call ends", length, || program.metric("onekey_calls") == 2.0);
    let ended = began.elapsed();
    assert_eq!(program.metric("onekey_legs"), 3.0, "its port is free again");
    assert!(line.sip(Way::ToPhone, "BYE ").1 >= 1, "it was said goodbye to");
    let due: Vec<_> = program.must_promise(2, SOON).into_iter().filter(|promise| promise["is_due"] == true).collect();
    assert_eq!(due.len(), 1, "{due:?}");
    assert_eq!((&due[0]["why"], &due[0]["number"]), (&"cut".into(), &"+12025550123".into()));
    tools::say(&format!("a cut of {length:?}: ended {ended:?} after it began, the promise is due"));
    std::thread::sleep(length.saturating_sub(began.elapsed()));
    line.mend();

    // The phone learns it by the BYE that is still repeated, or its owner hangs up.
    if tools::long() {
        caller.command("hangup", "");
    }
    caller.must_see("CALL_CLOSED", SOON);
    ask_by(&mut caller, &program, &line);
    wait_until(&program, "both wait", SOON, || program.metric("onekey_queue_waiting") == 2.0);
    talk.hang_up();
    busy.must(&What::Ended, SOON);
    let taken = agent.take_call(SOON).expect("the agent's phone rings for who waits");
    let heard = taken.must_hear(150, SOON);
    assert_eq!(heard.patterns.get(&0x2b05), None, "the second has overtaken the first");
    let share = wav::heard(&wav::voice(16, 60.0), &heard.samples());
    assert!(share > 0.5, "{share} of what the agent hears is the first caller's voice");
    assert!(second.is_up());
    // The conversation keeps both of the first caller's promises.
    program.must_promise(1, SOON);
}
