//! A call alone, where a `.call` script cannot look: what waits for the ACK, and what our own mistakes lead to.

use super::event::Spoken;
use super::*;
use crate::promise::Due;
use crate::prompt::spoken;
use crate::time::{Time, Wall};

/// A call that has been answered for a caller of whom the registry has said this.
fn answered(registry: Event) -> (Call, Vec<Effect>) {
    let plan = Arc::new(crate::dialplan::small::plan());
    let line = plan.line_for("5550100").unwrap().clone();
    let mut call = Call::new(at(0), CallId(1), plan, &line, Some(NumberHash([1; 16])), true);
    call.handle(at(1), registry);
    assert!(call.handle(at(2), Event::Ready).contains(&Effect::Answer));
    let wishes = call.handle(at(3), Event::Answered);
    (call, wishes)
}

fn at(milliseconds: u64) -> Now {
    Now { time: Time::from_millis(milliseconds), wall: Wall::from_seconds(1_795_000_000) }
}

fn speaks(wishes: &[Effect]) -> bool {
    wishes.iter().any(|wish| matches!(wish, Effect::Speak { .. }))
}

fn joins(wishes: &[Effect]) -> bool {
    wishes.iter().any(|wish| matches!(wish, Effect::Join { .. }))
}

#[test]
fn words_wait_until_the_caller_hears() {
    for sign in [Event::Hears, Event::Timer(CallTimer::Start)] {
        let (mut call, wishes) = answered(Event::Registry(Some(CallerFacts::default())));
        assert!(!speaks(&wishes), "before the ACK the beginning of the words would be lost");
        assert_eq!(call.marks.first_prompt, None);
        assert!(speaks(&call.handle(at(50), sign)));
        assert_eq!(call.marks.first_prompt, Some(at(50).time));
    }
}

#[test]
fn a_flagged_caller_is_in_the_queue_before_the_ack() {
    let facts = CallerFacts { ages_reached: BTreeSet::from([60, 65]), ..CallerFacts::default() };
    let (mut call, wishes) = answered(Event::Registry(Some(facts)));
    assert!(joins(&wishes));
    assert_eq!(call.marks.human_asked, call.marks.answered, "t4 is t1");
    let standing = event::Standing { place: 1, minutes: None };
    call.handle(at(4), Event::PromiseWritten);
    assert!(!speaks(&call.handle(at(4), Event::Joined(standing))), "the words wait all the same");
    assert!(speaks(&call.handle(at(20), Event::Hears)));
}

#[test]
fn a_key_before_the_ack_counts_and_nothing_of_the_menu_is_spoken_then() {
    let (mut call, _) = answered(Event::Registry(Some(CallerFacts::default())));
    assert!(joins(&call.handle(at(10), Event::Key(Key::HUMAN))));
    call.handle(at(10), Event::Joined(event::Standing { place: 1, minutes: None }));
    let heard = call.handle(at(20), Event::Hears);
    let spoken = heard.iter().find_map(|wish| match wish {
        Effect::Speak { said, .. } => match &said[0] {
            Spoken::Prompt(id) => Some(id.as_str()),
            Spoken::Standing { .. } => None,
        },
        _ => None,
    });
    assert_eq!(spoken, Some(spoken::HOLD_MUSIC));
}

#[test]
fn a_flag_that_comes_late_spares_the_rest_of_the_menu() {
    let (mut call, _) = answered(Event::Registry(None));
    let facts = CallerFacts { ages_reached: BTreeSet::from([65]), ..CallerFacts::default() };
    assert!(joins(&call.handle(at(900), Event::Registry(Some(facts)))));
    assert_eq!(call.asked_by, Some(AskedBy::Registry));
}

#[test]
fn a_mistake_of_ours_leads_to_a_person_and_a_second_one_leaves_the_promise_due() {
    let (mut call, _) = answered(Event::Registry(Some(CallerFacts::default())));
    let wishes = call.recover(at(100));
    assert!(joins(&wishes));
    assert_eq!(call.asked_by, Some(AskedBy::Failure));
    let wishes = call.abandon(at(200));
    assert!(wishes.contains(&Effect::PromiseDue(Due::Cut)));
    assert!(wishes.iter().any(|wish| matches!(wish, Effect::HangUp { .. })));
    assert!(call.is_over());
}

#[test]
fn the_caller_hears_music_while_the_agent_holds() {
    let (mut call, _) = answered(Event::Registry(Some(CallerFacts::default())));
    call.handle(at(10), Event::Hears);
    call.handle(at(20), Event::Key(Key::HUMAN));
    call.handle(at(20), Event::Joined(event::Standing { place: 1, minutes: None }));
    call.handle(at(30), Event::AgentAnswers { agent: AgentId::new("1001"), leg: crate::ids::LegId(2) });
    call.handle(at(40), Event::AgentHeard);
    let wishes = call.handle(at(50), Event::AgentHeld(true));
    assert!(wishes.iter().any(|wish| matches!(wish, Effect::Speak { repeat: true, .. })));
    assert!(!speaks(&call.handle(at(55), Event::AgentHeld(true))), "told twice, it does not begin again");
    assert!(call.handle(at(60), Event::AgentHeld(false)).contains(&Effect::Quiet));
}
