//! The ledger's file: what was answered as written is there after any crash, and one process owns it.

use super::place::{Place, answer, reply, until};
use onekey::ids::{CallId, LineName, PromiseId, QueueName};
use onekey::promise::{AskedBy, Closing, Due, Entry, Opened};
use onekey::queue::ledger::{encode, seal_number};
use onekey::server::ledger_file::{
    Follower, LedgerFile, LedgerFileError, LedgerOptions, Ordered, order, read,
};
use onekey::time::Wall;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

pub fn opened(promise: u64) -> Entry {
    Entry::Opened(Opened {
        promise: PromiseId(promise),
        call: CallId(promise),
        line: LineName::new("care"),
        queue: QueueName::new("care"),
        at: Wall::from_seconds(1_800_000_000),
        asked_by: AskedBy::Key,
        number: Some(seal_number(&[1; 32], [promise as u8; 24], "+12025550123")),
        flagged: false,
    })
}

fn closed(promise: u64) -> Entry {
    Entry::Closed { promise: PromiseId(promise), at: Wall::from_seconds(1_800_000_001), how: Closing::Conversation }
}

fn open(place: &Place) -> (LedgerFile, Vec<u64>) {
    let options = LedgerOptions { orders_every: Duration::from_millis(5), ..LedgerOptions::default() };
    let (file, found) = LedgerFile::open(place.path(), options, Box::new(())).unwrap();
    (file, found.ledger.open().keys().map(|promise| promise.0).collect())
}

fn write(file: &LedgerFile, entry: Entry) -> Result<(), String> {
    let (reply, answers) = reply();
    file.append(entry, reply);
    answer(&answers)
}

#[test]
fn what_was_answered_is_there_at_the_next_start_and_is_due() {
    let place = Place::new();
    let (file, found) = open(&place);
    assert!(found.is_empty());
    for entry in [opened(1), opened(2), opened(3), closed(2)] {
        write(&file, entry).unwrap();
    }
    let counts = file.counts();
    until("two are open", || counts.open.load(Ordering::Relaxed) == 2);
    assert_eq!(counts.written.load(Ordering::Relaxed), 4);
    drop(file);
    let (file, found) = open(&place);
    assert_eq!(found, [1, 3]);
    drop(file);
    let (ledger, troubles, is_running) = read(place.path()).unwrap();
    assert!(troubles.is_empty() && !is_running);
    assert!(ledger.open().values().all(|open| matches!(open.due, Some((_, Due::Cut)))));
    let text = std::fs::read_to_string(place.join("promises.ledger")).unwrap();
    assert_eq!(text.matches("number=").count(), 2, "the closed promise's number is erased:\n{text}");
}

#[test]
fn a_file_cut_at_any_byte_of_its_last_line_starts_again_without_that_line_alone() {
    let first = encode(&opened(1), 1) + "\n";
    let whole = first.clone() + &encode(&opened(2), 2) + "\n";
    for length in first.len()..=whole.len() {
        let place = Place::new();
        std::fs::write(place.join("promises.ledger"), &whole.as_bytes()[..length]).unwrap();
        let (file, found) = open(&place);
        assert_eq!(found.len(), if length == whole.len() { 2 } else { 1 }, "cut at {length}");
        write(&file, opened(3)).unwrap();
        drop(file);
        let (ledger, troubles, _) = read(place.path()).unwrap();
        assert!(troubles.is_empty(), "cut at {length}: {troubles:?}");
        assert!(ledger.open().contains_key(&PromiseId(1)) && ledger.open().contains_key(&PromiseId(3)));
    }
}

#[test]
fn damaged_lines_are_told_and_set_aside_and_the_rest_is_kept() {
    let place = Place::new();
    let text = format!("{}\n1 opened rubbish\n{}\n", encode(&opened(1), 1), encode(&opened(2), 2));
    std::fs::write(place.join("promises.ledger"), text).unwrap();
    let (_file, found) = LedgerFile::open(place.path(), LedgerOptions::default(), Box::new(())).unwrap();
    assert_eq!(found.troubles.iter().map(|trouble| trouble.line).collect::<Vec<_>>(), [2]);
    assert_eq!(found.ledger.open().len(), 2);
    assert_eq!(std::fs::read_to_string(place.join("promises.ledger.damaged")).unwrap(), "1 opened rubbish\n");
    assert!(read(place.path()).unwrap().1.is_empty());
}

#[test]
fn a_second_process_is_refused_while_the_first_one_runs() {
    let place = Place::new();
    let (file, _) = open(&place);
    let second = LedgerFile::open(place.path(), LedgerOptions::default(), Box::new(()));
    assert!(matches!(second, Err(LedgerFileError::InUse { .. })));
    assert!(read(place.path()).unwrap().2, "a reader sees that it is owned");
    drop(file);
    assert!(LedgerFile::open(place.path(), LedgerOptions::default(), Box::new(())).is_ok());
}

/// Passes on what it is told.
struct Told {
    written: Sender<u64>,
    ordered: Sender<Entry>,
}

impl Follower for Told {
    fn written(&mut self, sequence: u64, _entry: &Entry) {
        let _ = self.written.send(sequence);
    }
    fn kept_up_to(&self) -> u64 {
        2
    }
    fn ordered(&mut self, entry: &Entry) {
        let _ = self.ordered.send(entry.clone());
    }
}

#[test]
fn an_order_reaches_the_file_with_and_without_a_server() {
    let place = Place::new();
    drop(open(&place));
    assert_eq!(order(place.path(), &opened(9), Duration::ZERO).unwrap(), Ordered::Written);
    let (written, all_written) = channel();
    let (ordered, all_ordered) = channel();
    let options = LedgerOptions { orders_every: Duration::from_millis(5), ..LedgerOptions::default() };
    let follower = Box::new(Told { written, ordered });
    let (file, _) = LedgerFile::open(place.path(), options, follower).unwrap();
    write(&file, opened(1)).unwrap();
    let taken = Entry::Taken { promise: PromiseId(1), at: Wall::from_seconds(5), by: "night desk".to_owned() };
    assert_eq!(order(place.path(), &taken, Duration::from_secs(20)).unwrap(), Ordered::Written);
    assert_eq!(order(place.path(), &closed(9), Duration::from_secs(20)).unwrap(), Ordered::Written);
    assert_eq!(order(place.path(), &closed(77), Duration::from_secs(20)).unwrap(), Ordered::Written);
    drop(file);
    assert_eq!(all_ordered.try_iter().collect::<Vec<_>>(), [taken, closed(9)], "nothing about an unknown promise");
    let numbers: Vec<u64> = all_written.try_iter().collect();
    assert_eq!(numbers, [3, 4, 5, 6], "numbers go on after what is kept elsewhere, and each is told once");
    let (ledger, _, _) = read(place.path()).unwrap();
    assert_eq!(ledger.open()[&PromiseId(1)].taken_by.as_ref().unwrap().0, "night desk");
    assert!(!ledger.open().contains_key(&PromiseId(9)));
    assert_eq!(std::fs::read_dir(place.join("promises.orders")).unwrap().count(), 0);
}

#[test]
fn broken_orders_are_removed_and_do_no_harm() {
    let place = Place::new();
    let spool = place.join("promises.orders");
    std::fs::create_dir_all(&spool).unwrap();
    std::fs::write(spool.join("1.order"), "rubbish").unwrap();
    std::fs::write(spool.join("2.order"), encode(&opened(5), 0)).unwrap();
    std::fs::write(spool.join("3.order"), vec![b'x'; 100_000]).unwrap();
    std::fs::write(spool.join("4.order"), b"\xff\xfe").unwrap();
    std::fs::write(spool.join("5.draft"), "half writ").unwrap();
    let (file, _) = open(&place);
    until("orders are gone", || std::fs::read_dir(&spool).unwrap().count() == 1);
    write(&file, opened(1)).unwrap();
    drop(file);
    assert_eq!(read(place.path()).unwrap().0.open().len(), 1);
}

#[test]
fn many_askers_at_once_are_all_answered_and_all_kept_in_order() {
    let place = Place::new();
    let (file, _) = open(&place);
    std::thread::scope(|scope| {
        for asker in 0..4u64 {
            let file = &file;
            scope.spawn(move || {
                let answers: Vec<_> = (0..250)
                    .map(|number| {
                        let (reply, answers) = reply();
                        file.append(opened(asker * 1000 + number + 1), reply);
                        answers
                    })
                    .collect();
                assert!(answers.iter().all(|answers| answer(answers) == Ok(())));
            });
        }
    });
    drop(file);
    let (ledger, troubles, _) = read(place.path()).unwrap();
    assert!(troubles.is_empty());
    assert_eq!((ledger.open().len(), ledger.sequence()), (1000, 1000));
}

#[test]
fn a_directory_that_cannot_be_written_is_told_at_the_start() {
    let place = Place::new();
    std::fs::write(place.join("data"), "a file where a directory should be").unwrap();
    let refused = LedgerFile::open(&place.join("data"), LedgerOptions::default(), Box::new(()));
    assert!(matches!(refused, Err(LedgerFileError::Disk { .. })));
}
