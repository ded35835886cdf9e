//! What a demo prints: who takes part, each call's trace as it happens, seconds to a person, and what to type into a softphone.
//!
//! Plain text in columns. Only a terminal gets colours, one for each caller, and a last line that says what is waited for.

use super::caller::Outcome;
use crate::call::event::LineDirection;
use crate::engine::output::CallLine;
use indicatif::ProgressBar;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Width of the callers' names.
const NAME: usize = 14;
/// Cyan, magenta, green, and yellow for everybody else.
const COLOURS: [u8; 4] = [36, 35, 32, 33];

#[derive(Debug)]
pub struct Screen {
    has_colours: bool,
    /// On a terminal: what is waited for.
    waiting: Option<ProgressBar>,
}

/// One row of the table at the end.
#[derive(Debug)]
pub struct Row {
    pub number: usize,
    pub name: &'static str,
    /// From the call's first trace line: joined the queue, the agent's phone rang.
    pub asked: Option<Duration>,
    pub rang: Option<Duration>,
    /// By the caller's own ear.
    pub person: Option<Duration>,
    pub trouble: Option<String>,
}

impl Row {
    pub fn new(number: usize, name: &'static str) -> Row {
        Row { number, name, asked: None, rang: None, person: None, trouble: None }
    }

    /// Takes what a line of the trace tells.
    pub fn note(&mut self, line: &CallLine) {
        let is_wish = line.direction == LineDirection::Engine;
        if is_wish && line.text.starts_with("queue ") {
            self.asked.get_or_insert(line.since_start);
        } else if is_wish && line.text.starts_with("ring ") {
            self.rang.get_or_insert(line.since_start);
        }
    }

    pub fn finish(&mut self, outcome: Outcome) {
        self.person = outcome.person_after;
        self.trouble = outcome.trouble;
    }
}

impl Screen {
    /// For the standard output as it is.
    pub fn on_output() -> Screen {
        let has_colours = std::io::stdout().is_terminal();
        Screen { has_colours, waiting: has_colours.then(ProgressBar::new_spinner) }
    }

    pub fn opening(&self, dialled: &str, line: &str) {
        let title = "Onekey demo: a server, an agent and three callers in this terminal (about 50 seconds)";
        self.say(&self.bold(title));
        self.say("");
        self.say(&format!("  presses 0     dials {dialled} (line {line}), hears the menu and presses 0"));
        self.say("  aged 70       the registry says 70 years: hears no menu at all");
        self.say("  silent        presses nothing, and reaches a person all the same");
        self.say("  agent         a phone that picks up after a second and speaks; the caller hangs up after 3 s");
        self.say("");
    }

    pub fn served(&self, address: SocketAddr, is_port_moved: bool) {
        let moved = if is_port_moved { " (the configured port is taken, so this demo uses another)" } else { "" };
        self.say(&format!("The server answers at {address}{moved}; the agent's phone has registered."));
        self.say("Seconds since each call began; > what people do, < what the server does:");
        self.say("");
    }

    /// `number` is the caller's; beyond the demo's own it is a guest's.
    pub fn line(&self, number: usize, name: &str, line: &CallLine) {
        let direction = match line.direction {
            LineDirection::World => '>',
            LineDirection::Engine => '<',
        };
        let name = self.coloured(number, &format!("{name:<NAME$}"));
        self.say(&format!("  {name}{:>5.1}  {direction} {}", line.since_start.as_secs_f64(), line.text));
    }

    pub fn over(&self, row: &Row, recording: &Path) {
        let name = self.coloured(row.number, &format!("{:<NAME$}", row.name));
        let said = match (&row.trouble, row.person) {
            (Some(trouble), _) => trouble.clone(),
            (None, Some(person)) => format!("talked to a person after {}", seconds(Some(person))),
            (None, None) => "never heard a person".to_owned(),
        };
        self.say(&format!("  {name}       = {}", self.bold(&said)));
        self.say(&format!("  {:NAME$}         heard: {}", "", recording.display()));
    }

    pub fn agent_heard(&self, file: &Path, is_audible: bool) {
        let silence = if is_audible { "" } else { " (silence)" };
        self.say(&format!("  {:<NAME$}         heard: {}{silence}", "agent", file.display()));
    }

    pub fn note(&self, text: &str) {
        self.say(&format!("  {text}"));
    }

    pub fn table(&self, rows: &[Row]) {
        self.say("");
        self.say(&format!(
            "  {}",
            self.bold(&format!("{:<NAME$}{:>14}{:>16}{:>16}", "caller", "in the queue", "phone rings", "a person"))
        ));
        for row in rows {
            let name = self.coloured(row.number, &format!("{:<NAME$}", row.name));
            let (asked, rang, person) = (seconds(row.asked), seconds(row.rang), seconds(row.person));
            self.say(&format!("  {name}{asked:>14}{rang:>16}{person:>16}"));
        }
        self.say("");
        let reached = rows.iter().filter(|row| row.person.is_some()).count();
        self.say(&format!("  {reached} of {} callers reached a person.", rows.len()));
    }

    pub fn invitation(&self, here: SocketAddr, elsewhere: SocketAddr, dialled: &str, guest: &str, password: &str) {
        self.say("");
        self.say(&self.bold("The server goes on. Try it with a softphone:"));
        let (mut address, mut host) = (format!("sip:{dialled}@{here}"), here.to_string());
        if elsewhere != here {
            address.push_str(&format!("   (from another machine: sip:{dialled}@{elsewhere})"));
            host.push_str(&format!(" (or {elsewhere})"));
        }
        self.say(&format!("  call       {address}"));
        self.say("             no account is needed; press 0 whenever you like, and the demo's agent answers");
        self.say("  be the agent yourself with a second softphone (or the same one):");
        self.say(&format!("             user {guest}, password {password}, server or domain {host}, over UDP"));
        self.say("             while it is registered the demo's agent steps aside and calls ring your phone");
        self.say("Ctrl-C ends the demo; nothing of it stays but the recordings.");
    }

    /// What is waited for at present; nothing where there is no terminal.
    pub fn waits_for(&self, text: String) {
        if let Some(bar) = &self.waiting {
            bar.set_message(text);
            bar.tick();
        }
    }

    pub fn waits_no_more(&self) {
        if let Some(bar) = &self.waiting {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        match &self.waiting {
            Some(bar) => bar.suspend(|| println!("{text}")),
            None => println!("{text}"),
        }
    }

    fn bold(&self, text: &str) -> String {
        if self.has_colours { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn coloured(&self, number: usize, text: &str) -> String {
        let colour = COLOURS[number.min(COLOURS.len() - 1)];
        if self.has_colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn seconds(length: Option<Duration>) -> String {
    length.map_or("never".to_owned(), |length| format!("{:.1} s", length.as_secs_f64()))
}
