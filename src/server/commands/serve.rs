//! `onekey serve`: everything that a server needs, opened in an order in which each part can say what is wrong with it.
//!
//! Settings, prompts and dialplan first (nothing is made on disk for a mistake in them), then keys, database and ledger,
//! then sockets and threads by [`server::serve`](crate::server::serve).

use super::agent::make_sample;
use super::{CommandError, Done};
use crate::callers::CallerRegistry;
use crate::dialplan;
use crate::engine::input::{Command, Input};
use crate::engine::{EngineConfig, Remembered};
use crate::ids::{AgentId, CallId, PromiseId};
use crate::promise::Entry;
use crate::server::answers::StoredAnswers;
use crate::server::clock::Clock;
use crate::server::config::{Config, Priority};
use crate::server::files::{load_prompts, read_dialplans};
use crate::server::inbox::{Inbox, inbox};
use crate::server::ledger_file::{LedgerFile, LedgerOptions, StoreFollower};
use crate::server::lookup::Lookups;
use crate::server::media_sockets::descriptors_allowed;
use crate::server::pages::Pages;
use crate::server::reload::Loaded;
use crate::server::secrets::Secrets;
use crate::server::sip_tcp::TcpLimits;
use crate::server::store::{AgentChange, Database, SqliteStore, Store, StoreOptions};
use crate::server::{Parts, ServeConfig, serve};
use crate::{diagnostic, diagnostic::Severity};
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Serves until a signal ends it.
///
/// # Errors
/// What keeps the server from starting, or a failed thread, with what to do about it.
pub fn run(config: &Config, pages: Pages) -> Done {
    let loaded = load(config, known_agents(config)).map_err(CommandError::Said)?;
    for warning in &loaded.warnings {
        eprintln!("{warning}");
    }
    let (serve_config, parts) = prepare(config, loaded, pages)?;
    serve(serve_config, parts, |running| {
        tracing::info!(udp = ?running.udp, tcp = ?running.tcp, http = ?running.http, "onekey is ready");
    })
    .map_err(|error| CommandError::Said(error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}

/// Opens keys, database and ledger and puts together what [`crate::server::start`] takes; for `serve` and `demo`.
///
/// # Errors
/// One of them cannot be opened.
pub fn prepare(config: &Config, loaded: Loaded, pages: Pages) -> Result<(ServeConfig, Parts), CommandError> {
    let secrets = Secrets::load(&config.data)?;
    let clock = Clock::start();
    let (inbox, arrivals) = inbox();
    first_agent(config, &loaded);
    let store = SqliteStore::open(&config.database.path, StoreOptions::default())
        .map_err(|error| CommandError::Said(format!("the database's threads cannot be started: {error}")))?;
    store.expect_registry_key(CallerRegistry::new(secrets.registry_key, "").key_mark());
    let store = Arc::new(store);
    let follower = StoreFollower { store: store.clone(), on_order: on_order(inbox.clone()) };
    let (ledger, found) = LedgerFile::open(&config.data, LedgerOptions::default(), Box::new(follower))?;
    for trouble in &found.troubles {
        tracing::error!("the promise ledger: {trouble:?}");
    }
    let agents = store.agents().unwrap_or_else(|error| {
        tracing::error!("agents cannot be read yet: {error}");
        Vec::new()
    });
    let known = agents.iter().map(|(account, _)| account.clone()).collect();
    store.watch_agents(known, on_change(inbox.clone()));
    let remembered = Remembered { agents, promises_due: found.ledger.open().keys().copied().collect() };
    let lookups = Lookups::start(&config.lookup.allow)
        .map_err(|error| CommandError::Said(format!("the look-ups' thread cannot be started: {error}")))?;
    let again = config.clone();
    let parts = Parts {
        loaded,
        load: Box::new(move || load(&again, known_agents(&again))),
        remembered,
        answers: Box::new(StoredAnswers::new(ledger, store, lookups)),
        pages,
        clock,
        inbox,
        arrivals,
    };
    Ok((serve_config(config, &secrets, clock), parts))
}

/// Prompts and dialplan, read and checked as a whole. The error is all that is wrong, drawn for a terminal.
///
/// # Errors
/// Any error among the problems.
pub fn load(config: &Config, agents: Option<BTreeSet<AgentId>>) -> Result<Loaded, String> {
    let (prompts, problems) = load_prompts(&config.prompts, &mut |_| {});
    let files = read_dialplans(&config.dialplans)?;
    let facts = config.facts(&prompts, agents);
    let (dialplan, diagnostics) = dialplan::load(&files, &facts);
    let colours = std::io::stderr().is_terminal();
    let mut told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if !diagnostics.is_empty() {
        told.push(diagnostic::draw(&diagnostics, &files, colours));
    }
    // A prompt that a dialplan needs and that is missing is the dialplan's error; the others are told and left out.
    let unusable = problems.iter().any(|problem| problem.severity == Severity::Error);
    match dialplan {
        Some(dialplan) if !unusable => {
            Ok(Loaded { dialplan: Arc::new(dialplan), prompts: Arc::new(prompts), warnings: told })
        }
        _ => Err(told.join("\n")),
    }
}

fn serve_config(config: &Config, secrets: &Secrets, clock: Clock) -> ServeConfig {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(64) as u16);
    // Unique over restarts: a tenth of a millisecond never sees two calls for long, and never two starts.
    let first = clock.now().wall.as_micros().max(0) as u64 / 100;
    ServeConfig {
        sip_udp: config.sip.udp.clone(),
        sip_tcp: config.sip.tcp.clone(),
        tcp_limits: tcp_limits(config),
        http: config.http.listen,
        media_listen: media_listen(config),
        media_ports: (config.rtp.first_port, config.rtp.last_port),
        media_raw: config.media.raw_socket,
        media_priority: config.media.priority == Priority::Auto,
        rtp_timeout: config.rtp.timeout,
        drain: Duration::from_secs(config.limits.drain_seconds.into()),
        watched: vec![config.dialplans.clone(), config.prompts.clone()],
        engine: EngineConfig {
            sip: config.sip_config(),
            media_advertised: config.rtp.advertised.or(config.sip.advertised),
            media_workers: config.media.workers.unwrap_or(cores),
            seed: secrets.seed,
            registry_key: secrets.registry_key,
            ledger_key: secrets.ledger_key,
            default_country: config.registry.default_country.clone(),
            calls_max: config.limits.calls as usize,
            registry_deadline: Duration::from_millis(config.registry.deadline_ms.into()),
            recordings: config.data.join("recordings"),
            first_call: CallId(first),
            first_promise: PromiseId(first),
        },
    }
}

/// No more than a quarter of the descriptors that there are: sound and files need theirs.
fn tcp_limits(config: &Config) -> TcpLimits {
    let limits = TcpLimits { trunks: config.trunks.clone(), ..TcpLimits::default() };
    TcpLimits { connections_max: limits.connections_max.min(descriptors_allowed() as usize / 4), ..limits }
}

/// The one address on which SIP listens, so that media leaves from where SDP says; else all addresses.
fn media_listen(config: &Config) -> IpAddr {
    let mut addresses = config.sip.udp.iter().chain(&config.sip.tcp).map(|address| address.ip());
    let Some(first) = addresses.next() else { return Ipv4Addr::UNSPECIFIED.into() };
    let (mut is_one, mut any_v6) = (true, first.is_ipv6());
    for address in addresses {
        is_one &= address == first;
        any_v6 |= address.is_ipv6();
    }
    match (is_one, any_v6) {
        (true, _) => first,
        (false, true) => Ipv6Addr::UNSPECIFIED.into(),
        (false, false) => Ipv4Addr::UNSPECIFIED.into(),
    }
}

/// `None` where the database cannot be read: nothing is said of agents then.
pub(super) fn known_agents(config: &Config) -> Option<BTreeSet<AgentId>> {
    let path = &config.database.path;
    if !path.exists() {
        return None;
    }
    let database = Database::open_reader(path, Duration::from_millis(500)).ok()?;
    Some(database.agents().ok()?.into_iter().map(|(account, _)| account.agent).collect())
}

/// The very first start makes an agent, so that a stranger's softphone has somebody to reach.
fn first_agent(config: &Config, loaded: &Loaded) {
    let made = super::open_database(config).and_then(|database| make_sample(config, &database));
    match made {
        Ok(None) => {}
        Ok(Some((agent, password))) => {
            println!("first start: agent {agent} was made, password {password} (shown this once)");
            let number = loaded.dialplan.numbers.keys().next().map_or("a number of the dialplan", String::as_str);
            println!("register a softphone as {agent} at this server, call {number} from another, and press 0");
        }
        // The server runs without its database, and says so itself.
        Err(error) => tracing::error!("no sample agent was made: {error}"),
    }
}

fn on_order(inbox: Inbox) -> Box<dyn FnMut(&Entry) + Send> {
    Box::new(move |entry| {
        if let Entry::Closed { promise, .. } = entry {
            inbox.give(Input::Command(Command::PromiseClosed(*promise)));
        }
    })
}

fn on_change(inbox: Inbox) -> Box<dyn FnMut(AgentChange) -> bool + Send> {
    Box::new(move |change| {
        inbox.give(Input::Command(match change {
            AgentChange::Set(account) => Command::AgentSet(account),
            AgentChange::Removed(agent) => Command::AgentRemoved(agent),
        }));
        true
    })
}
