//! The smallest dialplan that has all of a call: one line, one menu, one queue. For the tests of other parts.

use super::{Dialplan, DirectRule, HumanPromise, Line, Welcome};
use crate::ids::{Language, LineName, PromptId, QueueName, StepName};
use crate::key::Key;
use crate::step::Step;
use crate::step::menu::Menu;
use crate::step::queue::Queue;
use crate::target::{StepKind, StepRef, Target};
use std::collections::BTreeMap;
use std::time::Duration;

/// Line `care` (5550100) begins at `menu main`, whose only prompt is `welcome`; a person is to be had in `queue care`.
pub fn plan() -> Dialplan {
    let at = |kind, name: &str| StepRef { kind, name: StepName::new(name) };
    let menu = Menu {
        name: StepName::new("main"),
        say: vec![PromptId::new("welcome")],
        keys: BTreeMap::from([(Key::from_char('9').unwrap(), Target::Repeat)]),
        first_digit_timeout: Duration::from_secs(5),
        max_errors: 2,
        barge_in: true,
    };
    let queue = Queue::named(QueueName::new("care"));
    let line = Line {
        name: LineName::new("care"),
        numbers: vec!["5550100".into()],
        start: at(StepKind::Menu, "main"),
        language: Language::new("en"),
        profiles: Vec::new(),
        announce_within: Duration::from_secs(30),
        help_within: Duration::from_secs(180),
        human: HumanPromise {
            to: queue.name.clone(),
            direct: vec![DirectRule::AgeAtLeast(65)],
            gentle: Vec::new(),
            unknown_caller: Welcome::HumanFirst,
            unlisted_caller: Welcome::Ordinary,
        },
    };
    Dialplan {
        numbers: BTreeMap::from([("5550100".into(), line.name.clone())]),
        lines: BTreeMap::from([(line.name.clone(), line)]),
        bounds: BTreeMap::new(),
        judged: BTreeMap::new(),
        steps: BTreeMap::from([
            (at(StepKind::Menu, "main"), Step::Menu(menu)),
            (at(StepKind::Queue, "care"), Step::Queue(queue)),
        ]),
    }
}
