//! A server's settings for a demo: its own folder for database, ledger and keys, ports that are free, accounts and people
//! made up for it. Nothing of the real installation is written; dialplan and prompts are the real ones.

use super::agent::Account;
use crate::callers::{CallerRegistry, earliest_date};
use crate::ids::AgentId;
use crate::server::commands::CommandError;
use crate::server::config::Config;
use crate::server::local_address::LocalAddresses;
use crate::server::registry_import::Import;
use crate::server::secrets::{Secrets, random_bytes, readable_password};
use crate::server::store::{Database, Hashes, NewAgent};
use crate::sip::registrar::DigestChoice;
use crate::time::Wall;
use std::io::Cursor;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The demo's own agent, and the account for a softphone.
pub const AGENT: &str = "1001";
pub const GUEST: &str = "1002";
/// Who calls: one who presses 0, one whom the registry says to be 70, one who does nothing. Example numbers.
pub const TELEPHONES: [&str; 3] = ["+12025550101", "+12025550170", "+12025550102"];
const AGES: [i16; 3] = [40, 70, 40];

/// The folder is removed with the value.
#[derive(Debug)]
pub struct Stage {
    pub config: Config,
    pub agent: Account,
    pub guest_password: String,
    /// Where recordings stay.
    pub recordings: PathBuf,
    /// SIP's usual port was taken, so another one is.
    pub is_port_moved: bool,
    folder: PathBuf,
}

impl Stage {
    /// # Errors
    /// The folder, the database or the random source cannot be used, or no port is free.
    pub fn set(real: &Config) -> Result<Stage, CommandError> {
        let folder = make_folder()?;
        let mut config = real.clone();
        config.data = folder.clone();
        config.database.path = folder.join("onekey.sqlite");
        let is_port_moved = take_free_ports(&mut config)?;
        let recordings = real.data.join("demo");
        let (password, guest_password) = (readable_password()?, readable_password()?);
        let agent = Account { name: AGENT.to_owned(), password, folder: recordings.clone() };
        let stage = Stage { config, agent, guest_password, recordings, is_port_moved, folder };
        stage.fill_database()?;
        Ok(stage)
    }

    fn fill_database(&self) -> Result<(), CommandError> {
        let mut database = Database::open(&self.config.database.path, Duration::from_secs(10))?;
        for (name, password) in [(AGENT, &self.agent.password), (GUEST, &self.guest_password)] {
            let (agent, realm) = (AgentId::new(name), self.config.sip.realm.clone());
            let hashes = Hashes::of(&agent, &realm, password);
            database.add_agent(&NewAgent { agent, realm, hashes, digest: DigestChoice::default() })?;
        }
        let key = Secrets::load(&self.config.data)?.registry_key;
        let registry = CallerRegistry::new(key, &self.config.registry.default_country);
        let today = earliest_date(Wall::from_seconds(jiff::Timestamp::now().as_second()));
        let import = Import { registry: &registry, thresholds: &self.config.registry.thresholds, today };
        let mut people = "number,birth_date\n".to_owned();
        for (number, age) in TELEPHONES.iter().zip(AGES) {
            people.push_str(&format!("{number},{:04}-01-01\n", today.year() - age));
        }
        import.run(Cursor::new(people), &mut database, &mut |_| {}, &mut |_| {})?;
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Where this machine's own phones reach a server that listens on `bound`.
pub fn here(bound: SocketAddr) -> SocketAddr {
    LocalAddresses::default().facing(bound, SocketAddr::from((Ipv4Addr::LOCALHOST, bound.port())))
}

/// Where other machines reach it, as far as routes tell; the advertised address goes before.
pub fn from_elsewhere(bound: SocketAddr, advertised: Option<IpAddr>) -> SocketAddr {
    // An address of documentation (RFC 5737) lies behind the way to everywhere else; nothing is sent to it.
    let facing = LocalAddresses::default().facing(bound, SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 9)));
    advertised.map_or(facing, |ip| SocketAddr::new(ip, bound.port()))
}

fn make_folder() -> Result<PathBuf, CommandError> {
    let mark = u64::from_le_bytes(random_bytes()?);
    let folder = std::env::temp_dir().join(format!("onekey-demo-{mark:016x}"));
    let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
    made.map_err(|error| CommandError::Said(format!("{}: {error}", Path::new(&folder).display())))?;
    Ok(folder)
}

/// Keeps the configured ports that are free. True where SIP had to move.
fn take_free_ports(config: &mut Config) -> Result<bool, CommandError> {
    if config.sip.udp.is_empty() {
        config.sip.udp = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 5060))]; // the demo's phones speak UDP
    }
    if config.http.listen.is_some_and(|address| TcpListener::bind(address).is_err()) {
        config.http.listen = None;
    }
    let is_free = config.sip.udp.iter().all(|address| UdpSocket::bind(address).is_ok())
        && config.sip.tcp.iter().all(|address| TcpListener::bind(address).is_ok());
    if is_free {
        return Ok(false);
    }
    let first = config.sip.udp[0];
    let port = free_port(first.ip())
        .ok_or_else(|| CommandError::Said(format!("no UDP port of {} is free for the demo", first.ip())))?;
    config.sip.udp = vec![SocketAddr::new(first.ip(), port)];
    config.sip.tcp = config.sip.udp.clone();
    Ok(true)
}

/// Free for UDP and TCP alike.
fn free_port(host: IpAddr) -> Option<u16> {
    (0..100).find_map(|_| {
        let udp = UdpSocket::bind((host, 0)).ok()?;
        let port = udp.local_addr().ok()?.port();
        TcpListener::bind((host, port)).ok().map(|_| port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_left_to_its_owner() {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let taken = UdpSocket::bind((host, 0)).unwrap();
        let mut config = Config::default();
        config.sip.udp = vec![taken.local_addr().unwrap()];
        config.sip.tcp = Vec::new();
        assert!(take_free_ports(&mut config).unwrap());
        assert_ne!(config.sip.udp, [taken.local_addr().unwrap()]);
        let moved = config.sip.udp.clone();
        assert!(!take_free_ports(&mut config).unwrap(), "what is free stays");
        assert_eq!(config.sip.udp, moved);
    }
}
