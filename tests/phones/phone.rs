//! A phone of ours for what SIPp cannot do: calls and takes calls over UDP, answers as it is told to, speaks and hears
//! RTP, and writes down when each thing happened. One socket and one thread serve all calls of a phone.

use crate::call::{Call, Leg, What};
use crate::digest;
use crate::net::Net;
use crate::rtp::{Sound, Stream};
use crate::text::{Text, tag_of, uri_of};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What the phone does with a call that comes in.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Manner {
    /// 180, then 200 after this time.
    Answer(Duration),
    /// 180, then this status after this time.
    Reject(u16, Duration),
    /// 180 and nothing more, until it is told to answer.
    Ring,
    /// 180 and nothing more, but 200 when CANCEL comes: the two have crossed.
    Cross,
    /// Not even a 100: switched off.
    Deaf,
}

/// The phone. Dropped, it falls silent without a word.
#[derive(Debug)]
pub struct Phone {
    pub(crate) desk: Arc<Desk>,
}

#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) socket: UdpSocket,
    pub(crate) address: SocketAddr,
    pub(crate) server: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
    stopped: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) legs: BTreeMap<String, Leg>,
    /// Call-IDs of calls that came in, in order; those taken by `take_call` are gone from it.
    came: Vec<String>,
    manner: Manner,
    sound: Sound,
    count_only: bool,
    /// What SDP names as the place for sound, where that is not the truth.
    pub(crate) media_at: Option<SocketAddr>,
    /// Final answers to REGISTER, by Call-ID.
    registered: BTreeMap<String, (u16, String)>,
}

impl Phone {
    /// A phone on an address of its own that talks to `server`.
    pub fn new(net: &Net, server: SocketAddr) -> Phone {
        Phone::at(net.sip_host(), server)
    }

    pub fn at(address: SocketAddr, server: SocketAddr) -> Phone {
        let socket = UdpSocket::bind(address).expect("a SIP socket");
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("a socket with a time limit");
        let state = State {
            legs: BTreeMap::new(),
            came: Vec::new(),
            manner: Manner::Answer(Duration::from_millis(100)),
            sound: Sound::Silence,
            count_only: false,
            media_at: None,
            registered: BTreeMap::new(),
        };
        let (changed, stopped) = (Condvar::new(), AtomicBool::new(false));
        let desk = Arc::new(Desk { socket, address, server, state: Mutex::new(state), changed, stopped });
        let reader = Arc::clone(&desk);
        std::thread::spawn(move || reader.run());
        Phone { desk }
    }

    /// How calls that come in from now on are met.
    pub fn manner(&self, manner: Manner) {
        self.desk.state().manner = manner;
    }

    /// What is said in calls that begin from now on.
    pub fn sound(&self, sound: Sound) {
        self.desk.state().sound = sound;
    }

    /// Keep no audio in calls that begin from now on.
    pub fn count_only(&self) {
        self.desk.state().count_only = true;
    }

    /// In INVITEs from now on SDP names this address and port for sound, whatever the truth is.
    #[allow(dead_code)] // tests/phones_abuse uses it
    pub fn name_media(&self, address: SocketAddr) {
        self.desk.state().media_at = Some(address);
    }

    /// Registers by digest and waits for the outcome: the last status.
    pub fn register(&self, user: &str, password: &str, expires: u32) -> u16 {
        let uri = format!("sip:{}", self.desk.server);
        let call_id = fresh("register");
        let mut authorization = String::new();
        for cseq in 1..=2 {
            let request = format!(
                "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{branch};rport\r\n\
                 From: <sip:{user}@{server}>;tag={call_id}\r\nTo: <sip:{user}@{server}>\r\nCall-ID: {call_id}\r\n\
                 CSeq: {cseq} REGISTER\r\nContact: <sip:{user}@{address}>;expires={expires}\r\nMax-Forwards: 70\r\n\
                 {authorization}Content-Length: 0\r\n\r\n",
                address = self.desk.address,
                server = self.desk.server.ip(),
                branch = fresh("r"),
            );
            self.desk.state().registered.remove(&call_id);
            self.desk.send(&request);
            let answer = self.desk.wait(Duration::from_secs(5), |state| state.registered.remove(&call_id));
            let Some((status, challenge)) = answer else { return 408 };
            if status != 401 || cseq == 2 {
                return status;
            }
            let credentials = digest::credentials(&challenge, user, password, "REGISTER", &uri);
            authorization = format!("Authorization: {credentials}\r\n");
        }
        unreachable!("the second turn returns")
    }

    /// Dials `number` as `from`.
    pub fn dial(&self, from: &str, number: &str) -> Call {
        Call::dial(&self.desk, from, number, &self.stream())
    }

    /// The next call that came in and was not taken before; `None` if there is none within `limit`.
    pub fn take_call(&self, limit: Duration) -> Option<Call> {
        let id = self.desk.wait(limit, |state| (!state.came.is_empty()).then(|| state.came.remove(0)))?;
        Some(Call::of(&self.desk, id))
    }

    /// All calls that came in and were not taken.
    pub fn take_all(&self) -> Vec<Call> {
        let came = std::mem::take(&mut self.desk.state().came);
        came.into_iter().map(|id| Call::of(&self.desk, id)).collect()
    }

    pub fn address(&self) -> SocketAddr {
        self.desk.address
    }

    fn stream(&self) -> Stream {
        let state = self.desk.state();
        self.desk.stream(&state)
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.desk.stopped.store(true, Ordering::Relaxed);
    }
}

/// A word that no other message of this process has.
pub fn fresh(word: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{word}{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Desk {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a phone")
    }

    pub(crate) fn send(&self, text: &str) {
        // Nobody there is what some tests are about.
        let _ = self.socket.send_to(text.as_bytes(), self.server);
    }

    /// Waits until `find` finds something; `None` when `limit` has passed.
    pub(crate) fn wait<T>(&self, limit: Duration, mut find: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let end = Instant::now() + limit;
        let mut state = self.state();
        loop {
            if let Some(found) = find(&mut state) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            state = self.changed.wait_timeout(state, left.min(Duration::from_millis(50))).expect("a phone").0;
        }
    }

    fn host(&self) -> Ipv4Addr {
        match self.address {
            SocketAddr::V4(address) => *address.ip(),
            SocketAddr::V6(_) => unreachable!("phones have IPv4 addresses"),
        }
    }

    fn stream(&self, state: &State) -> Stream {
        let stream = Stream::open(self.host());
        stream.say(state.sound.clone());
        if state.count_only {
            stream.count_only();
        }
        stream
    }

    fn run(&self) {
        let mut bytes = [0u8; 65_536];
        while !self.stopped.load(Ordering::Relaxed) {
            if let Ok((length, _)) = self.socket.recv_from(&mut bytes)
                && let Some(message) = Text::read(&bytes[..length])
            {
                self.take(&message);
            }
            let now = Instant::now();
            for leg in self.state().legs.values_mut() {
                leg.tick(self, now);
            }
            self.changed.notify_all();
        }
    }

    fn take(&self, message: &Text) {
        let mut state = self.state();
        let id = message.header("Call-ID").to_string();
        if message.cseq().1 == "REGISTER" {
            if let Some(status) = message.status().filter(|status| *status >= 200) {
                state.registered.insert(id, (status, message.header("WWW-Authenticate").to_string()));
            }
            return;
        }
        let known = state.legs.contains_key(&id);
        if message.method() == Some("OPTIONS") {
            self.send(&message.response(200, "OK", "o", "", ""));
        } else if message.method() == Some("INVITE") && !known {
            self.ring(&mut state, id, message);
        } else if let Some(leg) = state.legs.get_mut(&id) {
            leg.take(self, message);
        } else if message.method().is_some_and(|method| method != "ACK") {
            self.send(&message.response(481, "Call Does Not Exist", "none", "", ""));
        }
    }

    fn ring(&self, state: &mut State, id: String, invite: &Text) {
        let manner = state.manner;
        let mut leg = Leg::incoming(invite, self.stream(state), manner);
        leg.note(What::Invited);
        if manner != Manner::Deaf {
            leg.ring(self);
        }
        state.legs.insert(id.clone(), leg);
        state.came.push(id);
    }
}

/// The user part of a URI or of a From or To.
pub fn user_of(value: &str) -> &str {
    let uri = uri_of(value);
    uri.split_once(':').map_or(uri, |(_, rest)| rest).split('@').next().unwrap_or("")
}

/// Tag of the peer in a message of ours or hers.
pub fn peer_tag(message: &Text) -> &str {
    if message.status().is_some() { tag_of(message.header("To")) } else { tag_of(message.header("From")) }
}
