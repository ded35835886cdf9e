//! The same messages over TCP, where only Content-Length tells one from the next (RFC 3261 §18.3): byte by byte, several in
//! one segment, with keep-alives between them.
//!
//! What is read out of a stream must be what was sent into it; where that cannot be known the connection must end.

use crate::as_sent;
use crate::cases;
use crate::stand::{Sent, Stand, flow};
use onekey::sip::Transport;
use onekey::sip::framing::{BODY_BYTES_MAX, Frame, Framer, FramingError, HEADER_BYTES_MAX};
use proptest::prelude::*;

/// What becomes of a stream that brings these bytes in pieces of this size.
fn frames(bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<FramingError>) {
    let (mut framer, mut messages) = (Framer::new(), Vec::new());
    for piece in bytes.chunks(piece.max(1)) {
        framer.push(piece);
        while let Some(frame) = framer.next() {
            match frame {
                Ok(Frame::Message(message)) => messages.push(message),
                Ok(Frame::Ping | Frame::Pong) => {}
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}

/// Torture messages that are not one whole message on a stream: how many messages they are there, and what ends it.
const OTHERWISE: &[(&str, usize, Option<FramingError>)] = &[
    ("dblreq", 2, None),
    // The rest is waited for.
    ("clerr", 0, None),
    ("ncl", 0, Some(FramingError::BadLength)),
    ("mcl01", 0, Some(FramingError::BadLength)),
    ("inv2543", 0, Some(FramingError::NoLength)),
];

#[test]
fn torture_messages_are_cut_out_of_a_stream_alike_however_they_arrive() {
    for case in cases() {
        let whole = frames(&case.bytes, case.bytes.len());
        for piece in [1, 2, 3, 7, 64] {
            assert_eq!(frames(&case.bytes, piece), whole, "{} in pieces of {piece}", case.name);
        }
        match OTHERWISE.iter().find(|(name, _, _)| *name == case.name) {
            Some((name, messages, error)) => assert_eq!((whole.0.len(), whole.1), (*messages, *error), "{name}"),
            None => assert_eq!(whole, (vec![case.bytes.clone()], None), "{}", case.name),
        }
    }
}

/// What phones send, as far as it says how long it is: a stream needs that.
fn with_length() -> Vec<Vec<u8>> {
    let whole = as_sent::calls().into_iter().map(|(_, bytes)| frames(&bytes, bytes.len()));
    whole.filter_map(|(messages, _)| messages.into_iter().next()).collect()
}

#[test]
fn two_messages_in_a_segment_are_two_and_keep_alives_are_none() {
    let messages = with_length();
    assert!(messages.len() > 40, "{}", messages.len());
    for pair in messages.windows(2) {
        let stream = [b"\r\n\r\n", &pair[0][..], b"\r\n\r\n\r\n", &pair[1], b"\r\n"].concat();
        let (got, error) = frames(&stream, stream.len());
        assert_eq!((&got[..], error), (pair, None));
        assert_eq!(frames(&stream, 1), (got, None));
    }
}

#[test]
fn each_message_of_a_phone_begins_a_call_over_tcp_too() {
    for bytes in with_length() {
        let mut stand = Stand::by(flow(Transport::Tcp, false));
        let (messages, error) = frames(&bytes, 1);
        assert_eq!((messages.len(), error), (1, None));
        let sent = stand.receive(&messages[0]);
        assert_eq!(sent.iter().filter_map(Sent::status).collect::<Vec<_>>(), [100, 200], "{}", bytes.escape_ascii());
        stand.rest();
    }
}

#[test]
fn a_length_that_is_wrong_on_a_stream_ends_it_or_is_waited_for() {
    let plain = String::from_utf8(crate::application::plain_invite("lengths")).expect("text");
    let with = |length: &str| plain.replace("Content-Length: 133\r\n", length).into_bytes();
    for (length, error) in [
        ("", FramingError::NoLength),
        ("Content-Length: -1\r\n", FramingError::BadLength),
        ("Content-Length: 0x85\r\n", FramingError::BadLength),
        ("Content-Length: 133 133\r\n", FramingError::BadLength),
        ("Content-Length: 133\r\nl: 0\r\n", FramingError::BadLength),
        ("Content-Length: 18446744073709551749\r\n", FramingError::BadLength),
        ("Content-Length: 65537\r\n", FramingError::BodyTooLong),
    ] {
        for piece in [1, 1000] {
            assert_eq!(frames(&with(length), piece), (Vec::new(), Some(error)), "{length:?}");
        }
    }
    let mut framer = Framer::new();
    framer.push(&with("Content-Length: 135\r\n"));
    assert_eq!(framer.next(), None, "two bytes are still to come");
    framer.push(b"\r\n");
    assert!(matches!(framer.next(), Some(Ok(Frame::Message(_)))));
    // Shorter than the body: the rest is read as the next message, and ends the connection if it never becomes one.
    let short = [with("Content-Length: 100\r\n"), b"\r\n\r\n".to_vec()].concat();
    assert_eq!(frames(&short, 1), (vec![short[..short.len() - 37].to_vec()], Some(FramingError::NoLength)));
}

#[test]
fn nothing_in_quantity_is_not_collected() {
    for byte in [b' ', 0, 0xff, b'x', b':', b'\t'] {
        let (messages, error) = frames(&vec![byte; HEADER_BYTES_MAX + 2], 1000);
        assert_eq!((messages.len(), error), (0, Some(FramingError::HeaderTooLong)), "{byte:#x}");
    }
    assert_eq!(frames(&b"\r\n".repeat(HEADER_BYTES_MAX), 3), (Vec::new(), None), "idle lines are no header");
    let folds = [&b"OPTIONS sip:a SIP/2.0\r\nX:"[..], &b"\r\n ".repeat(30_000)].concat();
    assert_eq!(frames(&folds, 1000), (Vec::new(), Some(FramingError::HeaderTooLong)));
    let body = format!("OPTIONS sip:a SIP/2.0\r\nl: {BODY_BYTES_MAX}\r\n\r\n");
    let whole = [body.as_bytes(), &vec![0; BODY_BYTES_MAX]].concat();
    assert_eq!(frames(&whole, 1000), (vec![whole], None), "a body may hold anything, up to its bound");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any messages in any pieces: the same messages come out.
    #[test]
    fn streams_are_cut_alike(picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..5), sizes in proptest::collection::vec(1usize..3000, 1..20)) {
        let messages = with_length();
        let chosen: Vec<&Vec<u8>> = picks.iter().map(|pick| pick.get(&messages)).collect();
        let stream = chosen.iter().flat_map(|message| message.iter().copied()).collect::<Vec<u8>>();
        let whole = frames(&stream, stream.len());
        let (mut framer, mut got, mut rest, mut turn, mut failed) = (Framer::new(), Vec::new(), &stream[..], 0, None);
        while !rest.is_empty() && failed.is_none() {
            let (piece, behind) = rest.split_at(sizes[turn % sizes.len()].min(rest.len()));
            framer.push(piece);
            (rest, turn) = (behind, turn + 1);
            while let (Some(frame), None) = (framer.next(), failed) {
                match frame {
                    Ok(Frame::Message(message)) => got.push(message),
                    Ok(Frame::Ping | Frame::Pong) => {}
                    Err(error) => failed = Some(error),
                }
            }
        }
        prop_assert_eq!((got, failed), whole);
    }
}
