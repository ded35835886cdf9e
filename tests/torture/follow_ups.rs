//! What comes after some torture messages: a password proven, an ACK, a second request of the same branch, a call to a
//! strange contact; and what phones ask of bodies beyond the first INVITE.

use crate::application::plain_invite;
use crate::case::{offer, wire};
use crate::differential::differences;
use crate::stand::{AGENT, PASSWORD, Sent, Stand};
use crate::{as_sent, cases};
use onekey::engine::input::{Command, Input};
use onekey::ids::LegId;
use onekey::key::Key;
use onekey::media::command::MediaCommand;
use onekey::rehearsal::sip_text::authorization;
use onekey::sip::message::{Message, Method};
use onekey::sip::reader::read;
use onekey::sip::uri::Uri;
use std::time::Duration;

fn text_of(name: &str) -> String {
    let case = cases().into_iter().find(|case| case.name == name).expect("a torture message");
    String::from_utf8(case.bytes).expect("text")
}

/// Sends this REGISTER, and again with the agent's password; the answer to the second.
fn register(stand: &mut Stand, text: &str) -> Sent {
    let challenge = read(stand.receive(text.as_bytes()).remove(0).bytes).expect("a challenge");
    let proof = authorization(&challenge, AGENT, PASSWORD, "REGISTER", "sip:example.com");
    let again = text.replacen("Max-Forwards", &format!("{proof}Max-Forwards"), 1).replacen(
        "branch=z9hG4bK",
        "branch=z9hG4bK2",
        1,
    );
    stand.receive(again.as_bytes()).pop().expect("an answer")
}

/// This caller wants a person at once: what the agent's phone is sent.
fn wants_a_person(stand: &mut Stand, caller: &[u8]) -> Message {
    stand.flow.remote.set_port(5090);
    assert_eq!(stand.status(caller), Some(200));
    let Some(MediaCommand::Open { leg }) = stand.media.first().cloned() else { panic!("no port was taken") };
    // A caller who withholds the number waits for a person already.
    stand.press(leg, Key::HUMAN);
    let invite = stand.sent.iter().find(|sent| sent.bytes.starts_with(b"INVITE ")).expect("her phone is called");
    assert_eq!(differences(&invite.bytes), [], "rsip reads it so too");
    read(invite.bytes.clone()).expect("ours can be read")
}

#[test]
fn registered_contacts_keep_their_parameters_and_no_header_gets_into_a_request_line() {
    for (name, contact, called) in [
        ("cparam01", "sip:+12025550199@gw1.example.net", "sip:+12025550199@gw1.example.net"),
        ("cparam02", "sip:+12025550199@gw1.example.net;own-param", "sip:+12025550199@gw1.example.net;own-param"),
        ("regescrt", "sip:desk@example.com?Route=%3Csip:sip.example.com%3E", "sip:desk@example.com"),
    ] {
        let mut stand = Stand::new();
        let answer = register(&mut stand, &text_of(name));
        assert_eq!(answer.status(), Some(200), "{name}");
        assert_eq!(answer.headers("Contact"), [format!("<{contact}>;expires=3600")], "{name}");
        assert_eq!(stand.bindings.iter().map(|one| one.contact.as_str()).collect::<Vec<_>>(), [contact], "{name}");
        let invite = wants_a_person(&mut stand, &plain_invite("wants"));
        assert_eq!((invite.request_uri(), invite.header("Route")), (Some(called), None), "{name}");
        stand.rest();
    }
}

#[test]
fn the_agents_phone_is_told_who_calls_whatever_the_caller_is_named() {
    for (name, bytes) in as_sent::calls() {
        let mut stand = Stand::new();
        assert_eq!(register(&mut stand, &text_of("cparam01")).status(), Some(200));
        let invite = wants_a_person(&mut stand, &bytes);
        let (caller, told) = (read(bytes).expect("a call").from().clone(), invite.from());
        let user = Uri::parse(&told.uri).expect("a URI").user;
        if name == "an anonymous caller" {
            assert_eq!((user.as_deref(), invite.header("Privacy")), (Some("anonymous"), Some("id")));
        } else {
            assert_eq!(user, Uri::parse(&caller.uri).expect("a URI").user, "{name}");
            let printed = caller.display.map(|name| name.replace('\0', ""));
            assert_eq!(told.display, printed, "{name}");
        }
        stand.rest();
    }
}

/// These lines of a message as it came, folds and bytes that are no text included.
fn copied(message: &Message, names: &[&str]) -> Vec<u8> {
    let lines = names.iter().flat_map(|name| message.raw_headers(name).map(move |value| (name, value)));
    lines.flat_map(|(name, value)| [name.as_bytes(), b": ", value, b"\r\n"].concat()).collect()
}

#[test]
fn our_bye_names_the_dialog_as_its_phone_does() {
    for (name, bytes) in as_sent::calls() {
        let mut stand = Stand::new();
        let sent = stand.receive(&bytes);
        let (invite, answer) = (read(bytes).expect("a call"), read(sent[1].bytes.clone()).expect("an answer"));
        let head =
            b"ACK sip:onekey@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.21;branch=z9hG4bKack\r\nCSeq: 1 ACK\r\n";
        let ack = [&head[..], &copied(&answer, &["From", "To", "Call-ID"]), b"l: 0\r\n\r\n"].concat();
        assert!(stand.receive(&ack).is_empty(), "{name}");
        stand.tell(Input::Command(Command::HangUpAll));
        let bye = stand.sent.last().expect("a BYE").bytes.clone();
        assert_eq!(differences(&bye), [], "{name}");
        let bye = read(bye).expect("ours can be read");
        assert_eq!((bye.method(), bye.call_id()), (&Method::Bye, invite.call_id()), "{name}");
        assert_eq!((&bye.to().uri, bye.to_tag()), (&invite.from().uri, invite.from_tag()), "{name}");
        assert_eq!((&bye.from().uri, bye.from_tag()), (&invite.to().uri, answer.to_tag()), "{name}");
        let contact = invite.contacts().into_iter().next().and_then(Result::ok);
        let target = contact.map_or(invite.from().uri.clone(), |contact| contact.uri);
        assert_eq!((bye.request_uri(), bye.list("Route")), (Some(&*target), invite.list("Record-Route")), "{name}");
        let lines = copied(&bye, &["Via", "From", "To", "Call-ID", "CSeq"]);
        stand.receive(&[b"SIP/2.0 200 OK\r\n", &lines[..], b"l: 0\r\n\r\n"].concat());
        let all = stand.sent.len();
        stand.rest();
        assert_eq!(stand.sent.len(), all, "{name}: the BYE was answered");
    }
}

#[test]
fn what_is_wrong_with_a_registration_is_said_before_any_password_is_asked_for() {
    for name in ["regbadct", "unksm2"] {
        let mut stand = Stand::new();
        let sent = stand.receive(text_of(name).as_bytes());
        assert_eq!(sent[0].status(), Some(400), "{name}");
        assert!(stand.bindings.is_empty() && sent[0].headers("WWW-Authenticate").is_empty(), "{name}");
    }
}

#[test]
fn a_call_of_rfc_2543_is_acknowledged_cancelled_and_ended_without_branches_and_tags() {
    let invite = text_of("inv2543");
    let inside = |method: &str, to: &str| {
        let head = invite.split("Content-Type").next().expect("a head");
        let head =
            head.replacen("INVITE sip", &format!("{method} sip"), 1).replace("56 INVITE", &format!("56 {method}"));
        let to = format!("To: {to}");
        let old = head.lines().find(|line| line.starts_with("To:")).expect("a To").to_owned();
        format!("{}\r\n", head.replace(&old, &to)).into_bytes()
    };
    let mut stand = Stand::new();
    let sent = stand.receive(invite.as_bytes());
    assert!(stand.receive(invite.as_bytes()).is_empty(), "the repeat of an answered INVITE is absorbed");
    let to = sent[1].headers("To").remove(0);
    assert!(stand.receive(&inside("ACK", &to)).is_empty());
    let before = stand.sent.len();
    stand.wait(Duration::from_millis(3000));
    assert_eq!(stand.sent.len(), before, "the 200 was acknowledged");
    let bye = String::from_utf8(inside("BYE", &to)).expect("text").replace("56 BYE", "57 BYE");
    assert_eq!(stand.status(bye.as_bytes()), Some(200));
    assert_eq!(stand.calls_open(), 0);
    stand.rest();
}

#[test]
fn a_branch_of_nothing_but_the_cookie_confuses_no_two_callers() {
    let bare = |id: &str| {
        String::from_utf8(plain_invite(id)).expect("text").replace(&format!("z9hG4bK{id}"), "z9hG4bK").into_bytes()
    };
    let mut stand = Stand::new();
    assert_eq!((stand.status(&bare("one")), stand.status(&bare("two"))), (Some(200), Some(200)));
    assert_eq!(stand.calls(), 2);
    stand.receive(&bare("one"));
    assert_eq!(stand.calls(), 2, "its repeat is known all the same");
    stand.rest();
}

const MULTIPART: &str = "Content-Type: multipart/mixed;boundary=b\r\n";

fn parted(sdp: &str) -> String {
    format!("--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/sdp\n\n{sdp}\n--b--\n")
        .replace('\n', "\r\n")
}

/// A request in the dialog of the plain INVITE `id`, to whose answer `to` belongs.
fn inside(id: &str, method: &str, cseq: u32, to: &str, body: &str) -> Vec<u8> {
    let kind = if body.is_empty() { "" } else { MULTIPART };
    format!(
        "{method} sip:onekey@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.21;branch=z9hG4bK{id}{method}{cseq}\r\n\
         From: <sip:+12025550123@example.com>;tag={id}\r\nTo: {to}\r\nCall-ID: {id}@192.0.2.21\r\nCSeq: {cseq} {method}\r\n\
         {kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn remotes(stand: &Stand) -> Vec<String> {
    let started = stand.media.iter().filter_map(|command| match command {
        MediaCommand::Start { format, .. } => format.remote,
        _ => None,
    });
    started.map(|remote| remote.to_string()).collect()
}

#[test]
fn sdp_among_other_parts_is_found_in_a_change_and_in_an_ack() {
    let mut stand = Stand::new();
    let sent = stand.receive(&plain_invite("parts"));
    let to = sent[1].headers("To").remove(0);
    stand.receive(&inside("parts", "ACK", 1, &to, ""));
    let moved = parted(&offer("IP4 192.0.2.99"));
    assert_eq!(stand.status(&inside("parts", "INVITE", 2, &to, &moved)), Some(200));
    assert_eq!(remotes(&stand), ["192.0.2.21:30000", "192.0.2.99:30000"]);
    assert_eq!(stand.status(&inside("parts", "BYE", 3, &to, "")), Some(200));
    stand.rest();

    let mut stand = Stand::new();
    let bare = String::from_utf8(plain_invite("late")).expect("text");
    let bare = bare.split("Content-Type").next().expect("a head").to_owned() + "Content-Length: 0\r\n\r\n";
    let sent = stand.receive(bare.as_bytes());
    assert_eq!(sent[1].headers("Content-Type"), ["application/sdp"], "our offer is in the 200");
    let to = sent[1].headers("To").remove(0);
    stand.receive(&inside("late", "ACK", 1, &to, &parted(&offer("IP4 192.0.2.98"))));
    assert_eq!(remotes(&stand), ["192.0.2.98:30000"]);
    assert_eq!(stand.status(&inside("late", "BYE", 2, &to, "")), Some(200));
    stand.rest();
}

#[test]
fn a_feature_code_dialled_without_an_offer_gets_ours_and_is_confirmed_after_the_ack() {
    let mut stand = Stand::new();
    let contact = "sip:1001@192.0.2.21:5060";
    let text = text_of("cparam01").replace("sip:+12025550199@gw1.example.net;own-param", &format!("<{contact}>"));
    assert_eq!(register(&mut stand, &text).status(), Some(200));
    let dial = |id: &str, more: &str| {
        let head = format!(
            "INVITE sip:*40@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.21;branch=z9hG4bK{id}\nFrom: <sip:1001@onekey>;tag={id}\n\
             To: <sip:*40@192.0.2.1>\nCall-ID: {id}\nCSeq: 1 INVITE\nContact: <{contact}>\n"
        );
        wire(&format!("{head}{more}"))
    };
    let plays =
        |stand: &Stand| stand.media.iter().filter(|command| matches!(command, MediaCommand::Play { .. })).count();
    let sent = stand.receive(&dial("f1", "Content-Length: 0\n\n"));
    assert_eq!(sent.iter().filter_map(Sent::status).collect::<Vec<_>>(), [100, 200]);
    assert_eq!((sent[1].headers("Content-Type"), plays(&stand)), (vec!["application/sdp".to_owned()], 0));
    let to = sent[1].headers("To").remove(0);
    let body = offer("IP4 192.0.2.21").replace('\n', "\r\n");
    let ack = format!(
        "ACK sip:onekey@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.21;branch=z9hG4bKf1ack\r\nFrom: <sip:1001@onekey>;tag=f1\r\n\
         To: {to}\r\nCall-ID: f1\r\nCSeq: 1 ACK\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stand.receive(ack.as_bytes());
    assert_eq!((remotes(&stand), plays(&stand)), (vec!["192.0.2.21:30000".to_owned()], 1));
    stand.receive(ack.as_bytes());
    assert_eq!(plays(&stand), 1, "the repeat of an ACK says nothing");
    let (leg, play) = stand.media.iter().find_map(play_of).expect("it plays");
    stand.play_done(leg, play);
    assert!(stand.sent.last().is_some_and(|sent| sent.bytes.starts_with(b"BYE ")));
    // With an offer the words come at once; without an answer in the ACK the call ends.
    let offered = format!("Content-Type: application/sdp\nContent-Length: {{length}}\n\n{}", offer("IP4 192.0.2.21"));
    assert_eq!(stand.status(&dial("f2", &offered)), Some(200));
    assert_eq!(plays(&stand), 2);
    let sent = stand.receive(&dial("f3", "Content-Length: 0\n\n"));
    let to = sent[1].headers("To").remove(0);
    let ack = ack.replace("f1", "f3").split("Content-Type").next().expect("a head").to_owned() + "\r\n";
    let old = ack.lines().find(|line| line.starts_with("To:")).expect("a To").to_owned();
    let ended = stand.receive(ack.replace(&old, &format!("To: {to}")).as_bytes());
    assert!(ended.iter().any(|sent| sent.bytes.starts_with(b"BYE ")), "an offer that is not answered");
    stand.rest();
}

fn play_of(command: &MediaCommand) -> Option<(LegId, onekey::ids::PlayId)> {
    match command {
        MediaCommand::Play { leg, play, .. } => Some((*leg, *play)),
        _ => None,
    }
}

#[test]
fn an_engine_that_is_behind_refuses_new_calls_and_serves_those_that_there_are() {
    let mut stand = Stand::new();
    assert_eq!(stand.status(&plain_invite("before")), Some(200));
    stand.tell(Input::Behind(true));
    let answers = stand.receive(&plain_invite("too-many"));
    let refusal = answers.iter().rfind(|sent| sent.status() == Some(503)).expect("it is refused at once");
    assert_eq!(refusal.headers("Retry-After"), ["10"]);
    assert_eq!(stand.calls_open(), 1, "the one before goes on");
    stand.tell(Input::Behind(false));
    assert_eq!(stand.status(&plain_invite("after")), Some(200));
    assert_eq!(stand.calls_open(), 2);
}
