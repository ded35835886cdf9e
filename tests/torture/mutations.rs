//! Torture messages and phones' messages with bytes changed, lines doubled, left out and mixed: the engine must neither stop
//! nor keep anything, and whoever gets an answer gets one that can be matched with the request.

use crate::application::plain_invite;
use crate::stand::{Stand, flow};
use crate::{as_sent, cases};
use onekey::sip::Transport;
use onekey::sip::reader::read;
use proptest::prelude::*;
use std::sync::LazyLock;

static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let torture = cases().into_iter().map(|case| case.bytes);
    torture.chain(as_sent::calls().into_iter().map(|(_, bytes)| bytes).filter(|bytes| bytes.len() < 5_000)).collect()
});

/// One thing that goes wrong on the way; numbers are taken modulo what is there.
#[derive(Clone, Debug)]
enum Change {
    Byte(usize, u8),
    Piece(usize, usize, &'static str),
    DoubleLine(usize),
    DropLine(usize),
    /// A line of another message.
    LineOf(usize, usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let pieces = prop::sample::select(vec![
        "\r\n",
        "\n",
        "\r",
        "\0",
        " ",
        ":",
        ";",
        ",",
        "\"",
        "<",
        ">",
        "\\",
        "%00",
        "[",
        "]",
        "@",
        "?",
        "\r\n ",
        "\r\n\r\n",
        ";tag=x",
        "l: 0\r\n",
        "SIP/2.0",
        "z9hG4bK",
        "sip:",
        "multipart/mixed;boundary=b",
        "4294967296",
        "-1",
        "\u{e9}",
    ]);
    let at = any::<usize>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(place, byte)| Change::Byte(place, byte)),
        (at(), 0usize..6, pieces).prop_map(|(place, length, piece)| Change::Piece(place, length, piece)),
        at().prop_map(Change::DoubleLine),
        at().prop_map(Change::DropLine),
        (at(), at(), at()).prop_map(|(place, message, line)| Change::LineOf(place, message, line)),
        at().prop_map(Change::Cut),
    ]
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn apply(mut bytes: Vec<u8>, change: &Change) -> Vec<u8> {
    let mut all = lines(&bytes);
    let (length, count) = (bytes.len().max(1), all.len().max(1));
    match change {
        Change::Byte(place, byte) => {
            if let Some(at) = bytes.get_mut(place % length) {
                *at = *byte;
            }
            return bytes;
        }
        Change::Piece(place, removed, piece) => {
            let at = (place % length).min(bytes.len());
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, piece.bytes());
            return bytes;
        }
        Change::Cut(place) => {
            bytes.truncate(place % length);
            return bytes;
        }
        Change::DoubleLine(place) => {
            let line = all.get(place % count).cloned().unwrap_or_default();
            all.insert((place / 7) % count, line);
        }
        Change::DropLine(place) if !all.is_empty() => drop(all.remove(place % count)),
        Change::DropLine(_) => {}
        Change::LineOf(place, message, line) => {
            let other = lines(&CORPUS[message % CORPUS.len()]);
            all.insert(place % count, other[line % other.len()].clone());
        }
    }
    all.concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_stops_the_engine_and_nothing_stays_in_it(
        picks in proptest::collection::vec((any::<prop::sample::Index>(), proptest::collection::vec(change(), 0..4)), 1..8),
        v6 in any::<bool>(), tcp in any::<bool>(),
    ) {
        let mut stand = Stand::by(flow(if tcp { Transport::Tcp } else { Transport::Udp }, v6));
        for (pick, changes) in picks {
            let bytes = changes.iter().fold(pick.get(&CORPUS).clone(), apply);
            let before = stand.sent.clone();
            let sent = stand.receive(&bytes);
            let Ok(request) = read(bytes) else { continue };
            for answer in sent.iter().filter(|sent| sent.status().is_some()) {
                // Of one branch is of one transaction, whatever else it says (RFC 3261 §17.2.3).
                if before.iter().any(|earlier| earlier.bytes == answer.bytes) {
                    continue;
                }
                let answer = read(answer.bytes.clone()).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
                prop_assert_eq!(answer.call_id(), request.call_id());
                prop_assert_eq!((answer.cseq(), answer.method()), (request.cseq(), request.method()));
                prop_assert_eq!((answer.from_tag(), &answer.via().branch), (request.from_tag(), &request.via().branch));
                prop_assert_eq!(answer.vias().len(), request.vias().len());
            }
        }
        stand.flow = flow(Transport::Udp, false);
        prop_assert_eq!(stand.status(&plain_invite("after-all")), Some(200));
        stand.rest();
    }
}
