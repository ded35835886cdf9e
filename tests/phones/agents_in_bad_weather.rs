//! An agent's phone on a line that loses one packet in five: it registers by digest, rings once, talks and is released,
//! because whatever is lost is sent again and whatever comes twice is done once.

use crate::baresip::{Account, Baresip};
use crate::call::What;
use crate::harness::{PASSWORD, Setup, shared};
use crate::net::Net;
use crate::process::Folder;
use crate::relay::{Relay, Way};
use crate::rtp::Sound;
use crate::weather::Weather;
use crate::{tools, wav};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_baresip_agent_on_a_very_bad_line_registers_rings_talks_and_is_released() {
    if !tools::present("a_baresip_agent_on_a_very_bad_line_registers_rings_talks_and_is_released", &["baresip"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    wav::write(&folder.file("microphone.wav"), &wav::voice(17, 60.0));
    let program = Setup::new(&net).agents(["1001"]).start();
    let weather = |seed| Weather { lost: 200, doubled: 300, ..Weather::foul(seed) };
    let relay = Relay::start(&net, program.sip, weather(61), weather(62));
    let account = Account { user: "1001", register: Some(PASSWORD), server: relay.address(), answers: true };
    let mut agent = Baresip::start(&net, &account, &folder.file("microphone.wav"));
    agent.must_register(SOON);

    let said: Vec<u8> = wav::voice(18, 4.0).into_iter().map(wav::to_mulaw).collect();
    let caller = program.caller(&net);
    caller.sound(Sound::Voice(Arc::new(said.clone())));
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.press('0');
    agent.must_see("CALL_ESTABLISHED", SOON);
    program.must_promise(0, SOON);
    call.stream.forget();
    let heard = call.must_hear(150, SOON);
    call.hang_up();
    call.must(&What::Done("BYE".into(), 200), SOON);
    agent.must_see("CALL_CLOSED", SOON);

    // Each frame that the caller hears is one that the agent's phone said, whatever their order on such a line.
    let spoken: BTreeSet<Vec<u8>> = relay
        .rtp(Way::ToProgram)
        .into_iter()
        .map(|(packet, _)| packet.payload)
        .filter(|frame| frame.len() == 160)
        .collect();
    let strange = heard.audio.chunks(160).filter(|frame| !spoken.contains(*frame)).count();
    assert_eq!(strange, 0, "frames heard by the caller that the agent has not said");
    assert!(spoken.len() > 100, "{} different frames said", spoken.len());
    let mine: BTreeSet<&[u8]> = said.chunks(160).collect();
    let passed = relay.rtp(Way::ToPhone);
    let passed = passed.iter().filter(|(packet, copies)| *copies > 0 && mine.contains(&packet.payload[..])).count();
    assert!(passed > 50, "{passed} frames of the caller reach the agent");
    assert_eq!(program.whole_log().matches("< ring 1001").count(), 1, "rung once");
    let (sip, rtp) = (relay.seen().iter().filter(|seen| seen.is_sip()).count(), relay.rtp(Way::ToProgram).len());
    let lost = relay.seen().iter().filter(|seen| seen.is_sip() && seen.copies == 0).count();
    tools::say(&format!("an agent on a very bad line: {lost} of {sip} SIP messages lost, {rtp} RTP packets sent"));
    assert!(lost > 0, "no weather");
}
