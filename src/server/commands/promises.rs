//! `onekey promises list|take|close`: requests for a person that nobody has kept yet.

use super::{CommandError, Done, PROBLEMS, expect_there, readable_time, wall_now};
use crate::ids::PromiseId;
use crate::promise::{Closing, Due, Entry};
use crate::queue::ledger::{Ledger, OpenPromise, Trouble, asked_by_word, open_number};
use crate::server::config::Config;
use crate::server::ledger_file::{Ordered, file_path, order, read};
use crate::server::secrets::Secrets;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How long a running server is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lists the open promises, those that are due first, the oldest first. Status 1 when the ledger has damaged lines.
///
/// # Errors
/// The ledger or its key cannot be read.
pub fn list(config: &Config, is_json: bool) -> Done {
    let (ledger, troubles, is_running) = read_existing(config)?;
    for trouble in &troubles {
        eprintln!("promises.ledger:{}: {}", trouble.line, trouble.error);
    }
    // The key is asked for only where there is something to read: a look must not make keys in a wrong directory.
    let key = if ledger.open().is_empty() { [0; 32] } else { Secrets::load(&config.data)?.ledger_key };
    let mut rows: Vec<Row> = ledger.open().values().map(|open| Row::of(open, &key, is_running)).collect();
    rows.sort_by_key(|row| (!row.is_due, row.opened_us));
    if is_json {
        println!("{}", serde_json::json!(rows));
    } else {
        let recordings = config.data.join("recordings");
        rows.iter().for_each(|row| row.print(&recordings));
        let due = rows.iter().filter(|row| row.is_due).count();
        println!("{} open, {due} of them due", rows.len());
    }
    // A cut last line is no damage: that entry was never said to be on disk.
    let is_damaged = troubles.iter().any(|trouble| !trouble.is_torn_end);
    Ok(if is_damaged { PROBLEMS } else { ExitCode::SUCCESS })
}

/// Says that a person works on it.
///
/// # Errors
/// There is no such open promise, or the ledger cannot be written.
pub fn take(config: &Config, promise: PromiseId, by: &str) -> Done {
    let entry = Entry::Taken { promise, at: wall_now(), by: by.to_owned() };
    give(config, &entry, promise, "taken up")
}

/// Says that it is kept. A message counts as taken, everything else as closed by hand.
///
/// # Errors
/// There is no such open promise, or the ledger cannot be written.
pub fn close(config: &Config, promise: PromiseId) -> Done {
    let (ledger, _, _) = read_existing(config)?;
    let is_message = |open: &OpenPromise| matches!(open.due, Some((_, Due::Message(_))));
    let how = if ledger.open().get(&promise).is_some_and(is_message) { Closing::MessageTaken } else { Closing::ByHand };
    give(config, &Entry::Closed { promise, at: wall_now(), how }, promise, "closed")
}

/// `promise-123` or `123`
///
/// # Errors
/// It is neither.
pub fn parse_promise(text: &str) -> Result<PromiseId, String> {
    let digits = text.strip_prefix("promise-").unwrap_or(text);
    digits
        .parse()
        .map(PromiseId)
        .map_err(|_| "a promise is written promise-123, as `promises list` shows it".to_owned())
}

/// "Nobody waits" must never be said because somebody looked in a wrong directory.
fn read_existing(config: &Config) -> Result<(Ledger, Vec<Trouble>, bool), CommandError> {
    expect_there(&file_path(&config.data), "ledger")?;
    Ok(read(&config.data)?)
}

fn give(config: &Config, entry: &Entry, promise: PromiseId, done: &str) -> Done {
    let (ledger, _, _) = read_existing(config)?;
    if !ledger.open().contains_key(&promise) {
        return Err(CommandError::Said(format!("{promise} is not open; `onekey promises list` shows those that are")));
    }
    match order(&config.data, entry, PATIENCE)? {
        Ordered::Written => println!("{promise} {done}"),
        Ordered::Waiting => println!(
            "{promise}: ordered; the server has not taken it up yet and will, at the latest when it starts again"
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// A promise as it is shown.
#[derive(serde::Serialize)]
struct Row {
    promise: u64,
    is_due: bool,
    /// `call_back_promised`, `cut`, `message`, or none while the call goes on.
    why: Option<&'static str>,
    message: Option<String>,
    /// E.164; none when withheld or not diallable.
    number: Option<String>,
    line: String,
    queue: String,
    asked_by: &'static str,
    flagged: bool,
    opened_us: i64,
    taken_by: Option<String>,
}

impl Row {
    fn of(open: &OpenPromise, key: &[u8; 32], is_running: bool) -> Row {
        let (why, message) = match &open.due {
            Some((_, Due::CallBackPromised)) => (Some("call_back_promised"), None),
            Some((_, Due::Message(file))) => (Some("message"), Some(file.clone())),
            Some((_, Due::Cut)) => (Some("cut"), None),
            // Without a server no call can be going on.
            None => (Some("cut").filter(|_| !is_running), None),
        };
        Row {
            promise: open.opened.promise.0,
            is_due: why.is_some(),
            why,
            message,
            number: open.opened.number.as_ref().and_then(|sealed| open_number(key, sealed)),
            line: open.opened.line.to_string(),
            queue: open.opened.queue.to_string(),
            asked_by: asked_by_word(open.opened.asked_by),
            flagged: open.opened.flagged,
            opened_us: open.opened.at.as_micros(),
            taken_by: open.taken_by.as_ref().map(|(by, _)| by.clone()),
        }
    }

    /// `recordings` is the folder of the messages.
    fn print(&self, recordings: &Path) {
        let state = match self.why {
            Some("message") => "due: message",
            Some("call_back_promised") => "due: call back",
            Some(_) => "due: line was cut",
            None => "waiting in a call",
        };
        println!(
            "promise-{}  {}  {:<18} {:<16} line {} queue {}{}{}{}",
            self.promise,
            readable_time(crate::time::Wall::from_micros(self.opened_us)),
            state,
            self.number.as_deref().unwrap_or("not reachable"),
            self.line,
            self.queue,
            if self.flagged { "  flagged" } else { "" },
            self.message
                .as_ref()
                .map_or(String::new(), |file| format!("  message {}", recordings.join(file).display())),
            self.taken_by.as_ref().map_or(String::new(), |by| format!("  taken by {by}")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_written_with_or_without_its_word() {
        assert_eq!(parse_promise("promise-17"), Ok(PromiseId(17)));
        assert_eq!(parse_promise("17"), Ok(PromiseId(17)));
        assert!(parse_promise("call-17").is_err());
    }
}
