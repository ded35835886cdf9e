//! Session descriptions: any bytes as an offer and as an answer, for each kind of local side.
//!
//! Our answer has a line for each of the offer's, is read alike by ourselves, and never promises to send to nobody or to
//! many.

use onekey::codec::{Codec, Direction, StreamFormat};
use onekey::sip::sdp::{self, LocalMedia, MEDIA_LINES_MAX};

pub fn run(bytes: &[u8]) {
    for (codecs, direction) in [
        (vec![Codec::Pcmu, Codec::Pcma], Direction::SendReceive),
        (vec![Codec::Pcma], Direction::SendOnly),
        (vec![Codec::Pcmu], Direction::ReceiveOnly),
    ] {
        let address = "198.51.100.1".parse().expect("an address");
        let local = LocalMedia { address, port: 20_000, codecs, direction, session_id: 7, version: 2 };
        offered(bytes, &local);
        match sdp::settled(&local, bytes) {
            Ok(format) => {
                agreed(&format, &local);
                assert!(!format.rtcp_mux);
            }
            Err(refused) => assert!([400, 488].contains(&refused.status)),
        }
    }
    if let Some(remote) = sdp::remote_address(bytes) {
        assert!(!remote.ip().is_multicast() && !remote.ip().is_unspecified());
    }
}

fn offered(offer: &[u8], local: &LocalMedia) {
    let (answer, format) = match sdp::answer(offer, local) {
        Ok(agreed) => agreed,
        Err(refused) => return assert!([400, 488].contains(&refused.status)),
    };
    agreed(&format, local);
    let text = String::from_utf8(answer.clone()).expect("what we write is text");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
    assert!((1..=MEDIA_LINES_MAX).contains(&lines.len()));
    let taken: Vec<&&str> = lines.iter().filter(|line| line.split(' ').nth(1) != Some("0")).collect();
    assert_eq!(taken.len(), 1, "{text}");
    assert!(taken[0].starts_with("m=audio 20000 RTP/AVP "), "{text}");
    assert!(text.lines().all(|line| line.as_bytes().get(1) == Some(&b'=')), "{text:?}");
    assert_eq!(sdp::remote_address(&answer), Some((local.address, local.port).into()), "{text}");
    // The peer, if it were one of us, reads the same agreement out of it.
    let peer =
        LocalMedia { codecs: vec![Codec::Pcmu, Codec::Pcma], direction: Direction::SendReceive, ..local.clone() };
    if lines[0].starts_with("m=audio 20000") {
        let settled = sdp::settled(&peer, &answer).expect("our answer settles something");
        assert_eq!((settled.codec, settled.payload_type), (format.codec, format.payload_type), "{text}");
        assert_eq!(settled.telephone_event, format.telephone_event, "{text}");
        assert_eq!(settled.direction.reversed(), format.direction, "{text}");
    }
}

fn agreed(format: &StreamFormat, local: &LocalMedia) {
    assert!(local.codecs.contains(&format.codec));
    assert!(!format.direction.sends() || local.direction.sends() && format.remote.is_some());
    assert!(!format.direction.receives() || local.direction.receives());
    for address in [format.remote, format.remote_rtcp].into_iter().flatten() {
        assert!(!address.ip().is_multicast() && !address.ip().is_unspecified() && address.port() != 0, "{address}");
    }
    assert!(format.payload_type < 128, "payload type {}", format.payload_type);
    assert!(format.telephone_event.is_none_or(|number| number < 128), "events as {:?}", format.telephone_event);
    assert_ne!(Some(format.payload_type), format.telephone_event);
}
