//! A thousand legs that play, talk and are bridged: not one allocation on the packet path (DESIGN §11).
//!
//! Counted by the allocator itself, in a program of its own so that nothing else is counted.

use onekey::codec::{Codec, Direction, FRAME_SAMPLES, StreamFormat};
use onekey::ids::{Language, LegId, PlayId, PromptId};
use onekey::media::command::MediaCommand;
use onekey::media::{MediaConfig, MediaInput, MediaOutput, MediaPlane};
use onekey::prompt::{Prompt, PromptFacts};
use onekey::time::Time;
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: everything is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const LEGS: u64 = 1000;

fn remote(leg: u64) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 10_000 + 2 * leg as u16))
}

fn codec(leg: u64) -> Codec {
    if leg.is_multiple_of(3) { Codec::Pcma } else { Codec::Pcmu }
}

fn prompt() -> Arc<Prompt> {
    let facts = PromptFacts { text: String::new(), length: Duration::ZERO, offer_ends: None, advert: false };
    let sound = vec![0x55; 50 * FRAME_SAMPLES];
    Arc::new(Prompt::new(PromptId::new("p"), Language::new("en"), facts, sound.clone(), sound))
}

/// The first half of the legs play, the others are bridged in pairs.
fn plane(out: &mut Vec<MediaOutput>) -> MediaPlane {
    let mut plane = MediaPlane::new(MediaConfig {
        first_port: 20_000,
        last_port: 29_999,
        rtp_timeout: Duration::from_secs(30),
        seed: [1; 32],
    });
    let (now, prompt) = (Time::ZERO, prompt());
    for number in 1..=LEGS {
        let leg = LegId(number);
        let format = StreamFormat {
            codec: codec(number),
            payload_type: codec(number).payload_type(),
            telephone_event: Some(101),
            direction: Direction::SendReceive,
            remote: Some(remote(number)),
            remote_rtcp: None,
            rtcp_mux: false,
        };
        let order = if number <= LEGS / 2 {
            MediaCommand::Play { leg, play: PlayId(number), prompts: vec![prompt.clone()], repeat: true }
        } else {
            MediaCommand::Bridge { a: leg, b: LegId(number - 1 + number % 2 * 2) }
        };
        plane.handle(now, MediaInput::Command(MediaCommand::Open { leg }), out);
        plane.handle(now, MediaInput::Bound { leg, port: 19_998 + 2 * number as u16, ok: true }, out);
        plane.handle(now, MediaInput::Command(MediaCommand::Start { leg, format }), out);
        plane.handle(now, MediaInput::Command(order), out);
    }
    plane
}

/// Half a second in which every leg sends 25 packets. Returns how many packets went out.
fn half_a_second(plane: &mut MediaPlane, from_frame: u32, out: &mut Vec<MediaOutput>) -> u64 {
    let mut sent = 0;
    let mut bytes = [0x80; 172];
    for frame in from_frame..from_frame + 25 {
        let now = Time::from_millis(u64::from(frame) * 20);
        for leg in 1..=LEGS {
            bytes[1] = codec(leg).payload_type();
            bytes[2..4].copy_from_slice(&(frame as u16).to_be_bytes());
            bytes[4..8].copy_from_slice(&(frame * 160).to_be_bytes());
            bytes[8..12].copy_from_slice(&(leg as u32).to_be_bytes());
            plane.handle(now, MediaInput::Rtp { leg: LegId(leg), from: remote(leg), bytes: &bytes }, out);
        }
        for step in 0..20 {
            plane.handle(now + Duration::from_millis(step), MediaInput::Tick, out);
            assert!(plane.next_timeout().is_some());
        }
        sent += out.iter().filter(|wish| matches!(wish, MediaOutput::Send { .. })).count() as u64;
        out.clear();
    }
    sent
}

#[test]
fn packets_allocate_nothing() {
    let mut out = Vec::with_capacity(8 * LEGS as usize);
    let mut plane = plane(&mut out);
    out.clear();
    half_a_second(&mut plane, 1, &mut out);
    // The first RTCP reports, which may allocate, are due after 1.25 s.
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let sent = half_a_second(&mut plane, 26, &mut out);
    let allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
    assert_eq!(sent, 25 * LEGS, "half of the legs hear a prompt, half hear each other");
    assert_eq!(allocated, 0);
}
