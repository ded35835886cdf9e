//! How a relay on the line changes SIP (RFC 3261) and SDP (RFC 8866) in passing: each side sees the relay's address in
//! place of the other's, and RTP goes through the relay's ports. All else stays as it was, but for Content-Length.
//! Credentials are left alone: the digest is over the URI that the phone wrote.

use std::net::{Ipv4Addr, SocketAddr};

/// A place as one side writes it, and as the other is to read it.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    pub old: SocketAddr,
    pub new: SocketAddr,
}

/// Puts other addresses into a message; `media` is told the media address and RTCP port (if one is named) of a body of
/// SDP and returns those to be written instead. Whatever is no SIP message passes unchanged.
pub fn renamed(bytes: &[u8], names: &[Name], media: impl FnOnce(&str, Media) -> Option<Media>) -> Vec<u8> {
    let Some((head, body)) = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once("\r\n\r\n")) else {
        return bytes.to_vec();
    };
    let call = header(head, &["call-id", "i"]).unwrap_or("");
    let is_sdp = header(head, &["content-type", "c"]).is_some_and(|kind| kind.starts_with("application/sdp"));
    let body = match Media::of(body).filter(|_| is_sdp).and_then(|described| media(call, described)) {
        Some(other) => other.written_into(body, names),
        None => body.to_string(),
    };
    let lines = head.split("\r\n").map(|line| {
        let name = line.split(':').next().unwrap_or("").trim().to_ascii_lowercase();
        match name.as_str() {
            "authorization" | "proxy-authorization" => line.to_string(),
            "content-length" | "l" => format!("Content-Length: {}", body.len()),
            _ => with_names(line, names),
        }
    });
    let head: Vec<String> = lines.collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
}

/// Where a body of SDP wants its one audio stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Media {
    pub host: Ipv4Addr,
    pub rtp: u16,
    pub rtcp: u16,
}

impl Media {
    /// `None` where there is no audio: no SDP, a stream that is refused, or one on hold by the old form.
    fn of(body: &str) -> Option<Media> {
        let line = |start: &str| body.lines().find_map(|line| line.strip_prefix(start));
        let host: Ipv4Addr = line("c=IN IP4 ")?.trim().parse().ok()?;
        let rtp: u16 = line("m=audio ")?.split(' ').next()?.parse().ok()?;
        let rtcp = line("a=rtcp:").and_then(|rest| rest.split(' ').next()?.trim().parse().ok()).unwrap_or(rtp + 1);
        (rtp != 0 && !host.is_unspecified()).then_some(Media { host, rtp, rtcp })
    }

    fn written_into(self, body: &str, names: &[Name]) -> String {
        let line = |line: &str| {
            if line.starts_with("c=IN IP4 ") {
                format!("c=IN IP4 {}", self.host)
            } else if let Some(rest) = line.strip_prefix("m=audio ") {
                format!("m=audio {} {}", self.rtp, rest.split_once(' ').map_or("", |(_, formats)| formats))
            } else if line.starts_with("a=rtcp:") {
                format!("a=rtcp:{}", self.rtcp)
            } else {
                with_names(line, names)
            }
        };
        body.lines().map(|text| line(text) + "\r\n").collect()
    }
}

fn header<'a>(head: &'a str, names: &[&str]) -> Option<&'a str> {
    head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        names.contains(&name.trim().to_ascii_lowercase().as_str()).then(|| value.trim())
    })
}

fn with_names(line: &str, names: &[Name]) -> String {
    names.iter().fold(line.to_string(), |line, name| {
        let line = replaced(&line, &name.old.to_string(), &name.new.to_string());
        // Without a port, or with one that is not the place's own.
        replaced(&line, &name.old.ip().to_string(), &name.new.ip().to_string())
    })
}

/// Replaces a whole address: not the beginning of a longer one, nor the end.
fn replaced(line: &str, old: &str, new: &str) -> String {
    let is_part = |neighbour: Option<char>| neighbour.is_some_and(|c| c.is_ascii_digit() || c == '.');
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(old) {
        let (before, after) = (&rest[..at], &rest[at + old.len()..]);
        out += before;
        let whole = !is_part(before.chars().next_back()) && !is_part(after.chars().next());
        out += if whole { new } else { old };
        rest = after;
    }
    out + rest
}

#[test]
fn addresses_ports_and_length_are_changed_and_nothing_else() {
    let message = "INVITE sip:1@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5099\r\nFrom: <sip:127.0.0.12>\r\nCall-ID: a@127.0.0.1\r\n\
                   Authorization: Digest uri=\"sip:127.0.0.1\"\r\nc: application/sdp\r\nl: 0\r\n\r\n\
                   v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 9000 RTP/AVP 0 101\r\na=rtcp:9005\r\n";
    let place = |host: Ipv4Addr, port: u16| SocketAddr::from((host, port));
    let new = place(Ipv4Addr::new(127, 9, 9, 200), 5060);
    let names = [Name { old: place(Ipv4Addr::LOCALHOST, 5099), new }];
    let other = Media { host: Ipv4Addr::new(127, 9, 9, 200), rtp: 40_000, rtcp: 40_001 };
    let mut seen = None;
    let out = renamed(message.as_bytes(), &names, |call, media| {
        seen = Some((call.to_string(), media));
        Some(other)
    });
    let there = Media { host: Ipv4Addr::LOCALHOST, rtp: 9000, rtcp: 9005 };
    assert_eq!(seen, Some(("a@127.0.0.1".to_string(), there)));
    let body = "v=0\r\no=- 1 1 IN IP4 127.9.9.200\r\nc=IN IP4 127.9.9.200\r\nm=audio 40000 RTP/AVP 0 101\r\n\
                a=rtcp:40001\r\n";
    let head = format!(
        "INVITE sip:1@127.9.9.200 SIP/2.0\r\nVia: SIP/2.0/UDP 127.9.9.200:5060\r\nFrom: <sip:127.0.0.12>\r\nCall-ID: a@127.9.9.200\r\n\
         Authorization: Digest uri=\"sip:127.0.0.1\"\r\nc: application/sdp\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    assert_eq!(String::from_utf8(out).unwrap(), head + body);
    assert_eq!(renamed(b"\r\n\r\n", &names, |_, _| None), b"\r\n\r\n");
}
