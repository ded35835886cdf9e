//! Who calls and what was dialled, as far as we may believe it (RFC 3323, RFC 3325, RFC 3966).
//!
//! Whether a caller is an agent is the registrar's to say; numbers are normalised by the caller registry.

use super::headers::NameAddr;
use super::message::Message;
use super::uri::Uri;
use super::{CallerIdentity, Trunk};
use std::net::IpAddr;

/// The trunk that an address belongs to: the first whose prefix fits. IPv4 in IPv6 form counts as IPv4.
pub fn trunk_of(trunks: &[Trunk], source: IpAddr) -> Option<&Trunk> {
    let source = source.to_canonical();
    trunks
        .iter()
        .find(|trunk| trunk.addresses.iter().any(|(network, bits)| contains(network.to_canonical(), *bits, source)))
}

/// The number dialled: user part of the request URI, of a `tel:` URI the number.
pub fn dialled(uri: &Uri) -> String {
    uri.user.as_deref().map(|user| number_part(user).to_owned()).unwrap_or_default()
}

/// The caller: `P-Asserted-Identity` from a trunk that is believed, else From.
pub fn caller(request: &Message, trunk: Option<&Trunk>) -> CallerIdentity {
    let asserted = match trunk {
        Some(trunk) if trunk.asserts_identity => asserted(request),
        _ => Vec::new(),
    };
    if is_private(request) {
        return CallerIdentity::default();
    }
    // A sip: and a tel: identity may stand side by side (RFC 3325 §9.1): the first that says a number counts.
    let chosen = asserted.iter().find(|address| number(address).is_some()).unwrap_or(request.from());
    let number = number(chosen);
    let display_name = chosen.display.clone().or_else(|| request.from().display.clone());
    CallerIdentity { display_name: display_name.filter(|_| number.is_some()), number }
}

fn asserted(request: &Message) -> Vec<NameAddr> {
    request.list("P-Asserted-Identity").into_iter().filter_map(|text| NameAddr::parse(text).ok()).collect()
}

/// Did the caller ask that nobody be told (RFC 3323 §4.2)?
fn is_private(request: &Message) -> bool {
    request
        .headers("Privacy")
        .flat_map(|value| value.split([';', ',']))
        .any(|word| ["id", "user", "header"].iter().any(|known| word.trim().eq_ignore_ascii_case(known)))
}

fn number(address: &NameAddr) -> Option<String> {
    let uri = Uri::parse(&address.uri).ok()?;
    let user = number_part(uri.user.as_deref()?);
    let anonymous =
        ["anonymous", "restricted", "unavailable", "unknown"].iter().any(|word| user.eq_ignore_ascii_case(word));
    let nowhere = uri.host.eq_ignore_ascii_case("anonymous.invalid");
    (!user.is_empty() && !anonymous && !nowhere).then(|| user.to_owned())
}

/// A user part without the parameters of a telephone number (`;phone-context=…`, RFC 3966 §3).
fn number_part(user: &str) -> &str {
    user.split(';').next().unwrap_or("").trim()
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let prefix = |octets: &[u8], other: &[u8]| {
        let whole = usize::from(bits / 8).min(octets.len());
        let rest = if whole < octets.len() { bits % 8 } else { 0 };
        octets[..whole] == other[..whole] && (rest == 0 || (octets[whole] ^ other[whole]) >> (8 - rest) == 0)
    };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => prefix(&network.octets(), &address.octets()),
        (IpAddr::V6(network), IpAddr::V6(address)) => prefix(&network.octets(), &address.octets()),
        _ => false,
    }
}
