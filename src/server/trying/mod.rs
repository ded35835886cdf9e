//! `onekey try`: somebody walks through the plan at a terminal, or line by line through a pipe.
//!
//! The call is a [`Live`] rehearsal, what is shown comes from [`Shown`]; here are only the clock, the keyboard
//! (`keyboard`), the lines on the terminal (`screen`) and the sound (`audio`). Time follows the wall clock; with `fast` it
//! stands still until it is asked to go on.

pub mod audio;
mod keyboard;
mod screen;

use crate::dialplan::Dialplan;
use crate::rehearsal::choices::{HELP, Meaning, is_letter, meaning};
use crate::rehearsal::live::Live;
use crate::rehearsal::seen::Seen;
use crate::rehearsal::shown::Shown;
use crate::script::{Act, LookupSays, Script, line_text, read_act};
use crate::variable::LookupFailure;
use audio::Audio;
use keyboard::{Keyboard, Typed};
use screen::Screen;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the clock on the terminal is written anew.
const REFRESH: Duration = Duration::from_millis(100);

/// A call that is being walked.
pub struct Walking {
    live: Live,
    plan: Arc<Dialplan>,
    shown: Shown,
    screen: Screen,
    audio: Option<Audio>,
    clock: Clock,
    place: String,
}

/// The call's clock: `None` where time stands still until it is asked to go on.
struct Clock(Option<Instant>);

impl Clock {
    fn reads(&self, ran: Duration) -> Duration {
        self.0.map_or(ran, |zero| zero.elapsed().max(ran))
    }

    /// It shows this from now on.
    fn set(&mut self, to: Duration) {
        if self.0.is_some() {
            let now = Instant::now();
            self.0 = Some(now.checked_sub(to).unwrap_or(now));
        }
    }
}

impl Walking {
    pub fn begin(live: Live, plan: Arc<Dialplan>, header: &Script, is_fast: bool, audio: Option<Audio>) -> Walking {
        let shown = Shown::new(Arc::clone(&plan));
        let screen = Screen::on_output();
        screen.say(&shown.opening(header));
        screen.say(if screen.is_terminal() { "? shows what the keys do" } else { "a line ? shows what can be typed" });
        let clock = Clock((!is_fast).then(Instant::now));
        Walking { live, plan, shown, screen, audio, clock, place: String::new() }
    }

    /// Walks until the call is over; gives it as a script.
    ///
    /// # Errors
    /// The keyboard cannot be read.
    pub fn walk(mut self) -> Result<Script, String> {
        let keyboard = Keyboard::open().map_err(|error| format!("the keyboard cannot be read: {error}"))?;
        self.tell();
        while !self.live.is_over() {
            self.pass();
            if self.live.is_over() {
                break;
            }
            if let Some(typed) = keyboard.read(self.patience()) {
                self.typed(typed, &keyboard);
            }
        }
        self.tell();
        self.screen.clear_status();
        drop(keyboard);
        let ended = self.live.now();
        let script = self.live.finish();
        for line in script.lines.iter().filter(|line| line.at > ended) {
            self.screen.say(&format!(" {}", line_text(line)));
        }
        self.screen.say("the call is over");
        Ok(script)
    }

    /// Lets the call come as far as the clock.
    fn pass(&mut self) {
        if self.live.waits_for_lookup().is_some() {
            return self.clock.set(self.live.now());
        }
        // Step by step, so that what is heard begins when it begins.
        let until = self.clock.reads(self.live.now());
        self.live.run(until);
        self.tell();
        if self.screen.is_terminal() {
            let now = self.live.now();
            self.screen.status(&self.shown.status(now, &self.place));
        }
    }

    /// How long the keyboard may be waited for; `None`: for ever.
    fn patience(&self) -> Option<Duration> {
        self.clock.0?;
        let now = self.live.now();
        let next = self.live.next_happening().map_or(REFRESH, |next| next.saturating_sub(now));
        Some(if self.screen.is_terminal() { next.min(REFRESH) } else { next }.max(Duration::from_millis(1)))
    }

    /// Shows what is new.
    fn tell(&mut self) {
        for (at, seen) in self.live.news() {
            self.shown.tell(at, &seen).iter().for_each(|line| self.screen.say(line));
            match (&mut self.audio, &seen) {
                (Some(audio), Seen::Played { prompts, .. }) => {
                    if let Err(trouble) = audio.play(prompts) {
                        self.screen.say(&format!("         no sound: {trouble}"));
                        self.audio = None;
                    }
                }
                (Some(audio), Seen::Stopped | Seen::Ended) => audio.stop(),
                _ => {}
            }
        }
        self.place = self.live.place();
        if let Some(hint) = self.shown.hint(&self.place) {
            self.screen.say(&hint);
        }
    }

    fn typed(&mut self, typed: Typed, keyboard: &Keyboard) {
        match typed {
            Typed::Letter(letter) => self.letter(letter, keyboard),
            Typed::Line(line) => self.line(line.trim(), keyboard),
            Typed::End => self.leave(),
        }
    }

    /// A line of a pipe: an act as in a `.call` file, `wait SECONDS`, or keys one after the other. An empty one is Enter.
    fn line(&mut self, line: &str, keyboard: &Keyboard) {
        let line = line.strip_prefix(':').unwrap_or(line);
        if line.is_empty() {
            return self.on();
        }
        if let Some(seconds) = line.strip_prefix("wait ") {
            return self.wait(seconds);
        }
        match read_act(line) {
            Ok(act) => self.act(act),
            Err(_) if line.chars().all(is_letter) => {
                line.chars().for_each(|letter| self.letter(letter, keyboard));
            }
            Err(why) => self.screen.say(&format!("         {why}")),
        }
    }

    fn letter(&mut self, letter: char, keyboard: &Keyboard) {
        if letter == 'q' {
            return self.leave();
        }
        match meaning(letter, &self.live, &self.plan) {
            Meaning::Do(act) => self.act(act),
            Meaning::On => self.on(),
            Meaning::Help => HELP.lines().for_each(|line| self.screen.say(line)),
            Meaning::Line => {
                self.screen.clear_status();
                if let Some(line) = keyboard.read_line() {
                    self.line(line.trim(), keyboard);
                }
            }
            Meaning::Nothing(why) => self.screen.say(&format!("         {why}")),
        }
    }

    /// On to the next thing that happens.
    fn on(&mut self) {
        self.live.run_on();
        self.clock.set(self.live.now());
        self.tell();
    }

    /// What is typed next is taken only then.
    fn wait(&mut self, seconds: &str) {
        let length = seconds.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let Some(length) = length.filter(|length| *length <= Duration::from_secs(86_400)) else {
            return self.screen.say(&format!("         `{seconds}` is not a number of seconds: write `wait 2.5`"));
        };
        let until = self.live.now() + length;
        if self.clock.0.is_none() {
            self.live.run(until);
            return self.tell();
        }
        while self.live.now() < until && !self.live.is_over() && self.live.waits_for_lookup().is_none() {
            std::thread::sleep(self.patience().unwrap_or(REFRESH).min(until - self.live.now()));
            self.pass();
        }
    }

    fn act(&mut self, act: Act) {
        let is_answer = matches!(act, Act::Lookup(..));
        let done = self.live.act(act);
        self.tell();
        match done {
            Ok(()) if is_answer => self.clock.set(self.live.now()),
            Ok(()) => {}
            Err(why) => self.screen.say(&format!("         {why}")),
        }
    }

    /// The caller hangs up, whatever waits.
    fn leave(&mut self) {
        while let Some(name) = self.live.waits_for_lookup().map(str::to_owned) {
            self.act(Act::Lookup(name, LookupSays::Fails(LookupFailure::Late)));
        }
        self.act(Act::HangUp);
    }
}
