//! What people do, and when: callers of several tempers, agents of several habits, and whoever reloads dialplans, pulls
//! plugs and kills processes. Everything is chosen by the seed.

use crate::phone::{Heard, Phone, State, Transport};
use crate::truth::Fact;
use crate::world::World;
use onekey::caller::CallerFacts;
use onekey::codec::Codec;
use onekey::engine::input::{Answer, Command, Input};
use onekey::ids::{AgentId, CallId, Language};
use onekey::key::Key;
use onekey::script::Registry as Listed;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const LINES: [&str; 4] = ["5550100", "5550102", "5550103", "5550104"];
const NUMBERS: [&str; 5] = ["+12025550123", "+12025550124", "+12025550125", "+12025550126", "anonymous"];
const FIRST_AGENT: u16 = 60_000;

/// Something that somebody does now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    NewCaller,
    WeatherChanges,
    Reload,
    AgentsDo,
    Kill,
    /// The caller at this phone does something.
    Caller(u16),
    HangUp {
        host: u16,
        call_id: String,
    },
    /// How an agent takes a call that rings.
    React {
        host: u16,
        call_id: String,
    },
    Resume {
        host: u16,
        call_id: String,
    },
    Refresh(u16),
    /// A phone that was cut off is back.
    Back(u16),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Temper {
    WantsAPerson,
    Silent,
    Errs,
    Wanders,
    Holds,
    SendsInfo,
    Moves,
}

#[derive(Debug, Default)]
pub struct Life {
    pub calls_left: u64,
    callers: BTreeMap<u16, Temper>,
    pub agents: Vec<u16>,
    next_host: u16,
    features: u32,
    /// Milliseconds between callers, at most.
    pace: u64,
    other_plan: bool,
    /// Phones that are, or were, not what the engine may count on: cut off, rebooted, mute, or saying that their line broke.
    frail: std::collections::BTreeSet<u16>,
}

/// Everybody moves in: before the engine starts.
pub fn move_in(world: &mut World) {
    world.life.calls_left = world.plan.calls;
    world.life.pace = [400, 3_000, 15_000, 60_000][world.roll(4) as usize];
    let agents = world.roll(6) as u16;
    for index in 0..agents {
        let name = format!("{}", 1001 + index);
        world.store.add_agent(&name);
        for second in 0..=u16::from(world.roll(4) == 0) {
            let host = FIRST_AGENT + index * 2 + second;
            let transport = if world.season.tcp && world.roll(3) == 0 { Transport::Tcp } else { Transport::Udp };
            let mut phone = Phone::new(host, &name, transport);
            phone.says_it_rings = world.roll(8) > 0;
            world.phones.insert(host, phone);
            world.life.agents.push(host);
            let after = [0, 0, 2_000, 90_000][world.roll(4) as usize];
            world.act_later(Duration::from_millis(after), Act::Refresh(host));
        }
    }
    world.act_later(Duration::from_millis(500), Act::NewCaller);
    world.act_later(Duration::from_secs(5), Act::AgentsDo);
    world.act_later(Duration::from_secs(7), Act::WeatherChanges);
    if world.season.reloads {
        world.act_later(Duration::from_secs(20), Act::Reload);
    }
    if world.season.kills {
        let after = 20 + world.roll(400);
        world.act_later(Duration::from_secs(after), Act::Kill);
    }
}

pub fn act(world: &mut World, act: Act) {
    if world.calm && !matches!(act, Act::HangUp { .. } | Act::Back(_)) {
        return;
    }
    world.note(|| format!("* {act:?}"));
    match act {
        Act::NewCaller => new_caller(world),
        Act::WeatherChanges => {
            let weather = world.season.weather(&mut world.dice);
            world.set_weather(weather);
            let after = 5 + world.roll(90);
            world.act_later(Duration::from_secs(after), Act::WeatherChanges);
        }
        Act::Reload => reload(world),
        Act::AgentsDo => agents_do(world),
        Act::Kill => kill(world),
        Act::Caller(host) => caller_does(world, host),
        Act::HangUp { host, call_id } => hang_up(world, host, &call_id),
        Act::React { host, call_id } => react(world, host, &call_id),
        Act::Resume { host, call_id } => change(world, host, &call_id, false, false),
        Act::Refresh(host) => {
            let expires = if world.roll(3) == 0 { 60 } else { 3600 };
            world.with_phone(host, |phone, now| phone.register(now, expires));
        }
        Act::Back(host) => back(world, host),
    }
}

fn new_caller(world: &mut World) {
    world.life.calls_left = world.life.calls_left.saturating_sub(1);
    let pace = world.life.pace;
    let pause = 1 + world.roll(pace);
    if world.life.calls_left > 0 {
        world.act_later(Duration::from_millis(pause), Act::NewCaller);
    }
    world.life.next_host = world.life.next_host % (FIRST_AGENT - 1) + 1;
    let host = world.life.next_host;
    let (line, number) = (LINES[world.roll(4) as usize], NUMBERS[world.roll(5) as usize]);
    let transport = if world.season.tcp && world.roll(4) == 0 { Transport::Tcp } else { Transport::Udp };
    let mut phone = Phone::new(host, number, transport);
    phone.forgets_acks = world.season.phones_fail && world.roll(20) == 0;
    if phone.forgets_acks {
        world.life.frail.insert(host);
    }
    world.phones.insert(host, phone);
    let tempers = [
        Temper::WantsAPerson,
        Temper::WantsAPerson,
        Temper::Silent,
        Temper::Errs,
        Temper::Wanders,
        Temper::Wanders,
        Temper::Holds,
        Temper::SendsInfo,
        Temper::Moves,
    ];
    let temper = tempers[world.roll(9) as usize];
    world.life.callers.insert(host, temper);
    let from = match number {
        "anonymous" => "\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned(),
        number => format!("<sip:{number}@caller.example>"),
    };
    let (late_offer, on_hold) = (world.roll(10) == 0, world.roll(30) == 0);
    let call_id = format!("call-{host}");
    world.with_phone(host, |phone, now| phone.call(now, &call_id, line, &from, late_offer, on_hold));
    if world.roll(12) == 0 {
        let after = world.roll(1200);
        world.act_later(Duration::from_millis(after), Act::HangUp { host, call_id });
    }
}

/// A phone has noticed something.
pub fn heard(world: &mut World, host: u16, call_id: &str, what: Heard) {
    match what {
        Heard::Answered => {
            talks(world, host, call_id);
            if let Some(temper) = world.life.callers.get(&host).copied() {
                let patience = [8_000, 40_000, 200_000, 600_000][world.roll(4) as usize];
                let after = 200 + world.roll(patience);
                let first = 100 + world.roll(if temper == Temper::Silent { 60_000 } else { 8_000 });
                world.act_later(Duration::from_millis(after), Act::HangUp { host, call_id: call_id.to_owned() });
                world.act_later(Duration::from_millis(first), Act::Caller(host));
            }
        }
        Heard::Changed => talks(world, host, call_id),
        Heard::Rings => {
            let after = [50, 3_000, 26_000][world.roll(3) as usize];
            let after = world.roll(after);
            world.act_later(Duration::from_millis(after), Act::React { host, call_id: call_id.to_owned() });
        }
        Heard::Refused(_) | Heard::Ended | Heard::Cancelled => quiet(world, host, call_id),
        Heard::Registered(200) => {
            let after = 30 + world.roll(1500);
            world.act_later(Duration::from_secs(after), Act::Refresh(host));
        }
        Heard::Registered(_) | Heard::Acked => {}
    }
}

/// Sound goes where the other side wants it, unless the phone holds.
fn talks(world: &mut World, host: u16, call_id: &str) {
    let now = world.now;
    let Some(phone) = world.phones.get(&host).filter(|phone| phone.speaks) else { return };
    let Some((from, dialog)) = phone.sound_of(call_id) else { return };
    let codec = if phone.alaw { Codec::Pcma } else { Codec::Pcmu };
    match (dialog.state == State::Up && !dialog.on_hold, dialog.their_port) {
        (true, Some(port)) => world.sound.phone_talks(now, from, port, codec),
        _ => world.sound.phone_is_quiet(now, from),
    }
}

fn quiet(world: &mut World, host: u16, call_id: &str) {
    if let Some((from, _)) = world.phones.get(&host).and_then(|phone| phone.sound_of(call_id)) {
        world.sound.phone_is_quiet(world.now, from);
    }
}

fn hang_up(world: &mut World, host: u16, call_id: &str) {
    quiet(world, host, call_id);
    let frail = world.season.phones_fail && !world.calm;
    match world.roll(24) {
        0 if frail => {
            world.life.frail.insert(host);
            reboot(world, host);
        }
        1 | 2 if frail => cut(world, host),
        3 if frail => {
            world.life.frail.insert(host);
            world.with_phone(host, |phone, now| phone.hang_up(now, call_id, "Reason: Q.850;cause=38\r\n"));
        }
        // A CANCEL long after the answer, as some phones send.
        4 if frail => {
            world.with_phone(host, |phone, now| phone.cancel(now, call_id));
            world.act_later(Duration::from_secs(1), Act::HangUp { host, call_id: call_id.to_owned() });
            talks(world, host, call_id);
        }
        _ => world.with_phone(host, |phone, now| phone.hang_up(now, call_id, "")),
    }
}

/// The power goes, and comes again.
fn reboot(world: &mut World, host: u16) {
    connection_breaks(world, host);
    world.with_phone(host, |phone, _| phone.reboot());
}

/// Its TCP connection, if it has one, is closed; what it says next comes by another.
fn connection_breaks(world: &mut World, host: u16) {
    let Some(phone) = world.phones.get_mut(&host).filter(|phone| phone.transport == Transport::Tcp) else { return };
    let old = phone.connection;
    phone.connection += 1;
    world.tell(Input::ConnectionClosed(old));
}

/// Nothing gets out or in any more, for a while.
fn cut(world: &mut World, host: u16) {
    world.life.frail.insert(host);
    let half = world.roll(3);
    let Some(phone) = world.phones.get_mut(&host) else { return };
    (phone.speaks, phone.hears) = (half == 1, half == 2);
    let dialogs: Vec<String> = phone.dialogs.keys().cloned().collect();
    if half != 1 {
        dialogs.iter().for_each(|call_id| quiet(world, host, call_id));
    }
    let after = 1 + world.roll(80);
    world.act_later(Duration::from_secs(after), Act::Back(host));
}

fn back(world: &mut World, host: u16) {
    let Some(phone) = world.phones.get_mut(&host) else { return };
    (phone.speaks, phone.hears) = (true, true);
    let dialogs: Vec<String> = phone.dialogs.keys().cloned().collect();
    for call_id in dialogs {
        talks(world, host, &call_id);
        let after = world.roll(60_000);
        world.act_later(Duration::from_millis(after), Act::HangUp { host, call_id });
    }
    if world.life.agents.contains(&host) {
        world.act_later(Duration::from_secs(1), Act::Refresh(host));
    }
}

fn caller_does(world: &mut World, host: u16) {
    let call_id = format!("call-{host}");
    let up = world.phones.get(&host).and_then(|phone| phone.dialogs.get(&call_id));
    if !up.is_some_and(|dialog| dialog.state == State::Up) {
        return;
    }
    let Some(temper) = world.life.callers.get(&host).copied() else { return };
    match temper {
        Temper::Silent => return,
        Temper::WantsAPerson => press(world, host, &call_id, "0"),
        Temper::Errs => press(world, host, &call_id, "78"),
        Temper::Wanders => press(world, host, &call_id, "0112339*#7"),
        Temper::Holds => {
            let on_hold =
                world.phones.get(&host).and_then(|phone| phone.dialogs.get(&call_id)).is_some_and(|d| d.on_hold);
            change(world, host, &call_id, !on_hold, false);
        }
        Temper::Moves => change(world, host, &call_id, false, true),
        Temper::SendsInfo => {
            let key = key_of(world, "0012379");
            world.with_phone(host, |phone, now| phone.info(now, &call_id, key));
            if world.roll(2) == 0 {
                press_key(world, host, &call_id, key);
            }
        }
    }
    let pause = [1_500, 6_000, 40_000][world.roll(3) as usize];
    let pause = 300 + world.roll(pause);
    world.act_later(Duration::from_millis(pause), Act::Caller(host));
}

fn change(world: &mut World, host: u16, call_id: &str, on_hold: bool, moves: bool) {
    quiet(world, host, call_id);
    world.with_phone(host, |phone, now| phone.change(now, call_id, on_hold, moves));
    // Two at once, the second before the first is answered.
    if world.season.phones_fail && world.roll(6) == 0 {
        world.with_phone(host, |phone, now| phone.change(now, call_id, on_hold, false));
    }
    talks(world, host, call_id);
}

fn key_of(world: &mut World, among: &str) -> Key {
    let letter = among.as_bytes()[world.roll(among.len() as u64) as usize];
    Key::from_char(char::from(letter)).unwrap_or(Key::HUMAN)
}

fn press(world: &mut World, host: u16, call_id: &str, among: &str) {
    let key = key_of(world, among);
    press_key(world, host, call_id, key);
}

fn press_key(world: &mut World, host: u16, call_id: &str, key: Key) {
    let held = Duration::from_millis([60, 100, 250, 1200][world.roll(4) as usize]);
    if let Some((from, _)) =
        world.phones.get(&host).filter(|phone| phone.speaks).and_then(|phone| phone.sound_of(call_id))
    {
        world.sound.phone_presses(world.now, from, key, held);
        stranger(world, host, call_id);
    }
}

/// Somebody elsewhere guesses the port, or forges the address too.
fn stranger(world: &mut World, host: u16, call_id: &str) {
    if !world.season.strangers || world.roll(4) > 0 {
        return;
    }
    let spoofs = world.roll(2) == 0;
    let found = world.phones.get(&host).and_then(|phone| phone.sound_of(call_id));
    if let Some((from, port)) = found.and_then(|(from, dialog)| Some((from, dialog.their_port?))) {
        world.sound.stranger_sends(world.now, port, spoofs.then_some(from));
    }
}

/// Her phone rings, and this is how she takes it.
fn react(world: &mut World, host: u16, call_id: &str) {
    let answer = |world: &mut World, status| world.with_phone(host, |phone, now| phone.answer(now, call_id, status));
    match world.roll(20) {
        0..=11 => {
            answer(world, 200);
            // Now and then nothing is heard of her.
            if world.roll(12) > 0 {
                talks(world, host, call_id);
            }
            let length = [1_000, 20_000, 120_000][world.roll(3) as usize];
            let length = 100 + world.roll(length);
            world.act_later(Duration::from_millis(length), Act::HangUp { host, call_id: call_id.to_owned() });
            if world.roll(8) == 0 {
                change(world, host, call_id, true, false);
                let after = 1 + world.roll(20);
                world.act_later(Duration::from_secs(after), Act::Resume { host, call_id: call_id.to_owned() });
            }
        }
        12 | 13 => answer(world, 486),
        14 => answer(world, 603),
        15 => answer(world, 500),
        // Picks up and slams down.
        16 => {
            answer(world, 200);
            world.with_phone(host, |phone, now| phone.hang_up(now, call_id, ""));
        }
        17 if world.season.phones_fail => cut(world, host),
        18 if world.season.phones_fail => {
            reboot(world, host);
            world.act_later(Duration::from_secs(20), Act::Refresh(host));
        }
        // She lets it ring.
        _ => {}
    }
}

fn agents_do(world: &mut World) {
    let pause = 2 + world.roll(40);
    world.act_later(Duration::from_secs(pause), Act::AgentsDo);
    let count = world.life.agents.len() as u64;
    if count == 0 {
        return;
    }
    let at = world.roll(count) as usize;
    let host = world.life.agents[at];
    match world.roll(10) {
        0 => world.with_phone(host, |phone, now| phone.register(now, 0)),
        1..=3 => act(world, Act::Refresh(host)),
        4..=7 => feature(world, host),
        8 if world.season.phones_fail && world.roll(2) == 0 => cut(world, host),
        8 if world.season.tcp => connection_breaks(world, host),
        9 if world.season.reloads => account_changes(world, host),
        _ => {}
    }
}

/// *40 or *41 dialled on her own phone.
fn feature(world: &mut World, host: u16) {
    world.life.features += 1;
    let call_id = format!("feature-{}", world.life.features);
    let code = if world.roll(3) == 0 { "*40" } else { "*41" };
    let Some(name) = world.phones.get(&host).map(|phone| phone.name.clone()) else { return };
    let from = format!("<sip:{name}@{}>", crate::phone::REALM);
    world.with_phone(host, |phone, now| phone.call(now, &call_id, code, &from, false, false));
}

/// An operator takes her account away, and gives it back.
fn account_changes(world: &mut World, host: u16) {
    let Some(name) = world.phones.get(&host).map(|phone| phone.name.clone()) else { return };
    let agent = AgentId::new(&name);
    if world.store.accounts.contains_key(&agent) {
        world.store.remove_agent(&agent);
        world.facts.push(Fact::Removed(agent.clone()));
        world.tell(Input::Command(Command::AgentRemoved(agent)));
    } else {
        let account = world.store.add_agent(&name);
        world.tell(Input::Command(Command::AgentSet(account)));
    }
}

fn reload(world: &mut World) {
    let after = 10 + world.roll(200);
    world.act_later(Duration::from_secs(after), Act::Reload);
    world.life.other_plan = !world.life.other_plan;
    let stage = if world.life.other_plan { &world.stages.1 } else { &world.stages.0 }.clone();
    world.truth.learn(stage.dialplan.queues());
    world.stage = stage.clone();
    world.tell(Input::Reload(Arc::clone(&stage.dialplan), Arc::clone(&stage.prompts)));
}

fn kill(world: &mut World) {
    let after = 60 + world.roll(600);
    world.act_later(Duration::from_secs(after), Act::Kill);
    world.engine_dies();
    let down = 100 + world.roll(20_000);
    world.plan(Duration::from_millis(down), crate::world::Happening::EngineStarts);
    let hosts: Vec<u16> = world.phones.keys().copied().collect();
    hosts.into_iter().for_each(|host| nobody_is_there(world, host));
}

/// At the other end of this phone's calls is a process that is dead; its people notice sooner or later.
pub fn nobody_is_there(world: &mut World, host: u16) {
    let Some(phone) = world.phones.get(&host) else { return };
    let dialogs: Vec<String> = phone.dialogs.keys().cloned().collect();
    for call_id in dialogs {
        world.life.frail.insert(host);
        let after = 500 + world.roll(60_000);
        world.act_later(Duration::from_millis(after), Act::HangUp { host, call_id });
    }
}

pub fn everybody_hangs_up(world: &mut World) {
    let all: Vec<(u16, String)> = world
        .phones
        .values()
        .flat_map(|phone| phone.dialogs.keys().map(|call_id| (phone.host, call_id.clone())))
        .collect();
    for (host, call_id) in all {
        quiet(world, host, &call_id);
        world.with_phone(host, |phone, now| phone.hang_up(now, &call_id, ""));
    }
}

/// What the registry says of the caller of whom it is asked.
pub fn facts(world: &mut World) -> Answer {
    let mut facts = CallerFacts::default();
    match world.roll(7) {
        0 => return Answer::Registry(None),
        1 => facts.ages_reached = (1..=70).collect(),
        2 => facts.language = Some(Language::new("zh")),
        3 => facts.language = Some(Language::new("xx")),
        4 => facts.flags = ["assist".to_owned()].into(),
        _ => {}
    }
    Answer::Registry(Some(facts))
}

/// The registry has said this of the caller.
pub fn known(world: &mut World, call: CallId, facts: Option<&CallerFacts>) {
    let Some(journey) = world.journeys.of.get_mut(&call) else { return };
    let Some(facts) = facts else {
        journey.listed = Listed::Unlisted;
        return;
    };
    let old = facts.ages_reached.contains(&65);
    journey.listed = Listed::Listed {
        age: facts.ages_reached.last().copied(),
        flags: facts.flags.clone(),
        language: facts.language.as_ref().map(ToString::to_string),
    };
    journey.flagged |= old || journey.line == "care" && facts.flags.contains("assist");
}

/// The engine says that this caller's line is broken. It may say so only of phones to which something has happened.
pub fn lost(world: &mut World, call: CallId) {
    let Some(journey) = world.journeys.of.get(&call) else { return };
    let frail = world.life.frail.contains(&journey.host) || world.season.network;
    if !frail {
        world
            .journeys
            .wrong
            .push(format!("{call} is given up as lost, and the caller's phone {} is well", journey.host));
    }
}
