//! `onekey demo`: a server, an agent and three callers in one terminal, all over real sockets on this machine; afterwards
//! the server goes on for whoever has a softphone. What takes part is `server::demo`'s; here is the order of play.

use super::serve::{load, prepare};
use super::{CommandError, Done, PROBLEMS};
use crate::engine::input::Command;
use crate::engine::output::CallLine;
use crate::ids::CallId;
use crate::server::config::Config;
use crate::server::demo::Happening;
use crate::server::demo::agent::{self, AgentSays, Order};
use crate::server::demo::caller::{self, Caller, Outcome};
use crate::server::demo::screen::{Row, Screen};
use crate::server::demo::stage::{AGENT, GUEST, Stage, TELEPHONES, from_elsewhere, here};
use crate::server::inbox::View;
use crate::server::pages::Pages;
use crate::server::shutdown::{self, Happening as Stopping};
use crate::server::{Running, start};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::RecvError;

/// The number of the sample dialplan; another dialplan's first number is called where there is none such.
const SAMPLE_NUMBER: &str = "5550100";
const NAMES: [&str; 3] = ["presses 0", "aged 70", "silent"];
const PRESSES_0: usize = 0;
const AGED: usize = 1;
const SILENT: usize = 2;
/// After the answer: in the middle of the menu's words.
const PRESSES_AFTER: Duration = Duration::from_secs(4);
const AGENT_REGISTERS_WITHIN: Duration = Duration::from_secs(10);
/// How often the agents' states are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// For BYEs, and for the agent's phone to log out.
const FAREWELL: Duration = Duration::from_millis(700);

/// Plays the three calls and then serves until a signal; with `is_once` it ends after the calls. Status 1 when any of the
/// three did not reach a person.
///
/// # Errors
/// The server or the phones cannot be started, or the server fails.
pub fn run(real: &Config, pages: Pages, is_once: bool) -> Done {
    let screen = Screen::on_output();
    let stage = Stage::set(real)?;
    let loaded = load(&stage.config, super::serve::known_agents(&stage.config)).map_err(CommandError::Said)?;
    let numbers = &loaded.dialplan.numbers;
    let number = numbers.get_key_value(SAMPLE_NUMBER).or_else(|| numbers.first_key_value());
    let (dialled, line) = number.map(|(number, line)| (number.clone(), line.clone())).ok_or_else(|| {
        CommandError::Said("the dialplan has no line with a number: there is nothing to call".to_owned())
    })?;
    screen.opening(&dialled, line.as_str());
    let (config, parts) = prepare(&stage.config, loaded, pages)?;
    let running = start(config, parts).map_err(|error| CommandError::Said(error.to_string()))?;
    let Some(&bound) = running.udp.first() else {
        return Err(CommandError::Said("the demo needs a UDP address: set sip.udp".to_owned()));
    };
    let server = here(bound);
    let (tell, happenings) = mpsc::channel();
    let signals = (running.runtime().handle(), running.tell.clone(), running.reloads.clone());
    shutdown::listen(signals.0, signals.1, signals.2).map_err(said)?;
    listen(&running, tell.clone())?;
    let orders = agent::start(stage.agent.clone(), server, tell.clone()).map_err(said)?;
    let mut play = Play {
        screen,
        running,
        server,
        dialled,
        tell,
        happenings,
        orders,
        rows: (0..NAMES.len()).map(|number| Row::new(number, NAMES[number])).collect(),
        is_agent_in: false,
        is_patience_told: false,
        calls: BTreeMap::new(),
        dialling: None,
        over: [false; NAMES.len()],
        started: [false; NAMES.len()],
        stage,
    };
    let status = play.all(is_once);
    play.end();
    status
}

struct Play {
    screen: Screen,
    running: Running,
    server: SocketAddr,
    dialled: String,
    tell: mpsc::Sender<Happening>,
    happenings: mpsc::Receiver<Happening>,
    orders: mpsc::Sender<Order>,
    rows: Vec<Row>,
    is_agent_in: bool,
    is_patience_told: bool,
    /// Whose call it is; a call that is not here is a guest's.
    calls: BTreeMap<CallId, usize>,
    /// The caller whose call has not shown in the trace yet.
    dialling: Option<usize>,
    started: [bool; NAMES.len()],
    over: [bool; NAMES.len()],
    /// Last, so that its folder goes when nothing uses it any more.
    stage: Stage,
}

impl Play {
    fn all(&mut self, is_once: bool) -> Done {
        if !self.log_in()? {
            return Ok(ExitCode::SUCCESS);
        }
        self.screen.served(self.server, self.stage.is_port_moved);
        if !self.calls()? {
            return Ok(PROBLEMS);
        }
        self.screen.table(&self.rows);
        let is_well = self.rows.iter().all(|row| row.person.is_some() && row.trouble.is_none());
        if !is_once {
            let elsewhere = from_elsewhere(self.running.udp[0], self.stage.config.sip.advertised);
            self.screen.invitation(self.server, elsewhere, &self.dialled, GUEST, &self.stage.guest_password);
            self.serve()?;
        }
        Ok(if is_well { ExitCode::SUCCESS } else { PROBLEMS })
    }

    /// False: a signal wished that the program end. So for the others below.
    fn log_in(&mut self) -> Result<bool, CommandError> {
        self.order(Order::LogIn);
        let until = Instant::now() + AGENT_REGISTERS_WITHIN;
        while Instant::now() < until {
            if !self.look()? {
                return Ok(false);
            }
            if self.is_agent_in {
                return Ok(true);
            }
        }
        Err(CommandError::Said(format!("the agent's phone could not register at {}", self.server)))
    }

    /// The silent caller begins, since that takes longest; the flagged one comes when the agent is free again.
    fn calls(&mut self) -> Result<bool, CommandError> {
        self.dial(SILENT)?;
        while self.over.contains(&false) {
            if !self.look()? {
                return Ok(false);
            }
            self.tell_waiting()?;
            if self.dialling.is_some() {
                continue;
            }
            if !self.started[PRESSES_0] {
                self.dial(PRESSES_0)?;
            } else if self.over[PRESSES_0] && !self.started[AGED] && self.agent_state(AGENT)? == "available" {
                self.dial(AGED)?;
            }
        }
        self.screen.waits_no_more();
        // The agent's phone closes its recording a moment after the caller.
        let until = Instant::now() + FAREWELL;
        while Instant::now() < until {
            if !self.look()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where callers and agent are, so that a quiet time is understood.
    fn tell_waiting(&mut self) -> Result<(), CommandError> {
        let places = self.view()?.snapshot.calls.into_iter().filter_map(|view| {
            let name = NAMES[*self.calls.get(&view.call)?];
            Some(format!("{name}: {}", view.place))
        });
        let mut places: Vec<String> = places.collect();
        places.push(format!("agent: {}", self.agent_state(AGENT)?.replace('_', " ")));
        self.screen.waits_for(places.join("   "));
        if self.over[PRESSES_0] && self.over[AGED] && !self.over[SILENT] && !self.is_patience_told {
            self.is_patience_told = true;
            self.screen.note("the silent caller still presses nothing; when the menu has asked again, a person comes");
        }
        Ok(())
    }

    /// While a guest's phone is registered the demo's own agent stays away.
    fn serve(&mut self) -> Result<(), CommandError> {
        let mut is_guest_here = false;
        while self.look()? {
            let is_registered = self.agent_state(GUEST)? != "offline";
            if is_registered != is_guest_here {
                is_guest_here = is_registered;
                self.order(if is_guest_here { Order::LogOut } else { Order::LogIn });
                let says = if is_guest_here { "is here: calls ring your phone" } else { "has gone" };
                self.screen.note(&format!("agent {GUEST} {says}"));
            }
        }
        Ok(())
    }

    /// Shows what happens in the next moment.
    fn look(&mut self) -> Result<bool, CommandError> {
        match self.running.happenings.try_recv() {
            Ok(Stopping::StopSignal | Stopping::Drained) => return Ok(false),
            Ok(Stopping::ThreadEnded { thread, .. }) => {
                return Err(CommandError::Said(format!("the server's thread `{thread}` has failed")));
            }
            Err(_) => {}
        }
        let mut next = self.happenings.recv_timeout(LOOK).ok();
        while let Some(happening) = next {
            self.show(happening);
            next = self.happenings.try_recv().ok();
        }
        Ok(true)
    }

    /// Polite to the phones: BYE to those in a call, and the agent logs out.
    fn end(mut self) {
        self.order(Order::End);
        self.running.order(Command::HangUpAll);
        let until = Instant::now() + FAREWELL;
        while self.is_agent_in && Instant::now() < until {
            if self.look().is_err() {
                break;
            }
        }
        self.running.stop();
    }

    fn dial(&mut self, number: usize) -> Result<(), CommandError> {
        self.started[number] = true;
        self.dialling = Some(number);
        let caller = Caller {
            number,
            name: NAMES[number],
            telephone: TELEPHONES[number],
            dialled: self.dialled.clone(),
            presses_after: (number == PRESSES_0).then_some(PRESSES_AFTER),
            recording: self.recording(number),
        };
        caller::call(caller, self.server, self.tell.clone()).map_err(said)
    }

    fn show(&mut self, happening: Happening) {
        match happening {
            Happening::Line(line) => self.show_line(&line),
            Happening::CallOver(number, outcome) => self.show_end(number, outcome),
            Happening::Agent(AgentSays::Heard { file, is_audible }) => self.screen.agent_heard(&file, is_audible),
            Happening::Agent(AgentSays::Trouble(words)) => self.screen.note(&words),
            Happening::Agent(AgentSays::Refused(status)) => {
                self.screen.note(&format!("the agent's phone was refused with {status}"));
            }
            Happening::Agent(AgentSays::LoggedIn) => self.is_agent_in = true,
            Happening::Agent(AgentSays::LoggedOut) => self.is_agent_in = false,
        }
    }

    fn show_line(&mut self, line: &CallLine) {
        if !self.calls.contains_key(&line.call)
            && let Some(number) = self.dialling.take()
        {
            self.calls.insert(line.call, number);
        }
        match self.calls.get(&line.call) {
            Some(&number) => {
                self.rows[number].note(line);
                self.screen.line(number, NAMES[number], line);
            }
            None => self.screen.line(NAMES.len(), "your call", line),
        }
    }

    fn show_end(&mut self, number: usize, outcome: Outcome) {
        if self.dialling == Some(number) {
            self.dialling = None;
        }
        self.over[number] = true;
        self.rows[number].finish(outcome);
        self.screen.over(&self.rows[number], &self.recording(number));
    }

    fn recording(&self, number: usize) -> std::path::PathBuf {
        self.stage.recordings.join(format!("{}-heard.wav", NAMES[number].replace(' ', "-")))
    }

    fn agent_state(&self, agent: &str) -> Result<&'static str, CommandError> {
        Ok(self.view()?.snapshot.agents.get(agent).map_or("offline", |agent| agent.state))
    }

    fn view(&self) -> Result<View, CommandError> {
        self.running.view().ok_or_else(|| CommandError::Said("the server has failed".to_owned()))
    }

    fn order(&self, order: Order) {
        // Its thread is gone only when the demo ends.
        let _ = self.orders.send(order);
    }
}

/// Trace lines become happenings, by a thread that ends with the server.
fn listen(running: &Running, tell: mpsc::Sender<Happening>) -> Result<(), CommandError> {
    let mut lines = running.lines();
    let pass_on = move || {
        loop {
            let told = match lines.blocking_recv() {
                Ok(line) => tell.send(Happening::Line(line)),
                Err(RecvError::Lagged(_)) => Ok(()),
                Err(RecvError::Closed) => return,
            };
            if told.is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("demo-lines".into()).spawn(pass_on).map_err(said)?;
    Ok(())
}

fn said(error: std::io::Error) -> CommandError {
    CommandError::Said(format!("the demo's phones: {error}"))
}
