//! Keys over a bad line: each press is heard once, in its order, whatever is lost, late, doubled or reordered, as long as
//! one packet of it arrives. By our own phone with exact counting, and by baresip (RFC 4733) and linphonec (SIP INFO).

use crate::baresip::{Account, Baresip};
use crate::call::What;
use crate::harness::{Program, Setup, shared};
use crate::linphone::Linphone;
use crate::net::Net;
use crate::phone::Phone;
use crate::process::Folder;
use crate::relay::{Relay, Way};
use crate::rtp::{Press, Sound};
use crate::weather::{Dice, Weather};
use crate::{tools, wav};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(15);

/// Every key of this menu leads back to it, so that any sequence of keys can be pressed; `0` leads to the agent.
const PAD: &str = r#"
[line.care]
numbers  = ["5550100"]
start    = "menu pad"
language = "en"

[line.care.human]
to             = "queue care"
unknown_caller = "ordinary"

[menu.pad]
say  = ["welcome"]
1    = "repeat"
2    = "repeat"
3    = "repeat"
4    = "repeat"
5    = "repeat"
6    = "repeat"
7    = "repeat"
8    = "repeat"
9    = "repeat"
star = "repeat"
hash = "repeat"
first_digit_timeout = "5s"

[queue.care]
"#;

fn pad(net: &Net) -> Program {
    Setup::new(net).dialplan(PAD).agents(["1001"]).start()
}

/// The keys in the calls' trace, in order.
fn heard(program: &Program) -> String {
    let log = program.whole_log();
    log.lines().filter_map(|line| line.split_once("> press ")?.1.chars().next()).collect()
}

/// Waits for these keys, fails on others, and compares the program's own count of each.
fn must_hear(program: &Program, pressed: &str, limit: Duration) {
    let end = Instant::now() + limit;
    while heard(program).len() < pressed.len() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    // Nothing more may come of packets that are still on their way.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(heard(program), pressed, "keys heard, keys pressed");
    must_count(program, pressed);
}

fn must_count(program: &Program, pressed: &str) {
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    pressed.chars().for_each(|key| *counts.entry(key).or_default() += 1);
    let metrics = program.metrics();
    for key in "0123456789*#".chars() {
        let line = format!("onekey_keys_total{{key=\"{key}\"}} ");
        let told = metrics.lines().find_map(|other| other.strip_prefix(&line)).unwrap_or("0");
        assert_eq!(told, counts.get(&key).copied().unwrap_or(0).to_string(), "count of key {key} of {pressed}");
    }
}

/// The presses of which at least one packet was sent on, in the order in which they were pressed.
fn arrived(relay: &Relay) -> String {
    let mut presses: Vec<(u32, char, bool)> = Vec::new();
    for (packet, copies) in relay.rtp(Way::ToProgram) {
        if packet.payload_type != 101 || packet.payload.len() != 4 {
            continue;
        }
        let key = "0123456789*#".chars().nth(usize::from(packet.payload[0])).expect("a key");
        match presses.iter_mut().find(|(timestamp, ..)| *timestamp == packet.timestamp) {
            Some(press) => press.2 |= copies > 0,
            None => presses.push((packet.timestamp, key, copies > 0)),
        }
    }
    presses.into_iter().filter(|(.., came)| *came).map(|(_, key, _)| key).collect()
}

/// Presses this many keys other than 0, each for up to `held_max`; what was pressed.
fn press_many(stream: &crate::rtp::Stream, dice: &mut Dice, count: usize, held_max: u64, ends: u8) -> String {
    let mut pressed = String::new();
    for _ in 0..count {
        let key = "123456789*#".chars().nth(dice.below(11) as usize).expect("one of eleven");
        let held = Duration::from_millis(30 + dice.below(held_max - 30));
        stream.press(Press { key, held, ends });
        pressed.push(key);
        // A press lasts to its next packet, and a finger takes some time to the next key.
        std::thread::sleep(held + Duration::from_millis(120 + dice.below(80)));
    }
    pressed
}

#[test]
fn forty_keys_of_our_phone_are_heard_once_each_in_order_and_the_call_goes_on() {
    let _turn = shared();
    let net = Net::new();
    let program = pad(&net);
    let agent = program.agent(&net, "1001");
    agent.sound(Sound::Pattern(0x1717));
    let relay = Relay::start(&net, program.sip, Weather::foul(41), Weather::foul(42));
    let caller = Phone::new(&net, relay.address());
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.must_hear(10, SOON);
    let pressed = press_many(&call.stream, &mut Dice::new(1), 40, 150, 3);
    must_hear(&program, &pressed, SOON);
    assert_eq!(arrived(&relay), pressed, "in this weather no key is lost altogether");
    let packets = relay.rtp(Way::ToProgram);
    let lost = packets.iter().filter(|(_, copies)| *copies == 0).count();
    tools::say(&format!("keys over a bad line: 40 pressed, 40 heard; {lost} of {} packets lost", packets.len()));
    assert!(lost > 0, "no weather");
    call.press('0');
    let taken = agent.take_call(SOON).expect("the agent's phone rings");
    call.must_hear_pattern(0x1717, SOON);
    must_hear(&program, &(pressed + "0"), SOON);
    taken.hang_up();
    call.must(&What::Ended, SOON);
}

#[test]
fn short_keys_are_heard_if_one_packet_of_them_arrives_and_not_otherwise() {
    let _turn = shared();
    let net = Net::new();
    let program = pad(&net);
    let storm = Weather { lost: 600, doubled: 200, ..Weather::foul(43) };
    let relay = Relay::start(&net, program.sip, Weather::fair(), Weather::fair());
    let caller = Phone::new(&net, relay.address());
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.must_hear(3, SOON);
    relay.weather(Way::ToProgram, storm);
    let pressed = press_many(&call.stream, &mut Dice::new(2), 24, 60, 1);
    std::thread::sleep(Duration::from_secs(1));
    let (came, heard) = (sorted(&arrived(&relay)), sorted(&heard(&program)));
    tools::say(&format!(
        "keys in a storm (60 % lost): {} pressed, {} arrived by at least one packet, {} heard",
        pressed.len(),
        came.len(),
        heard.len()
    ));
    // Of two keys one may overtake the other here: each is counted, the order is not looked at.
    assert_eq!(heard, came);
    must_count(&program, &came);
    assert!(came.len() < pressed.len() && came.len() > pressed.len() / 2, "a storm, but not the end: {came}");
}

fn sorted(keys: &str) -> String {
    let mut keys: Vec<char> = keys.chars().collect();
    keys.sort_unstable();
    keys.into_iter().collect()
}

#[test]
fn keys_of_baresip_are_heard_once_each_in_order() {
    if !tools::present("keys_of_baresip_are_heard_once_each_in_order", &["baresip"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    wav::write(&folder.file("microphone.wav"), &wav::voice(12, 60.0));
    let program = pad(&net);
    let relay = Relay::start(&net, program.sip, Weather::foul(44), Weather::foul(45));
    let account = Account { user: "+12025550123", register: None, server: relay.address(), answers: false };
    let mut caller = Baresip::start(&net, &account, &folder.file("microphone.wav"));
    caller.dial(&format!("sip:{}@{}", program.number(), relay.address()));
    caller.must_see("CALL_ESTABLISHED", SOON);
    std::thread::sleep(Duration::from_millis(500));
    let keys = "1592637485*#11";
    for key in keys.chars() {
        caller.press(key);
        std::thread::sleep(Duration::from_millis(300));
    }
    must_hear(&program, keys, SOON);
    caller.command("hangup", "");
    caller.must_see("CALL_CLOSED", SOON);
}

#[test]
fn keys_of_linphonec_by_info_are_heard_once_each() {
    if !tools::present("keys_of_linphonec_by_info_are_heard_once_each", &["linphonec"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    wav::write(&folder.file("microphone.wav"), &wav::voice(13, 60.0));
    let program = pad(&net);
    // One message in seven is lost, so that some must be sent again.
    let weather = |seed| Weather { lost: 150, doubled: 150, ..Weather::foul(seed) };
    let relay = Relay::start(&net, program.sip, weather(46), weather(47));
    let mut caller = Linphone::start();
    caller.dial(&format!("sip:{}@{}", program.number(), relay.address()), &folder.file("microphone.wav"));
    let end = Instant::now() + SOON * 2;
    while relay.rtp(Way::ToProgram).len() < 50 {
        assert!(Instant::now() < end, "linphonec does not speak\n{}", program.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let keys = "72581#";
    for (count, key) in keys.chars().enumerate() {
        caller.press(key);
        // It sends one INFO at a time, and again until it is answered.
        let end = Instant::now() + SOON;
        while heard(&program).len() <= count && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    must_hear(&program, keys, SOON);
    let (passed, lost) = relay.sip(Way::ToProgram, "INFO ");
    tools::say(&format!("linphonec: {} keys heard once each, {passed} INFO passed, {lost} were lost", keys.len()));
    caller.hang_up();
}
