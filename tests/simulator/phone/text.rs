//! SIP messages as a phone of the simulator reads and writes them: text, split by hand.
//!
//! Shares nothing with `onekey::sip`, so that a mistake in the engine's reader or composer is not repeated here.

use std::fmt::Write;

/// One message, taken apart. Header names are as the engine writes them: in full.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    pub start: &'a str,
    pub headers: Vec<(&'a str, &'a str)>,
    pub body: &'a str,
}

impl<'a> Text<'a> {
    /// `Err`: no phone could read this.
    pub fn read(text: &'a str) -> Result<Text<'a>, String> {
        let (head, body) = text.split_once("\r\n\r\n").ok_or("no empty line after the headers")?;
        let mut lines = head.split("\r\n");
        let start = lines.next().unwrap_or_default();
        let mut headers = Vec::with_capacity(16);
        for line in lines {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("a header without a colon: {line}"))?;
            headers.push((name, value.trim()));
        }
        let message = Text { start, headers, body };
        let length = message.header("Content-Length").and_then(|length| length.parse::<usize>().ok());
        if length != Some(body.len()) {
            return Err(format!("Content-Length is {length:?}, the body has {} bytes", body.len()));
        }
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            message.header(name).ok_or_else(|| format!("{name} is missing"))?;
        }
        Ok(message)
    }

    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    fn wanted(&self, name: &str) -> &'a str {
        self.header(name).unwrap_or_default()
    }

    /// `None`: a request.
    pub fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// Of a request, or of the request that a response answers.
    pub fn method(&self) -> &'a str {
        self.wanted("CSeq").split(' ').nth(1).unwrap_or_default()
    }

    pub fn uri(&self) -> &'a str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    pub fn cseq(&self) -> u32 {
        self.wanted("CSeq").split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    pub fn call_id(&self) -> &'a str {
        self.wanted("Call-ID")
    }

    /// Of the topmost Via.
    pub fn branch(&self) -> &'a str {
        parameter(self.wanted("Via"), "branch")
    }

    pub fn from(&self) -> &'a str {
        self.wanted("From")
    }

    pub fn to(&self) -> &'a str {
        self.wanted("To")
    }

    pub fn sender_tag(&self) -> &'a str {
        parameter(self.from(), "tag")
    }

    pub fn to_tag(&self) -> &'a str {
        parameter(self.to(), "tag")
    }

    /// The URI of its Contact.
    pub fn contact(&self) -> &'a str {
        between(self.wanted("Contact"), '<', '>')
    }

    /// The port of the first `m=audio` line of its SDP.
    pub fn audio_port(&self) -> Option<u16> {
        self.body.lines().find_map(|line| line.strip_prefix("m=audio ")?.split(' ').next()?.parse().ok())
    }

    /// `sendrecv` where the SDP says nothing.
    pub fn direction(&self) -> &'a str {
        let known = ["sendrecv", "sendonly", "recvonly", "inactive"];
        self.body
            .lines()
            .filter_map(|line| line.strip_prefix("a="))
            .find(|word| known.contains(word))
            .unwrap_or("sendrecv")
    }
}

/// The value of `;name=value` after the closing `>` of a header, if it has one.
pub fn parameter<'a>(header: &'a str, name: &str) -> &'a str {
    let behind = header.rsplit_once('>').map_or(header, |(_, behind)| behind);
    let found = behind.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_default()
}

pub fn between(text: &str, open: char, close: char) -> &str {
    text.split_once(open).and_then(|(_, rest)| rest.split_once(close)).map_or(text, |(inside, _)| inside)
}

/// What stands in a request besides the start line and Via.
#[derive(Clone, Debug)]
pub struct Heads<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub call_id: &'a str,
    pub cseq: u32,
    pub method: &'a str,
    pub contact: &'a str,
    /// Whole lines with their ends.
    pub more: &'a str,
}

/// A request of a phone at `address`.
pub fn request(address: &str, transport: &str, uri: &str, branch: &str, heads: &Heads<'_>, body: &str) -> String {
    let mut text = String::with_capacity(700);
    let method = heads.method;
    let _ = write!(
        text,
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {address};branch={branch};rport\r\nMax-Forwards: 70\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\nContact: <{}>\r\n",
        heads.from, heads.to, heads.call_id, heads.cseq, heads.contact
    );
    finish(text, heads.more, body)
}

/// The answer to a request: its Via, From, Call-ID and CSeq come back as they are.
pub fn response(request: &Text<'_>, status: u16, to_tag: &str, contact: &str, more: &str, body: &str) -> String {
    let mut text = String::with_capacity(700);
    let _ = write!(text, "SIP/2.0 {status} So\r\n");
    for (name, value) in request.headers.iter().filter(|(name, _)| ["Via", "Record-Route"].contains(name)) {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    let tag = if to_tag.is_empty() || !request.to_tag().is_empty() { "" } else { &format!(";tag={to_tag}") };
    let _ = write!(
        text,
        "From: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {} {}\r\nContact: <{contact}>\r\n",
        request.from(),
        request.to(),
        request.call_id(),
        request.cseq(),
        request.method()
    );
    finish(text, more, body)
}

fn finish(mut text: String, more: &str, body: &str) -> String {
    let kind = if body.is_empty() || more.contains("Content-Type") { "" } else { "Content-Type: application/sdp\r\n" };
    let _ = write!(text, "{more}{kind}Content-Length: {}\r\n\r\n{body}", body.len());
    text
}

/// What a phone says of its sound: G.711 both ways, A-law first if `alaw`, keys as events.
pub fn description(ip: &str, port: u16, version: u32, alaw: bool, direction: &str) -> String {
    let laws = if alaw { "8 0" } else { "0 8" };
    format!(
        "v=0\r\no=- 7 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP {laws} 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na={direction}\r\n"
    )
}
