//! Tests of offer and answer: what phones write, forms of hold, and rubbish.
//!
//! Each description is built around the lines in question; RFC 3264 §5 to §8 says what must come of it.

use super::*;
use proptest::prelude::*;

fn local() -> LocalMedia {
    LocalMedia {
        address: "198.51.100.1".parse().unwrap(),
        port: 20000,
        codecs: vec![Codec::Pcmu, Codec::Pcma],
        direction: Direction::SendReceive,
        session_id: 7,
        version: 2,
    }
}

fn session(lines: &str) -> Vec<u8> {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{}\r\n",
        lines.replace('\n', "\r\n")
    )
    .into_bytes()
}

fn agreed_on(lines: &str) -> StreamFormat {
    answer(&session(lines), &local()).unwrap().1
}

fn answered(lines: &str) -> String {
    String::from_utf8(answer(&session(lines), &local()).unwrap().0).unwrap()
}

fn refused(description: &[u8]) -> u16 {
    answer(description, &local()).unwrap_err().status
}

fn socket(text: &str) -> Option<SocketAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn an_offer_of_ours_word_for_word() {
    let expected = "v=0\r\no=- 7 2 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n\
        m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    assert_eq!(String::from_utf8(offer(&local())).unwrap(), expected);
    let six = LocalMedia { address: "2001:db8::1".parse().unwrap(), direction: Direction::SendOnly, ..local() };
    let text = String::from_utf8(offer(&six)).unwrap();
    assert!(text.contains("o=- 7 2 IN IP6 2001:db8::1\r\n") && text.contains("c=IN IP6 2001:db8::1\r\n"), "{text}");
    assert!(text.contains("a=sendonly"));
}

#[test]
fn the_peers_order_and_numbers_stand_in_the_answer() {
    let lines = "m=audio 4000 RTP/AVP 18 96 0 97\na=rtpmap:18 G729/8000\na=rtpmap:96 pcma/8000/1\n\
        a=rtpmap:97 Telephone-Event/8000\na=fmtp:97 0-16";
    let format = agreed_on(lines);
    assert_eq!((format.codec, format.payload_type, format.telephone_event), (Codec::Pcma, 96, Some(97)));
    assert_eq!((format.remote, format.remote_rtcp), (socket("192.0.2.1:4000"), socket("192.0.2.1:4001")));
    let text = answered(lines);
    assert!(
        text.contains("m=audio 20000 RTP/AVP 96 97\r\na=rtpmap:96 PCMA/8000\r\na=rtpmap:97 telephone-event/8000\r\n")
    );
    let only_mu = LocalMedia { codecs: vec![Codec::Pcmu], ..local() };
    assert_eq!(answer(&session(lines), &only_mu).unwrap().1.payload_type, 0);
}

#[test]
fn static_numbers_need_no_map() {
    let format = agreed_on("m=audio 4000 RTP/AVP 8 0 101");
    assert_eq!((format.codec, format.payload_type, format.telephone_event), (Codec::Pcma, 8, None));
    // A map overrules the number.
    assert_eq!(agreed_on("m=audio 4000 RTP/AVP 8 0\na=rtpmap:8 L16/8000").codec, Codec::Pcmu);
    assert_eq!(agreed_on("m=audio 4000 RTP/AVP 8 0\na=rtpmap:8 PCMA/16000").codec, Codec::Pcmu);
    assert_eq!(agreed_on("m=audio 4000 RTP/AVP 8 0\na=rtpmap:8 PCMA/8000/2").codec, Codec::Pcmu);
    assert_eq!(agreed_on("m=audio 4000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/48000").telephone_event, None);
}

#[test]
fn every_form_of_hold() {
    use Direction::{Inactive, ReceiveOnly, SendOnly, SendReceive};
    let line = "m=audio 4000 RTP/AVP 0";
    for (lines, ours, word) in [
        (line.to_owned(), SendReceive, "sendrecv"),
        (format!("{line}\na=sendonly"), ReceiveOnly, "recvonly"),
        (format!("{line}\na=recvonly"), SendOnly, "sendonly"),
        (format!("{line}\na=inactive"), Inactive, "inactive"),
        (format!("a=sendonly\n{line}"), ReceiveOnly, "recvonly"),
        (format!("a=sendonly\n{line}\na=sendrecv"), SendReceive, "sendrecv"),
        (format!("{line}\nc=IN IP4 0.0.0.0"), ReceiveOnly, "recvonly"),
        (format!("{line}\nc=IN IP4 0.0.0.0\na=recvonly"), Inactive, "inactive"),
    ] {
        assert_eq!(agreed_on(&lines).direction, ours, "{lines}");
        assert!(answered(&lines).contains(&format!("a={word}\r\n")), "{lines}");
    }
    let null = agreed_on("m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0");
    assert_eq!((null.remote, null.remote_rtcp), (None, None));
    // We hold too.
    let holding = LocalMedia { direction: SendOnly, ..local() };
    assert_eq!(answer(&session("m=audio 4000 RTP/AVP 0\na=sendonly"), &holding).unwrap().1.direction, Inactive);
}

#[test]
fn the_first_usable_audio_is_taken_and_all_others_refused_in_place() {
    let text = answered(
        "m=video 5000 RTP/AVP 96\na=rtpmap:96 H264/90000\nm=audio 5002 RTP/SAVP 0\nm=audio 5004/2 RTP/AVP 9\n\
         m=audio 5006 RTP/AVP 0\na=mid:x\nm=audio 5008 RTP/AVP 0\nm=image 5010 udptl t38",
    );
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        lines,
        [
            "m=video 0 RTP/AVP 96",
            "m=audio 0 RTP/SAVP 0",
            "m=audio 0 RTP/AVP 9",
            "m=audio 20000 RTP/AVP 0",
            "m=audio 0 RTP/AVP 0",
            "m=image 0 udptl t38"
        ]
    );
}

#[test]
fn what_cannot_be_accepted_is_488() {
    for lines in [
        "",
        "m=audio 4000 RTP/SAVP 0",
        "m=audio 4000 RTP/AVPF 0",
        "m=audio 4000 UDP/TLS/RTP/SAVPF 0",
        "m=audio 0 RTP/AVP 0",
        "m=audio 4000 RTP/AVP 9 18",
        "m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000",
        "m=video 4000 RTP/AVP 0",
        "m=audio 4000 RTP/AVP 0\nc=IN IP4 nobody.example.com",
        "m=audio 4000 RTP/AVP 0\nc=IN IP4 224.2.1.1/127",
        "m=audio 4000 RTP/AVP 0\nc=IN IP4 255.255.255.255",
        "m=audio 4000 RTP/AVP 300 x",
    ] {
        assert_eq!(refused(&session(lines)), 488, "{lines}");
    }
    assert_eq!(refused(b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n"), 488, "no c= at all");
    assert_eq!(refused(&session(&"m=audio 4000 RTP/AVP 0\n".repeat(MEDIA_LINES_MAX + 1))), 488);
}

#[test]
fn what_cannot_be_read_is_400() {
    for text in [
        "",
        "v=1\r\n",
        "hello",
        "m=audio 4000 RTP/AVP 0",
        "v=0\r\nm=audio 70000 RTP/AVP 0",
        "v=0\r\nm=audio",
        "v=0\r\nxyz",
    ] {
        assert_eq!(refused(text.as_bytes()), 400, "{text}");
    }
}

#[test]
fn lines_that_nobody_needs_may_be_wrong() {
    let text =
        b"v=0\no=a b c\ns=caf\xe9\nb=\nt=now\nk\xff=\nc=IN IP4 192.0.2.1 \nm=audio 4000 RTP/AVP 0 \na=x:\xe9\n\0";
    let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0xff).collect();
    assert_eq!(answer(&text, &local()).unwrap().1.remote, socket("192.0.2.1:4000"));
}

#[test]
fn rtcp_goes_where_the_peer_wants_it() {
    let line = "m=audio 4000 RTP/AVP 0";
    let rtcp = |more: &str| agreed_on(&format!("{line}\n{more}")).remote_rtcp;
    assert_eq!(rtcp("a=rtcp:5001"), socket("192.0.2.1:5001"));
    assert_eq!(rtcp("a=rtcp:5001 IN IP6 2001:db8::7"), socket("[2001:db8::7]:5001"));
    assert_eq!(rtcp("a=rtcp:x"), socket("192.0.2.1:4001"));
    assert_eq!(rtcp("a=rtcp:5001\na=rtcp-mux"), socket("192.0.2.1:4000"));
    assert!(answered(&format!("{line}\na=rtcp-mux")).contains("a=rtcp-mux\r\n"));
    assert!(!answered(line).contains("rtcp-mux"));
    assert_eq!(agreed_on("m=audio 65535 RTP/AVP 0").remote_rtcp, None);
}

#[test]
fn ipv6_and_the_streams_own_address() {
    let format = agreed_on("m=audio 4000 RTP/AVP 0\nc=IN IP6 2001:db8::2");
    assert_eq!((format.remote, format.remote_rtcp), (socket("[2001:db8::2]:4000"), socket("[2001:db8::2]:4001")));
    let lines = session("m=video 3000 RTP/AVP 96\nm=audio 4000 RTP/AVP 9\nc=IN IP4 192.0.2.9");
    assert_eq!(remote_address(&lines), socket("192.0.2.9:4000"));
    assert_eq!(remote_address(&session("m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0")), None);
    assert_eq!(remote_address(b"junk"), None);
}

#[test]
fn what_an_answer_settles() {
    let done = |lines: &str| settled(&local(), &session(lines));
    let format = done("m=audio 4000 RTP/AVP 8 100\na=rtpmap:100 telephone-event/8000\na=sendonly\na=rtcp-mux").unwrap();
    assert_eq!((format.codec, format.telephone_event), (Codec::Pcma, Some(100)));
    assert_eq!((format.direction, format.rtcp_mux), (Direction::ReceiveOnly, false));
    assert_eq!(format.remote_rtcp, socket("192.0.2.1:4001"));
    for lines in ["", "m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 9", "m=video 1 RTP/AVP 0\nm=audio 4000 RTP/AVP 0"] {
        assert_eq!(done(lines).unwrap_err().status, 488, "{lines}");
    }
    assert_eq!(settled(&local(), b"\xff").unwrap_err().status, 400);
    let only_mu = LocalMedia { codecs: vec![Codec::Pcmu], ..local() };
    assert_eq!(settled(&only_mu, &session("m=audio 4000 RTP/AVP 8 0")).unwrap().codec, Codec::Pcmu);
}

#[test]
fn our_own_offer_is_answered_and_settled() {
    let peer = LocalMedia { address: "2001:db8::3".parse().unwrap(), port: 9000, codecs: vec![Codec::Pcma], ..local() };
    let (text, theirs) = answer(&offer(&local()), &peer).unwrap();
    let ours = settled(&local(), &text).unwrap();
    assert_eq!((theirs.codec, ours.codec), (Codec::Pcma, Codec::Pcma));
    assert_eq!((theirs.remote, ours.remote), (socket("198.51.100.1:20000"), socket("[2001:db8::3]:9000")));
    assert_eq!((theirs.telephone_event, ours.telephone_event), (Some(TELEPHONE_EVENT), Some(TELEPHONE_EVENT)));
}

proptest! {
    #[test]
    fn rubbish_is_refused_and_never_breaks(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..200) {
        let mut mutated = session("m=audio 4000 RTP/AVP 0 97\na=rtpmap:97 telephone-event/8000\na=rtcp:5001 IN IP4 192.0.2.1");
        let at = at.min(mutated.len());
        let end = (at + bytes.len() % 5).min(mutated.len());
        mutated.splice(at..end, bytes.iter().copied().take(4));
        for text in [&bytes, &mutated] {
            if let Err(refused) = answer(text, &local()) {
                prop_assert!(refused.status == 400 || refused.status == 488);
            }
            let _ = settled(&local(), text);
            let _ = remote_address(text);
        }
    }
}
