//! The parts of header values: lists, parameters, quoted strings, `name-addr` and `via-parm` (RFC 3261 §20, §25.1),
//! and the compact forms of header names (§7.3.3 and later RFCs).
//!
//! Works on unfolded text; what a header means for a call is left to those who ask for it.

use super::reader::ReadError;

/// Compact header names: RFC 3261 §7.3.3, RFC 3515, 3841, 3892, 4028, 4474, 6665.
const COMPACT: [(&str, &str); 20] = [
    ("a", "Accept-Contact"),
    ("b", "Referred-By"),
    ("c", "Content-Type"),
    ("d", "Request-Disposition"),
    ("e", "Content-Encoding"),
    ("f", "From"),
    ("i", "Call-ID"),
    ("j", "Reject-Contact"),
    ("k", "Supported"),
    ("l", "Content-Length"),
    ("m", "Contact"),
    ("n", "Identity-Info"),
    ("o", "Event"),
    ("r", "Refer-To"),
    ("s", "Subject"),
    ("t", "To"),
    ("u", "Allow-Events"),
    ("v", "Via"),
    ("x", "Session-Expires"),
    ("y", "Identity"),
];

/// The full name for a compact one; any other name as it is.
pub fn full_name(name: &str) -> &str {
    if name.len() != 1 {
        return name;
    }
    COMPACT.iter().find(|(short, _)| short.eq_ignore_ascii_case(name)).map_or(name, |(_, full)| full)
}

/// Do two header names, each full or compact, mean the same header?
pub fn same_name(one: &str, other: &str) -> bool {
    full_name(one).eq_ignore_ascii_case(full_name(other))
}

/// The parts of `text` between `separator`s that stand outside quoted strings and `<>`, trimmed. Empty parts are kept.
/// A quote or bracket that is never closed reaches to the end.
pub fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match find_outside(text, separator) {
            Some(at) => {
                rest = Some(&text[at + 1..]);
                Some(trim(&text[..at]))
            }
            None => {
                rest = None;
                Some(trim(text))
            }
        }
    })
}

/// Where the ASCII byte `wanted` first stands outside quoted strings and `<>`.
pub fn find_outside(text: &str, wanted: u8) -> Option<usize> {
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted {
            match byte {
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if bracketed {
            bracketed = byte != b'>';
        } else if byte == wanted {
            return Some(at);
        } else {
            quoted = byte == b'"';
            bracketed = byte == b'<';
        }
    }
    None
}

/// Without linear white space at both ends; what a folded line leaves behind counts as such.
pub fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// The content of a quoted string with its escapes resolved, and what follows it. `None`: no quoted string, or not closed.
pub fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut content = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((content, &inner[at + 1..])),
            '\\' => content.push(characters.next()?.1),
            other => content.push(other),
        }
    }
    None
}

/// A token of RFC 3261 §25.1.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
}

/// Has the text a scheme (RFC 3986 §3.1) and something after it, with no white space, quotes or angle brackets?
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_ok = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    scheme_ok && !rest.is_empty() && !text.contains([' ', '\t', '\r', '\n', '<', '>', '"'])
}

/// Parameters in order: `;name=value` or `;name`. Quoted values are kept without quotes and escapes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// Reads `;a=b;c`; one semicolon too many at the end is forgiven, an empty parameter elsewhere is not.
    pub fn parse(text: &str) -> Option<Params> {
        let text = trim(text);
        if text.is_empty() {
            return Some(Params::default());
        }
        let list = trim(text.strip_prefix(';')?);
        if list.is_empty() {
            return Some(Params::default());
        }
        let list = list.strip_suffix(';').unwrap_or(list);
        let mut params = Vec::new();
        for part in split(list, b';') {
            params.push(parameter(part)?);
        }
        Some(Params(params))
    }

    /// `None`: not there. `Some(None)`: there without a value. Names are case-insensitive; of repeated ones the first counts.
    pub fn get(&self, name: &str) -> Option<Option<&str>> {
        self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_deref())
    }

    /// In the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }
}

fn parameter(part: &str) -> Option<(String, Option<String>)> {
    let Some((name, value)) = part.split_once('=') else {
        return is_token(part).then(|| (part.to_owned(), None));
    };
    let (name, value) = (trim(name), trim(value));
    if !is_token(name) {
        return None;
    }
    let value = if value.starts_with('"') {
        let (content, rest) = quoted(value)?;
        trim(rest).is_empty().then_some(content)?
    } else if value.contains(['"', '<', '>', ' ', '\t', '\r', '\n']) {
        return None;
    } else {
        value.to_owned()
    };
    Some((name.to_owned(), Some(value)))
}

/// An address with an optional display name and parameters: `name-addr` or `addr-spec` (From, To, Contact, Route ...).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameAddr {
    /// Without quotes and escapes; `None` when there is none or it is empty.
    pub display: Option<String>,
    /// As written; [`super::uri::Uri::parse`] takes it apart.
    pub uri: String,
    /// Of the header, not of the URI.
    pub params: Params,
}

impl NameAddr {
    /// Reads one element. Tolerant: commas in an unquoted display name, white space inside `<>`.
    /// Not: quotes or brackets without end, and `?` or `,` in a URI without brackets (RFC 3261 §20.10).
    pub fn parse(text: &str) -> Result<NameAddr, ReadError> {
        let text = trim(text);
        NameAddr::parse_trimmed(text).ok_or_else(|| ReadError::new(400, "unreadable address"))
    }

    /// `None`: no such parameter; `Some(None)`: it has no value.
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        self.params.get(name)
    }

    /// RFC 3261 §19.3.
    pub fn tag(&self) -> Option<&str> {
        self.param("tag").flatten().filter(|tag| !tag.is_empty())
    }

    fn parse_trimmed(text: &str) -> Option<NameAddr> {
        let (display, uri, params) = match find_outside(text, b'<') {
            Some(open) => {
                let close = open + text[open..].find('>')?;
                (display_name(trim(&text[..open]))?, trim(&text[open + 1..close]), &text[close + 1..])
            }
            None => {
                let end = text.find(';').unwrap_or(text.len());
                let uri = trim(&text[..end]);
                if uri.contains(['?', ',']) {
                    return None;
                }
                (None, uri, &text[end..])
            }
        };
        let params = Params::parse(params)?;
        is_uri(uri).then(|| NameAddr { display, uri: uri.to_owned(), params })
    }
}

/// Outer `None`: unreadable. Inner `None`: no name.
fn display_name(text: &str) -> Option<Option<String>> {
    let name = if text.starts_with('"') {
        let (name, rest) = quoted(text)?;
        trim(rest).is_empty().then_some(name)?
    } else if text.contains(['"', '>']) {
        return None;
    } else {
        text.to_owned()
    };
    Some(Some(name).filter(|name| !name.is_empty()))
}

/// One `via-parm` (RFC 3261 §20.42).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Via {
    /// Upper case: `UDP`, `TCP`, `TLS`, `WS`, or what nobody knows.
    pub transport: String,
    /// Of `sent-by`; an IPv6 reference keeps its brackets.
    pub host: String,
    pub port: Option<u16>,
    pub branch: Option<String>,
    /// `Some(None)`: asked for, not yet filled in (RFC 3581).
    pub rport: Option<Option<u16>>,
    /// An IPv6 address without brackets, whether it came with them or not (RFC 5118 §4.5).
    pub received: Option<String>,
    pub params: Params,
}

impl Via {
    /// Reads one element; white space is allowed wherever the grammar has LWS.
    pub fn parse(text: &str) -> Result<Via, ReadError> {
        Via::parse_trimmed(trim(text)).ok_or_else(|| ReadError::new(400, "unreadable Via"))
    }

    fn parse_trimmed(text: &str) -> Option<Via> {
        let (protocol, rest) = text.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        if !is_token(trim(protocol)) || !is_token(trim(version)) {
            return None;
        }
        let rest = trim(rest);
        let (transport, rest) = rest.split_at(rest.find([' ', '\t', '\r', '\n'])?);
        let end = rest.find(';').unwrap_or(rest.len());
        let (host, port) = host_and_port(trim(&rest[..end]))?;
        let params = Params::parse(&rest[end..])?;
        if !is_token(transport) || rest[end..].trim_end().ends_with(';') {
            return None;
        }
        let rport = match params.get("rport") {
            Some(Some(port)) if !port.is_empty() => Some(Some(port.parse().ok()?)),
            Some(_) => Some(None),
            None => None,
        };
        Some(Via {
            transport: transport.to_ascii_uppercase(),
            host: host.to_owned(),
            port,
            branch: params.get("branch").flatten().map(str::to_owned),
            rport,
            received: params.get("received").flatten().map(|address| address.trim_matches(['[', ']']).to_owned()),
            params,
        })
    }
}

/// `host [ ":" port ]` with IPv6 references; the host keeps its brackets.
pub fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let host_end = match text.starts_with('[') {
        true => text.find(']')? + 1,
        false => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = (trim(&text[..host_end]), trim(&text[host_end..]));
    let port = match rest.strip_prefix(':') {
        Some(digits) => Some(number(trim(digits))?),
        None if rest.is_empty() => None,
        None => return None,
    };
    is_host(host).then_some((host, port))
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => ipv6(address).is_some(),
        None => {
            // Underscores are against RFC 1035 and in use all the same.
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    }
}

/// An IPv6 address without its brackets. The grammar of RFC 3261 also makes three colons before an IPv4 part, which is no
/// address but is to be borne (RFC 5118 §4.10).
pub fn ipv6(text: &str) -> Option<std::net::Ipv6Addr> {
    text.parse().ok().or_else(|| {
        let (network, ipv4) = text.split_once(":::").filter(|(_, ipv4)| ipv4.parse::<std::net::Ipv4Addr>().is_ok())?;
        format!("{network}::{ipv4}").parse().ok()
    })
}

/// Digits only (no sign), with leading zeros allowed, in the bounds of the type.
pub fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let text = r#""a, \" b" <sip:a,b@example.com>;x="1,2" , sip:c@example.com,,"#;
        let parts: Vec<&str> = split(text, b',').collect();
        assert_eq!(parts, [r#""a, \" b" <sip:a,b@example.com>;x="1,2""#, "sip:c@example.com", "", ""]);
    }

    #[test]
    fn every_compact_form_means_its_full_name() {
        assert!(same_name("V", "via") && same_name("Session-Expires", "x") && same_name("l", "L"));
        assert!(!same_name("v", "vi") && !same_name("q", "Via"));
    }

    #[test]
    fn a_display_name_may_hold_what_would_end_an_address() {
        let address = NameAddr::parse(r#""a;tag=x, <b> \"" <sip:c@[2001:db8::1]:5070;lr?h=1>;tag=y;flag"#).unwrap();
        assert_eq!(address.display.as_deref(), Some(r#"a;tag=x, <b> ""#));
        assert_eq!(address.uri, "sip:c@[2001:db8::1]:5070;lr?h=1");
        assert_eq!(address.tag(), Some("y"));
        assert_eq!((address.param("FLAG"), address.param("lr")), (Some(None), None));
    }

    #[test]
    fn an_address_without_brackets_has_header_parameters() {
        let address = NameAddr::parse("tel:+12025550100;tag=1;").unwrap();
        assert_eq!((address.uri.as_str(), address.tag()), ("tel:+12025550100", Some("1")));
        for bad in [
            "sip:a@b?c=d",
            "<sip:a@b",
            "\"x <sip:a@b>",
            "",
            "<>",
            "<sip:a b@c>",
            "<sip:a@b>x",
            "<sip:a@b>;;a=b",
            "<sip:a@b>; ;",
        ] {
            assert!(NameAddr::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_via_with_odd_white_space() {
        let via = Via::parse("SIP  / 2.0  / udp   [2001:db8::9] : 5070 ; branch = z9hG4bK1 ;rport; received=192.0.2.1")
            .unwrap();
        assert_eq!((via.transport.as_str(), via.host.as_str(), via.port), ("UDP", "[2001:db8::9]", Some(5070)));
        assert_eq!((via.branch.as_deref(), via.rport), (Some("z9hG4bK1"), Some(None)));
        assert_eq!(via.received.as_deref(), Some("192.0.2.1"));
        assert_eq!(Via::parse("SIP/2.0/TCP a.example.com;rport=5062").unwrap().rport, Some(Some(5062)));
        for bad in
            ["SIP/2.0/UDP 192.0.2.15;;", "SIP/2.0/UDP", "SIP/2.0", "SIP/2.0/UDP a:b", "SIP/2.0/UDP [::x]", ";", ""]
        {
            assert!(Via::parse(bad).is_err(), "{bad}");
        }
    }
}
