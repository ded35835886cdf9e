//! What is typed: letter by letter from a terminal, line by line from a pipe.
//!
//! A terminal gives letters as they are pressed, without showing them, for as long as the [`Keyboard`] is there; then it is
//! as it was. Ctrl-C and Ctrl-D are the end of what is typed, so that the terminal is always put back.

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::io::{BufRead, IsTerminal, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
/// Longest line that is read from a pipe, in bytes.
const LINE_BYTES_MAX: u64 = 4096;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Typed {
    Letter(char),
    /// A whole line, without its end.
    Line(String),
    /// Nothing more will be typed.
    End,
}

pub struct Keyboard {
    typed: Receiver<Typed>,
    _raw: Option<Raw>,
}

impl Keyboard {
    /// Begins to read the standard input.
    ///
    /// # Errors
    /// The terminal does not let itself be set.
    pub fn open() -> std::io::Result<Keyboard> {
        let (sender, typed) = channel();
        let is_terminal = std::io::stdin().is_terminal();
        let raw = if is_terminal { Some(Raw::set()?) } else { None };
        // It ends with the program: a thread that waits for a key cannot be told to stop.
        std::thread::Builder::new()
            .name("keyboard".into())
            .spawn(move || if is_terminal { read_letters(&sender) } else { read_lines(&sender) })?;
        Ok(Keyboard { typed, _raw: raw })
    }

    /// The next that is typed; `None` when nothing is within this time. Without one it waits for ever.
    pub fn read(&self, within: Option<Duration>) -> Option<Typed> {
        match within {
            None => Some(self.typed.recv().unwrap_or(Typed::End)),
            Some(within) => match self.typed.recv_timeout(within) {
                Ok(typed) => Some(typed),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Typed::End),
            },
        }
    }

    /// A line that is typed letter by letter and shown meanwhile; `None` when it is given up.
    pub fn read_line(&self) -> Option<String> {
        let mut line = String::new();
        loop {
            let mut out = std::io::stdout().lock();
            let _ = write!(out, "\r\x1b[2K: {line}").and_then(|()| out.flush());
            drop(out);
            match self.typed.recv().unwrap_or(Typed::End) {
                Typed::Letter('\n' | '\r') => break,
                Typed::Letter('\x7f' | '\x08') => drop(line.pop()),
                Typed::Letter('\x1b') | Typed::End => return None,
                Typed::Letter(letter) => line.push(letter),
                Typed::Line(whole) => return Some(whole),
            }
        }
        print!("\r\x1b[2K");
        Some(line)
    }
}

/// A terminal that gives each letter at once and shows none; as it was when dropped.
struct Raw {
    before: Termios,
}

impl Raw {
    fn set() -> std::io::Result<Raw> {
        let before = tcgetattr(std::io::stdin())?;
        let mut raw = before.clone();
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(std::io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Raw { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

fn read_letters(sender: &Sender<Typed>) {
    for byte in std::io::stdin().lock().bytes() {
        let typed = match byte {
            Ok(CTRL_C | CTRL_D) | Err(_) => Typed::End,
            Ok(byte) => Typed::Letter(char::from(byte)),
        };
        let is_end = typed == Typed::End;
        if sender.send(typed).is_err() || is_end {
            return;
        }
    }
}

fn read_lines(sender: &Sender<Typed>) {
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = Vec::new();
        match input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if sender.send(Typed::Line(String::from_utf8_lossy(&line).into_owned())).is_err() {
            return;
        }
    }
}
