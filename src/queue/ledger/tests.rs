//! The ledger's lines survive any text, any cut and any repeat.

use super::*;
use crate::ids::{CallId, LineName, QueueName};
use crate::promise::{AskedBy, Closing};

fn opened(promise: u64) -> Entry {
    Entry::Opened(Opened {
        promise: PromiseId(promise),
        call: CallId(7),
        line: LineName::new("care"),
        queue: QueueName::new("care night"),
        at: Wall::from_seconds(1_700_000_000),
        asked_by: AskedBy::Key,
        number: Some(seal_number(&[1; 32], [2; 24], "+12025550123")),
        flagged: true,
    })
}

fn all_entries() -> Vec<Entry> {
    let (promise, at) = (PromiseId(1), Wall::from_seconds(-5));
    let mut all = vec![opened(1), without_number(&opened(2))];
    for why in [Due::CallBackPromised, Due::Cut, Due::Message("a b%20=\n\u{2028}后.wav".to_owned())] {
        all.push(Entry::Due { promise, at, why });
    }
    for by in ["", "Night desk", "x=1 y", "%", "\r\n\0"] {
        all.push(Entry::Taken { promise, at, by: by.to_owned() });
    }
    for how in [Closing::Conversation, Closing::CallBackDone, Closing::MessageTaken, Closing::CallerHungUp] {
        all.push(Entry::Closed { promise, at, how });
    }
    all
}

#[test]
fn every_entry_comes_back_from_its_line() {
    for (sequence, entry) in all_entries().into_iter().enumerate() {
        let line = encode(&entry, sequence as u64);
        assert!(!line.contains('\n') && !line.contains('\r'), "{line:?}");
        assert_eq!(decode(&line), Ok((sequence as u64, entry)));
    }
}

#[test]
fn every_asked_by_and_closing_has_its_own_word() {
    use AskedBy::*;
    let words: BTreeSet<_> =
        [Key, HeldZero, Silence, Errors, Registry, UnknownCaller, Dialplan, Failure].map(asked_by_word).into();
    assert_eq!(words.len(), 8);
    assert!(!words.contains(""));
    assert_eq!(closing_word(Closing::ByHand), "by_hand");
}

#[test]
fn any_changed_byte_is_found() {
    let line = encode(&opened(1), 9);
    for at in 0..line.len() {
        let mut bytes = line.clone().into_bytes();
        bytes[at] ^= 1;
        assert!(decode(&String::from_utf8_lossy(&bytes)).is_err(), "byte {at}");
    }
}

#[test]
fn a_file_cut_at_any_byte_of_its_last_line_loses_that_line_alone() {
    let first = encode(&opened(1), 1) + "\n";
    let whole = first.clone() + &encode(&opened(2), 2) + "\n";
    for length in first.len()..whole.len() {
        let mut ledger = Ledger::default();
        let (troubles, good) = ledger.read(&whole.as_bytes()[..length], |_, _, _| {});
        assert_eq!(ledger.open().len(), 1, "cut at {length}");
        assert_eq!(good, first.len());
        assert_eq!(troubles.iter().filter(|trouble| trouble.is_torn_end).count(), usize::from(length > first.len()));
    }
}

#[test]
fn a_broken_line_in_the_middle_is_told_and_the_rest_is_read() {
    let lines = [encode(&opened(1), 1), "rubbish".to_owned(), String::new(), encode(&opened(2), 2)];
    let mut file = lines.join("\n").into_bytes();
    file.extend(b"\n\xff\xfe\n");
    let mut ledger = Ledger::default();
    let (troubles, good) = ledger.read(&file, |_, _, _| {});
    assert_eq!(ledger.open().len(), 2);
    assert_eq!(good, file.len());
    let told: Vec<_> = troubles.iter().map(|trouble| (trouble.line, trouble.is_torn_end)).collect();
    assert_eq!(told, [(2, false), (5, false)]);
}

#[test]
fn repeats_change_nothing_and_a_closed_promise_stays_closed() {
    let (promise, at) = (PromiseId(1), Wall::from_seconds(9));
    let mut ledger = Ledger::default();
    let due = Entry::Due { promise, at, why: Due::Cut };
    let taken = Entry::Taken { promise, at, by: "desk".to_owned() };
    let closed = Entry::Closed { promise, at, how: Closing::ByHand };
    assert_eq!(ledger.apply(&due), Applied::Nothing);
    for entry in [&opened(1), &due, &taken] {
        assert_eq!(ledger.apply(entry), Applied::Changed, "{entry:?}");
        assert_eq!(ledger.apply(entry), Applied::Nothing, "{entry:?}");
    }
    assert_eq!(ledger.due_count(), 1);
    assert_eq!(ledger.open()[&promise].taken_by, Some(("desk".to_owned(), at)));
    assert_eq!(ledger.apply(&closed), Applied::Changed);
    for entry in [&closed, &opened(1), &due, &taken] {
        assert_eq!(ledger.apply(entry), Applied::Nothing, "{entry:?}");
    }
    assert!(ledger.open().is_empty());
}

#[test]
fn a_line_that_was_written_twice_counts_once() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.replay(5, &opened(1)), Applied::Changed);
    assert_eq!(ledger.replay(5, &opened(2)), Applied::Nothing);
    ledger.skip_to(3);
    assert_eq!(ledger.sequence(), 5);
    ledger.skip_to(30);
    assert_eq!(ledger.sequence(), 30);
}

#[test]
fn a_sealed_number_opens_with_its_key_only() {
    let sealed = seal_number(&[1; 32], [2; 24], "+12025550123");
    assert!(!sealed.0.windows(4).any(|part| part == b"0123"));
    assert_eq!(open_number(&[1; 32], &sealed).as_deref(), Some("+12025550123"));
    assert_eq!(open_number(&[3; 32], &sealed), None);
    for at in 0..sealed.0.len() {
        let mut damaged = sealed.clone();
        damaged.0[at] ^= 1;
        assert_eq!(open_number(&[1; 32], &damaged), None, "byte {at}");
        assert_eq!(open_number(&[1; 32], &SealedNumber(sealed.0[..at].to_vec())), None);
    }
}
