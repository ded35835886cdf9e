//! Digest credentials (RFC 7616, MD5 with `qop=auth` or without) as a phone computes them.

use crate::text::parameter;
use md5::{Digest, Md5};

/// The value of an Authorization header that answers `challenge` for this request.
pub fn credentials(challenge: &str, user: &str, password: &str, method: &str, uri: &str) -> String {
    let realm = parameter(challenge, "realm").unwrap_or("");
    let nonce = parameter(challenge, "nonce").unwrap_or("");
    let ha1 = hex(&format!("{user}:{realm}:{password}"));
    let ha2 = hex(&format!("{method}:{uri}"));
    let head =
        format!("Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=MD5");
    let opaque = parameter(challenge, "opaque").map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
    if parameter(challenge, "qop").is_some() {
        let response = hex(&format!("{ha1}:{nonce}:00000001:5f3a:auth:{ha2}"));
        format!("{head}, qop=auth, nc=00000001, cnonce=\"5f3a\", response=\"{response}\"{opaque}")
    } else {
        let response = hex(&format!("{ha1}:{nonce}:{ha2}"));
        format!("{head}, response=\"{response}\"{opaque}")
    }
}

fn hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
