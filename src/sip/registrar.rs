//! Agents' accounts and where their phones are (RFC 3261 §10).
//!
//! Every REGISTER must prove its password by digest (RFC 7616, RFC 8760); who asks for an agent that does not exist meets
//! the same as one with a wrong password. Path (RFC 3327) is passed over; bindings over TLS and WebSocket need only their flow.

use super::digest::{self, Algorithm, Credentials, NonceVerdict, Nonces};
use super::headers::NameAddr;
use super::limiter::Limiter;
use super::message::Message;
use super::stack::SipOutput;
use super::timers::TimerName;
use super::uri::Uri;
use super::{Flow, SipConfig, SipEvent};
use crate::ids::AgentId;
use crate::time::{Now, Wall};
use std::collections::BTreeMap;
use std::time::Duration;

/// Which digest challenges an agent's phone is sent (RFC 8760; some phones break off at any SHA-256 challenge).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DigestChoice {
    #[default]
    Md5,
    Sha256,
    Both,
}

/// An agent's account as the SIP side needs it: no password, only the hashes H(name:realm:password).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentAccount {
    pub agent: AgentId,
    /// Hexadecimal.
    pub ha1_md5: String,
    /// Hexadecimal.
    pub ha1_sha256: String,
    pub digest: DigestChoice,
}

/// One phone of an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The Contact URI as the phone gave it: request URI of what we send there.
    pub contact: String,
    /// Where it really is: the path by which the REGISTER came.
    pub flow: Flow,
    pub expires: Wall,
    /// Call-ID and CSeq of the REGISTER, to tell late repeats (RFC 3261 §10.3 step 7).
    pub call_id: String,
    pub cseq: u32,
}

/// Asked for by phones that name no time (RFC 3261 §10.2.1.1 leaves it to us).
const EXPIRES_DEFAULT_SECONDS: u32 = 3600;
/// Longest Contact URI that is kept.
const CONTACT_BYTES_MAX: usize = 512;
/// Matches no password: that of agents who do not exist.
const NO_HASH: &str = "";

#[derive(Debug)]
struct Account {
    account: AgentAccount,
    bindings: Vec<Binding>,
    /// Owner number of its timer.
    number: u64,
}

/// Status and headers of an answer to REGISTER.
type Reply = (u16, Vec<(String, String)>);

#[derive(Debug)]
pub struct Registrar {
    realm: String,
    seconds_min: u32,
    seconds_max: u32,
    contacts_max: usize,
    nonces: Nonces,
    accounts: BTreeMap<AgentId, Account>,
    by_number: BTreeMap<u64, AgentId>,
    /// The agents' digests, in the order of their names.
    choices: Vec<DigestChoice>,
    next_number: u64,
    failures: Limiter,
}

impl Registrar {
    pub fn new(config: &SipConfig, key: [u8; 32]) -> Registrar {
        Registrar {
            realm: config.realm.clone(),
            seconds_min: config.registration_seconds_min,
            seconds_max: config.registration_seconds_max,
            contacts_max: config.contacts_max,
            nonces: Nonces::new(key),
            accounts: BTreeMap::new(),
            by_number: BTreeMap::new(),
            choices: Vec::new(),
            next_number: 0,
            failures: Limiter::default(),
        }
    }

    pub fn set_agent(&mut self, account: AgentAccount) {
        if let Some(known) = self.accounts.get_mut(&account.agent) {
            known.account = account;
            return self.note_choices();
        }
        self.next_number += 1;
        self.by_number.insert(self.next_number, account.agent.clone());
        let agent = account.agent.clone();
        self.accounts.insert(agent, Account { account, bindings: Vec::new(), number: self.next_number });
        self.note_choices();
    }

    pub fn remove_agent(&mut self, agent: &AgentId, out: &mut Vec<SipOutput>) {
        let Some(account) = self.accounts.remove(agent) else { return };
        self.by_number.remove(&account.number);
        self.note_choices();
        if !account.bindings.is_empty() {
            out.push(SipOutput::Clear(TimerName::Bindings.of(account.number)));
            out.push(SipOutput::Event(SipEvent::Bindings { agent: agent.clone(), bindings: Vec::new() }));
        }
    }

    /// TCP connections of before a restart are gone, whatever the numbers say.
    pub fn restore(&mut self, now: Now, agent: &AgentId, bindings: Vec<Binding>, out: &mut Vec<SipOutput>) {
        let Some(account) = self.accounts.get_mut(agent) else { return };
        account.bindings = bindings.into_iter().filter(|binding| binding.expires > now.wall).collect();
        account.bindings.truncate(self.contacts_max);
        for binding in &mut account.bindings {
            binding.flow.connection = None;
        }
        account.set_timer(now, out);
    }

    pub fn bindings(&self, agent: &AgentId) -> &[Binding] {
        self.accounts.get(agent).map_or(&[], |account| &account.bindings)
    }

    /// The timer of an agent's bindings: those whose time is over go.
    pub fn timeout(&mut self, now: Now, number: u64, out: &mut Vec<SipOutput>) {
        let Some(account) = self.by_number.get(&number).and_then(|agent| self.accounts.get_mut(agent)) else { return };
        let before = account.bindings.len();
        account.bindings.retain(|binding| binding.expires > now.wall);
        if account.bindings.len() < before {
            out.push(SipOutput::Event(account.event()));
        }
        account.set_timer(now, out);
    }

    /// The agent who provably sent this request: From names one, and it came by the path of a live binding of that agent or
    /// brings that agent's credentials.
    pub fn sender(&mut self, now: Now, request: &Message, flow: &Flow) -> Option<AgentId> {
        let name = Uri::parse(&request.from().uri).ok()?.user?;
        let agent = self.accounts.get(name.as_str())?.account.agent.clone();
        let proven = self.is_path_of(now, &name, flow) || {
            // Guessing by INVITE must not be cheaper than by REGISTER.
            let source = flow.remote.ip();
            let given = self.credentials(request).filter(|_| !self.failures.is_blocked(now.time, source, &name))?;
            let is_right = self.is_password(&given, &name, request);
            if !is_right {
                self.failures.failed(now.time, source, &name);
            }
            is_right && self.nonces.check(now.time, &given.nonce, given.nc) == NonceVerdict::Fresh
        };
        proven.then_some(agent)
    }

    /// Is this the path of a phone that has registered under this name, and still is?
    fn is_path_of(&self, now: Now, name: &str, flow: &Flow) -> bool {
        let bindings = self.accounts.get(name).map_or(&[][..], |account| &account.bindings);
        bindings.iter().any(|binding| {
            let same = (binding.flow.transport, binding.flow.remote) == (flow.transport, flow.remote);
            same && binding.expires > now.wall
        })
    }

    /// Serves a REGISTER: what to answer.
    pub fn register(&mut self, now: Now, request: &Message, flow: &Flow, out: &mut Vec<SipOutput>) -> Reply {
        let source = flow.remote.ip();
        // An address of record is a SIP or SIPS URI, and a contact must be readable (RFC 3261 §10.3 steps 1 and 5).
        let Some(record) = Uri::parse(&request.to().uri).ok().filter(Uri::is_sip) else { return (400, Vec::new()) };
        if !request.contact_is_star() && request.contacts().iter().any(Result::is_err) {
            return (400, Vec::new());
        }
        let name = record.user.unwrap_or_default();
        // A phone that is registered goes on refreshing, whatever its neighbours do.
        if !self.is_path_of(now, &name, flow) && self.failures.is_blocked(now.time, source, &name) {
            return (403, Vec::new());
        }
        let Some(given) = self.credentials(request) else { return self.challenge(now, &name, false) };
        if !self.is_password(&given, &name, request) {
            if self.failures.failed(now.time, source, &name) {
                out.push(SipOutput::Event(SipEvent::GuessesRefused { source }));
            }
            return self.challenge(now, &name, false);
        }
        match self.nonces.check(now.time, &given.nonce, given.nc) {
            NonceVerdict::Fresh => self.bind(now, &name, request, flow, out),
            NonceVerdict::Replayed => self.challenge(now, &name, false),
            // Also a nonce from before our restart: the password is right, so the phone need not ask its person.
            NonceVerdict::Stale | NonceVerdict::Forged => self.challenge(now, &name, true),
        }
    }

    /// The credentials meant for us.
    fn credentials(&self, request: &Message) -> Option<Credentials> {
        let values = request.headers("Authorization").chain(request.headers("Proxy-Authorization"));
        values.filter_map(Credentials::parse).find(|given| given.realm == self.realm)
    }

    /// Do the credentials prove this agent's password, by a digest that the account allows? The same work whoever asks.
    fn is_password(&self, given: &Credentials, name: &str, request: &Message) -> bool {
        let account = self.accounts.get(name).map(|account| &account.account);
        let (md5, sha256) = account.map_or((NO_HASH, NO_HASH), |account| (&*account.ha1_md5, &*account.ha1_sha256));
        let is_right = digest::verify(given, request.method().as_str(), md5, sha256);
        let is_allowed = account.is_some_and(|account| algorithms(account.digest).contains(&given.algorithm));
        is_right && is_allowed && given.username == name
    }

    fn challenge(&mut self, now: Now, name: &str, stale: bool) -> Reply {
        let choice = self.choice_for(name);
        let header = |algorithm: &Algorithm| {
            let nonce = self.nonces.issue(now.time);
            ("WWW-Authenticate".to_owned(), digest::challenge(&self.realm, &nonce, *algorithm, stale))
        };
        (401, algorithms(choice).iter().map(header).collect())
    }

    /// The account's choice. A name that is nobody's is challenged like one of the agents, always the same one: so neither
    /// an unusual challenge nor a usual one says that somebody is there.
    fn choice_for(&self, name: &str) -> DigestChoice {
        let like = self.nonces.mark(name) as usize;
        match self.accounts.get(name) {
            Some(account) => account.account.digest,
            None if self.choices.is_empty() => DigestChoice::default(),
            None => self.choices[like % self.choices.len()],
        }
    }

    fn note_choices(&mut self) {
        self.choices = self.accounts.values().map(|account| account.account.digest).collect();
    }

    /// Steps 6 to 8 of RFC 3261 §10.3: all of the contacts or none.
    fn bind(&mut self, now: Now, name: &str, request: &Message, flow: &Flow, out: &mut Vec<SipOutput>) -> Reply {
        let asked = match self.asked(request) {
            Ok(asked) => asked,
            Err(reply) => return reply,
        };
        let contacts_max = self.contacts_max;
        let Some(account) = self.accounts.get_mut(name) else { return (403, Vec::new()) };
        let is_late = |known: &Binding| known.call_id == request.call_id() && request.cseq() <= known.cseq;
        let (mut bindings, mut changed) = (account.bindings.clone(), false);
        match asked {
            Asked::None => {}
            Asked::All => {
                if bindings.iter().any(is_late) {
                    return (500, Vec::new());
                }
                changed = !bindings.is_empty();
                bindings.clear();
            }
            Asked::These(contacts) => {
                for (contact, seconds) in contacts {
                    if account.bindings.iter().any(|known| known.contact == contact && is_late(known)) {
                        return (500, Vec::new());
                    }
                    let at = bindings.iter().position(|known| known.contact == contact);
                    changed |= at.is_some() || seconds > 0;
                    at.map(|at| bindings.remove(at));
                    if seconds > 0 {
                        let expires = now.wall + Duration::from_secs(u64::from(seconds));
                        let (call_id, cseq) = (request.call_id().to_owned(), request.cseq());
                        bindings.push(Binding { contact, flow: *flow, expires, call_id, cseq });
                    }
                }
            }
        }
        // A phone that starts again with another Contact leaves its old one behind: the oldest goes.
        let surplus = bindings.len().saturating_sub(contacts_max);
        bindings.drain(..surplus);
        account.bindings = bindings;
        if changed {
            out.push(SipOutput::Event(account.event()));
            account.set_timer(now, out);
        }
        (200, account.bindings.iter().map(|binding| listed(now, binding)).collect())
    }

    fn asked(&self, request: &Message) -> Result<Asked, Reply> {
        let header = request.header("Expires").and_then(|text| text.trim().parse::<u32>().ok());
        if request.list("Contact").contains(&"*") {
            let is_well = request.contact_is_star() && header == Some(0);
            return if is_well { Ok(Asked::All) } else { Err((400, Vec::new())) };
        }
        let mut asked = Vec::new();
        for contact in request.contacts() {
            let contact = contact.map_err(|error| (error.status, Vec::new()))?;
            let is_sip = Uri::parse(&contact.uri).is_ok_and(|uri| uri.is_sip());
            if !is_sip || contact.uri.len() > CONTACT_BYTES_MAX {
                return Err((400, Vec::new()));
            }
            let seconds = own_expires(&contact).or(header).unwrap_or(EXPIRES_DEFAULT_SECONDS);
            if seconds > 0 && seconds < self.seconds_min {
                return Err((423, vec![("Min-Expires".to_owned(), self.seconds_min.to_string())]));
            }
            asked.push((contact.uri, seconds.min(self.seconds_max)));
        }
        if asked.len() > self.contacts_max {
            return Err((403, Vec::new()));
        }
        Ok(if asked.is_empty() { Asked::None } else { Asked::These(asked) })
    }
}

impl Account {
    fn event(&self) -> SipEvent {
        SipEvent::Bindings { agent: self.account.agent.clone(), bindings: self.bindings.clone() }
    }

    /// For the binding that ends first.
    fn set_timer(&self, now: Now, out: &mut Vec<SipOutput>) {
        let timer = TimerName::Bindings.of(self.number);
        out.push(match self.bindings.iter().map(|binding| binding.expires).min() {
            None => SipOutput::Clear(timer),
            Some(first) => SipOutput::Set(timer, now.time + remaining(now, first)),
        });
    }
}

/// What the contacts of a REGISTER ask for.
enum Asked {
    /// Only to be told the bindings.
    None,
    /// `*`: all are to go.
    All,
    /// Contact URIs and seconds; 0 takes one away.
    These(Vec<(String, u32)>),
}

/// In the order of preference: a phone takes the topmost that it knows (RFC 8760 §2.4).
fn algorithms(choice: DigestChoice) -> &'static [Algorithm] {
    match choice {
        DigestChoice::Md5 => &[Algorithm::Md5],
        DigestChoice::Sha256 => &[Algorithm::Sha256],
        DigestChoice::Both => &[Algorithm::Sha256, Algorithm::Md5],
    }
}

fn own_expires(contact: &NameAddr) -> Option<u32> {
    contact.param("expires").flatten()?.trim().parse().ok()
}

fn listed(now: Now, binding: &Binding) -> (String, String) {
    let seconds = remaining(now, binding.expires).as_secs();
    ("Contact".to_owned(), format!("<{}>;expires={seconds}", binding.contact))
}

fn remaining(now: Now, expires: Wall) -> Duration {
    Duration::from_micros(expires.as_micros().saturating_sub(now.wall.as_micros()).max(0) as u64)
}
