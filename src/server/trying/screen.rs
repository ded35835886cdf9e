//! The lines of `onekey try`, and on a terminal one more at the bottom that is written anew as the clock goes.

use std::cell::Cell;
use std::io::{IsTerminal, Write};

/// Columns of the bottom line; a longer one would break into two and could not be taken back.
const WIDTH: usize = 78;

pub struct Screen {
    is_terminal: bool,
    has_status: Cell<bool>,
}

impl Screen {
    /// For the standard output as it is.
    pub fn on_output() -> Screen {
        Screen { is_terminal: std::io::stdout().is_terminal(), has_status: Cell::new(false) }
    }

    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// One line, for good. Whoever reads the pipe may have gone: that is no error.
    pub fn say(&self, line: &str) {
        self.clear_status();
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", line.trim_end()).and_then(|()| out.flush());
    }

    pub fn status(&self, line: &str) {
        let short: String = line.chars().take(WIDTH).collect();
        self.put(&format!("\r\x1b[2K{short}"));
        self.has_status.set(true);
    }

    pub fn clear_status(&self) {
        if self.has_status.replace(false) {
            self.put("\r\x1b[2K");
        }
    }

    fn put(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
