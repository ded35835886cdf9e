//! What the engine wishes, carried out in the world, and what it shows: every line of a trace and every message is turned
//! into the facts from which `truth`, `books` and `journeys` know what must be so.

use crate::journeys::Journey;
use crate::phone::text::Text;
use crate::truth::Fact;
use crate::weather::{Disk, Registry};
use crate::world::{World, wish_shown};
use onekey::engine::input::{Answer, Input};
use onekey::engine::output::{Ask, CallLine, LineDirection, Notice, Output, Question};
use onekey::ids::{AgentId, CallId, LegId, QueueName};
use onekey::key::Key;
use onekey::media::command::{MediaCommand, MediaEvent};
use onekey::promise::Entry;
use onekey::script::{Act, What};
use onekey::sip::Datagram;
use std::time::Duration;

/// What was in the message that went in.
#[derive(Debug)]
pub enum Seen {
    Nothing,
    /// An INVITE for the first time.
    Invite {
        host: u16,
        call_id: String,
        branch: String,
        number: String,
        again: bool,
        held: bool,
        has_offer: bool,
    },
    /// An ACK with a description.
    Described {
        call_id: String,
        held: bool,
    },
    Key {
        call_id: String,
        key: char,
    },
    /// A 2xx to an INVITE of the engine's.
    Accepted {
        call_id: String,
    },
}

impl Seen {
    pub fn of(world: &mut World, host: u16, text: &str) -> Seen {
        let Ok(message) = Text::read(text) else { return Seen::Nothing };
        let call_id = message.call_id().to_owned();
        let held = !message.body.is_empty() && matches!(message.direction(), "sendonly" | "inactive");
        match (message.status(), message.method()) {
            (Some(200..=299), "INVITE") => Seen::Accepted { call_id },
            (None, "INVITE") if world.seen_invites.insert(message.branch().to_owned()) => Seen::Invite {
                host,
                call_id,
                branch: message.branch().to_owned(),
                number: message.uri().trim_start_matches("sip:").split('@').next().unwrap_or_default().to_owned(),
                again: !message.to_tag().is_empty(),
                held,
                has_offer: !message.body.is_empty(),
            },
            (None, "ACK") if !message.body.is_empty() => Seen::Described { call_id, held },
            (None, "INFO") => {
                let key = message.body.strip_prefix("Signal=").and_then(|rest| rest.chars().next());
                key.map_or(Seen::Nothing, |key| Seen::Key { call_id, key })
            }
            _ => Seen::Nothing,
        }
    }
}

/// What of a fact from the media plane matters afterwards.
#[derive(Debug)]
pub enum Before {
    Other,
    /// Nothing but the passing of time.
    Time,
    NoPort,
    FirstPacket(LegId),
    Key(LegId, Key),
}

impl Before {
    pub fn of(input: &Input) -> Before {
        match input {
            Input::Tick => Before::Time,
            Input::Media(_, MediaEvent::Refused { .. }) => Before::NoPort,
            Input::Media(_, MediaEvent::FirstPacket { leg }) => Before::FirstPacket(*leg),
            Input::Media(_, MediaEvent::Key { leg, key }) => Before::Key(*leg, *key),
            _ => Before::Other,
        }
    }
}

/// How the engine answered the INVITE that went in.
#[derive(Default)]
struct Answered {
    trying: bool,
    accepted: bool,
    refused: bool,
}

pub fn carry_out(world: &mut World, before: Before, seen: Seen, wishes: Vec<Output>) {
    let mut answered = Answered::default();
    for wish in wishes {
        world.note(|| wish_shown(&wish));
        match wish {
            Output::Sip(datagram) => send(world, datagram, &seen, &mut answered),
            Output::Media(worker, command) => {
                not_when_over(world, &command);
                says_queued(world, &command);
                world.sound.order(world.now, worker, command);
            }
            Output::Ask(ask) => asked(world, ask),
            Output::Log(line) => logged(world, line, &before, &seen),
            Output::Ended(record) => {
                world.conversations += u64::from(record.marks.speaking.is_some());
                world.journeys.ends(record.call);
                world.books.call_ended(*record);
            }
            Output::Notice(Notice::LoggedIn(agent)) => world.facts.push(Fact::LoggedIn(agent)),
            Output::Notice(Notice::LoggedOut(agent)) => world.facts.push(Fact::LoggedOut(agent)),
            Output::Notice(_) | Output::Walked(..) => {}
        }
    }
    shown_by_message(world, seen, &answered);
    shown_by_sound(world, &before);
}

fn send(world: &mut World, datagram: Datagram, seen: &Seen, answered: &mut Answered) {
    if let Ok(text) = std::str::from_utf8(&datagram.bytes)
        && let Ok(message) = Text::read(text)
    {
        match (message.status(), seen) {
            (Some(status), Seen::Invite { branch, .. })
                if message.branch() == branch && message.method() == "INVITE" =>
            {
                answered.trying |= status == 100;
                answered.accepted |= (200..300).contains(&status);
                answered.refused |= status >= 300;
            }
            (None, _) if message.method() == "INVITE" => {
                let call = message.header("X-Onekey-Call").and_then(|call| call.strip_prefix("call-")?.parse().ok());
                let agent = crate::phone::text::between(message.to(), ':', '@');
                if let Some(call) = call {
                    world.rung.insert(message.call_id().to_owned(), (CallId(call), AgentId::new(agent)));
                }
            }
            _ => {}
        }
    }
    world.engine_sends(datagram);
}

/// Nobody is spoken to, joined or recorded on a dialog that is over.
fn not_when_over(world: &mut World, command: &MediaCommand) {
    let legs: &[LegId] = match command {
        MediaCommand::Start { leg, .. }
        | MediaCommand::Play { leg, .. }
        | MediaCommand::SendKey { leg, .. }
        | MediaCommand::Record { leg, .. } => &[*leg],
        MediaCommand::Bridge { a, b } => &[*a, *b],
        _ => &[],
    };
    for leg in legs {
        if !world.leg_is_over(*leg) {
            continue;
        }
        world.journeys.wrong.push(format!("{leg} is over and is ordered {command:?}"));
    }
}

/// "You are in the queue" may only be said to a caller whose promise is on disk.
fn says_queued(world: &mut World, command: &MediaCommand) {
    let MediaCommand::Play { leg, prompts, .. } = command else { return };
    if prompts.iter().any(|prompt| prompt.id.as_str() == "queued")
        && let Some(call) = call_at(world, *leg)
    {
        world.books.hears_queued(call);
    }
}

fn dialog_at(world: &World, leg: LegId) -> Option<String> {
    world.doorstep.call_id_of(world.sound.port_of(leg)?).map(str::to_owned)
}

/// The call whose caller's leg this is.
fn call_at(world: &World, leg: LegId) -> Option<CallId> {
    world.journeys.call_of(&dialog_at(world, leg)?)
}

fn asked(world: &mut World, ask: Ask) {
    let quick = Duration::from_millis(1 + world.roll(30));
    match ask.question {
        Question::Registry(_) => {
            // The newest call is the one that asks.
            if let Some(call) = world.journeys.of.keys().next_back() {
                world.looked_up.insert(ask.id, *call);
            }
            let answer = crate::life::facts(world);
            match world.weather.registry {
                Registry::Quick => world.answer_later(quick, ask.id, answer, None),
                Registry::Late => world.answer_later(Duration::from_millis(400), ask.id, answer, None),
                Registry::Fails => world.answer_later(quick, ask.id, Answer::Failed("gone".into()), None),
                Registry::Silent => {}
            }
        }
        Question::LookUp(_) => {
            world.answer_later(quick, ask.id, Answer::Failed("nobody is asked here".into()), None);
        }
        Question::Promise(entry) => {
            if let Entry::Opened(opened) = &entry {
                let number = world.journeys.of.get(&opened.call).and_then(|journey| journey.number.clone());
                world.books.promised(opened.promise, opened.call, number);
            }
            world.store.asked(ask.id, entry);
            match world.weather.disk {
                Disk::Works => world.answer_later(Duration::from_millis(3), ask.id, Answer::Written, None),
                Disk::Fails => {
                    world.store.failed(ask.id);
                    world.answer_later(quick, ask.id, Answer::Failed("full".into()), None);
                }
                Disk::Stuck => {}
            }
        }
        Question::Bindings(agent, bindings) => {
            world.answer_later(quick, ask.id, Answer::Written, Some((agent, bindings)));
        }
    }
}

fn logged(world: &mut World, line: CallLine, before: &Before, seen: &Seen) {
    let CallLine { call, direction, text, .. } = line;
    if world.plan.fingerprinted {
        world.mark(text.as_bytes());
    }
    if text == "call"
        && let Seen::Invite { host, call_id, number, held, has_offer, .. } = seen
    {
        begins(world, call, *host, call_id, number, *held, *has_offer);
    }
    if world.plan.traced {
        keep_line(world, call, direction, &text);
    }
    let words: Vec<&str> = text.split(' ').collect();
    match (direction, words.as_slice()) {
        (LineDirection::Engine, ["play", first, ..]) => world.journeys.told(call, first),
        (LineDirection::Engine, ["answer"]) => world.journeys.answered(world.now, call),
        (LineDirection::Engine, ["queue", queue]) => joined(world, call, queue),
        (LineDirection::Engine, ["queue", queue, "cannot", "serve"]) => {
            world.facts.push(Fact::Refused { call, queue: QueueName::new(queue) });
        }
        (LineDirection::Engine, ["queue", _, "deserted"]) => world.facts.push(Fact::Deserted(call)),
        (LineDirection::Engine, ["queue", _, "again"]) => {
            world.journeys.parted(world.now, call);
            world.facts.push(Fact::GivenBack(call));
        }
        (_, ["hang-up"]) | (LineDirection::World, ["lost"]) => {
            world.facts.push(Fact::Left(call));
            if let Some(journey) = world.journeys.of.get_mut(&call) {
                journey.over = true;
            }
            if text == "lost" {
                crate::life::lost(world, call);
            }
        }
        (LineDirection::World, ["agent", agent, "answers"]) => {
            world.facts.push(Fact::Answered { call, agent: AgentId::new(agent) });
        }
        (LineDirection::World, ["agent", agent, "rejects"] | ["agent", agent, "does", "not", "answer"]) => {
            let (by_us, by_time) = (matches!(before, Before::NoPort), matches!(before, Before::Time));
            world.facts.push(Fact::Missed { call, agent: AgentId::new(agent), by_us, by_time });
        }
        (LineDirection::Engine, ["bridge", _]) => {
            let dialog = if let Seen::Accepted { call_id } = seen { Some(call_id.clone()) } else { None };
            world.journeys.bridged(world.now, call, dialog);
        }
        (LineDirection::Engine, ["promise", "due", why]) => {
            world.books.becomes_due(call);
            if *why == "call-back" {
                world.facts.push(Fact::Left(call));
            }
        }
        (LineDirection::Engine, ["promise", "closed", how @ ..]) => {
            let conversation = how == ["conversation"];
            if conversation && world.journeys.of.get(&call).is_some_and(|journey| journey.talking.is_none()) {
                world.books.wrong.push(format!("the promise of {call} is closed by a conversation that was none"));
            }
            world.books.is_kept(call, conversation);
        }
        _ => {}
    }
}

/// What the caller did and what was wished, as lines of a `.call` file.
fn keep_line(world: &mut World, call: CallId, direction: LineDirection, text: &str) {
    let now = world.now;
    match direction {
        LineDirection::Engine => world.journeys.line(now, call, What::Expects(text.to_owned())),
        LineDirection::World => {
            let act = match text {
                "call" => Act::Call,
                "hang-up" => Act::HangUp,
                "lost" => Act::Lost,
                other => match (other.strip_prefix("press "), crate::report::agent_act(other)) {
                    (Some(key), _) => Act::Press(key.chars().next().and_then(Key::from_char).unwrap_or(Key::HUMAN)),
                    (None, Some(act)) => act,
                    (None, None) => return,
                },
            };
            world.journeys.act(now, call, act);
        }
    }
}

fn begins(world: &mut World, call: CallId, host: u16, call_id: &str, dialled: &str, held: bool, has_offer: bool) {
    world.books.call_begins(call);
    let number = world.phones.get(&host).map(|phone| phone.name.clone()).filter(|name| name.starts_with('+'));
    let line = world.stage.dialplan.line_for(dialled).map(|line| line.name.to_string()).unwrap_or_default();
    let sip_call_id = call_id.to_owned();
    let journey = Journey { sip_call_id, host, number, line, held, late_offer: !has_offer, ..Journey::default() };
    world.journeys.begins(world.now, call, journey);
}

fn joined(world: &mut World, call: CallId, queue: &str) {
    let Some(journey) = world.journeys.of.get(&call) else { return };
    let (caller, flagged, held) = (journey.number.clone(), journey.flagged, journey.held);
    world.facts.push(Fact::Joined { call, queue: QueueName::new(queue), caller, flagged, held });
}

/// What the message that went in has brought about, now that it is known how it was answered.
fn shown_by_message(world: &mut World, seen: Seen, answered: &Answered) {
    match seen {
        Seen::Invite { call_id, held, again: true, .. } if answered.accepted => {
            if let Some(call) = world.journeys.call_of(&call_id) {
                hold(world, call, held);
            }
        }
        Seen::Invite { host, number, again: false, .. } if answered.trying && !answered.refused => {
            if let Some(away) = ["*41", "*40"].iter().position(|code| *code == number) {
                let agent = world.phones.get(&host).map(|phone| AgentId::new(&phone.name));
                world.facts.extend(agent.map(|agent| Fact::Away(agent, away == 1)));
            }
        }
        Seen::Described { call_id, held } => {
            let Some(call) = world.journeys.call_of(&call_id) else { return };
            let late = world.journeys.of.get_mut(&call).is_some_and(|journey| std::mem::take(&mut journey.late_offer));
            if late {
                hold(world, call, held);
            }
        }
        Seen::Key { call_id, key } => {
            if let Some(call) = world.journeys.call_of(&call_id) {
                let asked = world.books.has_asked(call);
                world.journeys.pressed(world.now, call, key, asked);
            }
        }
        _ => {}
    }
}

fn hold(world: &mut World, call: CallId, held: bool) {
    if let Some(journey) = world.journeys.of.get_mut(&call) {
        journey.held = held;
    }
    world.facts.push(Fact::Held(call, held));
}

fn shown_by_sound(world: &mut World, before: &Before) {
    match *before {
        Before::FirstPacket(leg) => {
            let Some(dialog) = dialog_at(world, leg) else { return };
            let with_her = |(call, journey): (&CallId, &Journey)| {
                (journey.agent_dialog.as_deref() == Some(&*dialog)).then_some(*call)
            };
            if let Some(call) = world.journeys.of.iter().find_map(with_her) {
                world.journeys.agent_heard(call);
                world.facts.push(Fact::Speaking(call));
            }
        }
        Before::Key(leg, key) => {
            if let Some(call) = call_at(world, leg) {
                let asked = world.books.has_asked(call);
                world.journeys.pressed(world.now, call, key.as_char(), asked);
            }
        }
        Before::Other | Before::Time | Before::NoPort => {}
    }
}
