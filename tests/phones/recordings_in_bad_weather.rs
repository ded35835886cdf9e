//! Recordings over a bad line: sample for sample what the packets that arrived say, each laid where its timestamp puts it,
//! silence where packets were lost, and nothing else. What should be there is put together from what the relay sent on.

use crate::baresip::{Account, Baresip};
use crate::call::{Call, What};
use crate::harness::{PASSWORD, Program, Setup, dialplan, shared};
use crate::net::Net;
use crate::phone::{Manner, Phone};
use crate::process::Folder;
use crate::relay::{Packet, Relay, Way};
use crate::rtp::Sound;
use crate::weather::Weather;
use crate::{tools, wav};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(15);
/// When a recording begins or ends packets may be on their way: a second at either end is not looked at.
const EDGE: usize = 8000;

/// A tone that rises from 200 to 3400 Hz, so that any 100 ms of it sound like no other; mu-law.
fn sweep(seconds: f64) -> Vec<u8> {
    let count = (seconds * 8000.0) as usize;
    let mut phase = 0.0f64;
    (0..count)
        .map(|at| {
            phase += std::f64::consts::TAU * (200.0 + 3200.0 * at as f64 / count as f64) / 8000.0;
            wav::to_mulaw((12_000.0 * phase.sin()) as i16)
        })
        .collect()
}

/// What the packets that were sent on say, on a line of time that begins with the first packet: every sample where its
/// timestamp puts it, 0 where nothing came. Beside it, whether anything was sent there at all.
fn ideal(packets: &[(Packet, usize)]) -> (Vec<i16>, Vec<bool>) {
    let audio = || packets.iter().filter(|(packet, _)| packet.payload_type == 0);
    let zero = audio().next().expect("packets").0.timestamp;
    let place = |packet: &Packet| packet.timestamp.wrapping_sub(zero) as usize;
    let length = audio().map(|(packet, _)| place(packet) + packet.payload.len()).max().unwrap_or(0);
    assert!(length < 8000 * 300, "timestamps over five minutes apart");
    let (mut samples, mut said) = (vec![0; length], vec![false; length]);
    for (packet, copies) in audio() {
        for (offset, byte) in packet.payload.iter().enumerate() {
            said[place(packet) + offset] = true;
            if *copies > 0 {
                samples[place(packet) + offset] = wav::from_mulaw(*byte);
            }
        }
    }
    (samples, said)
}

/// What is told of a recording.
#[derive(Debug)]
struct Measured {
    seconds: f64,
    /// Samples that differ from the ideal.
    wrong: usize,
    lost_per_mille: usize,
    longest_gap_ms: usize,
    correlation: f64,
}

/// Compares a recording with what should be in it.
fn measure(recording: &[i16], packets: &[(Packet, usize)]) -> Measured {
    let (ideal, _) = ideal(packets);
    let clear: Vec<(Packet, usize)> = packets.iter().map(|(packet, _)| (packet.clone(), 1)).collect();
    let (said, was_said) = self::ideal(&clear);
    let at = place_of(recording, &ideal);
    let inner = EDGE..recording.len() - EDGE;
    assert!(inner.end > inner.start + 24_000, "less than three seconds to look at: {}", recording.len());
    let there = |samples: &[i16], index: usize| {
        usize::try_from(at + index as i64).ok().and_then(|at| samples.get(at).copied()).unwrap_or(0)
    };
    let wrong = inner.clone().filter(|index| recording[*index] != there(&ideal, *index)).count();
    // Gaps: where something was said and silence is recorded.
    let (mut gap, mut longest, mut lost) = (0, 0, 0);
    for index in inner.clone() {
        let place = usize::try_from(at + index as i64).unwrap_or(usize::MAX);
        let is_gap = was_said.get(place) == Some(&true) && recording[index] == 0 && !frame_is_quiet(&said, place);
        gap = if is_gap { gap + 1 } else { 0 };
        lost += usize::from(is_gap);
        longest = longest.max(gap);
    }
    let dot = |a: &dyn Fn(usize) -> i16, b: &dyn Fn(usize) -> i16| {
        inner.clone().map(|index| f64::from(a(index)) * f64::from(b(index))).sum::<f64>()
    };
    let (recorded, spoken) = (|index: usize| recording[index], |index: usize| there(&said, index));
    let scale = (dot(&recorded, &recorded) * dot(&spoken, &spoken)).sqrt();
    Measured {
        seconds: recording.len() as f64 / 8000.0,
        wrong,
        lost_per_mille: lost * 1000 / inner.len(),
        longest_gap_ms: longest / 8,
        correlation: dot(&recorded, &spoken) / scale.max(1.0),
    }
}

/// A single 0 is a sample of a tone; a quiet neighbourhood says nothing of loss.
fn frame_is_quiet(samples: &[i16], place: usize) -> bool {
    samples[place.saturating_sub(80)..(place + 80).min(samples.len())].iter().all(|sample| sample.abs() < 100)
}

/// Where in `ideal` the recording begins, by its loudest 100 ms; the best of several places.
fn place_of(recording: &[i16], ideal: &[i16]) -> i64 {
    let inner = &recording[EDGE..recording.len() - EDGE];
    let (number, piece) = inner
        .chunks_exact(800)
        .enumerate()
        .filter(|(_, piece)| piece.chunks(80).all(|part| part.iter().any(|sample| *sample != 0)))
        .max_by(|a, b| wav::rms(a.1).total_cmp(&wav::rms(b.1)))
        .expect("100 ms without a gap");
    let own = EDGE + number * 800;
    let places = (0..ideal.len().saturating_sub(800)).filter(|at| ideal[*at..*at + 800] == *piece);
    let same = |at: i64| {
        let pairs = recording.iter().enumerate().step_by(7);
        pairs.filter(|(index, sample)| ideal.get((at + *index as i64) as usize) == Some(sample)).count()
    };
    places
        .map(|at| at as i64 - own as i64)
        .max_by_key(|at| same(*at))
        .expect("a recording of which 100 ms are found in what was said")
}

fn must_be_whole(name: &str, measured: &Measured) {
    tools::say(&format!(
        "{name}: {:.2} s, {} samples wrong, {:.1} % lost on the line, longest gap {} ms, correlation {:.3}",
        measured.seconds,
        measured.wrong,
        measured.lost_per_mille as f64 / 10.0,
        measured.longest_gap_ms,
        measured.correlation
    ));
    assert_eq!(measured.wrong, 0, "{name}: samples that are not what arrived");
    assert!(measured.lost_per_mille > 0, "{name}: no weather");
    assert!(measured.lost_per_mille < 150 && measured.correlation > 0.85, "{name}: {measured:?}");
}

/// The only recording, once the call is over and its file whole.
fn recording(program: &Program) -> PathBuf {
    let end = Instant::now() + SOON;
    while program.metric("onekey_calls") > 0.0 {
        assert!(Instant::now() < end, "the call is not over\n{}", program.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let folder = std::fs::read_dir(program.file("data/recordings")).expect("the folder of recordings");
    let files: Vec<PathBuf> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// Waits for words in the program's log.
fn must_tell(program: &Program, words: &str) {
    let end = Instant::now() + SOON;
    while !program.whole_log().contains(words) {
        assert!(Instant::now() < end, "no {words:?} in the log:\n{}", program.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_message_of_baresip_is_recorded_sample_for_sample() {
    if !tools::present("a_message_of_baresip_is_recorded_sample_for_sample", &["baresip"]) {
        return;
    }
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("microphone");
    let spoken = wav::voice(14, 60.0);
    wav::write(&folder.file("microphone.wav"), &spoken);
    let program = Setup::new(&net).agents(["1001"]).start();
    let relay = Relay::start(&net, program.sip, Weather::foul(53), Weather::foul(54));
    let account = Account { user: "+12025550123", register: None, server: relay.address(), answers: false };
    let mut caller = Baresip::start(&net, &account, &folder.file("microphone.wav"));
    caller.dial(&format!("sip:{}@{}", program.number(), relay.address()));
    caller.must_see("CALL_ESTABLISHED", SOON);
    std::thread::sleep(Duration::from_millis(300));
    caller.press('3');
    must_tell(&program, "< record");
    std::thread::sleep(Duration::from_secs(6));
    caller.command("hangup", "");
    caller.must_see("CALL_CLOSED", SOON);
    let (samples, _) = wav::read(&recording(&program)).expect("the recording");
    must_be_whole("a message of baresip over a bad line", &measure(&samples, &relay.rtp(Way::ToProgram)));
    // And what arrived is what went into the microphone.
    let share = wav::heard(&spoken[..8000 * 20], &samples);
    assert!(share > 0.2, "{share} of it is found in what was spoken");
}

#[test]
fn a_conversation_is_recorded_sample_for_sample_on_both_sides() {
    let _turn = shared();
    let net = Net::new();
    let text = dialplan(&[("wrap_up      = \"0s\"", "wrap_up = \"0s\"\nrecord = true")]);
    let text = text.replace("ring_timeout = \"5s\"", "ring_timeout = \"60s\"");
    let program = Setup::new(&net).dialplan(&text).agents(["1001"]).start();
    let callers_line = Relay::start(&net, program.sip, Weather::foul(55), Weather::foul(56));
    let agents_line = Relay::start(&net, program.sip, Weather::fair(), Weather::fair());
    let agent = Phone::new(&net, agents_line.address());
    assert_eq!(agent.register("1001", PASSWORD, 300), 200, "by the relay\n{}", program.log());
    agents_line.weather(Way::ToProgram, Weather::foul(57));
    agents_line.weather(Way::ToPhone, Weather::foul(58));
    agent.manner(Manner::Ring);
    let caller = Phone::new(&net, callers_line.address());
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.press('0');
    let taken = agent.take_call(SOON).expect("the agent's phone rings");
    notice_is_heard(&program, &call);
    taken.answer();
    must_tell(&program, "< record conversation");
    let mut falling = sweep(6.0);
    falling.reverse();
    call.say(Sound::Voice(Arc::new(sweep(6.0))));
    taken.say(Sound::Voice(Arc::new(falling)));
    std::thread::sleep(Duration::from_secs(6));
    taken.hang_up();
    call.must(&What::Ended, SOON);
    let file = recording(&program);
    for (channel, who, relay) in [(0, "the caller", &callers_line), (1, "the agent", &agents_line)] {
        let (samples, _) = wav::read_channel(&file, channel).expect("the recording");
        let measured = measure(&samples, &relay.rtp(Way::ToProgram));
        must_be_whole(&format!("{who} in a conversation over two bad lines"), &measured);
    }
}

/// The recording notice has been played to its end, and the music begins again.
fn notice_is_heard(program: &Program, call: &Call) {
    must_tell(program, "recording-notice");
    let words = crate::a_key_reaches_a_person::prompt("recording-notice");
    let before = call.stream.heard().packets;
    let queued = crate::a_key_reaches_a_person::prompt("queued");
    call.must_hear(before + ((queued.len() + words.len()) / 160 + 25) as u64, SOON);
}
