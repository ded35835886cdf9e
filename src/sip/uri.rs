//! URIs taken apart: `sip:`, `sips:` (RFC 3261 §19.1), `tel:` (RFC 3966), and the rest kept as they are.
//!
//! Escapes are resolved in the user part only, since that is what is compared with numbers and names of agents.

use super::headers::{host_and_port, ipv6, trim};
use super::reader::ReadError;

/// A URI of any scheme.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uri {
    /// Lower case.
    pub scheme: String,
    /// Before the `@`, with `%xx` resolved and without a password; of a `tel:` URI, the number. Bytes that are not UTF-8 become U+FFFD.
    pub user: Option<String>,
    /// An IPv6 reference keeps its brackets. Empty for `tel:`; for unknown schemes all that follows the colon.
    pub host: String,
    pub port: Option<u16>,
    /// In order, names and values as written.
    pub params: Vec<(String, Option<String>)>,
    /// What follows `?`, as written.
    pub headers: Vec<(String, String)>,
}

impl Uri {
    /// Reads a URI without angle brackets; status 400 if it is none or a `sip:` URI without a usable host.
    pub fn parse(text: &str) -> Result<Uri, ReadError> {
        let text = trim(text);
        Uri::parse_trimmed(text).ok_or_else(|| ReadError::new(400, "unreadable URI"))
    }

    /// `sip:` or `sips:`.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme.as_str(), "sip" | "sips")
    }

    /// `None`: no such parameter; `Some(None)`: it has no value. Names are case-insensitive.
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        self.params.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_deref())
    }

    /// Host and port for people and for addresses, with the scheme's default port (RFC 3261 §19.1.2).
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.scheme == "sips" { 5061 } else { 5060 })
    }

    /// The host as an address; `None` for a name.
    pub fn address(&self) -> Option<std::net::IpAddr> {
        match self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inside) => ipv6(inside).map(std::net::IpAddr::V6),
            None => self.host.parse().ok(),
        }
    }

    fn parse_trimmed(text: &str) -> Option<Uri> {
        if !super::headers::is_uri(text) {
            return None;
        }
        let (scheme, rest) = text.split_once(':')?;
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "sip" | "sips" => sip(scheme, rest),
            "tel" => {
                let (number, params) = rest.split_once(';').map_or((rest, None), |(number, rest)| (number, Some(rest)));
                let user = Some(unescape(number));
                let params = params.map(parameters).unwrap_or_default();
                Some(Uri { scheme, user, host: String::new(), port: None, params, headers: Vec::new() })
            }
            _ => {
                let host = rest.to_owned();
                Some(Uri { scheme, user: None, host, port: None, params: Vec::new(), headers: Vec::new() })
            }
        }
    }
}

/// `[user[:password]@]host[:port][;params][?headers]`. The user part may itself hold `;`, `?` and `/` (RFC 3261 §25.1).
/// No part may hold an `@`; where one does all the same, the user ends at the first that leaves a host behind it.
fn sip(scheme: String, rest: &str) -> Option<Uri> {
    let (first, last) = (rest.split_once('@'), rest.rsplit_once('@'));
    match (first, last) {
        (Some((user, host)), Some((long_user, short_host))) => {
            sip_at(&scheme, user, host).or_else(|| sip_at(&scheme, long_user, short_host))
        }
        _ => sip_at(&scheme, "", rest),
    }
}

fn sip_at(scheme: &str, user: &str, rest: &str) -> Option<Uri> {
    let user = unescape(user.split(':').next().unwrap_or_default());
    let (rest, headers) = rest.split_once('?').unwrap_or((rest, ""));
    let (rest, params) = rest.split_once(';').map_or((rest, None), |(rest, params)| (rest, Some(params)));
    let (host, port) = host_and_port(rest)?;
    let headers = headers.split('&').filter(|header| !header.is_empty()).map(|header| {
        let (name, value) = header.split_once('=').unwrap_or((header, ""));
        (name.to_owned(), value.to_owned())
    });
    Some(Uri {
        scheme: scheme.to_owned(),
        user: Some(user).filter(|user| !user.is_empty()),
        host: host.to_owned(),
        port,
        params: params.map(parameters).unwrap_or_default(),
        headers: headers.collect(),
    })
}

fn parameters(text: &str) -> Vec<(String, Option<String>)> {
    let parts = text.split(';').filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (part.to_owned(), None),
        })
        .collect()
}

/// A `sip:` URI as a request line may hold it: without the headers that a Contact can carry (RFC 3261 §19.1.1, table 1).
pub fn without_headers(uri: &str) -> &str {
    let is_sip = uri
        .split_once(':')
        .is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips"));
    // A user part may hold a `?` of its own.
    let host = uri.find('@').unwrap_or(0);
    match uri[host..].find('?') {
        Some(at) if is_sip => &uri[..host + at],
        _ => uri,
    }
}

/// `%xx` as the byte it stands for; a `%` without two hexadecimal digits stays as it is.
pub fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|&byte| char::from(byte).to_digit(16));
        match (bytes[at], digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// The text as the user part of a URI: what RFC 3261 §25.1 does not allow there is escaped.
pub fn escape_user(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sip_uri_with_everything() {
        let uri = Uri::parse("SIP:a%6Cice;day=%74:pass@[2001:db8::1]:5070;transport=tcp;lr?Subject=x&b=").unwrap();
        assert_eq!((uri.scheme.as_str(), uri.user.as_deref()), ("sip", Some("alice;day=t")));
        assert_eq!((uri.host.as_str(), uri.port), ("[2001:db8::1]", Some(5070)));
        assert_eq!(uri.address(), "2001:db8::1".parse().ok());
        assert_eq!((uri.param("Transport"), uri.param("lr"), uri.param("x")), (Some(Some("tcp")), Some(None), None));
        assert_eq!(uri.headers, [("Subject".to_owned(), "x".to_owned()), ("b".to_owned(), String::new())]);
    }

    #[test]
    fn other_schemes_and_hosts_alone() {
        let uri = Uri::parse("tel:+1-202-555-0100;phone-context=example.com").unwrap();
        assert_eq!(
            (uri.user.as_deref(), uri.param("phone-context")),
            (Some("+1-202-555-0100"), Some(Some("example.com")))
        );
        assert_eq!(Uri::parse("soap.beep://192.0.2.103:3002").unwrap().host, "//192.0.2.103:3002");
        let uri = Uri::parse("sips:example.com").unwrap();
        assert_eq!((uri.user.as_ref(), uri.port, uri.port_or_default()), (None, None, 5061));
    }

    #[test]
    fn three_colons_before_an_ipv4_part_are_two() {
        let address = |text: &str| Uri::parse(text).ok().and_then(|uri| uri.address());
        assert_eq!(address("sip:a@[2001:db8:::192.0.2.1]"), "2001:db8::192.0.2.1".parse().ok());
        for bad in ["sip:[2001:db8:::1]", "sip:[1:::192.0.2.1:::192.0.2.1]", "sip:[::::192.0.2.1]", "sip:[:::192.0.2]"]
        {
            assert!(Uri::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_request_uri_has_no_headers() {
        for (contact, uri) in [
            ("sip:a@b.example?Route=%3Csip:c%3E", "sip:a@b.example"),
            ("SIPS:b.example;x?y=z", "SIPS:b.example;x"),
            ("sip:a?b@c.example;lr", "sip:a?b@c.example;lr"),
            ("http://a.example?b", "http://a.example?b"),
        ] {
            assert_eq!(without_headers(contact), uri);
        }
    }

    #[test]
    fn an_at_sign_too_many() {
        let user_and_host = |text: &str| Uri::parse(text).map(|uri| (uri.user.unwrap_or_default(), uri.host)).ok();
        let both = |user: &str, host: &str| Some((user.to_owned(), host.to_owned()));
        assert_eq!(user_and_host("sip:a@b.example;x=c@d.example"), both("a", "b.example"));
        assert_eq!(user_and_host("sip:a@b.example@c.example"), both("a@b.example", "c.example"));
        assert_eq!(user_and_host("sip:@c.example"), both("", "c.example"));
    }

    #[test]
    fn escapes_hide_nothing_and_break_nothing() {
        assert_eq!(
            Uri::parse("sip:sip%3Auser%40example.com@company.com;other=1").unwrap().user.as_deref(),
            Some("sip:user@example.com")
        );
        assert_eq!(Uri::parse("sip:null-%00-null@example.com").unwrap().user.as_deref(), Some("null-\0-null"));
        assert_eq!(unescape("%Z%45%4"), "%ZE%4");
        assert_eq!(unescape("%ff"), "\u{fffd}");
        assert_eq!(escape_user("a b@\r\n\u{e9}"), "a%20b%40%0D%0A%C3%A9");
        assert_eq!(unescape(&escape_user("a b@\r\n\u{e9}%41")), "a b@\r\n\u{e9}%41");
    }

    #[test]
    fn what_is_no_uri() {
        for bad in [
            "",
            "sip:",
            "5550100",
            "sip:a@",
            "sip:a@b:x",
            "sip:a@b:70000",
            "sip:a b@c",
            "<sip:a@b>",
            "1:a",
            "sip:@[::x]",
        ] {
            assert!(Uri::parse(bad).is_err(), "{bad}");
        }
    }
}
