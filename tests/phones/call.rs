//! One call of a test phone: its dialog (RFC 3261 §12) as far as a phone on loopback needs it, its RTP stream, and the
//! list of what happened and when.

use crate::phone::{Desk, Manner, fresh, peer_tag, user_of};
use crate::rtp::{Heard, Press, Sound, Stream};
use crate::text::{Text, uri_of};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What can happen to a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// An INVITE came in.
    Invited,
    /// A provisional answer came, or went out.
    Provisional(u16),
    /// 200 came, or went out.
    Answered,
    /// The ACK of our 200 came.
    Acked,
    /// A final refusal came, or went out.
    Refused(u16),
    /// CANCEL came.
    Cancelled,
    /// BYE came.
    Ended,
    /// Our BYE, CANCEL or INFO was answered with this status.
    Done(String, u16),
    /// A re-INVITE came.
    Changed,
    /// INFO with this key came.
    Info(String),
}

/// The phone's side of one dialog.
#[derive(Debug)]
pub(crate) struct Leg {
    log: Vec<(Instant, What)>,
    stream: Stream,
    /// INVITE as it came in or went out.
    invite: Text,
    incoming: bool,
    local: String,
    remote: String,
    target: String,
    route: Vec<String>,
    cseq: u32,
    own_tag: String,
    /// What is still to be done with a call that rings.
    manner: Manner,
    rang: Option<Instant>,
    /// The 200 or the request that is sent again until it is answered.
    again: Option<(String, Instant, u32)>,
    /// The dialog takes no further part: as a phone that lost its power.
    dead: bool,
}

/// One call, as a test handles it.
#[derive(Debug)]
pub struct Call {
    desk: Arc<Desk>,
    id: String,
    pub stream: Stream,
}

impl Call {
    pub(crate) fn dial(desk: &Arc<Desk>, from: &str, number: &str, stream: &Stream) -> Call {
        let (id, own_tag) = (fresh("call"), fresh("t"));
        let (address, server) = (desk.address, desk.server);
        let media = desk.state().media_at.unwrap_or(SocketAddr::new(address.ip(), stream.port()));
        let body = sdp(media, media.port());
        let text = format!(
            "INVITE sip:{number}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{branch};rport\r\n\
             From: <sip:{from}@{host}>;tag={own_tag}\r\nTo: <sip:{number}@{server}>\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:{from}@{address}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n\
             Content-Length: {length}\r\n\r\n{body}",
            branch = fresh("i"),
            host = address.ip(),
            length = body.len(),
        );
        let invite = Text::read(text.as_bytes()).expect("our own INVITE");
        let mut leg = Leg::new(&invite, stream.clone(), false, own_tag);
        leg.again = Some((text.clone(), Instant::now() + AGAIN, 0));
        desk.state().legs.insert(id.clone(), leg);
        desk.send(&text);
        Call { desk: Arc::clone(desk), id, stream: stream.clone() }
    }

    pub(crate) fn of(desk: &Arc<Desk>, id: String) -> Call {
        let stream = desk.state().legs[&id].stream.clone();
        Call { desk: Arc::clone(desk), id, stream }
    }

    /// When `what` first happened, waiting for it at most `limit`.
    pub fn wait(&self, what: &What, limit: Duration) -> Option<Instant> {
        self.desk.wait(limit, |state| {
            state.legs[&self.id].log.iter().find(|(_, happened)| happened == what).map(|(at, _)| *at)
        })
    }

    /// The same, or the test fails with all that happened instead.
    pub fn must(&self, what: &What, limit: Duration) -> Instant {
        self.wait(what, limit).unwrap_or_else(|| panic!("no {what:?} within {limit:?}, but {:?}", self.log()))
    }

    /// Waits until this many packets have been heard.
    pub fn must_hear(&self, packets: u64, limit: Duration) -> Heard {
        let end = Instant::now() + limit;
        loop {
            let heard = self.stream.heard();
            if heard.packets >= packets {
                return heard;
            }
            assert!(Instant::now() < end, "{} packets heard, {packets} wanted within {limit:?}", heard.packets);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until ten packets of this pattern have been heard.
    pub fn must_hear_pattern(&self, pattern: u16, limit: Duration) {
        let end = Instant::now() + limit;
        while self.stream.heard_pattern(pattern) < 10 {
            let heard = self.stream.heard();
            assert!(Instant::now() < end, "pattern {pattern:#x} is not heard but {:?}", heard.patterns);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log(&self) -> Vec<What> {
        self.desk.state().legs[&self.id].log.iter().map(|(_, what)| what.clone()).collect()
    }

    pub fn has(&self, what: &What) -> bool {
        self.log().contains(what)
    }

    /// True from the 200 until a BYE of either side.
    pub fn is_up(&self) -> bool {
        let log = self.log();
        log.contains(&What::Answered) && !log.contains(&What::Ended)
    }

    /// Number that the INVITE was from.
    pub fn from(&self) -> String {
        user_of(self.desk.state().legs[&self.id].invite.header("From")).to_string()
    }

    /// The user part of the INVITE's request URI: which of the phone's accounts is called.
    pub fn dialled(&self) -> String {
        let state = self.desk.state();
        user_of(state.legs[&self.id].invite.uri()).to_string()
    }

    /// The INVITE that began it.
    #[allow(dead_code)] // tests/phones_abuse uses it
    pub fn invite(&self) -> Text {
        self.desk.state().legs[&self.id].invite.clone()
    }

    /// Answers a call that rings.
    pub fn answer(&self) {
        self.with(Leg::answer);
    }

    pub fn say(&self, sound: Sound) {
        self.stream.say(sound);
    }

    /// Presses a key for 100 ms by RFC 4733; when its first packet left.
    pub fn press(&self, key: char) -> Instant {
        self.stream.press(Press::new(key))
    }

    /// Presses a key by SIP INFO.
    pub fn press_by_info(&self, key: char) {
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        self.with(|leg, desk| leg.request(desk, "INFO", "Content-Type: application/dtmf-relay\r\n", &body));
    }

    pub fn hang_up(&self) {
        self.with(|leg, desk| leg.request(desk, "BYE", "", ""));
    }

    /// CANCEL of an INVITE of ours that is not answered.
    pub fn cancel(&self) {
        self.with(|leg, desk| {
            let text = leg.like_invite("CANCEL");
            leg.again = None;
            desk.send(&text);
        });
    }

    /// From now on the phone has no power: no packet, no answer.
    pub fn vanish(&self) {
        self.stream.say(Sound::Nothing);
        self.with(|leg, _| leg.dead = true);
    }

    fn with(&self, act: impl FnOnce(&mut Leg, &Desk)) {
        let mut state = self.desk.state();
        act(state.legs.get_mut(&self.id).expect("the call's leg"), &self.desk);
    }
}

/// A request or 200 that is not answered is sent again after this time, at most 10 times.
const AGAIN: Duration = Duration::from_millis(500);

impl Leg {
    fn new(invite: &Text, stream: Stream, incoming: bool, own_tag: String) -> Leg {
        Leg {
            log: Vec::new(),
            stream,
            invite: invite.clone(),
            incoming,
            local: String::new(),
            remote: String::new(),
            target: invite.uri().to_string(),
            route: Vec::new(),
            cseq: 1,
            own_tag,
            manner: Manner::Ring,
            rang: None,
            again: None,
            dead: false,
        }
    }

    pub(crate) fn incoming(invite: &Text, stream: Stream, manner: Manner) -> Leg {
        let mut leg = Leg::new(invite, stream, true, fresh("t"));
        leg.manner = manner;
        leg.dead = manner == Manner::Deaf;
        leg.target = uri_of(invite.header("Contact")).to_string();
        leg.route = invite.all("Record-Route").map(str::to_string).collect();
        leg.local = format!("{};tag={}", invite.header("To"), leg.own_tag);
        leg.remote = invite.header("From").to_string();
        leg
    }

    pub(crate) fn note(&mut self, what: What) {
        self.log.push((Instant::now(), what));
    }

    pub(crate) fn ring(&mut self, desk: &Desk) {
        desk.send(&self.invite.response(180, "Ringing", &self.own_tag, &contact(desk), ""));
        self.rang = Some(Instant::now());
        self.note(What::Provisional(180));
    }

    /// Time passes: answers that are due, and what must be sent again.
    pub(crate) fn tick(&mut self, desk: &Desk, now: Instant) {
        if self.dead {
            return;
        }
        let rang_for = |after: Duration, rang: Option<Instant>| rang.is_some_and(|rang| now >= rang + after);
        match self.manner {
            Manner::Answer(after) if rang_for(after, self.rang) => self.answer(desk),
            Manner::Reject(status, after) if rang_for(after, self.rang) => self.reject(desk, status),
            _ => {}
        }
        if let Some((text, at, times)) = &mut self.again
            && now >= *at
            && *times < 10
        {
            desk.send(text);
            *times += 1;
            *at = now + AGAIN * 2;
        }
    }

    fn answer(&mut self, desk: &Desk) {
        if self.rang.take().is_none() {
            return;
        }
        self.media(&self.invite.body.clone());
        let body = sdp(desk.address, self.stream.port());
        let more = contact(desk) + "Content-Type: application/sdp\r\n";
        let text = self.invite.response(200, "OK", &self.own_tag, &more, &body);
        desk.send(&text);
        self.again = Some((text, Instant::now() + AGAIN, 0));
        self.note(What::Answered);
    }

    fn reject(&mut self, desk: &Desk, status: u16) {
        if self.rang.take().is_some() {
            desk.send(&self.invite.response(status, "No", &self.own_tag, "", ""));
            self.note(What::Refused(status));
        }
    }

    pub(crate) fn take(&mut self, desk: &Desk, message: &Text) {
        if self.dead {
            return;
        }
        match message.status() {
            Some(status) => self.take_response(desk, message, status),
            None => self.take_request(desk, message),
        }
    }

    fn take_response(&mut self, desk: &Desk, message: &Text, status: u16) {
        let (_, method) = message.cseq();
        if method != "INVITE" {
            self.again = None;
            self.note(What::Done(method.to_string(), status));
            return;
        }
        match status {
            100..=199 => {
                self.again = None;
                self.note(What::Provisional(status));
            }
            200..=299 => {
                self.again = None;
                let first = !self.log.iter().any(|(_, what)| *what == What::Answered);
                self.remote = message.header("To").to_string();
                self.local = self.invite.header("From").to_string();
                self.target = uri_of(message.header("Contact")).to_string();
                self.route = message.all("Record-Route").map(str::to_string).collect();
                self.route.reverse();
                self.send_in_dialog(desk, "ACK", 1, "", "");
                if first {
                    self.media(&message.body);
                    self.note(What::Answered);
                }
            }
            _ => {
                self.again = None;
                self.remote = message.header("To").to_string();
                desk.send(&self.like_invite("ACK"));
                self.note(What::Refused(status));
            }
        }
    }

    fn take_request(&mut self, desk: &Desk, message: &Text) {
        match message.method().unwrap_or("") {
            "ACK" => {
                self.again = None;
                self.note(What::Acked);
            }
            "CANCEL" => {
                desk.send(&message.response(200, "OK", &self.own_tag, "", ""));
                self.note(What::Cancelled);
                if self.manner == Manner::Cross {
                    self.answer(desk);
                } else {
                    self.reject(desk, 487);
                }
            }
            "BYE" => {
                desk.send(&message.response(200, "OK", &self.own_tag, "", ""));
                if peer_tag(message) == crate::text::tag_of(&self.remote) {
                    self.stream.say(Sound::Nothing);
                    self.note(What::Ended);
                }
            }
            "INVITE" if self.is_repeat(message) => {}
            "INVITE" => {
                self.media(&message.body);
                let more = contact(desk) + "Content-Type: application/sdp\r\n";
                let body = sdp(desk.address, self.stream.port());
                desk.send(&message.response(200, "OK", &self.own_tag, &more, &body));
                self.note(What::Changed);
            }
            method => {
                desk.send(&message.response(200, "OK", &self.own_tag, "", ""));
                let key = message.body.lines().find_map(|line| line.strip_prefix("Signal="));
                if let ("INFO", Some(key)) = (method, key) {
                    self.note(What::Info(key.trim().to_string()));
                }
            }
        }
    }

    fn is_repeat(&self, message: &Text) -> bool {
        self.incoming && message.cseq().0 == self.invite.cseq().0
    }

    /// A request in the dialog, with a CSeq of its own.
    fn request(&mut self, desk: &Desk, method: &str, more: &str, body: &str) {
        self.cseq += 1;
        let cseq = self.cseq;
        if method == "BYE" {
            self.stream.say(Sound::Nothing);
        }
        let text = self.send_in_dialog(desk, method, cseq, more, body);
        self.again = Some((text, Instant::now() + AGAIN, 0));
    }

    fn send_in_dialog(&self, desk: &Desk, method: &str, cseq: u32, more: &str, body: &str) -> String {
        let route: String = self.route.iter().map(|route| format!("Route: {route}\r\n")).collect();
        let text = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{branch};rport\r\n{route}\
             From: {local}\r\nTo: {remote}\r\nCall-ID: {id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n\
             {more}Content-Length: {length}\r\n\r\n{body}",
            target = self.target,
            address = desk.address,
            branch = fresh("d"),
            local = self.local,
            remote = self.remote,
            id = self.invite.header("Call-ID"),
            length = body.len(),
        );
        desk.send(&text);
        text
    }

    /// CANCEL, or the ACK of a refusal: the INVITE's own URI, Via and CSeq number (RFC 3261 §9.1, §17.1.1.3).
    fn like_invite(&self, method: &str) -> String {
        let to = if method == "ACK" { &self.remote } else { self.invite.header("To") };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            uri = self.invite.uri(),
            via = self.invite.header("Via"),
            from = self.invite.header("From"),
            id = self.invite.header("Call-ID"),
        )
    }

    /// Sends its sound to where the peer's SDP says; on hold or without SDP nothing changes.
    fn media(&self, body: &str) {
        let line = |start: &str| body.lines().find_map(|line| line.strip_prefix(start));
        let Some(host) = line("c=IN IP4 ") else { return };
        let Some(port) = line("m=audio ").and_then(|rest| rest.split(' ').next()) else { return };
        let event = body.lines().find_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(" telephone-event"));
        let event_type = event.and_then(|(number, _)| number.parse().ok()).unwrap_or(101);
        if let Ok(remote) = format!("{}:{port}", host.trim()).parse::<SocketAddr>() {
            self.stream.connect(remote, event_type);
        }
    }
}

fn contact(desk: &Desk) -> String {
    format!("Contact: <sip:{}>\r\n", desk.address)
}

/// Offer or answer: PCMU and keys.
fn sdp(address: SocketAddr, port: u16) -> String {
    let host = address.ip();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}
