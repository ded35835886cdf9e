//! One function for each bench: a server, a crowd, a time that is measured, the figures.

use super::BenchError;
use super::checking;
use super::cost::{Cost, wall};
use super::crowd::{Crowd, State};
use super::figures::Figures;
use super::limit::{self, Bare, Layout};
use super::people;
use super::spread::Spread;
use super::subject::{Running, Subject};
use crate::server::config::Config;
use std::time::{Duration, Instant};

/// Calls set up in each second before prompts and bridges are measured: far below what `setup` reaches.
const DIALLED_A_SECOND: u64 = 400;
/// For answers, agents and the like.
const PATIENCE: Duration = Duration::from_secs(20);
/// After the last call is up, before it is counted: streams settle, and each has shown how early it can be.
const SETTLE: Duration = Duration::from_secs(2);
/// For the bare loops beside a measurement.
const LIMIT_TIME: Duration = Duration::from_secs(3);
/// Of a processor: with more, the load generator is what is measured.
const EFFORT_MAX: f64 = 0.85;
/// The agent's INVITE is expected of so many keys.
const KEYS: usize = 200;

/// What is to be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Limit { calls: usize },
    Prompts { calls: usize, talking: bool },
    Bridges { calls: usize },
    Setup { rate: u64 },
    Keys { calls: usize },
    Registry { rows: u64 },
    Check { steps: usize },
}

impl What {
    /// So many parts of as many, at least one of whatever is counted.
    pub fn of_size(self, parts: u64, of: u64) -> What {
        let part = |whole: u64| (whole * parts / of).max(1);
        let calls_of = |calls: usize| part(calls as u64) as usize;
        match self {
            What::Limit { calls } => What::Limit { calls: calls_of(calls) },
            What::Prompts { calls, talking } => What::Prompts { calls: calls_of(calls), talking },
            What::Bridges { calls } => What::Bridges { calls: calls_of(calls) },
            What::Setup { rate } => What::Setup { rate: part(rate) },
            What::Keys { calls } => What::Keys { calls: calls_of(calls) },
            What::Registry { rows } => What::Registry { rows: part(rows) },
            What::Check { steps } => What::Check { steps: calls_of(steps).max(2) },
        }
    }
}

/// Measures for `time` (and somewhat longer for what comes before); `tell` hears what is going on.
///
/// # Errors
/// The server does not start, or calls are not answered.
pub fn measure(config: &Config, what: What, time: Duration, tell: &mut dyn FnMut(&str)) -> Result<Figures, BenchError> {
    match what {
        What::Limit { calls } => bare(calls, time, tell),
        What::Prompts { calls, talking } => prompts(config, calls, talking, time, tell),
        What::Bridges { calls } => bridges(config, calls, time, tell),
        What::Setup { rate } => setup(config, rate, time, tell),
        What::Keys { calls } => keys(config, calls, tell),
        What::Registry { rows } => people::registry(rows, time, tell),
        What::Check { steps } => checking::check(config, steps),
    }
}

fn bare(calls: usize, time: Duration, tell: &mut dyn FnMut(&str)) -> Result<Figures, BenchError> {
    let mut figures = Figures::new("limit", &[("calls", calls as u64)]);
    for (layout, [sending, lateness, forwarding]) in [
        (
            Layout::PortEach,
            [
                "sending, a port each: processor per call-second",
                "sending, a port each: p99 late",
                "forwarding, a port each: processor per bridged call-second",
            ],
        ),
        (
            Layout::Connected,
            [
                "sending, a connected port each: processor per call-second",
                "sending, a connected port each: p99 late",
                "forwarding, a connected port each: processor per bridged call-second",
            ],
        ),
        (
            Layout::OnePort,
            [
                "sending, one port: processor per call-second",
                "sending, one port: p99 late",
                "forwarding, one port: processor per bridged call-second",
            ],
        ),
    ] {
        tell("bare sending");
        let paced = limit::pace(layout, calls, time)?;
        figures.add(sending, paced.per_call_second(), "us");
        figures.add_time(lateness, paced.late.quantile(0.99));
        tell("bare forwarding");
        figures.add(forwarding, limit::forward(layout, calls, time)?.per_call_second() * 2.0, "us");
    }
    Ok(figures)
}

fn prompts(
    config: &Config,
    calls: usize,
    talking: bool,
    time: Duration,
    tell: &mut dyn FnMut(&str),
) -> Result<Figures, BenchError> {
    let mut limit = Limits::default();
    limit.take(|layout| limit::pace(layout, calls, LIMIT_TIME), tell)?;
    let mut crowd = Crowd::new()?;
    let server = start(config, &mut crowd, 0, calls)?;
    let empty = server.cost();
    tell("dialling");
    dial_all(&mut crowd, calls)?;
    if talking {
        (0..calls).for_each(|number| crowd.talk(number));
    }
    tell("listening");
    let mut figures =
        Figures::new(if talking { "prompts, callers talking" } else { "prompts" }, &[("calls", calls as u64)]);
    let spent = listen(&mut crowd, &server, &empty, calls, 1, time, &mut figures)?;
    drop((crowd, server));
    limit.take(|layout| limit::pace(layout, calls, LIMIT_TIME), tell)?;
    limit.add_ratios(&mut figures, spent, 1.0);
    if talking {
        figures.warnings.push("the limit only sends; what callers send comes on top".to_owned());
    }
    Ok(figures)
}

fn bridges(config: &Config, calls: usize, time: Duration, tell: &mut dyn FnMut(&str)) -> Result<Figures, BenchError> {
    let mut limit = Limits::default();
    limit.take(|layout| limit::forward(layout, calls * 2, LIMIT_TIME), tell)?;
    let mut crowd = Crowd::new()?;
    let server = start(config, &mut crowd, calls, calls)?;
    let empty = server.cost();
    tell("dialling");
    dial_all(&mut crowd, calls)?;
    tell("asking for agents");
    let mut heard = 0;
    for number in 0..calls {
        crowd.talk(number);
        crowd.press(number, 0);
        if number % 4 == 3 {
            crowd.live(Duration::from_millis(10), |_| false)?;
            talk_back(&mut crowd, &mut heard);
        }
    }
    let all_taken = crowd.live(PATIENCE, |crowd| {
        talk_back(crowd, &mut heard);
        heard >= calls
    })?;
    if !all_taken {
        return Err(failed(&format!("{heard} of {calls} callers reach an agent"), &server));
    }
    tell("listening");
    let mut figures = Figures::new("bridges", &[("calls", calls as u64)]);
    let spent = listen(&mut crowd, &server, &empty, calls, 2, time, &mut figures)?;
    drop((crowd, server));
    limit.take(|layout| limit::forward(layout, calls * 2, LIMIT_TIME), tell)?;
    limit.add_ratios(&mut figures, spent, 2.0);
    Ok(figures)
}

/// Agents speak as soon as they have taken a call: whoever is not heard for some seconds is let go, and the caller gets another.
fn talk_back(crowd: &mut Crowd, heard: &mut usize) {
    while let Some(taken) = crowd.taken_now.get(*heard).copied() {
        crowd.talk_back(&taken, *heard);
        *heard += 1;
    }
}

/// Counts for `time`, and returns the processor time per call-second in microseconds.
fn listen(
    crowd: &mut Crowd,
    server: &Running,
    empty: &Cost,
    calls: usize,
    streams_each: usize,
    time: Duration,
    figures: &mut Figures,
) -> Result<f64, BenchError> {
    crowd.live(SETTLE, |_| false)?;
    crowd.begin();
    let (before, began) = (server.cost(), Instant::now());
    crowd.live(time, |_| false)?;
    let (after, took) = (server.cost(), began.elapsed().as_secs_f64());
    let call_seconds = calls as f64 * took;
    let heard = &crowd.hearing.counts;
    let spent = (after.processor.saturating_sub(before.processor)).as_secs_f64() * 1e6 / call_seconds;
    let due = call_seconds * 50.0 * streams_each as f64;
    figures.add("processor per call-second", spent, "us");
    figures.add("processors in use", spent * call_seconds / took / 1e6, "");
    figures.add("packets heard of those due", heard.packets as f64 / due * 100.0, "%");
    figures.add("gaps over 40 ms", heard.gaps as f64, "");
    add_spread(figures, ["p50 late", "p99 late", "p99.9 late"], &heard.late);
    figures.add(
        "resident memory per call",
        after.resident_kib.saturating_sub(empty.resident_kib) as f64 / calls as f64,
        "KiB",
    );
    figures.add(
        "context switches per second",
        (after.switches - before.switches.min(after.switches)) as f64 / took,
        "",
    );
    add_effort(figures, crowd.effort());
    if crowd.talkers.late.quantile(0.99) > Duration::from_millis(5) {
        figures.warnings.push("callers sent late: the machine was too busy for them".to_owned());
    }
    let lost = crowd.count(State::Ended) + crowd.count(State::Refused);
    if lost > 0 {
        return Err(failed(&format!("{lost} calls were lost while they were measured"), server));
    }
    Ok(spent)
}

/// The bare loops in all layouts, run before the server and after it: a machine that is shared changes within a minute.
#[derive(Default)]
struct Limits {
    /// Of each [`Layout`], in the order of [`Layout::ALL`].
    bare: [Bare; 3],
}

impl Limits {
    fn take(
        &mut self,
        run: impl Fn(Layout) -> Result<Bare, BenchError>,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), BenchError> {
        tell("the limit");
        for (bare, layout) in self.bare.iter_mut().zip(Layout::ALL) {
            *bare = std::mem::take(bare).with(&run(layout)?);
        }
        Ok(())
    }

    /// `streams`: how many streams make one call.
    fn add_ratios(&self, figures: &mut Figures, spent: f64, streams: f64) {
        let limits = self.bare.each_ref().map(|bare| bare.per_call_second() * streams);
        for (name, limit) in
            ["limit, a port each", "limit, a connected port each", "limit, one port"].into_iter().zip(limits)
        {
            figures.add(name, limit, "us");
        }
        figures.add("ratio to a port each", spent / limits[0], "");
        figures.add("ratio to the best", spent / limits.into_iter().fold(f64::INFINITY, f64::min), "");
    }
}

/// Each call ends as soon as it is answered: what is measured is its beginning and its end.
fn setup(config: &Config, rate: u64, time: Duration, tell: &mut dyn FnMut(&str)) -> Result<Figures, BenchError> {
    let mut crowd = Crowd::new()?;
    let server = start(config, &mut crowd, 0, (rate as usize).max(1000))?;
    tell("dialling");
    crowd.begin();
    let (before, began) = (server.cost(), Instant::now());
    let (mut answered, mut first_open) = (Spread::default(), 0);
    crowd.live(time + PATIENCE, |crowd| {
        let due = (began.elapsed().min(time).as_secs_f64() * rate as f64) as usize;
        while crowd.callers.len() < due {
            crowd.dial();
        }
        for number in first_open..crowd.callers.len() {
            if crowd.callers[number].state == State::Up {
                answered.add(crowd.callers[number].answered_after);
                crowd.hang_up(number);
            }
        }
        let is_over = |state| matches!(state, State::Ended | State::Refused);
        while crowd.callers.get(first_open).is_some_and(|caller| is_over(caller.state)) {
            first_open += 1;
        }
        began.elapsed() >= time && first_open == crowd.callers.len()
    })?;
    let effort = crowd.effort();
    let (took, calls) = (began.elapsed().as_secs_f64(), crowd.callers.len());
    // Records and marks are written behind the calls.
    crowd.live(Duration::from_secs(2), |_| false)?;
    let after = server.cost();
    let ended = crowd.count(State::Ended);
    let mut figures = Figures::new("setup", &[("rate", rate)]);
    figures.add("calls", calls as f64, "");
    figures.add("calls per second", calls as f64 / took, "");
    figures.add("failed", (calls - ended) as f64 / calls.max(1) as f64 * 100.0, "%");
    figures.add("of them refused (503)", crowd.count(State::Refused) as f64 / calls.max(1) as f64 * 100.0, "%");
    figures.add("unanswered for 500 ms", crowd.unanswered() as f64, "");
    figures.add(
        "processor per call",
        (after.processor.saturating_sub(before.processor)).as_secs_f64() * 1e3 / calls.max(1) as f64,
        "ms",
    );
    add_spread(&mut figures, ["p50 to the answer", "p99 to the answer", "p99.9 to the answer"], &answered);
    figures.add(
        "resident memory, growth",
        after.resident_kib.saturating_sub(before.resident_kib) as f64 / 1024.0,
        "MiB",
    );
    add_effort(&mut figures, effort);
    Ok(figures)
}

/// From the first packet of a key to the agent's INVITE, both by the kernel's clock, while `calls` others listen.
fn keys(config: &Config, calls: usize, tell: &mut dyn FnMut(&str)) -> Result<Figures, BenchError> {
    let mut crowd = Crowd::new()?;
    let server = start(config, &mut crowd, 1, calls + KEYS)?;
    tell("dialling");
    dial_all(&mut crowd, calls)?;
    crowd.agents_answer = false;
    tell("pressing keys");
    let mut took = Spread::default();
    for _ in 0..KEYS {
        let number = crowd.dial();
        if !crowd.live(PATIENCE, |crowd| crowd.callers[number].state == State::Up)? {
            return Err(failed("a call is not answered", &server));
        }
        // Not always at the same place in the server's twentieth of a second.
        crowd.live(Duration::from_micros(40_000 + wall().subsec_nanos() as u64 % 20_000), |_| false)?;
        crowd.taken_now.clear();
        let pressed = crowd.press(number, 0);
        if !crowd.live(PATIENCE, |crowd| !crowd.taken_now.is_empty())? {
            return Err(failed("a key brings no agent", &server));
        }
        took.add(crowd.taken_now[0].invited.saturating_sub(pressed));
        crowd.hang_up(number);
        crowd.live(PATIENCE, |crowd| crowd.callers[number].state == State::Ended)?;
        crowd.live(Duration::from_millis(20), |_| false)?;
    }
    let mut figures = Figures::new("keys", &[("other calls", calls as u64)]);
    figures.add("keys", took.count() as f64, "");
    add_spread(
        &mut figures,
        ["p50 to the agent's INVITE", "p99 to the agent's INVITE", "p99.9 to the agent's INVITE"],
        &took,
    );
    Ok(figures)
}

fn start(config: &Config, crowd: &mut Crowd, agents: usize, calls: usize) -> Result<Running, BenchError> {
    let server = Subject { agents, phone: crowd.address(), calls }.start(config)?;
    crowd.call_at(server.sip);
    Ok(server)
}

fn dial_all(crowd: &mut Crowd, calls: usize) -> Result<(), BenchError> {
    let began = Instant::now();
    let limit = PATIENCE + Duration::from_millis(calls as u64 * 1000 / DIALLED_A_SECOND);
    let all_up = crowd.live(limit, |crowd| {
        let due = (began.elapsed().as_millis() as u64 * DIALLED_A_SECOND / 1000) as usize;
        while crowd.callers.len() < due.min(calls) {
            crowd.dial();
        }
        crowd.callers.len() == calls && !crowd.callers.iter().any(|caller| caller.state == State::Dialling)
    })?;
    let up = crowd.count(State::Up);
    if !all_up || up < calls {
        return Err(BenchError(format!(
            "{up} of {calls} calls are answered: too many for this machine or its limits (ulimit -n)"
        )));
    }
    Ok(())
}

fn add_effort(figures: &mut Figures, effort: f64) {
    figures.add("load generator: processors in use", effort, "");
    if effort > EFFORT_MAX {
        figures
            .warnings
            .push("the load generator was at its end: the server may be better than these figures".to_owned());
    }
}

fn add_spread(figures: &mut Figures, names: [&'static str; 3], spread: &Spread) {
    for (name, share) in names.into_iter().zip([0.5, 0.99, 0.999]) {
        figures.add_time(name, spread.quantile(share));
    }
}

fn failed(what: &str, server: &Running) -> BenchError {
    let said = server.said();
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    BenchError(format!("{what}; the server said last:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n")))
}
