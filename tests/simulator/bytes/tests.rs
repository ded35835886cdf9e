//! The bytes gear, one thing at a time: marks that survive, keys through bad air, strangers, holds, restarts, speed; and a
//! listener who does complain when there is reason to.

use super::air::{Air, Flight, Sort};
use super::listener::Listener;
use super::weather::prompt;
use super::{Bytes, wire};
use onekey::codec::{Codec, Direction, StreamFormat};
use onekey::ids::{LegId, PlayId, WorkerId};
use onekey::key::Key;
use onekey::media::command::{MediaCommand, MediaEvent, RecordChannels};
use onekey::media::{PACKET_BYTES_MAX, Packet};
use onekey::time::Time;
use std::net::SocketAddr;
use std::time::Duration;

const A: LegId = LegId(1);
const B: LegId = LegId(2);
const TIMEOUT: Duration = Duration::from_secs(10);
const WORKER: WorkerId = WorkerId(0);

fn ms(millis: u64) -> Time {
    Time::from_millis(millis)
}

fn phone(leg: LegId) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, leg.0 as u8], 4000))
}

fn format(codec: Codec, remote: SocketAddr) -> StreamFormat {
    StreamFormat {
        codec,
        payload_type: codec.payload_type(),
        telephone_event: Some(101),
        direction: Direction::SendReceive,
        remote: Some(remote),
        remote_rtcp: Some(SocketAddr::new(remote.ip(), remote.port() + 1)),
        rtcp_mux: false,
    }
}

/// Two legs in a bridge, mu-law here and A-law there, whose phones talk.
fn bridged(air: Air) -> Bytes {
    let mut bytes = Bytes::new(2, 1, air, TIMEOUT);
    for (leg, codec) in [(A, Codec::Pcmu), (B, Codec::Pcma)] {
        bytes.order(ms(0), WORKER, MediaCommand::Open { leg });
        let port = bytes.open_port_of(leg).expect("a port");
        bytes.order(ms(0), WORKER, MediaCommand::Start { leg, format: format(codec, phone(leg)) });
        bytes.phone_talks(ms(0), phone(leg), port, codec, Some(101));
    }
    bytes.order(ms(0), WORKER, MediaCommand::Bridge { a: A, b: B });
    bytes
}

fn close(bytes: &mut Bytes, now: Time) {
    for leg in bytes.all_open() {
        bytes.phone_is_quiet(phone(leg));
        bytes.order(now, WORKER, MediaCommand::Close { leg });
    }
    bytes.advance(now + Duration::from_secs(2));
    assert_eq!(bytes.wrong, Vec::<String>::new());
    assert_eq!(bytes.next(), None);
}

fn keys_told(events: &[(WorkerId, MediaEvent)]) -> usize {
    events.iter().filter(|(_, event)| matches!(event, MediaEvent::Key { .. })).count()
}

#[test]
fn marks_survive_both_laws_and_the_way_from_one_to_the_other() {
    for number in (0..1 << 24).step_by(65_521) {
        let speaker = (number % 4093) as u16;
        for (here, there) in [(Codec::Pcmu, Codec::Pcma), (Codec::Pcma, Codec::Pcmu)] {
            assert_eq!(wire::read_frame(here, &wire::frame(here, speaker, number)), Some((speaker, number)));
            assert_eq!(wire::read_frame(there, &wire::converted(there, speaker, number)), Some((speaker, number)));
            assert_eq!(wire::read_frame(there, &wire::frame(here, speaker, number)), None);
        }
    }
}

#[test]
fn in_the_worst_air_nearly_every_press_is_heard_and_each_is_decided() {
    let air = Air { lost: 300, doubled: 200, late: 200, delay_ms: 80, jitter_ms: 60 };
    let mut bytes = bridged(air);
    let (mut told, mut now) = (0, ms(1000));
    for press in 0..500u64 {
        let key = Key::from_event((press % 16) as u8).expect("a key");
        bytes.phone_presses(now, phone(A), key, Duration::from_millis([60, 140, 900][press as usize % 3]));
        now += Duration::from_millis(1500);
        told += keys_told(&bytes.advance(now));
    }
    let counts = bytes.counts();
    close(&mut bytes, now);
    // At least six packets each, of which three in ten are lost.
    assert!(counts.presses == 500 && (490..=500).contains(&told), "{told} of {}", counts.presses);
    assert_eq!((bytes.counts().presses_heard, bytes.counts().presses_unclear), (told as u64, 0));
    assert!(counts.holds > 160, "{}", counts.holds);
}

#[test]
fn nobody_hears_a_stranger_however_much_he_knows() {
    let mut bytes = bridged(Air { delay_ms: 20, jitter_ms: 20, ..Air::default() });
    let mut now = ms(1000);
    for round in 0..40 {
        let port = bytes.open_port_of(A).expect("a port");
        bytes.stranger_sends(now, port, (round % 2 == 0).then_some(phone(A)));
        now += Duration::from_secs(2);
        assert_eq!(keys_told(&bytes.advance(now)), 0);
    }
    assert!(bytes.counts().strangers > 1500, "{}", bytes.counts().strangers);
    bytes.advance(now + Duration::from_secs(10));
    close(&mut bytes, now + Duration::from_secs(10));
}

#[test]
fn a_hold_in_the_old_form_is_longer_than_the_timeout_and_the_call_goes_on() {
    let mut bytes = bridged(Air::default());
    bytes.advance(ms(1000));
    let mut held = format(Codec::Pcmu, phone(A));
    (held.direction, held.remote) = (Direction::ReceiveOnly, None);
    bytes.order(ms(1000), WORKER, MediaCommand::Start { leg: A, format: held });
    bytes.phone_is_quiet(phone(A));
    bytes.advance(ms(20_000));
    bytes.order(ms(20_000), WORKER, MediaCommand::Start { leg: A, format: format(Codec::Pcmu, phone(A)) });
    assert_eq!(bytes.advance(ms(29_000)), []);
    assert_eq!(bytes.advance(ms(31_000)).len(), 1, "it never came back");
    close(&mut bytes, ms(31_000));
    assert_eq!(bytes.counts().silences, 1);
}

#[test]
fn after_a_restart_nothing_is_known_and_phones_send_on() {
    let mut bytes = bridged(Air::default());
    bytes.order(ms(100), WORKER, record("1.wav"));
    bytes.advance(ms(3000));
    bytes.restart();
    assert_eq!((bytes.all_open(), bytes.open_port_of(A)), (vec![], None));
    assert_eq!(bytes.advance(ms(4000)), []);
    assert!(bytes.next().is_some(), "the phones know nothing of it");
    bytes.phone_is_quiet(phone(A));
    bytes.phone_is_quiet(phone(B));
    close(&mut bytes, ms(5000));
}

#[test]
fn a_disk_that_fails_and_ports_that_are_not_to_be_had_are_told() {
    let mut bytes = bridged(Air::default());
    bytes.set_recording_fails(true);
    bytes.order(ms(100), WORKER, record("1.wav"));
    let events = bytes.advance(ms(200));
    assert!(events.iter().any(|(_, event)| matches!(event, MediaEvent::RecordFailed { leg: A, .. })), "{events:?}");
    bytes.set_ports_fail(100);
    bytes.order(ms(200), WORKER, MediaCommand::Open { leg: LegId(3) });
    assert!(matches!(bytes.advance(ms(200))[..], [(WORKER, MediaEvent::Refused { leg: LegId(3), .. })]));
    bytes.order(ms(200), WORKER, MediaCommand::Close { leg: LegId(3) });
    close(&mut bytes, ms(300));
}

#[test]
fn every_port_comes_back() {
    let mut bytes = Bytes::new(1, 1, Air::default(), TIMEOUT);
    for leg in (1..=u64::from(super::PORTS_EACH)).map(LegId) {
        bytes.order(ms(leg.0), WORKER, MediaCommand::Open { leg });
        assert!(bytes.open_port_of(leg).is_some(), "{leg}");
        bytes.order(ms(leg.0), WORKER, MediaCommand::Close { leg });
    }
    assert_eq!(bytes.advance(ms(3000)).len(), 2 * usize::from(super::PORTS_EACH));
    close(&mut bytes, ms(3000));
}

#[test]
fn a_recording_is_listened_to() {
    let mut bytes = bridged(Air { jitter_ms: 40, late: 50, ..Air::default() });
    bytes.order(ms(500), WORKER, record("1.wav"));
    bytes.phone_presses(ms(5000), phone(A), Key::HUMAN, Duration::from_millis(300));
    bytes.order(ms(60_500), WORKER, MediaCommand::StopRecord { leg: A, cut_tail: Duration::from_millis(500) });
    let told = bytes.advance(ms(61_000));
    let recorded = |(_, event): &(WorkerId, MediaEvent)| match event {
        MediaEvent::Recorded { length, .. } => Some(*length),
        _ => None,
    };
    assert_eq!(told.iter().find_map(recorded), Some(Duration::from_millis(59_500)));
    close(&mut bytes, ms(61_000));
}

#[test]
fn orders_that_make_no_sense_are_complained_of() {
    let mut bytes = bridged(Air::default());
    let nonsense = [
        (MediaCommand::Open { leg: A }, "leg-1: is opened twice"),
        (MediaCommand::Stop { leg: LegId(9) }, "leg-9: is not open and is ordered Stop"),
        (MediaCommand::Open { leg: LegId(3) }, ""),
        (MediaCommand::Bridge { a: A, b: LegId(3) }, "leg-1: is bridged while it is in another bridge"),
        (press_order(B), "leg-2: is to press a key and is in no bridge"),
    ];
    for (command, complaint) in nonsense {
        bytes.order(ms(10), WORKER, command);
        let wrong = std::mem::take(&mut bytes.wrong).join("\n");
        assert!(wrong.contains(complaint) && wrong.is_empty() == complaint.is_empty(), "{wrong}");
    }
    bytes.order(ms(20), WorkerId(1), MediaCommand::Stop { leg: B });
    assert!(std::mem::take(&mut bytes.wrong)[0].contains("on another worker"));
}

/// One complaint for each thing that a plane might do wrong.
#[test]
fn the_listener_complains() {
    let mut listener = Listener::new(TIMEOUT);
    let port = 10_000;
    assert!(listener.order(ms(0), 0, &MediaCommand::Open { leg: A }));
    let tells = |listener: &mut Listener, event: MediaEvent| {
        listener.tells(ms(100), &event, 5);
        listener.wrong.pop().unwrap_or_default()
    };
    assert_eq!(tells(&mut listener, MediaEvent::Opened { leg: A, port }), "");
    assert!(listener.order(ms(0), 0, &MediaCommand::Start { leg: A, format: format(Codec::Pcmu, phone(A)) }));
    let play = PlayId(1);
    let file = "1.wav".into();
    for (event, complaint) in [
        (MediaEvent::Opened { leg: A, port }, "opened again"),
        (MediaEvent::FirstPacket { leg: A }, "first packet is told again"),
        (MediaEvent::Key { leg: A, key: Key::HUMAN }, "nobody pressed"),
        (MediaEvent::KeyHeld { leg: A, key: Key::HUMAN }, "before 800 ms"),
        (MediaEvent::KeyEnded { leg: A, key: Key::HUMAN, held: Duration::ZERO }, "not down"),
        (MediaEvent::PlayDone { leg: A, play }, "stopped or replaced"),
        (MediaEvent::OfferHeard { leg: A, play }, "does not go on"),
        (MediaEvent::Silent { leg: A, quiet: TIMEOUT }, "silent and is not"),
        (MediaEvent::Recorded { leg: A, file, length: Duration::ZERO }, "has not ended"),
        (MediaEvent::RecordFailed { leg: A, reason: String::new() }, "nobody made"),
        (MediaEvent::Closed { leg: A, counts: Default::default() }, "was not to be"),
        (MediaEvent::FirstPacket { leg: A }, "not open"),
    ] {
        let told = tells(&mut listener, event);
        assert!(told.contains(complaint), "{complaint}: {told}");
    }
}

#[test]
fn the_listener_complains_of_packets() {
    let mut listener = Listener::new(TIMEOUT);
    listener.order(ms(0), 0, &MediaCommand::Open { leg: A });
    listener.tells(ms(0), &MediaEvent::Opened { leg: A, port: 10_000 }, 5);
    let said = |listener: &mut Listener, at: u64, to: SocketAddr, sequence: u16, payload: &[u8], kind: u8| {
        let mut packet = Packet { bytes: [0; PACKET_BYTES_MAX], length: 0 };
        let timestamp = at as u32 * 8;
        let rtp =
            wire::Rtp { payload_type: kind, marker: at == 20 || at == 200, sequence, timestamp, ssrc: 7, payload };
        packet.length = wire::build(&rtp, &mut packet.bytes);
        listener.sends(ms(at), A, to, &packet, None);
        listener.wrong.pop().unwrap_or_default()
    };
    let prompts = vec![prompt(1, 50)];
    let frame = |index: usize| prompts[0].frame(Codec::Pcmu, index).to_vec();
    assert!(said(&mut listener, 0, phone(A), 1, &frame(0), 0).contains("not its peer's"));
    listener.order(ms(10), 0, &MediaCommand::Start { leg: A, format: format(Codec::Pcmu, phone(A)) });
    assert!(said(&mut listener, 10, phone(A), 1, &frame(0), 0).contains("plays nothing"));
    listener.order(ms(20), 0, &MediaCommand::Play { leg: A, play: PlayId(1), prompts: prompts.clone(), repeat: false });
    assert_eq!(said(&mut listener, 20, phone(A), 1, &frame(0), 0), "");
    assert!(said(&mut listener, 40, phone(B), 2, &frame(1), 0).contains("not its peer's"));
    assert!(said(&mut listener, 40, phone(A), 2, &frame(1), 8).contains("payload type"));
    assert!(said(&mut listener, 40, phone(A), 2, &wire::frame(Codec::Pcmu, 9, 9), 0).contains("who is not heard"));
    assert_eq!(said(&mut listener, 40, phone(A), 2, &frame(1), 0), "");
    assert!(said(&mut listener, 60, phone(A), 2, &frame(2), 0).contains("rise by one"));
    assert!(said(&mut listener, 80, phone(A), 3, &frame(4), 0).contains("another frame"));
    assert!(said(&mut listener, 110, phone(A), 4, &frame(4), 0).contains("early or late"));
    assert!(said(&mut listener, 200, phone(A), 5, &[0, 0x0a, 0, 160], 101).contains("nobody ordered"));
    listener.audit(ms(5000));
    assert!(listener.wrong.pop().is_some_and(|wrong| wrong.contains("does not go on")));
}

#[test]
fn the_listener_complains_of_a_bridge_and_of_silence() {
    let mut bytes = bridged(Air::default());
    let (now, port) = (ms(2000), bytes.open_port_of(A).expect("a port"));
    bytes.advance(now);
    let listener = &mut bytes.listener;
    let payload = wire::frame(Codec::Pcmu, 1, 77);
    let source = listener.views[&A].ear.source().expect("a source").1;
    let rtp = wire::Rtp { payload_type: 0, marker: false, sequence: 1, timestamp: 0, ssrc: source, payload: &payload };
    let sort = Sort::Sound { speaker: 1, number: 77 };
    let mut flight = Flight { from: phone(A), port, sort, stranger: false, length: 0, bytes: [0; wire::DATAGRAM_MAX] };
    flight.length = wire::build(&rtp, &mut flight.bytes);
    listener.views.get_mut(&B).expect("the other leg").mouth.relay_is_over = true;
    listener.arrives(now, A, &flight);
    listener.arrived(now, A, &flight);
    assert!(listener.wrong.pop().is_some_and(|wrong| wrong.contains("not passed on")));
    listener.arrives(now, A, &Flight { from: phone(B), ..flight });
    listener.arrived(now, A, &flight);
    assert_eq!(listener.wrong, Vec::<String>::new());
    listener.audit(now + TIMEOUT + Duration::from_secs(1));
    assert!(listener.wrong.iter().all(|wrong| wrong.contains("its silence is not told")) && listener.wrong.len() == 2);
}

/// Prints packets a second: `cargo test --release --test simulator packets_a_second -- --nocapture`.
#[test]
fn a_hundred_bridges_at_many_packets_a_second() {
    let mut bytes = Bytes::new(2, 3, Air { delay_ms: 20, jitter_ms: 5, ..Air::default() }, TIMEOUT);
    for leg in (1..=100).map(LegId) {
        bytes.order(ms(0), WORKER, MediaCommand::Open { leg });
        let port = bytes.open_port_of(leg).expect("a port");
        bytes.order(ms(0), WORKER, MediaCommand::Start { leg, format: format(Codec::Pcmu, phone(leg)) });
        bytes.phone_talks(ms(leg.0 % 20), phone(leg), port, Codec::Pcmu, Some(101));
        if leg.0 % 2 == 0 {
            bytes.order(ms(leg.0 % 20), WORKER, MediaCommand::Bridge { a: leg, b: LegId(leg.0 - 1) });
        }
    }
    let began = std::time::Instant::now();
    let end = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 200 });
    bytes.advance(Time::ZERO + end);
    let counts = bytes.counts();
    println!("{} packets a second", (counts.arrived + counts.sent) as f64 / began.elapsed().as_secs_f64());
    assert!(counts.passed_on > 4900 * end.as_secs(), "{}", counts.passed_on);
    close(&mut bytes, Time::ZERO + end);
}

fn record(file: &str) -> MediaCommand {
    MediaCommand::Record { leg: A, file: file.into(), channels: RecordChannels::Two, silence: None }
}

fn press_order(leg: LegId) -> MediaCommand {
    MediaCommand::SendKey { leg, key: Key::HUMAN, length: Duration::from_millis(100) }
}
