//! `onekey agent add|list|remove|passwd`: the accounts under which agents' phones register.
//!
//! A running server takes changes up within a second (`Store::watch_agents`).

use super::{CommandError, Done, PROBLEMS, open_database, wall_now};
use crate::ids::AgentId;
use crate::server::config::Config;
use crate::server::secrets::readable_password;
use crate::server::store::{Database, Hashes, NewAgent, digest_word};
use crate::sip::registrar::DigestChoice;
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

/// Longest password, in bytes.
const PASSWORD_BYTES_MAX: usize = 256;

/// Where a password comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Password {
    /// Made by us and printed once.
    Generated,
    /// The first line of the standard input.
    FromInput,
}

/// # Errors
/// The name cannot be one, or is taken; the password cannot be used; the database cannot be written.
pub fn add(config: &Config, agent: &str, digest: DigestChoice, password: Password) -> Done {
    let agent = agent_id(agent)?;
    let (password, is_shown) = obtain(password)?;
    if !open_database(config)?.add_agent(&new_agent(config, &agent, digest, &password))? {
        return Err(CommandError::Said(format!(
            "there is an agent {agent} already; `onekey agent passwd {agent}` changes the password"
        )));
    }
    println!("agent {agent} added (realm {})", config.sip.realm);
    show(&password, is_shown);
    Ok(ExitCode::SUCCESS)
}

/// Gives a new password, and the present realm; the digest stays unless another is named.
///
/// # Errors
/// There is no such agent; the password cannot be used; the database cannot be written.
pub fn passwd(config: &Config, agent: &str, digest: Option<DigestChoice>, password: Password) -> Done {
    let agent = agent_id(agent)?;
    let database = open_database(config)?;
    let rows = database.agent_rows()?;
    let row = rows.iter().find(|row| row.agent == agent).ok_or_else(|| unknown(&agent))?;
    let (password, is_shown) = obtain(password)?;
    if !database.change_agent(&new_agent(config, &agent, digest.unwrap_or(row.digest), &password))? {
        return Err(unknown(&agent));
    }
    println!("agent {agent} has a new password (realm {})", config.sip.realm);
    show(&password, is_shown);
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// There is no such agent, or the database cannot be written.
pub fn remove(config: &Config, agent: &str) -> Done {
    let agent = agent_id(agent)?;
    if !open_database(config)?.remove_agent(&agent)? {
        return Err(unknown(&agent));
    }
    println!("agent {agent} removed");
    Ok(ExitCode::SUCCESS)
}

/// Status 1 when an agent cannot register because the realm has changed.
///
/// # Errors
/// The database cannot be read.
pub fn list(config: &Config, is_json: bool) -> Done {
    let (rows, now) = (open_database(config)?.agent_rows()?, wall_now());
    let mut status = ExitCode::SUCCESS;
    let mut values = Vec::new();
    for row in &rows {
        let has_realm = row.realm == config.sip.realm;
        if !has_realm {
            status = PROBLEMS;
        }
        let phones: Vec<&str> = row.bindings.iter().filter(|b| b.expires > now).map(|b| b.contact.as_str()).collect();
        if is_json {
            values.push(serde_json::json!({
                "agent": row.agent.as_str(), "realm": row.realm, "digest": digest_word(row.digest), "phones": phones,
                "can_register": has_realm,
            }));
            continue;
        }
        let phones = if phones.is_empty() { "not registered".to_owned() } else { phones.join(" ") };
        println!("{:<12} {:<7} {phones}", row.agent.to_string(), digest_word(row.digest));
        if !has_realm {
            println!("{:12} cannot register: the password is for realm `{}`; use `onekey agent passwd`", "", row.realm);
        }
    }
    if is_json {
        println!("{}", serde_json::Value::from(values));
    } else if rows.is_empty() {
        println!("no agents; `onekey agent add 1001` makes one");
    }
    Ok(status)
}

/// At the very first start: makes an agent `1001`, and returns its password to be printed. `None` when there are or
/// ever were agents.
///
/// # Errors
/// The database cannot be written, or the random source not read.
pub fn make_sample(config: &Config, database: &Database) -> Result<Option<(AgentId, String)>, CommandError> {
    if database.agents_version()? != 0 {
        return Ok(None);
    }
    let (agent, password) = (AgentId::new("1001"), readable_password()?);
    let is_added = database.add_agent(&new_agent(config, &agent, DigestChoice::default(), &password))?;
    Ok(is_added.then_some((agent, password)))
}

fn new_agent(config: &Config, agent: &AgentId, digest: DigestChoice, password: &str) -> NewAgent {
    let realm = config.sip.realm.clone();
    NewAgent { agent: agent.clone(), hashes: Hashes::of(agent, &realm, password), realm, digest }
}

/// A name that can stand in a SIP URI without escapes, and in a digest without ambiguity.
fn agent_id(name: &str) -> Result<AgentId, CommandError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=32).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(AgentId::new(name));
    }
    Err(CommandError::Said("an agent's name is 1 to 32 letters, digits, dots, - or _, such as 1001".to_owned()))
}

fn obtain(from: Password) -> Result<(String, bool), CommandError> {
    if from == Password::Generated {
        return Ok((readable_password()?, true));
    }
    if std::io::stdin().is_terminal() {
        eprint!("password (it is shown as you type): ");
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| CommandError::Said(format!("the password cannot be read: {error}")))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.len() < 8 || password.len() > PASSWORD_BYTES_MAX || password.chars().any(char::is_control) {
        return Err(CommandError::Said("a password has at least 8 characters".to_owned()));
    }
    Ok((password.to_owned(), false))
}

fn show(password: &str, is_shown: bool) {
    if is_shown {
        println!("password: {password}   (shown this once)");
    }
}

fn unknown(agent: &AgentId) -> CommandError {
    CommandError::Said(format!("there is no agent {agent}; `onekey agent list` shows them"))
}
