//! Agents' accounts and phones in the database. A password is never stored, only H(name:realm:password) (RFC 7616 §3.4.2).

use super::{Database, StoreError};
use crate::ids::AgentId;
use crate::sip::registrar::{AgentAccount, Binding, DigestChoice};
use crate::sip::{Flow, Transport};
use crate::time::Wall;
use md5::{Digest, Md5};
use rusqlite::{Connection, Row};
use sha2::Sha256;
use std::fmt::Write as _;

/// Both digest hashes of one password, hexadecimal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hashes {
    pub md5: String,
    pub sha256: String,
}

impl Hashes {
    pub fn of(agent: &AgentId, realm: &str, password: &str) -> Hashes {
        let text = format!("{agent}:{realm}:{password}");
        Hashes { md5: hexadecimal(&Md5::digest(&text)), sha256: hexadecimal(&Sha256::digest(&text)) }
    }
}

/// An account to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAgent {
    pub agent: AgentId,
    pub realm: String,
    pub hashes: Hashes,
    pub digest: DigestChoice,
}

/// An account as `agent list` shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentRow {
    pub agent: AgentId,
    /// The realm for which the hashes were made: under another one the phone cannot register.
    pub realm: String,
    pub digest: DigestChoice,
    pub bindings: Vec<Binding>,
}

/// The word for a choice, as the database and the command line write it.
pub fn digest_word(digest: DigestChoice) -> &'static str {
    match digest {
        DigestChoice::Md5 => "md5",
        DigestChoice::Sha256 => "sha256",
        DigestChoice::Both => "both",
    }
}

fn word_digest(word: &str) -> DigestChoice {
    match word {
        "sha256" => DigestChoice::Sha256,
        "both" => DigestChoice::Both,
        _ => DigestChoice::Md5,
    }
}

impl Database {
    /// Adds an account; `false` when there is one of that name already.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn add_agent(&self, new: &NewAgent) -> Result<bool, StoreError> {
        let sql = "INSERT INTO agents VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        Ok(self.connection.execute(sql, agent_values(new))? == 1)
    }

    /// Gives an account another password (or realm, or digest); `false` when there is none of that name.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn change_agent(&self, new: &NewAgent) -> Result<bool, StoreError> {
        let sql = "UPDATE agents SET realm = ?2, ha1_md5 = ?3, ha1_sha256 = ?4, digest = ?5 WHERE agent = ?1";
        Ok(self.connection.execute(sql, agent_values(new))? == 1)
    }

    /// Removes an account and its phones; `false` when there was none.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn remove_agent(&self, agent: &AgentId) -> Result<bool, StoreError> {
        Ok(self.connection.execute("DELETE FROM agents WHERE agent = ?1", [agent.as_str()])? == 1)
    }

    /// # Errors
    /// The database cannot be read.
    pub fn agent_rows(&self) -> Result<Vec<AgentRow>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT agent, realm, digest FROM agents ORDER BY agent")?;
        let rows = query.query_map([], |row| {
            let (agent, digest): (String, String) = (row.get(0)?, row.get(2)?);
            let bindings = Vec::new();
            Ok(AgentRow { agent: AgentId::new(agent), realm: row.get(1)?, digest: word_digest(&digest), bindings })
        })?;
        let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
        for row in &mut rows {
            row.bindings = self.bindings(&row.agent)?;
        }
        Ok(rows)
    }

    /// All accounts with their phones.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn agents(&self) -> Result<Vec<(AgentAccount, Vec<Binding>)>, StoreError> {
        let sql = "SELECT agent, ha1_md5, ha1_sha256, digest FROM agents ORDER BY agent";
        let mut query = self.connection.prepare_cached(sql)?;
        let accounts = query.query_map([], |row| {
            Ok(AgentAccount {
                agent: AgentId::new(row.get::<_, String>(0)?),
                ha1_md5: row.get(1)?,
                ha1_sha256: row.get(2)?,
                digest: word_digest(&row.get::<_, String>(3)?),
            })
        })?;
        let mut all = Vec::new();
        for account in accounts {
            let account = account?;
            let bindings = self.bindings(&account.agent)?;
            all.push((account, bindings));
        }
        Ok(all)
    }

    /// A number that rises with every change of an account.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn agents_version(&self) -> Result<i64, StoreError> {
        Ok(self.setting("agents_version")?.and_then(|value| value.parse().ok()).unwrap_or(0))
    }

    /// The accounts if they have changed since `version`, with their new version.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn agents_changed_since(&self, version: i64) -> Result<Option<(i64, Vec<AgentAccount>)>, StoreError> {
        let present = self.agents_version()?;
        if present == version {
            return Ok(None);
        }
        Ok(Some((present, self.agents()?.into_iter().map(|(account, _)| account).collect())))
    }

    fn bindings(&self, agent: &AgentId) -> Result<Vec<Binding>, StoreError> {
        let sql = "SELECT contact, transport, local, remote, expires_us, call_id, cseq FROM bindings \
                   WHERE agent = ?1 ORDER BY place";
        let mut query = self.connection.prepare_cached(sql)?;
        let bindings = query.query_map([agent.as_str()], read_binding)?.collect::<Result<Vec<_>, _>>()?;
        Ok(bindings.into_iter().flatten().collect())
    }
}

/// Replaces what is stored of this agent's phones; nothing is kept for an agent who has been removed.
pub(super) fn put_bindings(connection: &Connection, agent: &AgentId, bindings: &[Binding]) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM bindings WHERE agent = ?1")?.execute([agent.as_str()])?;
    let sql = "INSERT INTO bindings SELECT agent, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM agents WHERE agent = ?1";
    let mut insert = connection.prepare_cached(sql)?;
    for (place, binding) in bindings.iter().enumerate() {
        insert.execute((
            agent.as_str(),
            place as i64,
            &binding.contact,
            if binding.flow.transport == Transport::Udp { "udp" } else { "tcp" },
            binding.flow.local.to_string(),
            binding.flow.remote.to_string(),
            binding.expires.as_micros(),
            &binding.call_id,
            binding.cseq,
        ))?;
    }
    Ok(())
}

/// A TCP connection does not outlive the process: a new one is made to the same address.
fn read_binding(row: &Row<'_>) -> rusqlite::Result<Option<Binding>> {
    let transport = if row.get::<_, String>(1)? == "udp" { Transport::Udp } else { Transport::Tcp };
    let (local, remote): (String, String) = (row.get(2)?, row.get(3)?);
    let (Ok(local), Ok(remote)) = (local.parse(), remote.parse()) else { return Ok(None) };
    Ok(Some(Binding {
        contact: row.get(0)?,
        flow: Flow { transport, local, remote, connection: None },
        expires: Wall::from_micros(row.get(4)?),
        call_id: row.get(5)?,
        cseq: row.get(6)?,
    }))
}

fn agent_values(new: &NewAgent) -> [&str; 5] {
    [new.agent.as_str(), &new.realm, &new.hashes.md5, &new.hashes.sha256, digest_word(new.digest)]
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_rfcs() {
        // RFC 2617 §3.5: H(A1) of its example.
        let hashes = Hashes::of(&AgentId::new("Mufasa"), "testrealm@host.com", "Circle Of Life");
        assert_eq!(hashes.md5, "939e7578ed9e3c518a452acee763bce9");
        assert_eq!(hashes.sha256.len(), 64);
    }
}
