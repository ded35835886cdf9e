//! Any weather for the bytes gear by itself: random orders, keys, strangers and air on real planes, by seed.
//!
//! The listener must have nothing to complain of, and at the end nothing may be left over. `ONEKEY_SEED=n` runs one seed,
//! `ONEKEY_SEEDS=n` so many.

use super::{Air, Bytes, Counts};
use onekey::codec::{Codec, Direction, FRAME_SAMPLES, StreamFormat};
use onekey::ids::{Language, LegId, PlayId, PromptId, WorkerId};
use onekey::key::Key;
use onekey::media::command::{MediaCommand, MediaEvent, RecordChannels};
use onekey::prompt::{Prompt, PromptFacts};
use onekey::time::Time;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const SEEDS: u64 = 200;
const LEGS_MAX: usize = 7;
const TIMEOUT: Duration = Duration::from_secs(4);

#[test]
fn in_any_weather_the_listener_has_nothing_to_complain_of() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = number("ONEKEY_SEED");
    let seeds = one.map_or(0..number("ONEKEY_SEEDS").unwrap_or(SEEDS), |seed| seed..seed + 1);
    let (mut failed, mut all) = (Vec::new(), Vec::new());
    for seed in seeds {
        let (wrong, counts, _) = Storm::new(seed).rage();
        all.push(counts);
        if !wrong.is_empty() {
            failed.push(format!("seed {seed}: {}", wrong[..wrong.len().min(4)].join("; ")));
        }
    }
    assert!(failed.is_empty(), "{} seeds failed\n{}", failed.len(), failed.join("\n"));
    if one.is_none() {
        much_was_heard(&all);
    }
}

/// A listener who hears nothing has nothing to complain of.
fn much_was_heard(all: &[Counts]) {
    type Count = fn(&Counts) -> u64;
    let total = |of: Count| all.iter().map(of).sum::<u64>();
    let least: [(&str, Count, u64); 12] = [
        ("packets", |counts| counts.arrived, 2000),
        ("packets sent", |counts| counts.sent, 1000),
        ("frames passed on", |counts| counts.passed_on, 200),
        ("presses heard", |counts| counts.presses_heard, 5),
        ("holds", |counts| counts.holds, 1),
        ("plays done", |counts| counts.plays_done, 1),
        ("strangers refused", |counts| counts.strangers, 50),
        ("keys sent", |counts| counts.keys_sent, 2),
        ("silences, of ten", |counts| counts.silences * 10, 1),
        ("recordings", |counts| counts.recorded, 1),
        ("failed recordings, of ten", |counts| counts.recordings_failed * 10, 1),
        ("refused legs, of twenty", |counts| counts.refused * 20, 1),
    ];
    for (what, of, each) in least {
        assert!(total(of) >= each * all.len() as u64, "too few {what}: {}", total(of));
    }
    let (presses, unclear) = (total(|counts| counts.presses), total(|counts| counts.presses_unclear));
    assert!(unclear * 20 < presses, "of {presses} presses {unclear} are unclear");
}

#[test]
fn the_same_seed_is_the_same_run() {
    let (first, second) = (Storm::new(7).rage(), Storm::new(7).rage());
    assert_eq!(first, second);
    assert_ne!(first.2, Storm::new(8).rage().2);
}

struct Leg {
    id: LegId,
    worker: WorkerId,
    /// Where the phone really is, and what its SDP says.
    phone: SocketAddr,
    format: StreamFormat,
    starts: Option<Time>,
    partner: Option<LegId>,
}

struct Storm {
    bytes: Bytes,
    dice: ChaCha12Rng,
    now: Time,
    legs: Vec<Leg>,
    numbers: u64,
    prompts: Vec<Arc<Prompt>>,
    told: Vec<(WorkerId, MediaEvent)>,
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let mut dice = ChaCha12Rng::seed_from_u64(seed ^ 0x5eed);
        let air = air(&mut dice);
        let prompts = (0..6).map(|index| prompt(index, dice.next_u32() % 120)).collect();
        let (legs, told) = (Vec::new(), Vec::new());
        Storm { bytes: Bytes::new(2, seed, air, TIMEOUT), dice, now: Time::ZERO, legs, numbers: 0, prompts, told }
    }

    /// Half a minute or so; then everything ends.
    fn rage(mut self) -> (Vec<String>, Counts, Vec<(WorkerId, MediaEvent)>) {
        for _ in 0..150 {
            let longest = [30, 100, 400, 1500][self.roll(4)];
            let pause = Duration::from_micros(1 + self.roll(longest * 1000) as u64);
            self.now += pause;
            self.advance();
            self.start_who_are_due();
            self.act();
        }
        self.bytes.set_ports_fail(0);
        while !self.legs.is_empty() {
            self.close(0);
        }
        (0..=self.numbers).for_each(|host| self.bytes.phone_is_quiet(at(host)));
        self.now += Duration::from_secs(15);
        self.advance();
        let mut wrong = std::mem::take(&mut self.bytes.wrong);
        if self.bytes.next().is_some() || !self.bytes.all_open().is_empty() {
            wrong.push(format!("it does not come to rest: {:?}, {:?}", self.bytes.next(), self.bytes.all_open()));
        }
        (wrong, self.bytes.counts(), self.told)
    }

    fn advance(&mut self) {
        self.told.append(&mut self.bytes.advance(self.now));
    }

    fn order(&mut self, worker: WorkerId, command: MediaCommand) {
        self.bytes.order(self.now, worker, command);
    }

    fn act(&mut self) {
        let sort = self.roll(40);
        match sort {
            0..=3 => return self.open(),
            4 => {
                let air = air(&mut self.dice);
                return self.bytes.set_air(air);
            }
            5 => {
                let fails = self.roll(3) == 0;
                return self.bytes.set_recording_fails(fails);
            }
            6 => {
                let fail = [0, 0, 30, 100][self.roll(4)];
                return self.bytes.set_ports_fail(fail);
            }
            7 if self.roll(12) == 0 => {
                self.bytes.restart();
                return self.legs.clear();
            }
            _ => {}
        }
        if self.legs.is_empty() {
            return;
        }
        let index = self.roll(self.legs.len());
        match sort {
            8 | 9 => self.close(index),
            10..=14 => self.press(index),
            15..=18 => self.play(index),
            19 => self.tell(index, |leg| MediaCommand::Stop { leg }),
            20..=23 => self.bridge(index),
            24 => self.unbridge(index),
            25..=28 => self.record(index),
            29 | 30 => self.send_key(index),
            31..=34 => self.settle_anew(index),
            35 => self.bytes.phone_is_quiet(self.legs[index].phone),
            36 | 37 => self.talk(index),
            _ => self.stranger(index),
        }
    }

    fn open(&mut self) {
        if self.legs.len() >= LEGS_MAX {
            return;
        }
        self.numbers += 1;
        let (id, worker) = (LegId(self.numbers), WorkerId((self.roll(3) / 2) as u16));
        self.order(worker, MediaCommand::Open { leg: id });
        if self.bytes.open_port_of(id).is_none() {
            // Refused; the engine may close it all the same.
            return self.order(worker, MediaCommand::Close { leg: id });
        }
        let phone = self.address();
        let format = self.format(phone);
        let starts = Some(self.now + Duration::from_millis(self.roll(700) as u64));
        self.legs.push(Leg { id, worker, phone, format, starts, partner: None });
        if self.roll(5) > 0 {
            self.talk(self.legs.len() - 1);
        }
    }

    fn start_who_are_due(&mut self) {
        for index in 0..self.legs.len() {
            if self.legs[index].starts.is_some_and(|at| at <= self.now) {
                self.legs[index].starts = None;
                self.start(index);
            }
        }
    }

    fn start(&mut self, index: usize) {
        let format = self.legs[index].format;
        self.tell(index, |leg| MediaCommand::Start { leg, format });
    }

    fn close(&mut self, index: usize) {
        let leg = self.legs.remove(index);
        if self.roll(4) > 0 {
            self.bytes.phone_is_quiet(leg.phone);
        }
        for other in self.legs.iter_mut().filter(|other| other.partner == Some(leg.id)) {
            other.partner = None;
        }
        self.order(leg.worker, MediaCommand::Close { leg: leg.id });
    }

    fn press(&mut self, index: usize) {
        let key = Key::from_event(self.roll(16) as u8).expect("one of sixteen");
        let lengths = [40, 100, 160, 300, 700, 820, 1500, if self.roll(6) == 0 { 10_000 } else { 1000 }];
        let length = Duration::from_millis(lengths[self.roll(8)]);
        self.bytes.phone_presses(self.now, self.legs[index].phone, key, length);
    }

    fn play(&mut self, index: usize) {
        self.numbers += 1;
        let play = PlayId(self.numbers);
        let prompts = (0..self.roll(4)).map(|_| self.some_prompt()).collect();
        let repeat = self.roll(5) == 0;
        self.tell(index, |leg| MediaCommand::Play { leg, play, prompts, repeat });
    }

    fn some_prompt(&mut self) -> Arc<Prompt> {
        let index = self.roll(self.prompts.len());
        self.prompts[index].clone()
    }

    fn bridge(&mut self, index: usize) {
        let (a, worker) = (self.legs[index].id, self.legs[index].worker);
        let free = |leg: &Leg| leg.partner.is_none() && leg.starts.is_none() && leg.worker == worker;
        if !free(&self.legs[index]) {
            return;
        }
        if let Some(other) = self.legs.iter().position(|leg| leg.id != a && free(leg)) {
            let b = self.legs[other].id;
            (self.legs[index].partner, self.legs[other].partner) = (Some(b), Some(a));
            self.order(worker, MediaCommand::Bridge { a, b });
        }
    }

    fn unbridge(&mut self, index: usize) {
        let (a, worker) = (self.legs[index].id, self.legs[index].worker);
        if let Some(b) = self.legs[index].partner {
            for leg in self.legs.iter_mut().filter(|leg| leg.id == a || leg.id == b) {
                leg.partner = None;
            }
            self.order(worker, MediaCommand::Unbridge { a, b });
        }
    }

    fn record(&mut self, index: usize) {
        if self.roll(2) == 0 {
            let cut_tail = Duration::from_millis([0, 0, 200, 1000][self.roll(4)]);
            return self.tell(index, |leg| MediaCommand::StopRecord { leg, cut_tail });
        }
        self.numbers += 1;
        let file = format!("{}.wav", self.numbers).into();
        let channels = [RecordChannels::One, RecordChannels::Two][self.roll(2)];
        let silence = (self.roll(3) == 0).then_some(Duration::from_secs(2));
        self.tell(index, |leg| MediaCommand::Record { leg, file, channels, silence });
    }

    fn send_key(&mut self, index: usize) {
        if self.legs[index].partner.is_some() {
            let key = Key::from_event(self.roll(16) as u8).expect("one of sixteen");
            let length = Duration::from_millis([0, 100, 250, 1200][self.roll(4)]);
            self.tell(index, |leg| MediaCommand::SendKey { leg, key, length });
        }
    }

    /// A re-INVITE: a hold of one form or another and its end, another law, another address.
    fn settle_anew(&mut self, index: usize) {
        let sort = self.roll(6);
        let moved = self.address();
        let leg = &mut self.legs[index];
        match sort {
            0 => leg.format.direction = Direction::ReceiveOnly,
            1 => (leg.format.direction, leg.format.remote) = (Direction::ReceiveOnly, None),
            2 => leg.format.direction = Direction::Inactive,
            3 => {
                let (old, format) = (leg.phone, self.format(moved));
                (self.legs[index].phone, self.legs[index].format) = (moved, format);
                self.bytes.phone_is_quiet(old);
                self.talk(index);
            }
            _ => {
                let phone = leg.phone;
                let format = self.format(phone);
                self.legs[index].format = format;
                self.talk(index);
            }
        }
        if self.legs[index].starts.is_none() {
            self.start(index);
        }
    }

    fn talk(&mut self, index: usize) {
        let Leg { id, phone, format, .. } = self.legs[index];
        if let Some(port) = self.bytes.open_port_of(id) {
            self.bytes.phone_talks(self.now, phone, port, format.codec, format.telephone_event);
        }
    }

    fn stranger(&mut self, index: usize) {
        let Leg { id, phone, .. } = self.legs[index];
        let spoofs = (self.roll(2) == 0).then_some(phone);
        if let Some(port) = self.bytes.open_port_of(id) {
            self.bytes.stranger_sends(self.now, port, spoofs);
        }
    }

    /// Of a phone; every third one is behind a NAT and does not know where it is.
    fn format(&mut self, phone: SocketAddr) -> StreamFormat {
        let codec = [Codec::Pcmu, Codec::Pcma][self.roll(2)];
        let private = SocketAddr::from(([192, 168, 0, phone.port() as u8], phone.port()));
        let remote = if phone.port().is_multiple_of(3) { private } else { phone };
        StreamFormat {
            codec,
            payload_type: codec.payload_type(),
            telephone_event: [Some(101), Some(101), Some(96), None][self.roll(4)],
            direction: Direction::SendReceive,
            remote: Some(remote),
            remote_rtcp: Some(SocketAddr::new(remote.ip(), remote.port() + 1)),
            rtcp_mux: self.roll(3) == 0,
        }
    }

    fn address(&mut self) -> SocketAddr {
        self.numbers += 1;
        at(self.numbers)
    }

    fn tell(&mut self, index: usize, command: impl FnOnce(LegId) -> MediaCommand) {
        let (leg, worker) = (self.legs[index].id, self.legs[index].worker);
        self.order(worker, command(leg));
    }

    fn roll(&mut self, sides: usize) -> usize {
        (self.dice.next_u64() % sides.max(1) as u64) as usize
    }
}

fn at(host: u64) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, host as u8], 4000 + 2 * host as u16))
}

fn air(dice: &mut ChaCha12Rng) -> Air {
    let mut some = |worst: u32| if dice.next_u32().is_multiple_of(2) { 0 } else { dice.next_u32() % worst };
    Air { lost: some(300), doubled: some(100), late: some(100), delay_ms: some(250), jitter_ms: some(60) }
}

pub fn prompt(index: u32, frames: u32) -> Arc<Prompt> {
    let sound = |law: u32| (0..frames).flat_map(|frame| [(index * 7 + frame * 3 + law) as u8; FRAME_SAMPLES]).collect();
    let offer_ends = (index.is_multiple_of(2)).then_some(Duration::from_millis(u64::from(frames * 13)));
    let facts = PromptFacts { text: String::new(), length: Duration::ZERO, offer_ends, advert: false };
    let id = PromptId::new(format!("prompt-{index}"));
    Arc::new(Prompt::new(id, Language::new("en"), facts, sound(0), sound(1)))
}
