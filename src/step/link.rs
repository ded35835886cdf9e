//! The ways that lead on from a step, each with the role that its target has there: for drawings, coverage and proofs.

use super::lookup::LookupFailure;
use super::{Edge, Event, Step};
use crate::key::Key;
use crate::target::{StepRef, Target};
use std::fmt;
use std::time::Duration;

/// One way on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub role: Role,
    pub target: Target,
}

/// Why a call takes a way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    Key(Key),
    /// `then`: what the step is for has been done.
    Then,
    /// `else`: it could not be done.
    Else,
    /// The look-up's `on` value is this.
    Case(String),
    /// The look-up has failed in this way.
    Failed(LookupFailure),
    /// Wrong keys and silences: a person.
    Errors,
}

/// What one event made a step do in a call. Walks by themselves are told to whoever asks which ways calls take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Walk {
    pub at: StepRef,
    /// A queue that cannot serve has been entered and is not open.
    pub event: Event,
    /// Where the call went on to, if it left.
    pub to: Option<Target>,
    /// It counted as a wrong key, a wrong entry or a silence.
    pub is_error: bool,
    /// A key is awaited now, this long.
    pub awaits: Option<Duration>,
}

impl Walk {
    /// `errors` are those that the step counted before and after.
    pub fn new(at: &StepRef, event: Event, edge: &Edge, errors: (u8, u8)) -> Walk {
        let to = match edge {
            Edge::Go(to) | Edge::Set { then: to, .. } => Some(to.clone()),
            _ => None,
        };
        let awaits = match edge {
            Edge::Listen { within } | Edge::Take { within } => Some(*within),
            _ => None,
        };
        Walk { at: at.clone(), event, to, is_error: errors.1 > errors.0, awaits }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Role::Key(key) => key.fmt(f),
            Role::Then => f.write_str("then"),
            Role::Else => f.write_str("else"),
            Role::Case(value) => f.write_str(value),
            Role::Failed(failure) => f.write_str(failure.as_str()),
            Role::Errors => f.write_str("errors"),
        }
    }
}

impl Step {
    /// By which of its links a call leaves this step, if the event makes it leave.
    pub fn role(&self, event: Event) -> Role {
        match (self, event) {
            (Step::Menu(menu), Event::Key(key)) if menu.keys.contains_key(&key) => Role::Key(key),
            (Step::Menu(_), _) => Role::Errors,
            (Step::Collect(collect), Event::Checked { good: true }) if !collect.confirm => Role::Then,
            (Step::Collect(_), Event::Key(key)) if key.as_char() == '1' => Role::Then,
            (Step::Collect(_), _) => Role::Errors,
            (Step::Hours(_), Event::Entered { open: false }) => Role::Else,
            (Step::Say(_), Event::Unspeakable) | (Step::Dial(_), Event::NotConnected) => Role::Else,
            (Step::Lookup(lookup), Event::Found { case: Some(case) }) => {
                lookup.cases.get(usize::from(case)).map_or(Role::Then, |case| Role::Case(case.value.clone()))
            }
            (Step::Lookup(lookup), Event::LookUpFailed(how)) if lookup.failed.contains_key(&how) => Role::Failed(how),
            (Step::Lookup(_), Event::LookUpFailed(_)) => Role::Else,
            (Step::Queue(_), _) => Role::Else,
            _ => Role::Then,
        }
    }

    /// Every place that this step can send a call to, in the order in which it is written. What is left out goes to a
    /// person and stands as [`Target::Human`].
    pub fn links(&self) -> Vec<Link> {
        let link = |role, target: &Target| Link { role, target: target.clone() };
        let maybe = |role: Role, target: &Option<Target>| -> Vec<Link> {
            target.iter().map(|to| link(role.clone(), to)).collect()
        };
        match self {
            Step::Menu(menu) => {
                let keys = menu.keys.iter().map(|(key, target)| link(Role::Key(*key), target));
                keys.chain([link(Role::Errors, &Target::Human)]).collect()
            }
            Step::Play(play) => maybe(Role::Then, &play.then),
            Step::Collect(collect) => vec![link(Role::Then, &collect.then), link(Role::Errors, &Target::Human)],
            Step::Say(say) => {
                let mut links = maybe(Role::Then, &say.then);
                links.push(link(Role::Else, &say.otherwise));
                links
            }
            Step::Hours(hours) => vec![link(Role::Then, &hours.then), link(Role::Else, &hours.otherwise)],
            Step::Lookup(lookup) => {
                let cases = lookup.cases.iter().map(|case| link(Role::Case(case.value.clone()), &case.target));
                let failed = LookupFailure::ALL.into_iter().filter_map(|how| Some((how, lookup.failed.get(&how)?)));
                let failed = failed.map(|(how, target)| link(Role::Failed(how), target));
                let ends = [link(Role::Then, &lookup.then), link(Role::Else, &lookup.otherwise)];
                cases.chain(ends).chain(failed).collect()
            }
            Step::Set(set) => vec![link(Role::Then, &set.then)],
            Step::Queue(queue) => maybe(Role::Else, &queue.otherwise),
            Step::Voicemail(voicemail) => maybe(Role::Then, &voicemail.then),
            Step::Callback(callback) => maybe(Role::Then, &callback.then),
            Step::Dial(dial) => {
                let mut links = maybe(Role::Then, &dial.then);
                links.push(link(Role::Else, &dial.otherwise));
                links
            }
            Step::HangUp(_) => Vec::new(),
        }
    }
}
