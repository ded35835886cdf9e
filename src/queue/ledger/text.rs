//! One entry of the promise ledger as one line of text, and back (format: see the module above).

use crate::ids::{CallId, LineName, PromiseId, QueueName};
use crate::promise::{AskedBy, Closing, Due, Entry, Opened, SealedNumber};
use crate::time::Wall;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const CHECK_DIGITS: usize = 16;

/// Why a line cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the line is cut off: the write never finished")]
    Torn,
    #[error("not text")]
    NotText,
    #[error("the check digits do not fit: the line is damaged")]
    Check,
    #[error("`{0}` is missing or cannot be read")]
    Field(&'static str),
    #[error("`{0}` is not a kind of entry that this version knows")]
    Kind(String),
}

/// The line, without its line end.
pub fn encode(entry: &Entry, sequence: u64) -> String {
    let mut line = format!("{sequence} ");
    let mut field = |name: &str, value: &str| {
        let _ = write!(line, " {name}={}", escape(value));
    };
    let what = match entry {
        Entry::Opened(opened) => {
            field("promise", &opened.promise.0.to_string());
            field("call", &opened.call.0.to_string());
            field("line", opened.line.as_str());
            field("queue", opened.queue.as_str());
            field("at", &opened.at.as_micros().to_string());
            field("asked_by", asked_by_word(opened.asked_by));
            field("flagged", if opened.flagged { "yes" } else { "no" });
            if let Some(number) = &opened.number {
                field("number", &BASE64.encode(&number.0));
            }
            "opened"
        }
        Entry::Due { promise, at, why } => {
            field("promise", &promise.0.to_string());
            field("at", &at.as_micros().to_string());
            match why {
                Due::CallBackPromised => field("why", "call_back_promised"),
                Due::Cut => field("why", "cut"),
                Due::Message(file) => {
                    field("why", "message");
                    field("file", file);
                }
            }
            "due"
        }
        Entry::Closed { promise, at, how } => {
            field("promise", &promise.0.to_string());
            field("at", &at.as_micros().to_string());
            field("how", closing_word(*how));
            "closed"
        }
        Entry::Taken { promise, at, by } => {
            field("promise", &promise.0.to_string());
            field("at", &at.as_micros().to_string());
            field("by", by);
            "taken"
        }
    };
    line.insert_str(line.find(' ').map_or(0, |at| at + 1), what);
    let check = check_of(&line);
    line.push(' ');
    line.push_str(&check);
    line
}

/// The same entry without the number to call back, as it is kept once closed.
pub fn without_number(entry: &Entry) -> Entry {
    match entry {
        Entry::Opened(opened) => Entry::Opened(Opened { number: None, ..opened.clone() }),
        other => other.clone(),
    }
}

/// Reads a line (without its line end) back.
pub fn decode(line: &str) -> Result<(u64, Entry), LedgerError> {
    let (text, check) = line.rsplit_once(' ').ok_or(LedgerError::Check)?;
    if check != check_of(text) {
        return Err(LedgerError::Check);
    }
    let mut words = text.split(' ');
    let sequence = words.next().and_then(|word| word.parse().ok()).ok_or(LedgerError::Field("sequence"))?;
    let what = words.next().unwrap_or_default();
    let fields = Fields(words.filter_map(|word| word.split_once('=')).collect());
    let promise = PromiseId(fields.number("promise")?);
    let at = Wall::from_micros(fields.number("at")?);
    let entry = match what {
        "opened" => Entry::Opened(fields.opened(promise, at)?),
        "due" => Entry::Due { promise, at, why: fields.why()? },
        "closed" => Entry::Closed { promise, at, how: word_closing(&fields.text("how")?)? },
        "taken" => Entry::Taken { promise, at, by: fields.text("by")? },
        other => return Err(LedgerError::Kind(other.to_owned())),
    };
    Ok((sequence, entry))
}

struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl Fields<'_> {
    fn text(&self, name: &'static str) -> Result<String, LedgerError> {
        self.0.get(name).and_then(|value| unescape(value)).ok_or(LedgerError::Field(name))
    }

    fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, LedgerError> {
        self.0.get(name).and_then(|value| value.parse().ok()).ok_or(LedgerError::Field(name))
    }

    fn opened(&self, promise: PromiseId, at: Wall) -> Result<Opened, LedgerError> {
        let number = match self.0.get("number") {
            Some(value) => Some(BASE64.decode(value).map_err(|_| LedgerError::Field("number"))?),
            None => None,
        };
        Ok(Opened {
            promise,
            call: CallId(self.number("call")?),
            line: LineName::new(self.text("line")?),
            queue: QueueName::new(self.text("queue")?),
            at,
            asked_by: word_asked_by(&self.text("asked_by")?)?,
            number: number.map(SealedNumber),
            flagged: self.text("flagged")? == "yes",
        })
    }

    fn why(&self) -> Result<Due, LedgerError> {
        match self.text("why")?.as_str() {
            "call_back_promised" => Ok(Due::CallBackPromised),
            "cut" => Ok(Due::Cut),
            "message" => Ok(Due::Message(self.text("file")?)),
            _ => Err(LedgerError::Field("why")),
        }
    }
}

fn check_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..CHECK_DIGITS].to_owned()
}

/// Percent-escapes what would end a value or the line; all else, other scripts too, stays readable.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_control() || matches!(letter, ' ' | '%' | '\u{85}' | '\u{2028}' | '\u{2029}') {
            for byte in letter.to_string().bytes() {
                let _ = write!(escaped, "%{byte:02X}");
            }
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

const ASKED_BY: [(AskedBy, &str); 8] = [
    (AskedBy::Key, "key"),
    (AskedBy::HeldZero, "held_zero"),
    (AskedBy::Silence, "silence"),
    (AskedBy::Errors, "errors"),
    (AskedBy::Registry, "registry"),
    (AskedBy::UnknownCaller, "unknown_caller"),
    (AskedBy::Dialplan, "dialplan"),
    (AskedBy::Failure, "failure"),
];

const CLOSING: [(Closing, &str); 5] = [
    (Closing::Conversation, "conversation"),
    (Closing::CallBackDone, "call_back_done"),
    (Closing::MessageTaken, "message_taken"),
    (Closing::CallerHungUp, "caller_hung_up"),
    (Closing::ByHand, "by_hand"),
];

/// The word for mark t4, as the ledger, the call records and reports write it.
pub fn asked_by_word(asked_by: AskedBy) -> &'static str {
    ASKED_BY.iter().find(|(each, _)| *each == asked_by).map_or("", |(_, word)| word)
}

/// The word for how a promise was kept.
pub fn closing_word(how: Closing) -> &'static str {
    CLOSING.iter().find(|(each, _)| *each == how).map_or("", |(_, word)| word)
}

fn word_asked_by(word: &str) -> Result<AskedBy, LedgerError> {
    ASKED_BY.iter().find(|(_, each)| *each == word).map(|(by, _)| *by).ok_or(LedgerError::Field("asked_by"))
}

fn word_closing(word: &str) -> Result<Closing, LedgerError> {
    CLOSING.iter().find(|(_, each)| *each == word).map(|(how, _)| *how).ok_or(LedgerError::Field("how"))
}
