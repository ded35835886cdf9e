//! SIP as the load generator speaks it: just enough of a caller and of an agent's phone (RFC 3261), written and read as text.

use std::net::SocketAddrV4;

/// The call line that is measured.
pub const NUMBER: &str = "5550100";

/// A value of the first header of this name.
pub fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let lines = message.lines().skip(1).take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// The code of a response; `None` for a request.
pub fn status(message: &str) -> Option<u16> {
    message.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

/// The port of the audio that a body offers or accepts.
pub fn audio_port(message: &str) -> Option<u16> {
    let line = message.lines().find_map(|line| line.strip_prefix("m=audio "))?;
    line.split(' ').next()?.parse().ok()
}

/// A request of the caller `number`, whose dialog is `tag` once the server has answered.
pub struct Request<'a> {
    pub method: &'a str,
    pub number: u64,
    pub cseq: u32,
    /// The server's tag.
    pub tag: Option<&'a str>,
    pub body: &'a str,
}

/// As a message from `own` to `server`.
pub fn request(asked: &Request<'_>, own: SocketAddrV4, server: SocketAddrV4) -> String {
    let Request { method, number, cseq, tag, body } = asked;
    let tag = tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    // An ACK of a 200 is a transaction of its own (RFC 3261 §13.2.2.4) and has the INVITE's number.
    format!(
        "{method} sip:{NUMBER}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{number}{method}{cseq}\r\n\
         From: <sip:{from}@{own}>;tag=c{number}\r\nTo: <sip:{NUMBER}@{server}>{tag}\r\nCall-ID: {number}@bench\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:bench@{own}>\r\nMax-Forwards: 70\r\n{kind}Content-Length: {length}\r\n\r\n\
         {body}",
        from = telephone_number(*number),
        length = body.len(),
    )
}

/// Numbers that are given to nobody: 555-0100 to 555-0199 of all area codes.
fn telephone_number(number: u64) -> String {
    format!("+1{}55501{:02}", 202 + number / 100 % 700, number % 100)
}

/// An answer to a request of the server, with a body if there is one.
pub fn response(request: &str, code: u16, own: SocketAddrV4, body: &str) -> String {
    let mut text = format!("SIP/2.0 {code} {}\r\n", if code == 200 { "OK" } else { "Request Terminated" });
    for line in request.lines().skip(1).take_while(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or("").trim();
        if ["Via", "From", "Call-ID", "CSeq", "Record-Route"].iter().any(|kept| name.eq_ignore_ascii_case(kept)) {
            text += line;
            text += "\r\n";
        } else if name.eq_ignore_ascii_case("To") {
            text += line;
            text += if line.contains(";tag=") { "\r\n" } else { ";tag=agent\r\n" };
        }
    }
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    text + &format!("Contact: <sip:bench@{own}>\r\n{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// G.711 mu-law and keys (RFC 4733), to and from this address.
pub fn sdp(media: SocketAddrV4) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
        ip = media.ip(),
        port = media.port(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const OWN: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5062);

    #[test]
    fn what_is_written_is_read_again() {
        let body = sdp(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 40_000));
        let invite = request(&Request { method: "INVITE", number: 7, cseq: 1, tag: None, body: &body }, OWN, OWN);
        assert_eq!((header(&invite, "call-id"), audio_port(&invite)), (Some("7@bench"), Some(40_000)));
        assert_eq!(header(&invite, "Content-Length"), Some(body.len().to_string().as_str()));
        let ok = response(&invite, 200, OWN, &body);
        assert_eq!((status(&ok), status(&invite), header(&ok, "CSeq")), (Some(200), None, Some("1 INVITE")));
        assert!(header(&ok, "To").is_some_and(|to| to.ends_with(";tag=agent")));
    }
}
