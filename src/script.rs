//! The `.call` text (DESIGN §6): one call, as what people and the world do (`>`) and what the engine wishes (`<`).
//!
//! ```text
//! # A caller who presses a wrong key twice reaches a person, not a hang-up.
//! line     care
//! caller   +12025550123
//! registry age 70 flag assist
//! agents   1001
//! at       2026-11-23 10:00 Asia/Shanghai
//!
//!  0.0  > call
//!  0.0  < answer
//!  2.0  > press 7
//! ```
//! Read with every mistake told, written in one form. Who runs it is `rehearsal`.

use crate::ids::AgentId;
use crate::key::Key;
use crate::variable::LookupFailure;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

/// A caller who leaves a message speaks for so long, then is silent.
pub const MESSAGE_SPOKEN: Duration = Duration::from_secs(5);

/// A whole `.call` file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Script {
    /// The comment lines at the top, without `#`.
    pub remarks: Vec<String>,
    pub line: String,
    /// `None`: withheld.
    pub caller: Option<String>,
    pub registry: Registry,
    /// Agents whose phones are registered when the call begins.
    pub agents: Vec<AgentId>,
    /// Calendar time of the first line: `2026-11-23 10:00`, with an optional time zone (UTC without).
    pub at: Option<String>,
    /// What each look-up is answered, time after time, and from then on the last again; one that is not named here is not
    /// to be reached.
    pub lookups: BTreeMap<String, Vec<LookupSays>>,
    pub lines: Vec<Line>,
}

/// What the registry says of the caller.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Registry {
    /// Listed, with no age of any threshold and no flag.
    #[default]
    Ordinary,
    /// Looked up well, and not listed.
    Unlisted,
    /// Listed with this age, these flags, this language.
    Listed { age: Option<u8>, flags: BTreeSet<String>, language: Option<String> },
    /// The database is gone.
    Fails,
    /// No answer ever comes.
    Silent,
}

/// One timed line.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Since the first line's zero, in steps of 0.1 s as written.
    pub at: Duration,
    pub what: What,
    /// Line number in the file, from 1; 0 for lines that were not read from one.
    pub number: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub enum What {
    Does(Act),
    /// What the engine is expected to wish, word for word.
    Expects(String),
}

/// What comes of a look-up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LookupSays {
    /// These values, by name.
    Answers(BTreeMap<String, String>),
    Fails(LookupFailure),
}

/// What people and the world can do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    Call,
    Press(Key),
    /// A key held for so long.
    Hold(Key, Duration),
    /// Nothing: shows that time passes.
    Silence,
    HangUp,
    /// The caller's line breaks.
    Lost,
    Agent(AgentId, AgentAct),
    /// A look-up that has been asked gets its answer only now.
    Lookup(String, LookupSays),
    /// The party that is dialled.
    Party(AgentAct),
    /// From now on the ledger cannot write, or can again.
    LedgerFails,
    LedgerWorks,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AgentAct {
    Answers,
    /// Answers, and no sound comes.
    AnswersSilently,
    Rejects,
    DoesNotAnswer,
    HangsUp,
    IsLost,
    LogsIn,
    LogsOut,
}

const AGENT_ACTS: [(&str, AgentAct); 8] = [
    ("answers", AgentAct::Answers),
    ("answers silently", AgentAct::AnswersSilently),
    ("rejects", AgentAct::Rejects),
    ("does not answer", AgentAct::DoesNotAnswer),
    ("hangs up", AgentAct::HangsUp),
    ("is lost", AgentAct::IsLost),
    ("logs in", AgentAct::LogsIn),
    ("logs out", AgentAct::LogsOut),
];

/// A mistake in a `.call` file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    pub message: String,
}

/// Reads a whole file; every mistake is told, not only the first.
pub fn read(text: &str) -> Result<Script, Vec<Mistake>> {
    let mut script = Script::default();
    let mut mistakes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if let Err(message) = read_line(&mut script, line.trim(), number) {
            mistakes.push(Mistake { line: number, message });
        }
    }
    if script.line.is_empty() {
        mistakes.push(Mistake { line: 1, message: "which line is called? write `line NAME` at the top".into() });
    }
    if mistakes.is_empty() { Ok(script) } else { Err(mistakes) }
}

fn read_line(script: &mut Script, line: &str, number: usize) -> Result<(), String> {
    if let Some(remark) = line.strip_prefix('#') {
        if script.lines.is_empty() {
            script.remarks.push(remark.trim().to_owned());
        }
        return Ok(());
    }
    if line.is_empty() {
        return Ok(());
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match word {
        "line" => script.line = rest.to_owned(),
        "caller" => script.caller = (rest != "withheld").then(|| rest.to_owned()),
        "registry" => script.registry = read_registry(rest)?,
        "agents" => script.agents = rest.split_whitespace().map(AgentId::new).collect(),
        "at" => script.at = Some(rest.to_owned()),
        "lookup" => {
            let (name, says) = read_lookup(rest)?;
            script.lookups.entry(name).or_default().push(says);
        }
        seconds if seconds.starts_with(|c: char| c.is_ascii_digit()) => {
            script.lines.push(read_timed(seconds, rest, number)?);
        }
        other => {
            return Err(format!(
                "`{other}` is not known here: line, caller, registry, agents, at, or a time such as 2.0"
            ));
        }
    }
    Ok(())
}

fn read_registry(words: &str) -> Result<Registry, String> {
    match words {
        "ordinary" => return Ok(Registry::Ordinary),
        "unknown" | "unlisted" => return Ok(Registry::Unlisted),
        "fails" => return Ok(Registry::Fails),
        "silent" => return Ok(Registry::Silent),
        _ => {}
    }
    let (mut age, mut flags, mut language) = (None, BTreeSet::new(), None);
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value"))?;
        match word {
            "age" => age = Some(value.parse().map_err(|_| format!("`{value}` is not an age"))?),
            "flag" => {
                flags.insert(value.to_owned());
            }
            "language" => language = Some(value.to_owned()),
            _ => return Err(format!("`{word}`: write ordinary, unlisted, fails, silent, or age, flag, language")),
        }
    }
    Ok(Registry::Listed { age, flags, language })
}

fn read_timed(seconds: &str, rest: &str, number: usize) -> Result<Line, String> {
    let at = read_seconds(seconds)?;
    let what = match rest.split_at_checked(1) {
        Some((">", act)) => What::Does(read_act(act.trim())?),
        Some(("<", expected)) => What::Expects(expected.split_whitespace().collect::<Vec<_>>().join(" ")),
        _ => return Err("after the time write `>` for what people do or `<` for what the engine does".into()),
    };
    Ok(Line { at, what, number })
}

fn read_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is not a time in seconds"))?;
    if !(0.0..=1_000_000.0).contains(&seconds) {
        return Err(format!("`{text}` is not between 0 and 1000000 seconds"));
    }
    Ok(Duration::from_millis((seconds * 1000.0).round() as u64))
}

/// Reads one act as it stands after `>`: `press 2`, `agent 1001 answers`.
///
/// # Errors
/// It is none; the words list what there is.
pub fn read_act(text: &str) -> Result<Act, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["call"] => Ok(Act::Call),
        ["press", key] => Ok(Act::Press(read_key(key)?)),
        ["hold", key, seconds] => Ok(Act::Hold(read_key(key)?, read_seconds(seconds)?)),
        ["silence"] => Ok(Act::Silence),
        ["hang-up"] => Ok(Act::HangUp),
        ["lost"] => Ok(Act::Lost),
        ["lookup", ..] => read_lookup(text.trim_start_matches("lookup")).map(|(name, says)| Act::Lookup(name, says)),
        ["party", act @ ..] => Ok(Act::Party(read_agent_act("party", act)?)),
        ["ledger", "fails"] => Ok(Act::LedgerFails),
        ["ledger", "works"] => Ok(Act::LedgerWorks),
        ["agent", agent, act @ ..] => {
            Ok(Act::Agent(AgentId::new(agent), read_agent_act(&format!("agent {agent}"), act)?))
        }
        _ => Err(format!(
            "`{text}` is not known: call, press KEY, hold KEY SECONDS, silence, hang-up, lost, agent NAME ..., party ..., lookup NAME ..., ledger fails"
        )),
    }
}

fn read_agent_act(who: &str, words: &[&str]) -> Result<AgentAct, String> {
    let act = words.join(" ");
    let known = AGENT_ACTS.iter().find(|(words, _)| *words == act);
    known.map(|(_, act)| *act).ok_or_else(|| {
        let all: Vec<&str> = AGENT_ACTS.iter().map(|(words, _)| *words).collect();
        format!("`{who} {act}` is not known: {}", all.join(", "))
    })
}

/// What stands after `lookup`: `account answers balance=12.50 status=open`, or `account late`.
///
/// # Errors
/// It is not written so.
pub fn read_lookup(text: &str) -> Result<(String, LookupSays), String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [name, "answers", ref values @ ..] => {
            let mut answers = BTreeMap::new();
            for value in values {
                let (key, value) = value.split_once('=').ok_or_else(|| format!("`{value}`: write NAME=VALUE"))?;
                answers.insert(key.to_owned(), value.to_owned());
            }
            Ok((name.to_owned(), LookupSays::Answers(answers)))
        }
        [name, how] => match LookupFailure::from_word(how) {
            Some(how) => Ok((name.to_owned(), LookupSays::Fails(how))),
            None => {
                let all = LookupFailure::ALL.map(LookupFailure::as_str).join(", ");
                Err(format!("`lookup {name} {how}` is not known: answers NAME=VALUE ..., {all}"))
            }
        },
        _ => Err("write `lookup NAME answers NAME=VALUE ...`, or `lookup NAME late`".into()),
    }
}

/// `lookup`, its name and its answer.
pub fn lookup_words(name: &str, says: &LookupSays) -> String {
    match says {
        LookupSays::Fails(how) => format!("lookup {name} {}", how.as_str()),
        LookupSays::Answers(values) => {
            let values = values.iter().map(|(name, value)| format!(" {name}={value}"));
            values.fold(format!("lookup {name} answers"), |text, value| text + &value)
        }
    }
}

fn read_key(text: &str) -> Result<Key, String> {
    let mut letters = text.chars();
    let key = letters.next().and_then(Key::from_char).filter(|_| letters.next().is_none());
    key.ok_or_else(|| format!("`{text}` is not a key: 0 to 9, *, #"))
}

/// The text of a script, in the one form that `read` also takes.
pub fn write(script: &Script) -> String {
    let mut text = String::new();
    for remark in &script.remarks {
        let _ = writeln!(text, "{}", format!("# {remark}").trim_end());
    }
    let _ = writeln!(text, "line     {}", script.line);
    let _ = writeln!(text, "caller   {}", script.caller.as_deref().unwrap_or("withheld"));
    let _ = writeln!(text, "registry {}", registry_words(&script.registry));
    if !script.agents.is_empty() {
        let agents: Vec<&str> = script.agents.iter().map(AgentId::as_str).collect();
        let _ = writeln!(text, "agents   {}", agents.join(" "));
    }
    if let Some(at) = &script.at {
        let _ = writeln!(text, "at       {at}");
    }
    let lookups = script.lookups.iter().flat_map(|(name, all)| all.iter().map(move |says| (name, says)));
    for (name, says) in lookups {
        let words = lookup_words(name, says);
        let _ = writeln!(text, "lookup   {}", words.trim_start_matches("lookup "));
    }
    text.push('\n');
    for line in &script.lines {
        let _ = writeln!(text, "{}", line_text(line));
    }
    text
}

/// One timed line as it is written.
pub fn line_text(line: &Line) -> String {
    let (direction, words) = match &line.what {
        What::Does(act) => ('>', act_words(act)),
        What::Expects(words) => ('<', words.clone()),
    };
    format!("{:>4.1}  {direction} {words}", line.at.as_secs_f64())
}

/// What stands after `registry`.
pub fn registry_words(registry: &Registry) -> String {
    match registry {
        Registry::Ordinary => "ordinary".into(),
        Registry::Unlisted => "unlisted".into(),
        Registry::Fails => "fails".into(),
        Registry::Silent => "silent".into(),
        Registry::Listed { age, flags, language } => {
            let age = age.map(|age| format!("age {age}"));
            let flags = flags.iter().map(|flag| format!("flag {flag}"));
            let language = language.iter().map(|language| format!("language {language}"));
            age.into_iter().chain(flags).chain(language).collect::<Vec<_>>().join(" ")
        }
    }
}

fn agent_words(act: AgentAct) -> &'static str {
    AGENT_ACTS.iter().find(|(_, known)| *known == act).map_or("", |(words, _)| words)
}

/// One act as it is written after `>`.
pub fn act_words(act: &Act) -> String {
    match act {
        Act::Call => "call".into(),
        Act::Press(key) => format!("press {}", key.as_char()),
        Act::Hold(key, length) => format!("hold {} {:.1}", key.as_char(), length.as_secs_f64()),
        Act::Silence => "silence".into(),
        Act::HangUp => "hang-up".into(),
        Act::Lost => "lost".into(),
        Act::LedgerFails => "ledger fails".into(),
        Act::LedgerWorks => "ledger works".into(),
        Act::Lookup(name, says) => lookup_words(name, says),
        Act::Agent(agent, act) => format!("agent {agent} {}", agent_words(*act)),
        Act::Party(act) => format!("party {}", agent_words(*act)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
# A caller of 70 meets no menu.
line     care
caller   +12025550123
registry age 70 flag assist language zh
agents   1001 1002
at       2026-11-23 10:00 Asia/Shanghai
lookup   account answers balance=12.50 status=open
lookup   bills late

 0.0  > call
 0.0  < queue care
 1.5  > hold 0 3.0
 2.0  > lookup bills refused
 3.0  > party is lost
 9.0  > agent 1001 does not answer
";

    #[test]
    fn what_is_written_reads_back_the_same() {
        let script = read(SAMPLE).unwrap();
        assert_eq!(script.agents.len(), 2);
        assert_eq!(script.lines[2].what, What::Does(Act::Hold(Key::HUMAN, Duration::from_secs(3))));
        assert_eq!(write(&script), SAMPLE);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let told = read("lien care\n 0.0 > jump\n x\n 1.0 press 7\n2.0 > press 17\n").unwrap_err();
        let lines: Vec<usize> = told.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 1]);
        assert!(told[1].message.contains("hang-up"), "{}", told[1].message);
    }
}
