//! Digest authentication, the server's side (RFC 7616, SHA-256 in SIP by RFC 8760, without qop by RFC 2617).
//!
//! Nonces carry their own proof, so nothing is kept for a stranger who asks for one; a nonce takes room only once a
//! response has been verified with it, and that room is bounded. Whose password it is, the registrar knows.

use super::compose;
use super::headers::{Params, split, trim};
use crate::time::Time;
use md5::{Digest, Md5};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::time::Duration;

/// A nonce is good for this long; then the same credentials are asked for again with `stale=true`, and no person notices.
pub const NONCE_AGE_MAX: Duration = Duration::from_secs(300);
/// Nonces whose counts are remembered. Beyond it the oldest are forgotten, and count as stale.
pub const NONCES_MAX: usize = 16_384;

/// The hash of a challenge or response (RFC 8760 §2). The `-sess` forms are not offered and not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hexadecimal(&Md5::digest(text.as_bytes())),
            Algorithm::Sha256 => hexadecimal(&Sha256::digest(text.as_bytes())),
        }
    }
}

/// H(user:realm:password) in hexadecimal: what is stored instead of a password.
pub fn ha1_md5(user: &str, realm: &str, password: &str) -> String {
    Algorithm::Md5.hash(&format!("{user}:{realm}:{password}"))
}

/// As [`ha1_md5`], by SHA-256.
pub fn ha1_sha256(user: &str, realm: &str, password: &str) -> String {
    Algorithm::Sha256.hash(&format!("{user}:{realm}:{password}"))
}

/// One value of WWW-Authenticate (RFC 7616 §3.3). `stale`: only the nonce is old, so the phone need not ask its person.
pub fn challenge(realm: &str, nonce: &str, algorithm: Algorithm, stale: bool) -> String {
    compose::challenge(realm, nonce, algorithm.as_str(), stale)
}

/// What Authorization says (RFC 7616 §3.4), unquoted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    pub username: String,
    pub realm: String,
    pub nonce: String,
    /// The URI that the client hashed; it need not be spelled as the request URI.
    pub uri: String,
    pub response: String,
    /// MD5 where none is named.
    pub algorithm: Algorithm,
    pub cnonce: Option<String>,
    /// Nonce count; with `qop` only.
    pub nc: Option<u32>,
    /// `None`, or `auth`.
    pub qop: Option<String>,
    pub opaque: Option<String>,
}

impl Credentials {
    /// Reads one value. `None`: another scheme, something missing, an algorithm or qop that we do not offer.
    pub fn parse(value: &str) -> Option<Credentials> {
        let (scheme, list) = trim(value).split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let list: Vec<&str> = split(list, b',').filter(|element| !element.is_empty()).collect();
        let params = Params::parse(&format!(";{}", list.join(";")))?;
        let text = |name: &str| params.get(name).flatten().map(str::to_owned);
        let algorithm = match text("algorithm") {
            None => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let qop = text("qop");
        if qop.as_ref().is_some_and(|qop| !qop.eq_ignore_ascii_case("auth")) {
            return None;
        }
        let nc = match text("nc") {
            Some(count) => Some(u32::from_str_radix(&count, 16).ok().filter(|_| count.len() == 8)?),
            None => None,
        };
        // RFC 7616 §3.4: with qop both must be there.
        if qop.is_some() && (nc.is_none() || text("cnonce").is_none()) {
            return None;
        }
        Some(Credentials {
            username: text("username")?,
            realm: text("realm")?,
            nonce: text("nonce")?,
            uri: text("uri")?,
            response: text("response")?,
            algorithm,
            cnonce: text("cnonce"),
            nc: nc.filter(|_| qop.is_some()),
            qop,
            opaque: text("opaque"),
        })
    }
}

/// Is the response what the password's hashes make of these credentials? Takes the same time whatever it compares.
pub fn verify(credentials: &Credentials, method: &str, ha1_md5: &str, ha1_sha256: &str) -> bool {
    let algorithm = credentials.algorithm;
    let ha1 = match algorithm {
        Algorithm::Md5 => ha1_md5,
        Algorithm::Sha256 => ha1_sha256,
    };
    let ha2 = algorithm.hash(&format!("{method}:{}", credentials.uri));
    let nonce = &credentials.nonce;
    let expected = match (&credentials.qop, credentials.nc, &credentials.cnonce) {
        // As received: the client hashed the very text, `auth` in whatever case.
        (Some(qop), Some(nc), Some(cnonce)) => algorithm.hash(&format!("{ha1}:{nonce}:{nc:08x}:{cnonce}:{qop}:{ha2}")),
        _ => algorithm.hash(&format!("{ha1}:{nonce}:{ha2}")),
    };
    same(expected.as_bytes(), credentials.response.to_ascii_lowercase().as_bytes())
}

/// What a nonce in a request is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NonceVerdict {
    Fresh,
    /// Ours, but too old or forgotten: challenge with `stale=true`.
    Stale,
    /// Not ours.
    Forged,
    /// Its count is not above the last one (RFC 7616 §3.4): challenge anew, not stale.
    Replayed,
}

/// Makes nonces and knows them again.
///
/// A nonce is its time, a counter and a keyed hash of both. Without a count (RFC 2617 §3.2.2, no qop) each is good for one use.
#[derive(Debug)]
pub struct Nonces {
    key: [u8; 32],
    counter: u64,
    /// Highest count seen, by counter of the nonce (which grows with time). `None`: used without counts.
    seen: BTreeMap<u64, u32>,
    /// Counters below have been forgotten.
    forgotten_below: u64,
}

impl Nonces {
    pub fn new(key: [u8; 32]) -> Nonces {
        Nonces { key, counter: 0, seen: BTreeMap::new(), forgotten_below: 0 }
    }

    /// A new nonce of 64 hexadecimal digits.
    pub fn issue(&mut self, now: Time) -> String {
        self.counter += 1;
        format!("{:016x}{:016x}{}", now.as_micros(), self.counter, self.proof(now.as_micros(), self.counter))
    }

    /// Judges a nonce and notes its count. Call it after [`verify`] has said yes: a stranger then cannot use up the count
    /// or the memory. An unverified request may be judged by [`Nonces::judge`].
    pub fn check(&mut self, now: Time, nonce: &str, nc: Option<u32>) -> NonceVerdict {
        let counter = match self.counter_of(now, nonce) {
            Ok(counter) => counter,
            Err(verdict) => return verdict,
        };
        // Without counts the one use is the last: no count can be above it.
        let count = nc.unwrap_or(u32::MAX);
        match self.seen.get(&counter) {
            // Phones that cannot count are not at fault: they silently take a new nonce.
            Some(_) if nc.is_none() => return NonceVerdict::Stale,
            Some(&last) if count <= last => return NonceVerdict::Replayed,
            None if counter < self.forgotten_below => return NonceVerdict::Stale,
            _ => {}
        }
        if count == 0 {
            return NonceVerdict::Replayed;
        }
        self.seen.insert(counter, count);
        while self.seen.len() > NONCES_MAX {
            if let Some((oldest, _)) = self.seen.pop_first() {
                self.forgotten_below = oldest + 1;
            }
        }
        NonceVerdict::Fresh
    }

    /// As [`Nonces::check`], but leaves no trace and looks at no count.
    pub fn judge(&self, now: Time, nonce: &str) -> NonceVerdict {
        self.counter_of(now, nonce).map_or_else(|verdict| verdict, |_| NonceVerdict::Fresh)
    }

    fn counter_of(&self, now: Time, nonce: &str) -> Result<u64, NonceVerdict> {
        if nonce.len() != 64 || !nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NonceVerdict::Forged);
        }
        let field = |from: usize| u64::from_str_radix(&nonce[from..from + 16], 16).unwrap_or(u64::MAX);
        let (issued, counter) = (field(0), field(16));
        if !same(self.proof(issued, counter).as_bytes(), &nonce.as_bytes()[32..]) {
            return Err(NonceVerdict::Forged);
        }
        match now.since(Time::from_micros(issued)) > NONCE_AGE_MAX {
            true => Err(NonceVerdict::Stale),
            false => Ok(counter),
        }
    }

    /// A number for a name that nobody else can foretell, and that stays the same.
    pub fn mark(&self, name: &str) -> u64 {
        let hash = blake3::keyed_hash(&self.key, name.as_bytes());
        u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default())
    }

    fn proof(&self, issued: u64, counter: u64) -> String {
        let mut text = [0; 16];
        text[..8].copy_from_slice(&issued.to_be_bytes());
        text[8..].copy_from_slice(&counter.to_be_bytes());
        hexadecimal(&blake3::keyed_hash(&self.key, &text).as_bytes()[..16])
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares in a time that depends on the lengths only.
fn same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 §3.9.1.
    fn rfc(algorithm: &str, response: &str) -> Credentials {
        let value = format!(
            r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm={algorithm},
            nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            qop=auth, response="{response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
        );
        Credentials::parse(&value).unwrap()
    }

    const MD5: &str = "8ca523f5e9506fed4657c9700eebdbec";
    const SHA256: &str = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";

    fn hashes() -> (String, String) {
        let (user, realm, password) = ("Mufasa", "http-auth@example.org", "Circle of Life");
        (ha1_md5(user, realm, password), ha1_sha256(user, realm, password))
    }

    #[test]
    fn the_examples_of_rfc_7616() {
        let (md5, sha256) = hashes();
        assert!(verify(&rfc("MD5", MD5), "GET", &md5, &sha256));
        assert!(verify(&rfc("SHA-256", &SHA256.to_uppercase()), "GET", &md5, &sha256));
        assert_eq!(rfc("md5", MD5).opaque.unwrap().len(), 44);
    }

    #[test]
    fn any_change_is_noticed() {
        let (md5, sha256) = hashes();
        let no = |credentials: Credentials| assert!(!verify(&credentials, "GET", &md5, &sha256), "{credentials:?}");
        assert!(!verify(&rfc("MD5", MD5), "PUT", &md5, &sha256));
        assert!(!verify(&rfc("MD5", MD5), "GET", &sha256, &md5));
        no(rfc("MD5", SHA256));
        no(rfc("MD5", &MD5[1..]));
        no(rfc("MD5", ""));
        let good = rfc("MD5", MD5);
        no(Credentials { nc: Some(2), ..good.clone() });
        no(Credentials { cnonce: Some("x".into()), ..good.clone() });
        no(Credentials { uri: "/".into(), ..good.clone() });
        no(Credentials { nonce: "x".into(), ..good.clone() });
        no(Credentials { qop: None, nc: None, ..good });
    }

    /// RFC 2617 §3.2.2.1 without qop, hashes worked out with another program.
    #[test]
    fn phones_without_qop_are_still_let_in() {
        let value = "digest username=\"1001\",realm=\"test.example\",nonce=\"abc\",uri=\"sip:test.example\",\
            response=\"147f2ce0b42e2ef27a781661ced5d45e\"";
        let credentials = Credentials::parse(value).unwrap();
        assert_eq!((credentials.algorithm, credentials.nc), (Algorithm::Md5, None));
        assert!(verify(&credentials, "REGISTER", &ha1_md5("1001", "test.example", "secret"), ""));
    }

    #[test]
    fn what_is_no_credentials() {
        let good =
            r#"Digest username="a", realm="b", nonce="c", uri="d", response="e", qop=auth, nc=00000001, cnonce="f""#;
        assert!(Credentials::parse(good).is_some());
        assert_eq!(Credentials::parse(&good.replace("\"a\"", r#""a\",b""#)).unwrap().username, "a\",b");
        for (from, to) in [
            ("Digest ", "Basic "),
            ("nc=00000001", "nc=1"),
            ("nc=00000001, ", ""),
            (", cnonce=\"f\"", ""),
            ("qop=auth", "qop=auth-int"),
            ("qop=auth", "algorithm=MD5-sess"),
            ("nonce=\"c\"", "x=y"),
            ("\"a\"", "\"a"),
        ] {
            assert_eq!(Credentials::parse(&good.replacen(from, to, 1)), None, "{to}");
        }
        assert_eq!(Credentials::parse(""), None);
    }

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[test]
    fn a_nonce_grows_old_and_cannot_be_made_up() {
        let mut nonces = Nonces::new([7; 32]);
        let nonce = nonces.issue(at(1));
        assert_ne!(nonce, nonces.issue(at(1)));
        assert_eq!(nonces.judge(at(301), &nonce), NonceVerdict::Fresh);
        assert_eq!(nonces.judge(at(302), &nonce), NonceVerdict::Stale);
        assert_eq!(nonces.check(at(301), &nonce, Some(1)), NonceVerdict::Fresh);
        assert_eq!(nonces.check(at(302), &nonce, Some(2)), NonceVerdict::Stale);
        assert_eq!(Nonces::new([8; 32]).check(at(1), &nonce, Some(1)), NonceVerdict::Forged);
        let later = format!("{:016x}{}", at(99).as_micros(), &nonce[16..]);
        for forged in ["", "x", &nonce[1..], &later, &"\u{e9}".repeat(32)] {
            assert_eq!(nonces.check(at(1), forged, Some(1)), NonceVerdict::Forged, "{forged}");
        }
    }

    #[test]
    fn a_count_serves_once() {
        let mut nonces = Nonces::new([7; 32]);
        let nonce = nonces.issue(at(1));
        let verdicts = [1, 1, 3, 2, 4, 0].map(|count| nonces.check(at(2), &nonce, Some(count)));
        use NonceVerdict::{Fresh, Replayed, Stale};
        assert_eq!(verdicts, [Fresh, Replayed, Fresh, Replayed, Fresh, Replayed]);
        let nonce = nonces.issue(at(1));
        assert_eq!(nonces.check(at(2), &nonce, Some(0)), Replayed, "counting begins at 1");
        assert_eq!([nonces.check(at(2), &nonce, None), nonces.check(at(2), &nonce, None)], [Fresh, Stale]);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_nothing_forgotten_is_taken_again() {
        let mut nonces = Nonces::new([7; 32]);
        let first = nonces.issue(at(1));
        assert_eq!(nonces.check(at(1), &first, Some(1)), NonceVerdict::Fresh);
        for _ in 0..NONCES_MAX {
            let nonce = nonces.issue(at(1));
            assert_eq!(nonces.check(at(1), &nonce, Some(1)), NonceVerdict::Fresh);
        }
        assert_eq!(nonces.seen.len(), NONCES_MAX);
        assert_eq!(nonces.check(at(1), &first, Some(1)), NonceVerdict::Stale);
    }

    #[test]
    fn a_challenge_names_the_algorithm_as_the_rfc_does() {
        let text = challenge("r", "n", Algorithm::Sha256, false);
        assert_eq!(text, r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#);
    }
}
