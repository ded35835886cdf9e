//! Proving a password (RFC 2617 without qop), by hand: MD5 of HA1, nonce and HA2.

use super::{PASSWORD, REALM};
use md5::{Digest, Md5};
use std::fmt::Write;

/// The Authorization header, with its line end, for a REGISTER of `sip:onekey` by `name`.
pub fn proof(name: &str, challenge: &str) -> String {
    let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let ha1 = hash(&format!("{name}:{REALM}:{PASSWORD}"));
    let ha2 = hash("REGISTER:sip:onekey");
    let response = hash(&format!("{ha1}:{nonce}:{ha2}"));
    format!(
        "Authorization: Digest username=\"{name}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"sip:onekey\", \
         response=\"{response}\"\r\n"
    )
}

/// Hexadecimal.
fn hash(text: &str) -> String {
    let mut hexadecimal = String::with_capacity(32);
    for byte in Md5::digest(text.as_bytes()) {
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    hexadecimal
}
