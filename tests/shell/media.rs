//! The media worker with its real plane and real sockets: a prompt heard in time, a bridge, a port that is taken.

use super::Folder;
use super::tools;
use onekey::codec::{Codec, Direction, FRAME_SAMPLES, StreamFormat};
use onekey::engine::input::Input;
use onekey::ids::{Language, LegId, PlayId, PromptId, WorkerId};
use onekey::media::MediaConfig;
use onekey::media::command::{MediaCommand, MediaEvent, RecordChannels};
use onekey::prompt::{Prompt, PromptFacts};
use onekey::server::clock::Clock;
use onekey::server::files::read_wav;
use onekey::server::inbox::{Arrival, Arrivals, inbox};
use onekey::server::media_worker::{self, WorkerDoor};
use onekey::server::raw_sender::RawSender;
use onekey::server::recording_file::{self, Recorder};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);

struct Plane {
    door: WorkerDoor,
    arrivals: Arrivals,
    recorder: Recorder,
    threads: Vec<JoinHandle<()>>,
}

/// `ports`: a range that no other test uses.
fn plane(ports: (u16, u16)) -> Plane {
    plane_with(ports, None)
}

/// A plane whose RTP leaves by a raw socket; none where that is not allowed, which is said.
fn raw_plane(test: &str, ports: (u16, u16)) -> Option<Plane> {
    match RawSender::open() {
        Ok(raw) => Some(plane_with(ports, Some(raw))),
        Err(error) => {
            tools::left_out(test, &format!("CAP_NET_RAW ({error})"));
            None
        }
    }
}

fn plane_with(ports: (u16, u16), raw: Option<RawSender>) -> Plane {
    let (inbox, arrivals) = inbox();
    let config =
        MediaConfig { first_port: ports.0, last_port: ports.1, rtp_timeout: Duration::from_secs(60), seed: [7; 32] };
    let listen = "127.0.0.1".parse().unwrap();
    let (door, worker) = media_worker::prepare(WorkerId(0), config, listen, raw, inbox, Clock::start()).unwrap();
    let told = door.clone();
    let (recorder, recording) = recording_file::start(move |_, news| told.recording(news)).unwrap();
    let media = worker.start(recorder.clone(), true, ()).unwrap();
    Plane { door, arrivals, recorder, threads: vec![media, recording] }
}

impl Plane {
    fn event(&self) -> MediaEvent {
        match self.arrivals.next(Some(SOON)) {
            Some(Arrival::Other(Input::Media(WorkerId(0), event))) => event,
            other => panic!("{other:?}"),
        }
    }

    /// Opens a leg towards `phone`; gives its address.
    fn open(&self, leg: LegId, phone: &UdpSocket) -> SocketAddr {
        self.door.command(MediaCommand::Open { leg });
        let port = match self.event() {
            MediaEvent::Opened { leg: opened, port } if opened == leg => port,
            other => panic!("{other:?}"),
        };
        let remote = phone.local_addr().unwrap();
        let format = StreamFormat {
            codec: Codec::Pcmu,
            payload_type: 0,
            telephone_event: Some(101),
            direction: Direction::SendReceive,
            remote: Some(remote),
            remote_rtcp: Some(SocketAddr::new(remote.ip(), remote.port() ^ 1)),
            rtcp_mux: false,
        };
        self.door.command(MediaCommand::Start { leg, format });
        SocketAddr::new([127, 0, 0, 1].into(), port)
    }

    fn stop(self) {
        self.door.stop();
        self.recorder.stop();
        for thread in self.threads {
            thread.join().unwrap();
        }
    }
}

fn phone() -> UdpSocket {
    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    phone.set_read_timeout(Some(SOON)).unwrap();
    phone
}

fn prompt(frames: usize) -> Arc<Prompt> {
    let sound: Vec<u8> = (0..frames * FRAME_SAMPLES).map(|at| (at / FRAME_SAMPLES) as u8).collect();
    let facts = PromptFacts { text: "Counting.".into(), length: Duration::ZERO, offer_ends: None, advert: false };
    Arc::new(Prompt::new(PromptId::new("count"), Language::new("en"), facts, sound.clone(), sound))
}

fn rtp(sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(0x1234_5678u32.to_be_bytes());
    packet.extend(payload);
    packet
}

fn receive(phone: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2000];
    let (length, from) = phone.recv_from(&mut buffer).unwrap();
    (buffer[..length].to_vec(), from)
}

#[test]
fn a_prompt_is_heard_whole_and_at_its_pace() {
    hear_a_prompt(plane((21_000, 21_019)));
}

#[test]
fn a_prompt_is_heard_whole_from_a_raw_socket_too() {
    if let Some(plane) = raw_plane("a_prompt_is_heard_whole_from_a_raw_socket_too", (21_060, 21_079)) {
        hear_a_prompt(plane);
    }
}

fn hear_a_prompt(plane: Plane) {
    let (leg, phone) = (LegId(1), phone());
    let ours = plane.open(leg, &phone);
    plane.door.command(MediaCommand::Play { leg, play: PlayId(1), prompts: vec![prompt(50)], repeat: false });
    let begin = Instant::now();
    for frame in 0..50u8 {
        let (packet, from) = receive(&phone);
        assert_eq!((from, packet.len(), packet[12]), (ours, 172, frame));
    }
    let took = begin.elapsed();
    assert!((900..1400).contains(&took.as_millis()), "50 frames took {took:?}");
    assert_eq!(plane.event(), MediaEvent::PlayDone { leg, play: PlayId(1) });
    assert_eq!(plane.door.counts().packets_sent.load(Ordering::Relaxed), 50);
    plane.door.command(MediaCommand::Close { leg });
    match plane.event() {
        MediaEvent::Closed { leg: closed, counts } => assert_eq!((closed, counts.packets_sent), (leg, 50)),
        other => panic!("{other:?}"),
    }
    let port_is_free = UdpSocket::bind(ours);
    plane.stop();
    assert!(port_is_free.is_ok(), "the port is given back");
}

#[test]
fn bridged_legs_hear_each_other_and_the_recording_has_both() {
    talk_and_record("bridge", plane((21_020, 21_039)));
}

#[test]
fn bridged_legs_hear_each_other_from_raw_sockets_too() {
    if let Some(plane) = raw_plane("bridged_legs_hear_each_other_from_raw_sockets_too", (21_080, 21_089)) {
        talk_and_record("bridge-raw", plane);
    }
}

#[test]
fn where_a_raw_socket_takes_nothing_legs_send_by_their_own() {
    // No socket at all: every packet is refused.
    let raw = || Some(RawSender::over(std::fs::File::open("/dev/null").unwrap().into()));
    hear_a_prompt(plane_with((21_046, 21_059), raw()));
    talk_and_record("bridge-refused", plane_with((21_090, 21_097), raw()));
}

fn talk_and_record(name: &str, plane: Plane) {
    let folder = Folder::new(name);
    let (caller, agent) = (phone(), phone());
    let (a, b) = (LegId(1), LegId(2));
    let (to_a, to_b) = (plane.open(a, &caller), plane.open(b, &agent));
    let file = folder.join("talk.wav");
    plane.door.command(MediaCommand::Bridge { a, b });
    plane.door.command(MediaCommand::Record {
        leg: a,
        file: file.clone(),
        channels: RecordChannels::Two,
        silence: None,
    });
    for sequence in 0..20u16 {
        caller.send_to(&rtp(sequence, &[10; 160]), to_a).unwrap();
        agent.send_to(&rtp(sequence, &[200; 160]), to_b).unwrap();
        let (heard, from) = receive(&agent);
        assert_eq!((&heard[12..], from), ([10; 160].as_slice(), to_b));
        let (heard, from) = receive(&caller);
        assert_eq!((&heard[12..], from), ([200; 160].as_slice(), to_a));
    }
    plane.door.command(MediaCommand::StopRecord { leg: a, cut_tail: Duration::ZERO });
    let recorded = loop {
        match plane.event() {
            MediaEvent::FirstPacket { .. } => {}
            MediaEvent::Recorded { leg, file, .. } => break (leg, file),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(recorded, (a, file.clone()));
    plane.stop();
    let read = read_wav(&file).unwrap();
    assert!(read.warnings.is_empty() && !read.samples.is_empty(), "{} samples", read.samples.len());
}

#[test]
fn a_taken_port_is_passed_over_and_a_full_range_is_refused() {
    // Both pairs of this range but the last are taken by somebody else.
    let _taken = UdpSocket::bind("127.0.0.1:21040").unwrap();
    let _rtcp = UdpSocket::bind("127.0.0.1:21043").unwrap();
    let plane = plane((21_040, 21_045));
    assert_eq!(plane.open(LegId(1), &phone()).port(), 21_044);
    plane.door.command(MediaCommand::Open { leg: LegId(2) });
    match plane.event() {
        MediaEvent::Refused { leg, reason } => assert_eq!((leg, reason.is_empty()), (LegId(2), false)),
        other => panic!("{other:?}"),
    }
    plane.stop();
}
