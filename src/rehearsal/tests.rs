//! Our own mistakes, as a caller meets them (DESIGN §3): in tests the key `D` makes the step that gets it panic.

use super::{Stage, run};
use crate::codec::Codec;
use crate::ids::{Language, PromptId};
use crate::prompt::{Prompt, PromptFacts, PromptLibrary, spoken};
use crate::script;
use std::sync::Arc;
use std::time::Duration;

fn stage() -> Stage {
    let mut prompts = PromptLibrary::default();
    for id in ["welcome"].iter().chain(&spoken::REQUIRED) {
        let facts = PromptFacts { text: String::new(), length: Duration::ZERO, offer_ends: None, advert: false };
        let sound = |codec: Codec| vec![codec.silence(); 8000];
        let (pcmu, pcma) = (sound(Codec::Pcmu), sound(Codec::Pcma));
        prompts.insert(Prompt::new(PromptId::new(id), Language::new("en"), facts, pcmu, pcma));
    }
    Stage { dialplan: Arc::new(crate::dialplan::small::plan()), prompts: Arc::new(prompts) }
}

#[track_caller]
fn goes(lines: &str) {
    let text = format!("line care\ncaller +12025550123\nregistry ordinary\nagents 1001\n{lines}");
    let outcome = run(&stage(), &script::read(&text).unwrap()).unwrap();
    assert!(outcome.differences.is_empty(), "{:#?}", outcome.differences);
}

#[test]
fn a_step_that_breaks_leads_to_a_person() {
    goes(
        " 0.0 > call\n 0.0 < answer\n 0.0 < play welcome\n 0.5 > press D\n 0.5 < queue care\n 0.5 < play queued\n\
         \x20 0.5 < ring 1001\n 2.0 > agent 1001 answers\n 2.0 < bridge 1001\n 2.0 < promise closed conversation\n\
         \x20 4.0 > hang-up\n",
    );
}

#[test]
fn who_waits_keeps_the_ticket_and_the_phone_rings_on() {
    goes(
        " 0.0 > call\n 0.0 < answer\n 0.0 < play welcome\n 0.5 > press 0\n 0.5 < queue care\n 0.5 < play queued\n\
         \x20 0.5 < ring 1001\n 2.0 > press D\n 2.0 < queue care again\n 2.0 < play place-is ordinal-1 place-unit\n\
         \x20 3.0 > agent 1001 answers\n 3.0 < bridge 1001\n 3.0 < promise closed conversation\n 4.0 > hang-up\n",
    );
}

#[test]
fn who_talks_waits_again_with_a_new_promise() {
    goes(
        " 0.0 > call\n 0.0 < answer\n 0.0 < play welcome\n 0.5 > press 0\n 0.5 < queue care\n 0.5 < play queued\n\
         \x20 0.5 < ring 1001\n 2.0 > agent 1001 answers\n 2.0 < bridge 1001\n 2.0 < promise closed conversation\n\
         \x20 3.0 > press D\n 3.0 < queue care again\n\
         \x20 3.0 < play queued place-is ordinal-1 place-unit wait-is number-3-count wait-unit\n\
         \x20 4.0 > hang-up\n 4.0 < promise closed caller hung up\n",
    );
}

#[test]
fn a_second_mistake_ends_the_call_and_the_promise_is_due() {
    goes(
        " 0.0 > call\n 0.0 < answer\n 0.0 < play welcome\n 0.5 > press D\n 0.5 < queue care\n 0.5 < play queued\n\
         \x20 0.5 < ring 1001\n 2.0 > press D\n 2.0 < promise due cut\n 2.0 < hang-up\n",
    );
}
