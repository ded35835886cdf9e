//! `[dial.NAME]`: another number is rung and joined to the caller. Only what stands in the dialplan can be dialled, never
//! what a caller has typed: there is no way to write such a target.
//!
//! `0` before the answer ends the ringing and reaches a person (the call takes it); afterwards it passes through to the
//! other party, and held for 800 ms it comes back to the queue. After the talk the service is finished: a person is
//! offered before the end, or `then` follows. Phases: 0 speaking, 1 ringing, 2 talking; 100 to 102 the ending.

use super::{Edge, Event, StepState, ending, words};
use crate::ids::{PromptId, StepName};
use crate::target::Target;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

const SPEAKING: u8 = 0;
const RINGING: u8 = 1;
const TALKING: u8 = 2;

/// What an administrator wrote of one dial, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dial {
    pub name: StepName,
    pub to: Party,
    /// Never empty; default `connecting`.
    pub say: Vec<PromptId>,
    pub ring_timeout: Duration,
    /// After the talk.
    pub then: Option<Target>,
    /// Busy, refused, no answer; default a person.
    pub otherwise: Target,
}

/// Whom to ring.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Party {
    /// A SIP address, such as `sip:desk@192.0.2.10:5060`: rung there, at the IP address that it names.
    Sip(String),
    /// A telephone number in E.164, rung through a trunk of the settings.
    Number { number: String, trunk: Option<String> },
}

/// Of SIP over UDP where an address names none (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;

/// What stands behind the `@` of a SIP address: an IP address, IPv6 in brackets, with or without a port.
pub fn address_of(uri: &str) -> Option<SocketAddr> {
    let host = uri.split_once('@')?.1;
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.parse().ok().or_else(|| Some(SocketAddr::new(inner.parse().ok()?, SIP_PORT)))
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Sip(address) => f.write_str(address),
            Party::Number { number, .. } => f.write_str(number),
        }
    }
}

impl Dial {
    pub fn next(&self, state: &mut StepState, event: Event) -> Edge {
        match (event, state.phase) {
            (Event::Entered { .. }, _) => {
                state.phase = SPEAKING;
                Edge::Speak { words: words(&self.say), barge_in: true }
            }
            (Event::Spoken, SPEAKING) => {
                state.phase = RINGING;
                Edge::Dial { to: self.to.clone(), ring_timeout: self.ring_timeout }
            }
            (Event::Connected, RINGING) => {
                state.phase = TALKING;
                Edge::Stay
            }
            (Event::NotConnected, RINGING) => Edge::Go(self.otherwise.clone()),
            (Event::PartyLeft, TALKING) => ending::begin(state, self.then.as_ref(), self.then.is_none()),
            _ => ending::next(state, event, self.then.as_ref(), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dial(then: Option<Target>) -> Dial {
        Dial {
            name: StepName::new("branch"),
            to: Party::Sip("sip:desk@192.0.2.10".into()),
            say: vec![PromptId::new("connecting")],
            ring_timeout: Duration::from_secs(30),
            then,
            otherwise: Target::Human,
        }
    }

    #[test]
    fn it_rings_talks_and_then_offers_a_person_or_goes_on() {
        let at = |phase, event| {
            let mut state = StepState { phase, ..StepState::default() };
            (dial(None).next(&mut state, event), state.phase)
        };
        let ring = Edge::Dial { to: dial(None).to, ring_timeout: Duration::from_secs(30) };
        assert!(matches!(at(2, Event::Entered { open: true }), (Edge::Speak { .. }, 0)));
        assert_eq!(at(0, Event::Spoken), (ring, 1));
        assert_eq!(at(1, Event::Connected), (Edge::Stay, 2));
        assert_eq!(at(1, Event::NotConnected), (Edge::Go(Target::Human), 1));
        assert!(matches!(at(2, Event::PartyLeft), (Edge::Speak { .. }, ending::AFTER)));
        assert_eq!(at(1, Event::PartyLeft), (Edge::Stay, 1));
        let mut talking = StepState { phase: 2, ..StepState::default() };
        assert_eq!(dial(Some(Target::Start)).next(&mut talking, Event::PartyLeft), Edge::Go(Target::Start));
    }

    #[test]
    fn an_address_has_a_port_or_the_usual_one() {
        let table = [
            ("sip:desk@192.0.2.10", Some("192.0.2.10:5060")),
            ("sip:desk@192.0.2.10:5070", Some("192.0.2.10:5070")),
            ("sip:desk@[2001:db8::1]", Some("[2001:db8::1]:5060")),
            ("sip:desk@[2001:db8::1]:5070", Some("[2001:db8::1]:5070")),
            ("sip:desk@pbx.example", None),
            ("sip:desk", None),
        ];
        for (uri, expected) in table {
            assert_eq!(address_of(uri), expected.map(|address| address.parse().unwrap()), "{uri}");
        }
    }
}
