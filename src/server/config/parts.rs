//! The settings themselves, their defaults, and which key sets which.

use super::reader::{Problems, Section};
use crate::callers::is_country;
use crate::dialplan::Facts;
use crate::ids::AgentId;
use crate::prompt::PromptLibrary;
use crate::sip::admission::StrangerLimits;
use crate::sip::{SipConfig, Trunk};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// All settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// What the server writes: ledger, database, recordings, secrets.
    pub data: PathBuf,
    pub dialplans: PathBuf,
    pub prompts: PathBuf,
    pub sip: SipPart,
    pub rtp: RtpPart,
    pub media: MediaPart,
    pub registry: RegistryPart,
    pub trunks: Vec<Trunk>,
    pub lookup: LookupPart,
    pub database: DatabasePart,
    pub http: HttpPart,
    pub limits: LimitsPart,
    /// What those may do who are no trunk.
    pub strangers: StrangerLimits,
    pub log: LogPart,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SipPart {
    pub udp: Vec<SocketAddr>,
    pub tcp: Vec<SocketAddr>,
    /// Where others reach us, if not at the local address (NAT).
    pub advertised: Option<IpAddr>,
    /// Of digest challenges: agents' passwords are bound to it.
    pub realm: String,
    /// Seconds.
    pub registration_max: u32,
    /// Seconds.
    pub registration_min: u32,
    /// Most phones of one agent.
    pub contacts: u16,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RtpPart {
    pub first_port: u16,
    pub last_port: u16,
    /// Stands in SDP; `None`: as `sip.advertised`, or the local address.
    pub advertised: Option<IpAddr>,
    /// A leg that falls silent for this long is gone.
    pub timeout: Duration,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MediaPart {
    /// `None`: one for each core.
    pub workers: Option<u16>,
    pub priority: Priority,
    /// Send all RTP by one raw socket for each worker, if that is allowed.
    pub raw_socket: bool,
}

/// Whether media threads ask for more than their share of the processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Priority {
    /// SCHED_FIFO, else nice -19, else none: what the system allows.
    Auto,
    Normal,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistryPart {
    /// ISO 3166 code by which national numbers are read.
    pub default_country: String,
    /// Ages that dialplans may ask for, in years; set at import.
    pub thresholds: Vec<u8>,
    pub deadline_ms: u32,
}

/// What dialplans may ask over HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LookupPart {
    /// Beginnings of URLs: `https://billing.example/`. Nothing else is asked.
    pub allow: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatabasePart {
    pub path: PathBuf,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpPart {
    /// Of `/metrics` and `/healthz`; `None`: no HTTP at all.
    pub listen: Option<SocketAddr>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitsPart {
    /// Most calls at once; one more is answered 503.
    pub calls: u32,
    /// Most SIP server transactions at once.
    pub transactions: u32,
    /// After Ctrl-C calls may go on for this long, in seconds.
    pub drain_seconds: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogPart {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter of the `tracing` crates.
    pub filter: String,
}

impl Default for Config {
    fn default() -> Config {
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 5060));
        Config {
            data: PathBuf::from("data"),
            dialplans: PathBuf::from("dialplans"),
            prompts: PathBuf::from("prompts"),
            sip: SipPart {
                udp: vec![everywhere],
                tcp: vec![everywhere],
                advertised: None,
                realm: "onekey".to_owned(),
                registration_max: 3600,
                registration_min: 60,
                contacts: 4,
            },
            rtp: RtpPart { first_port: 10_000, last_port: 19_999, advertised: None, timeout: Duration::from_secs(30) },
            media: MediaPart { workers: None, priority: Priority::Auto, raw_socket: false },
            registry: RegistryPart { default_country: "US".to_owned(), thresholds: vec![60, 65], deadline_ms: 300 },
            trunks: Vec::new(),
            lookup: LookupPart { allow: Vec::new() },
            database: DatabasePart { path: PathBuf::from("data/onekey.sqlite") },
            http: HttpPart { listen: Some(SocketAddr::from(([127, 0, 0, 1], 9060))) },
            limits: LimitsPart { calls: 2000, transactions: 20_000, drain_seconds: 60 },
            strangers: StrangerLimits::default(),
            log: LogPart { filter: "info".to_owned() },
        }
    }
}

impl Config {
    /// What the checker may know of these settings. `agents` where the store is there.
    pub fn facts<'a>(&self, prompts: &'a PromptLibrary, agents: Option<BTreeSet<AgentId>>) -> Facts<'a> {
        Facts {
            registry_thresholds: self.registry.thresholds.clone(),
            agents,
            lookup_urls: Some(self.lookup.allow.clone()),
            trunks: Some(
                self.trunks.iter().filter(|trunk| trunk.dial.is_some()).map(|trunk| trunk.name.clone()).collect(),
            ),
            ..Facts::of(prompts)
        }
    }

    /// The SIP side's part of it.
    pub fn sip_config(&self) -> SipConfig {
        SipConfig {
            realm: self.sip.realm.clone(),
            advertised: self.sip.advertised,
            trunks: self.trunks.clone(),
            product: concat!("onekey/", env!("CARGO_PKG_VERSION")).to_owned(),
            registration_seconds_max: self.sip.registration_max,
            registration_seconds_min: self.sip.registration_min,
            transactions_max: self.limits.transactions as usize,
            contacts_max: usize::from(self.sip.contacts),
            strangers: self.strangers,
        }
    }
}

pub(super) fn read_config(root: &mut Section<'_>, config: &mut Config, problems: &mut Problems) {
    root.read("data", &mut config.data, problems);
    root.read("dialplans", &mut config.dialplans, problems);
    root.read("prompts", &mut config.prompts, problems);
    config.database.path = config.data.join("onekey.sqlite");
    read_sip(&mut root.section("sip", problems), &mut config.sip, problems);
    read_rtp(&mut root.section("rtp", problems), &mut config.rtp, problems);
    read_registry(&mut root.section("registry", problems), &mut config.registry, problems);
    let mut lookup = root.section("lookup", problems);
    lookup.read("allow", &mut config.lookup.allow, problems);
    lookup.finish(problems);
    let mut media = root.section("media", problems);
    media.read("workers", &mut config.media.workers, problems);
    media.read("priority", &mut config.media.priority, problems);
    media.read("raw_socket", &mut config.media.raw_socket, problems);
    media.finish(problems);
    let mut database = root.section("database", problems);
    database.read("path", &mut config.database.path, problems);
    database.finish(problems);
    let mut http = root.section("http", problems);
    http.read("listen", &mut config.http.listen, problems);
    http.finish(problems);
    let mut limits = root.section("limits", problems);
    limits.read("calls", &mut config.limits.calls, problems);
    limits.read("transactions", &mut config.limits.transactions, problems);
    limits.read("drain_seconds", &mut config.limits.drain_seconds, problems);
    limits.finish(problems);
    read_strangers(&mut root.section("strangers", problems), &mut config.strangers, problems);
    let mut log = root.section("log", problems);
    log.read("filter", &mut config.log.filter, problems);
    log.finish(problems);
    for mut trunk in root.sections("trunk", problems) {
        let read = read_trunk(&mut trunk, problems);
        if config.trunks.iter().any(|other| other.name == read.name && !read.name.is_empty()) {
            trunk.tell("C007", format!("there are two trunks `{}`", read.name), problems);
        }
        config.trunks.push(read);
    }
}

fn read_strangers(section: &mut Section<'_>, strangers: &mut StrangerLimits, problems: &mut Problems) {
    section.read("calls_per_second", &mut strangers.calls_per_second, problems);
    let mut calls = strangers.calls_max as u32;
    section.read("calls", &mut calls, problems);
    strangers.calls_max = calls as usize;
    section.read("requests_per_second", &mut strangers.requests_per_second, problems);
    section.finish(problems);
}

fn read_sip(section: &mut Section<'_>, sip: &mut SipPart, problems: &mut Problems) {
    section.read("udp", &mut sip.udp, problems);
    section.read("tcp", &mut sip.tcp, problems);
    section.read("advertised", &mut sip.advertised, problems);
    section.read("realm", &mut sip.realm, problems);
    section.read("registration_max", &mut sip.registration_max, problems);
    let least = section.read("registration_min", &mut sip.registration_min, problems);
    section.read("contacts", &mut sip.contacts, problems);
    section.finish(problems);
    if sip.registration_min > sip.registration_max {
        let message = "`registration_min` is above `registration_max`".to_owned();
        problems.tell("C007", least.or(Some(section.place())), message, "no phone could register");
    }
    if sip.udp.is_empty() && sip.tcp.is_empty() {
        section.tell("C007", "neither `udp` nor `tcp` has an address: nobody could call".to_owned(), problems);
    }
}

fn read_rtp(section: &mut Section<'_>, rtp: &mut RtpPart, problems: &mut Problems) {
    let first = section.read("first_port", &mut rtp.first_port, problems);
    let last = section.read("last_port", &mut rtp.last_port, problems);
    section.read("advertised", &mut rtp.advertised, problems);
    section.read("timeout", &mut rtp.timeout, problems);
    section.finish(problems);
    // A call with an agent takes two pairs: RTP on the even port, RTCP above it.
    if u32::from(rtp.first_port) + 3 > u32::from(rtp.last_port) {
        let message = format!("ports {} to {} have no room for a single call", rtp.first_port, rtp.last_port);
        problems.tell("C007", last.or(first), message, "a call with an agent needs four ports");
    }
}

fn read_registry(section: &mut Section<'_>, registry: &mut RegistryPart, problems: &mut Problems) {
    let country = section.read("default_country", &mut registry.default_country, problems);
    let ages = section.read("thresholds", &mut registry.thresholds, problems);
    section.read("deadline_ms", &mut registry.deadline_ms, problems);
    section.finish(problems);
    if !is_country(&registry.default_country) {
        let message = "`default_country` must be a country's two letters, such as \"US\" or \"CN\"".to_owned();
        problems.tell("C005", country, message, "national numbers could not be read");
    }
    if registry.thresholds.iter().any(|age| !(1..=120).contains(age)) || registry.thresholds.len() > 16 {
        let message = "`thresholds` must be at most 16 ages from 1 to 120".to_owned();
        problems.tell("C005", ages, message, "not used");
    }
}

fn read_trunk(section: &mut Section<'_>, problems: &mut Problems) -> Trunk {
    let mut trunk = Trunk { name: String::new(), addresses: Vec::new(), asserts_identity: false, dial: None };
    section.need("name", &mut trunk.name, problems);
    section.need("addresses", &mut trunk.addresses, problems);
    section.read("asserts_identity", &mut trunk.asserts_identity, problems);
    section.read("dial", &mut trunk.dial, problems);
    section.finish(problems);
    trunk
}
