//! REGISTER with digest (RFC 3261 §10, RFC 7616), and who an INVITE is believed to come from.
//!
//! The phone's side of the digest is computed here by itself, from RFC 7616 §3.4.

use super::peer::{Peer, request};
use crate::ids::AgentId;
use crate::sip::digest::{ha1_md5, ha1_sha256};
use crate::sip::limiter::FAILURES_MAX;
use crate::sip::message::Message;
use crate::sip::registrar::{AgentAccount, DigestChoice};
use crate::sip::{CallerIdentity, SipEvent};
use md5::{Digest, Md5};

const REALM: &str = "onekey.example";

fn peer() -> Peer {
    let mut peer = Peer::new();
    for (name, digest) in [("1001", DigestChoice::Md5), ("1002", DigestChoice::Both), ("1003", DigestChoice::Sha256)] {
        set_agent(&mut peer, name, digest);
    }
    peer
}

fn set_agent(peer: &mut Peer, name: &str, digest: DigestChoice) {
    peer.stack.set_agent(AgentAccount {
        agent: AgentId::new(name),
        ha1_md5: ha1_md5(name, REALM, "secret"),
        ha1_sha256: ha1_sha256(name, REALM, "secret"),
        digest,
    });
}

fn register(name: &str, number: u32, lines: &str) -> String {
    format!(
        "REGISTER sip:onekey.example SIP/2.0
Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bKr{name}{number};rport
From: <sip:{name}@onekey.example>;tag=r
To: <sip:{name}@onekey.example>
Call-ID: reg-{name}
CSeq: {number} REGISTER
{lines}
"
    )
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The Authorization line for a challenge, as a phone writes it.
fn authorization(challenge: &Message, name: &str, password: &str, method: &str, count: u32) -> String {
    let header = challenge.headers("WWW-Authenticate").find(|one| one.contains("algorithm=MD5")).unwrap();
    let nonce = header.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let ha1 = md5(&format!("{name}:{REALM}:{password}"));
    let ha2 = md5(&format!("{method}:sip:onekey.example"));
    let response = md5(&format!("{ha1}:{nonce}:{count:08x}:abc:auth:{ha2}"));
    format!(
        "Authorization: Digest username=\"{name}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"sip:onekey.example\", \
         response=\"{response}\", algorithm=MD5, cnonce=\"abc\", qop=auth, nc={count:08x}\n"
    )
}

fn challenged(peer: &mut Peer, name: &str) -> Message {
    let number = peer.sent.len() as u32 + 1;
    peer.receive(&register(name, number, "")).remove(0)
}

/// Registers with these lines; the answer.
fn registered(peer: &mut Peer, number: u32, lines: &str) -> Message {
    let challenge = challenged(peer, "1001");
    let proof = authorization(&challenge, "1001", "secret", "REGISTER", 1);
    peer.receive(&register("1001", 1000 + number, &format!("{proof}{lines}"))).remove(0)
}

fn told(peer: &Peer) -> Vec<usize> {
    let told = peer.events.iter().map(|event| match event {
        SipEvent::Bindings { bindings, .. } => bindings.len(),
        other => panic!("{other:?}"),
    });
    told.collect()
}

const CONTACT: &str = "Contact: <sip:1001@10.0.0.5:5060>\n";

#[test]
fn a_phone_that_proves_its_password_is_bound_to_where_it_came_from() {
    let mut peer = peer();
    let answer = registered(&mut peer, 1, &format!("{CONTACT}Expires: 300\n"));
    assert_eq!((answer.status(), answer.header("Contact")), (Some(200), Some("<sip:1001@10.0.0.5:5060>;expires=300")));
    let agent = AgentId::new("1001");
    let binding = peer.stack.bindings(&agent)[0].clone();
    assert_eq!((binding.contact.as_str(), binding.flow), ("sip:1001@10.0.0.5:5060", peer.flow));
    assert_eq!(told(&peer), [1]);
    peer.wait(100);
    assert_eq!(registered(&mut peer, 2, "").header("Contact"), Some("<sip:1001@10.0.0.5:5060>;expires=200"));
    assert_eq!(told(&peer), [1], "asking changes nothing");
    assert_eq!(registered(&mut peer, 3, &format!("{CONTACT}Expires: 300\n")).status(), Some(200));
    assert_eq!(told(&peer), [1, 1], "refreshed");
    peer.wait(299);
    assert_eq!(peer.stack.bindings(&agent).len(), 1);
    peer.wait(2);
    assert_eq!((peer.stack.bindings(&agent).len(), told(&peer)), (0, vec![1, 1, 0]));
}

#[test]
fn an_agent_who_does_not_exist_meets_what_a_wrong_password_meets() {
    let text = |message: &Message| {
        let text = String::from_utf8(message.bytes().to_vec()).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("Via") && !line.starts_with("To"));
        lines.map(|line| line.split("nonce=").next().unwrap().to_owned()).collect::<Vec<_>>().join("\n")
    };
    let ask = |name: &str| {
        let mut peer = Peer::new();
        set_agent(&mut peer, "1001", DigestChoice::Md5);
        let first = challenged(&mut peer, name);
        let proof = authorization(&first, name, "wrong", "REGISTER", 1);
        let second = peer.receive(&register(name, 2, &format!("{proof}{CONTACT}"))).remove(0);
        assert_eq!((first.status(), second.status()), (Some(401), Some(401)));
        assert!(peer.events.is_empty());
        (text(&first) + &text(&second)).replace(name, "NAME")
    };
    assert_eq!(ask("1001"), ask("1999"));
    assert!(!ask("1001").contains("stale"));
}

#[test]
fn an_unusual_challenge_does_not_say_that_an_agent_is_there() {
    let mut peer = peer();
    let challenges = |peer: &mut Peer, name: &str| challenged(peer, name).headers("WWW-Authenticate").count();
    let nobody = (2000..2100).map(|name| challenges(&mut peer, &name.to_string())).collect::<Vec<_>>();
    let of_both = nobody.iter().filter(|count| **count == 2).count();
    assert!((10..70).contains(&of_both), "about a third, as of the agents: {of_both}");
    let again = (2000..2100).map(|name| challenges(&mut peer, &name.to_string())).collect::<Vec<_>>();
    assert_eq!(nobody, again, "one who asks twice sees no difference");
}

#[test]
fn each_account_gets_the_challenges_of_its_choice() {
    let mut peer = peer();
    let algorithms = |message: Message| {
        let values = message.headers("WWW-Authenticate");
        values.map(|one| one.rsplit_once("algorithm=").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(algorithms(challenged(&mut peer, "1001")), ["MD5"]);
    let both = challenged(&mut peer, "1002");
    assert_eq!(algorithms(both.clone()), ["SHA-256", "MD5"]);
    assert_eq!(algorithms(challenged(&mut peer, "1003")), ["SHA-256"]);
    // An account that wants SHA-256 is not opened by MD5.
    let proof = authorization(&both, "1003", "secret", "REGISTER", 1);
    assert_eq!(peer.status(&register("1003", 90, &format!("{proof}{CONTACT}"))), 401);
    assert_eq!(peer.status(&register("1002", 91, &authorization(&both, "1002", "secret", "REGISTER", 1))), 200);
}

#[test]
fn a_guesser_is_shut_out_for_a_minute() {
    let mut peer = peer();
    let challenge = challenged(&mut peer, "1001");
    for number in 0..FAILURES_MAX {
        let proof = authorization(&challenge, "1001", "wrong", "REGISTER", number + 1);
        assert_eq!(peer.status(&register("1001", 100 + number, &proof)), 401);
    }
    let right = authorization(&challenge, "1001", "secret", "REGISTER", 99);
    assert_eq!(peer.status(&register("1001", 200, &right)), 403);
    let right_invite = authorization(&challenge, "1001", "secret", "INVITE", 98);
    assert_eq!(called(&mut peer, "<sip:1001@onekey.example>", &right_invite).0, None);
    peer.wait(61);
    assert_eq!(peer.status(&register("1001", 201, &right)), 200);
}

#[test]
fn a_phone_with_an_old_password_shuts_out_neither_its_office_nor_one_who_is_registered() {
    let mut peer = peer();
    let challenge = challenged(&mut peer, "1001");
    let right = authorization(&challenge, "1001", "secret", "REGISTER", 90);
    assert_eq!(peer.status(&register("1001", 50, &format!("{right}{CONTACT}"))), 200);
    for number in 0..FAILURES_MAX {
        for name in ["1001", "1002"] {
            let proof = authorization(&challenge, name, "wrong", "REGISTER", number + 1);
            peer.status(&register(name, 100 + number, &proof));
        }
    }
    let refresh = authorization(&challenge, "1001", "secret", "REGISTER", 95);
    assert_eq!(peer.status(&register("1001", 200, &format!("{refresh}{CONTACT}"))), 200, "she is registered from here");
    let old = authorization(&challenge, "1002", "secret", "REGISTER", 96);
    assert_eq!(peer.status(&register("1002", 200, &old)), 403);
    let colleague = challenged(&mut peer, "1003");
    assert_eq!(colleague.status(), Some(401), "behind the same address, and asked as ever");
}

#[test]
fn guessing_by_invite_shuts_out_as_well() {
    let mut peer = peer();
    let challenge = challenged(&mut peer, "1001");
    for number in 0..FAILURES_MAX {
        let proof = authorization(&challenge, "1001", "wrong", "INVITE", number + 1);
        assert_eq!(called(&mut peer, "<sip:1001@onekey.example>", &proof).0, None);
    }
    let right = authorization(&challenge, "1001", "secret", "REGISTER", 99);
    assert_eq!(peer.status(&register("1001", 200, &right)), 403);
}

#[test]
fn a_repeated_register_gets_the_same_answer_and_does_not_use_the_nonce_twice() {
    let mut peer = peer();
    let challenge = challenged(&mut peer, "1001");
    let text = register("1001", 9, &format!("{}{CONTACT}", authorization(&challenge, "1001", "secret", "REGISTER", 1)));
    let first = peer.receive(&text).remove(0);
    assert_eq!(first.status(), Some(200));
    assert_eq!(peer.receive(&text)[0].bytes(), first.bytes());
    assert_eq!(told(&peer), [1]);
}

#[test]
fn an_old_or_foreign_nonce_is_stale_and_a_used_one_challenged_anew() {
    let mut peer = peer();
    let mut other = Peer::with(super::config());
    other.stack = crate::sip::stack::SipStack::new(super::config(), [3; 32]);
    let foreign = authorization(&challenged(&mut other, "1001"), "1001", "secret", "REGISTER", 1);
    let answer = peer.receive(&register("1001", 1, &foreign)).remove(0);
    assert!(
        answer.header("WWW-Authenticate").unwrap().to_lowercase().contains("stale"),
        "right password, nonce of before a restart"
    );
    let proof = authorization(&answer, "1001", "secret", "REGISTER", 1);
    assert_eq!(peer.status(&register("1001", 2, &proof)), 200);
    assert_eq!(peer.status(&register("1001", 3, &proof)), 401, "the count has been used");
    assert_eq!(peer.status(&register("1001", 4, &authorization(&answer, "1001", "secret", "REGISTER", 2))), 200);
}

#[test]
fn times_are_the_contacts_own_the_headers_or_ours_within_bounds() {
    let mut peer = peer();
    let lines = "Contact: <sip:a@10.0.0.5>;expires=100, <sip:b@10.0.0.5>\nContact: <sip:c@10.0.0.5>;expires=99999\nExpires: 200\n";
    let answer = registered(&mut peer, 1, lines);
    let listed = ["<sip:a@10.0.0.5>;expires=100", "<sip:b@10.0.0.5>;expires=200", "<sip:c@10.0.0.5>;expires=3600"];
    assert_eq!(answer.list("Contact"), listed);
    let brief = registered(&mut peer, 2, "Contact: <sip:a@10.0.0.5>;expires=30\n");
    assert_eq!((brief.status(), brief.header("Min-Expires")), (Some(423), Some("60")));
    let one_goes = registered(&mut peer, 3, "Contact: <sip:a@10.0.0.5>;expires=0\n");
    assert_eq!(one_goes.list("Contact").len(), 2);
    let fourth = registered(&mut peer, 4, "Contact: <sip:d@10.0.0.5>\nContact: <sip:e@10.0.0.5>\n");
    assert_eq!(fourth.list("Contact").len(), 3, "the oldest went");
    assert_eq!(registered(&mut peer, 5, "Contact: *\n").status(), Some(400));
    assert_eq!(registered(&mut peer, 6, "Contact: *\nExpires: 0\n").list("Contact").len(), 0);
    assert_eq!(told(&peer), [3, 2, 3, 0]);
    assert!(
        peer.timers.values().all(|at| *at < crate::time::Time::from_millis(100_000)),
        "no timer for bindings is left"
    );
}

#[test]
fn a_register_that_comes_late_does_not_undo_a_newer_one() {
    let mut peer = peer();
    assert_eq!(registered(&mut peer, 5, CONTACT).status(), Some(200));
    assert_eq!(registered(&mut peer, 4, &format!("{CONTACT}Expires: 0\n")).status(), Some(500));
    assert_eq!(registered(&mut peer, 3, "Contact: *\nExpires: 0\n").status(), Some(500));
    assert_eq!(peer.stack.bindings(&AgentId::new("1001")).len(), 1);
}

#[test]
fn bindings_of_before_a_restart_live_on_without_their_connections() {
    let mut old = peer();
    registered(&mut old, 1, &format!("{CONTACT}Expires: 100\n"));
    let agent = AgentId::new("1001");
    let mut kept = old.stack.bindings(&agent).to_vec();
    kept[0].flow.connection = Some(4);
    let mut expired = kept[0].clone();
    expired.expires = crate::time::Wall::from_seconds(1);
    kept.push(expired);
    let mut new = peer();
    new.order(|stack, now, out| stack.restore_bindings(now, &agent, kept, out));
    assert_eq!(new.stack.bindings(&agent).len(), 1);
    assert_eq!(new.stack.bindings(&agent)[0].flow.connection, None);
    new.wait(101);
    assert_eq!((new.stack.bindings(&agent).len(), told(&new)), (0, vec![0]));
}

#[test]
fn an_agent_who_is_removed_is_bound_no_more() {
    let mut peer = peer();
    registered(&mut peer, 1, CONTACT);
    let agent = AgentId::new("1001");
    peer.order(|stack, now, out| stack.remove_agent(now, &agent, out));
    assert_eq!((peer.stack.bindings(&agent).len(), told(&peer)), (0, vec![1, 0]));
    assert_eq!(registered(&mut peer, 2, CONTACT).status(), Some(401));
}

/// Who an INVITE is taken to come from.
fn called(peer: &mut Peer, from: &str, lines: &str) -> (Option<String>, Option<String>, CallerIdentity) {
    let number = peer.sent.len() as u32 + 1;
    let text = request("INVITE", number, lines).replace("\"Ann\" <sip:+12025550123@example.com>", from);
    let text = text.replace("Call-ID: call", &format!("Call-ID: call{number}"));
    peer.receive(&text);
    match peer.events.last() {
        Some(SipEvent::Incoming(one)) => {
            (one.from_agent.as_ref().map(|agent| agent.to_string()), one.trunk.clone(), one.caller.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_agent_is_believed_by_path_or_by_digest_and_else_an_ordinary_caller() {
    let mut peer = peer();
    registered(&mut peer, 1, CONTACT);
    let from = "<sip:1001@onekey.example>";
    assert_eq!(called(&mut peer, from, "").0.as_deref(), Some("1001"));
    assert_eq!(called(&mut peer, "<sip:1002@onekey.example>", "").0, None, "another agent's name");
    let challenge = challenged(&mut peer, "1001");
    let mut peer = peer.from("203.0.113.200:5060");
    let (agent, _, caller) = called(&mut peer, from, "");
    assert_eq!((agent, caller.number.as_deref()), (None, Some("1001")));
    let proof = authorization(&challenge, "1001", "secret", "INVITE", 1);
    assert_eq!(called(&mut peer, from, &proof).0.as_deref(), Some("1001"));
    assert_eq!(called(&mut peer, from, &proof).0, None, "the same proof twice");
}

#[test]
fn identity_is_asserted_only_by_trunks_and_withheld_when_asked() {
    let asserted = "P-Asserted-Identity: \"Ann\" <sip:+12025550177@carrier.example;user=phone>\n";
    let number = |peer: &mut Peer, from: &str, lines: &str| called(peer, from, lines).2.number;
    let anonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
    let mut stranger = peer();
    assert_eq!(number(&mut stranger, "<sip:+12025550123@example.com>", asserted).as_deref(), Some("+12025550123"));
    assert_eq!(number(&mut stranger, anonymous, asserted), None);
    assert_eq!(number(&mut stranger, "<tel:+12025550123;phone-context=x>", "").as_deref(), Some("+12025550123"));
    assert_eq!(number(&mut stranger, "<sip:example.com>", ""), None);
    assert_eq!(number(&mut stranger, "<sip:+12025550123@example.com>", "Privacy: id;critical\n"), None);
    let mut trunk = peer().from("198.51.100.20:5060");
    let (_, name, caller) = called(&mut trunk, anonymous, asserted);
    assert_eq!((name.as_deref(), caller.number.as_deref()), (Some("carrier"), Some("+12025550177")));
    assert_eq!(number(&mut trunk, anonymous, &format!("{asserted}Privacy: id\n")), None);
}
