//! SIP messages as our test phones need them: heads and bodies split by the letter of RFC 3261 §7, nothing tolerated
//! that the program under test should not send, and nothing shared with its own reader.

/// One message, its head as (name, value) in order.
#[derive(Clone, Debug)]
pub struct Text {
    pub first: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Text {
    /// Reads one datagram; `None` if it is no SIP message.
    pub fn read(bytes: &[u8]) -> Option<Text> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let first = lines.next()?.to_string();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_string(), value.trim().to_string()))
            .collect();
        let whole = first.starts_with("SIP/2.0 ") || first.ends_with(" SIP/2.0");
        whole.then(|| Text { first, headers, body: body.to_string() })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Of a response.
    pub fn status(&self) -> Option<u16> {
        self.first.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// Of a request.
    pub fn method(&self) -> Option<&str> {
        if self.status().is_some() { None } else { self.first.split(' ').next() }
    }

    /// Of a request: its URI.
    pub fn uri(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or("")
    }

    /// Number and method of CSeq.
    pub fn cseq(&self) -> (u32, &str) {
        let (number, method) = self.header("CSeq").split_once(' ').unwrap_or(("0", ""));
        (number.parse().unwrap_or(0), method.trim())
    }

    /// The answer's head: Via, From, To, Call-ID, CSeq and Record-Route as RFC 3261 §8.2.6.2 copies them, with `tag` on To.
    pub fn response(&self, status: u16, reason: &str, tag: &str, more: &str, body: &str) -> String {
        let mut out = format!("SIP/2.0 {status} {reason}\r\n");
        for (name, value) in &self.headers {
            let name = name.to_ascii_lowercase();
            if ["via", "from", "call-id", "cseq", "record-route"].contains(&name.as_str()) {
                out += &format!("{name}: {value}\r\n");
            } else if name == "to" {
                let tag = if value.contains(";tag=") { String::new() } else { format!(";tag={tag}") };
                out += &format!("To: {value}{tag}\r\n");
            }
        }
        out + more + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }
}

/// What stands between `<` and `>`, or the value up to its first parameter.
pub fn uri_of(value: &str) -> &str {
    match value.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(""),
        None => value.split(';').next().unwrap_or(""),
    }
}

/// The `tag` parameter of a From or To.
pub fn tag_of(value: &str) -> &str {
    value.split(";tag=").nth(1).unwrap_or("").split(';').next().unwrap_or("")
}

/// A parameter of a challenge, without its quotes.
pub fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let list = value.split_once(' ').map_or(value, |(_, rest)| rest);
    list.split(',').map(str::trim).find_map(|part| {
        let (n, v) = part.split_once('=')?;
        n.trim().eq_ignore_ascii_case(name).then(|| v.trim().trim_matches('"'))
    })
}
