//! Every message of RFC 4475 and RFC 5118, and what phones really send, against the reader and the real engine.
//!
//! Each torture message is an entry: its name, its peculiarity, how it must be read and what must be answered. The table:
//! `cargo test --test torture table -- --nocapture`.

mod application;
mod as_sent;
mod case;
mod differential;
mod follow_ups;
mod invalid;
mod ipv6;
mod mutations;
mod stand;
mod streams;
mod valid;

use case::{Answer, Case, Read};
use onekey::media::command::MediaCommand;
use onekey::sip::reader;
use onekey::sip::{Flow, Transport};
use stand::{Sent, Stand, flow};

/// All of RFC 4475 in its order, then all of RFC 5118.
fn cases() -> Vec<Case> {
    [valid::cases(), invalid::cases(), application::cases(), ipv6::cases()].into_iter().flatten().collect()
}

fn is_ipv6(case: &Case) -> bool {
    case.section.starts_with("5118")
}

fn path(case: &Case) -> Flow {
    flow(Transport::Udp, is_ipv6(case))
}

#[test]
fn no_message_of_the_rfcs_is_missing() {
    let cases = cases();
    let names: std::collections::BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "a name stands twice");
    let of = |section: &str| cases.iter().filter(|case| case.section.starts_with(section)).count();
    assert_eq!((of("3.1.1."), of("3.1.2."), of("3.2."), of("3.3."), of("3.4.")), (13, 19, 1, 15, 1));
    assert_eq!((of("3."), of("5118")), (49, 12));
}

#[test]
fn each_is_read_as_it_must_be() {
    cases().iter().for_each(Case::check_reading);
}

#[test]
fn each_is_answered_as_it_must_be_and_leaves_nothing() {
    for case in &cases() {
        let mut stand = Stand::by(path(case));
        let sent = stand.receive(&case.bytes);
        check_answer(case, &stand, &sent);
        // Once more: a repeat begins nothing.
        let calls = stand.calls();
        let again = stand.receive(&case.bytes);
        assert_eq!(stand.calls(), calls, "{}: its repeat was taken for another call", case.name);
        let last = |sent: &[Sent]| sent.iter().filter_map(Sent::status).next_back();
        assert!(last(&again).is_none() || last(&again) == last(&sent), "{}: another answer to a repeat", case.name);
        stand.rest();
    }
}

/// The right statuses, to where the message came from, with what an answer copies.
fn check_answer(case: &Case, stand: &Stand, sent: &[Sent]) {
    let name = case.name;
    let statuses: Vec<u16> = sent.iter().map(|one| one.status().expect("only answers are sent")).collect();
    match &case.answer {
        Answer::Nothing => assert!(sent.is_empty(), "{name} is answered: {sent:?}"),
        Answer::Final(status, headers) => {
            let invited = statuses.first() == Some(&100);
            assert_eq!(statuses[usize::from(invited)..], [*status], "{name}");
            for (header, words) in *headers {
                let values = sent.last().expect("an answer").headers(header);
                assert!(values.iter().any(|value| value.contains(words)), "{name}: {header} is {values:?}");
            }
        }
        Answer::Call { remote } => {
            assert_eq!(statuses, [100, 200], "{name}");
            assert_eq!(sent[1].headers("Content-Type"), ["application/sdp"], "{name}");
            let started = stand.media.iter().find_map(|command| match command {
                MediaCommand::Start { format, .. } => Some(format.remote.map(|remote| remote.to_string())),
                _ => None,
            });
            assert_eq!(started, Some(Some((*remote).to_owned())), "{name}: where the media goes");
        }
    }
    for answer in sent {
        check_copied(case, stand, answer);
    }
}

fn check_copied(case: &Case, stand: &Stand, answer: &Sent) {
    let name = case.name;
    assert_eq!(answer.flow, stand.flow, "{name}");
    let to = answer.headers("To");
    let tagged = |to: &String| to.contains(";tag=") || to.contains("tag    =");
    let Ok(request) = reader::read(case.bytes.clone()) else {
        // As much as there is; a To that can be read gets our tag.
        let readable = to.iter().all(|to| onekey::sip::headers::NameAddr::parse(to).is_ok());
        assert!(!readable || to.iter().all(tagged), "{name}: {to:?}");
        assert!(!answer.headers("Via").is_empty(), "{name}");
        return;
    };
    assert_eq!(answer.headers("Via").len(), request.headers("Via").count(), "{name}");
    let tidy = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let from = request.headers("From").map(tidy).collect::<Vec<_>>();
    assert_eq!(answer.headers("From").iter().map(|from| tidy(from)).collect::<Vec<_>>(), from, "{name}");
    assert_eq!(answer.headers("Call-ID"), [request.call_id()], "{name}");
    assert_eq!(answer.headers("CSeq"), [format!("{} {}", request.cseq(), request.method())], "{name}");
    if answer.status() != Some(100) {
        assert!(to.len() == 1 && tagged(&to[0]), "{name}: {to:?}");
    }
}

#[test]
fn one_engine_bears_them_all_in_any_order_and_still_takes_a_call() {
    let cases = cases();
    for seed in 0..20_usize {
        let mut stand = Stand::new();
        for nth in 0..cases.len() {
            // 61 is prime, so that each step visits all of them.
            let case = &cases[(nth * (seed + 1) + seed) % cases.len()];
            stand.flow = path(case);
            stand.receive(&case.bytes);
        }
        stand.flow = flow(Transport::Udp, false);
        let plain = application::plain_invite("after-all-that");
        assert_eq!(stand.status(&plain), Some(200), "seed {seed}");
        stand.rest();
    }
}

#[test]
fn table() {
    for case in cases() {
        println!("{}", case.row());
    }
    let refused = cases().iter().filter(|case| matches!(case.read, Read::Refused(..))).count();
    println!("\n{} messages, {refused} of them refused by the reader", cases().len());
}
