//! A hundred calls that go on while something bad happens: 45 of them with an agent, 20 waiting, 35 in the menus, everybody
//! sending; what each of them lost meanwhile; and new callers who must be answered. One row of the report for each attack.

use crate::call::{Call, What};
use crate::harness::{PASSWORD, Program, Setup, dialplan, rtp_ports};
use crate::kernel::udp_drops;
use crate::net::Net;
use crate::phone::Phone;
use crate::rtp::{Heard, Sound, Stream};
use crate::tools;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub const SOON: Duration = Duration::from_secs(10);
const CALLS: usize = 100;
const BRIDGED: usize = 45;
const WAITING: usize = 20;
/// What callers say begins here; their agents say the same plus [`ANSWER`].
const CALLER: u16 = 0x2000;
const ANSWER: u16 = 0x2000;
/// What attackers say.
pub const INTRUDER: u16 = 0x6666;

pub struct Siege<'a> {
    pub net: &'a Net,
    pub program: Program,
    pub agents: Phone,
    /// In the order of dialling: first those with an agent, then those who wait, then those in the menus.
    pub calls: Vec<Call>,
    /// The agent's side of each of the first calls.
    pub taken: Vec<Call>,
    /// A phone at the address of the configured trunk.
    pub trunk: Phone,
    _callers: Vec<Phone>,
    resident_before: u64,
    /// Callers in the menus are in the second one.
    deep: AtomicBool,
}

/// What an attack did to the calls.
#[derive(Debug)]
pub struct Effect {
    /// Packets that the bridged sides sent each other, and how many of them arrived.
    pub due: u64,
    pub received: u64,
    /// Sequence numbers that the program was to send and that never came, at all 145 streams.
    pub missing: u64,
    /// Of these the test's own sockets dropped so many.
    pub dropped_here: u64,
    /// Datagrams that came to the program's sockets and were not taken in time.
    pub dropped_there: u64,
    pub gaps: u64,
    pub late: u64,
    pub peak_kib: u64,
}

/// Which new callers are tried during an attack.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum New {
    Everybody,
    TrunkOnly,
    Nobody,
}

/// The trunk's address stands in the configuration before the program starts.
pub fn setup(net: &Net) -> (Setup, SocketAddr) {
    let trunk = net.sip_host();
    let names: Vec<String> = (0..BRIDGED).map(|number| (2000 + number).to_string()).collect();
    let text = dialplan(&[
        ("ring_timeout = \"5s\"", ""),
        ("first_digit_timeout = \"2s\"", "first_digit_timeout = \"60s\""),
        ("9   = \"start\"", "9   = \"start\"\nfirst_digit_timeout = \"60s\""),
    ]);
    let setup = Setup::new(net)
        .agents(names)
        .dialplan(&text)
        .ports(rtp_ports(900))
        .setting(&format!("trunk = [{{ name = \"carrier\", addresses = [\"{}\"] }}]", trunk.ip()));
    (setup, trunk)
}

impl<'a> Siege<'a> {
    pub fn begin(net: &'a Net) -> Siege<'a> {
        let (setup, trunk) = setup(net);
        Siege::around(net, setup.start(), trunk)
    }

    pub fn around(net: &'a Net, program: Program, trunk: SocketAddr) -> Siege<'a> {
        let agents = Phone::new(net, program.sip);
        agents.count_only();
        for number in 0..BRIDGED {
            let status = agents.register(&(2000 + number).to_string(), PASSWORD, 600);
            assert_eq!(status, 200, "agent {number}:\n{}", program.log());
        }
        let callers: Vec<Phone> = (0..10).map(|_| program.caller(net)).collect();
        callers.iter().for_each(Phone::count_only);
        let trunk = Phone::at(trunk, program.sip);
        trunk.count_only();
        let mut siege = Siege {
            net,
            program,
            agents,
            calls: Vec::new(),
            taken: Vec::new(),
            trunk,
            _callers: Vec::new(),
            resident_before: 0,
            deep: AtomicBool::new(false),
        };
        siege.dial(&callers);
        siege._callers = callers;
        siege.pair();
        siege.resident_before = siege.program.resident_kib();
        siege
    }

    fn dial(&mut self, callers: &[Phone]) {
        for number in 0..CALLS {
            let call = callers[number % 10].dial(&format!("+120255501{number:02}"), self.program.number());
            call.say(Sound::Pattern(CALLER + number as u16));
            self.calls.push(call);
            std::thread::sleep(Duration::from_millis(5));
        }
        for (number, call) in self.calls.iter().enumerate() {
            call.must(&What::Answered, SOON);
            if number < BRIDGED {
                call.press('0');
            }
        }
    }

    /// Each agent answers with her caller's pattern plus [`ANSWER`]; then others ask for a person in vain.
    fn pair(&mut self) {
        let mut pairs: Vec<(u16, Call)> = Vec::new();
        let mut unknown = Vec::new();
        let end = Instant::now() + SOON * 2;
        while pairs.len() < BRIDGED {
            assert!(Instant::now() < end, "{} of {BRIDGED} pairs:\n{}", pairs.len(), self.program.log());
            unknown.extend(self.agents.take_all());
            let (known, rest): (Vec<Call>, Vec<Call>) = unknown.into_iter().partition(|call| whom(call).is_some());
            unknown = rest;
            for call in known {
                let pattern = whom(&call).expect("she hears somebody");
                call.say(Sound::Pattern(pattern + ANSWER));
                pairs.push((pattern, call));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        pairs.sort_by_key(|(pattern, _)| *pattern);
        let expected: Vec<u16> = (0..BRIDGED as u16).map(|number| CALLER + number).collect();
        assert_eq!(pairs.iter().map(|(pattern, _)| *pattern).collect::<Vec<_>>(), expected);
        self.taken = pairs.into_iter().map(|(_, call)| call).collect();
        for (number, call) in self.calls[..BRIDGED].iter().enumerate() {
            call.must_hear_pattern(CALLER + ANSWER + number as u16, SOON);
        }
        for call in &self.calls[BRIDGED..BRIDGED + WAITING] {
            call.press('0');
        }
    }

    /// Lets `attack` have its way; measures what it does to the calls, tries new callers meanwhile, prints the row, and
    /// fails if a call has lost a packet by the program's fault or is gone.
    pub fn endure<T: Send>(&self, name: &str, new: New, attack: impl FnOnce() -> T + Send) -> (T, Effect) {
        self.program.forget_peak();
        let (drops_before, late_before) = (self.drops(), self.late());
        for stream in self.streams() {
            stream.forget();
        }
        let sent_before = self.sent();
        let over = AtomicBool::new(false);
        let (answered, outcome) = std::thread::scope(|scope| {
            let attacked = scope.spawn(|| {
                let _over = Over(&over);
                attack()
            });
            let answered = self.meanwhile(new, &over);
            (answered, attacked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let due = self.sent() - sent_before;
        let heard = self.heard_when(due);
        let drops = self.drops();
        let effect = Effect {
            due,
            received: between(&heard).map(|heard| heard.packets).sum(),
            missing: heard.iter().map(|heard| heard.lost).sum(),
            dropped_here: drops.0 - drops_before.0,
            dropped_there: drops.1 - drops_before.1,
            gaps: between(&heard).map(|heard| heard.gaps).sum(),
            late: self.late() - late_before,
            peak_kib: self.program.peak_kib(),
        };
        self.report(name, &effect, answered);
        self.must_be_whole(name, &effect);
        (outcome, effect)
    }

    /// What everybody has heard, once all that was due has arrived: late is not lost.
    fn heard_when(&self, due: u64) -> Vec<Heard> {
        let end = Instant::now() + SOON;
        loop {
            std::thread::sleep(Duration::from_millis(150));
            let heard: Vec<Heard> = self.streams().iter().map(Stream::heard).collect();
            if between(&heard).map(|heard| heard.packets).sum::<u64>() >= due || Instant::now() > end {
                return heard;
            }
        }
    }

    /// Callers in the menus go to and fro, and new ones call, until the attack is over; (answered, tried).
    fn meanwhile(&self, new: New, over: &AtomicBool) -> (u32, u32) {
        let (mut answered, mut tried, mut pressed) = (0, 0, Instant::now() - SOON);
        while !over.load(Ordering::Relaxed) {
            if pressed.elapsed() >= Duration::from_secs(1) {
                pressed = Instant::now();
                let key = if self.deep.fetch_xor(true, Ordering::Relaxed) { '9' } else { '1' };
                for call in &self.calls[BRIDGED + WAITING..] {
                    call.press(key);
                }
            }
            if new != New::Nobody && tried < 6 {
                for from_trunk in [true, false] {
                    if from_trunk || new == New::Everybody {
                        tried += 1;
                        answered += u32::from(self.is_answered(from_trunk));
                    }
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(answered, tried, "new callers who were answered, of those who called:\n{}", self.program.log());
        (answered, tried)
    }

    /// Is somebody new answered, from an address of her own or from the trunk, and does she hear the welcome?
    pub fn is_answered(&self, from_trunk: bool) -> bool {
        let phone;
        let phone = if from_trunk {
            &self.trunk
        } else {
            phone = self.program.caller(self.net);
            &phone
        };
        let call = phone.dial("+12025550199", self.program.number());
        let answered = call.wait(&What::Answered, SOON).is_some();
        let end = Instant::now() + SOON;
        while answered && call.stream.heard().packets < 20 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let heard = call.stream.heard().packets >= 20;
        call.hang_up();
        call.wait(&What::Done("BYE".into(), 200), SOON);
        answered && heard
    }

    fn streams(&self) -> Vec<Stream> {
        self.calls.iter().chain(&self.taken).map(|call| call.stream.clone()).collect()
    }

    fn sent(&self) -> u64 {
        self.calls[..BRIDGED].iter().chain(&self.taken).map(|call| call.stream.sent()).sum()
    }

    fn late(&self) -> u64 {
        self.program.metric("onekey_packets_late_total") as u64
    }

    /// Datagrams dropped at the test's RTP sockets, and at the program's.
    fn drops(&self) -> (u64, u64) {
        let ours: BTreeSet<u16> = self.streams().iter().map(Stream::port).collect();
        let program = IpAddr::V4(self.program_host());
        let here = udp_drops(|local| local.ip() != program && ours.contains(&local.port()));
        (here, udp_drops(|local| local.ip() == program))
    }

    fn program_host(&self) -> std::net::Ipv4Addr {
        match self.program.sip {
            SocketAddr::V4(address) => *address.ip(),
            SocketAddr::V6(_) => unreachable!("the program has an IPv4 address"),
        }
    }

    fn report(&self, name: &str, effect: &Effect, (answered, tried): (u32, u32)) {
        static HEAD: Once = Once::new();
        HEAD.call_once(|| {
            tools::say(
                "| attack | packets due between callers and agents | received | missing (dropped by the test itself) | \
                 dropped at the program's sockets | late by the program's count | gaps over 40 ms | new callers answered | \
                 MiB before, peak, after |\n|---|---|---|---|---|---|---|---|---|",
            );
        });
        let mib = |kib: u64| kib as f64 / 1024.0;
        tools::say(&format!(
            "| {name} | {} | {} | {} ({}) | {} | {} | {} | {answered} of {tried} | {:.1}, {:.1}, {:.1} |",
            effect.due,
            effect.received,
            effect.missing,
            effect.dropped_here,
            effect.dropped_there,
            effect.late,
            effect.gaps,
            mib(self.resident_before),
            mib(effect.peak_kib),
            mib(self.program.resident_kib()),
        ));
    }

    fn must_be_whole(&self, name: &str, effect: &Effect) {
        assert!(effect.due > 0, "{name}: nobody spoke");
        assert!(
            effect.missing <= effect.dropped_here,
            "{name}: {} packets never came, and only {} were dropped here: {effect:?}\n{}",
            effect.missing,
            effect.dropped_here,
            self.program.log()
        );
        assert!(effect.received + effect.dropped_here >= effect.due, "{name}: {effect:?}");
        for (number, call) in self.calls.iter().chain(&self.taken).enumerate() {
            assert!(call.is_up(), "{name}: call {number} is gone: {:?}\n{}", call.log(), self.program.log());
            let heard = call.stream.heard().patterns;
            assert!(!heard.contains_key(&INTRUDER), "{name}: call {number} hears the attacker");
        }
        for number in 0..BRIDGED {
            let pattern = CALLER + number as u16;
            for (call, own) in [(&self.taken[number], pattern), (&self.calls[number], pattern + ANSWER)] {
                assert!(call.stream.heard_pattern(own) > 20, "{name}: {own:#x} is hardly heard");
            }
        }
        assert!(!self.program.whole_log().contains("panicked"), "{name}: a panic\n{}", self.program.log());
    }
}

/// What callers and agents in conversation have heard, of all that was heard.
fn between(heard: &[Heard]) -> impl Iterator<Item = &Heard> {
    heard[..BRIDGED].iter().chain(&heard[CALLS..])
}

/// Says that an attack is over, also when it ends by a failed assertion.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The caller whom an agent hears.
fn whom(call: &Call) -> Option<u16> {
    let heard = call.stream.heard().patterns;
    let callers = CALLER..CALLER + CALLS as u16;
    heard.into_iter().find(|(pattern, count)| *count >= 3 && callers.contains(pattern)).map(|(pattern, _)| pattern)
}
