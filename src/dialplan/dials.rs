//! The section `[dial.NAME]`: a SIP address or a telephone number that stands here, letter by letter.
//!
//! A variable in it is refused: nobody's money is spent on what a caller has typed.

use super::draft::{Draft, Role, Slot, step_name};
use super::section::{Section, Text};
use super::steps::{UNRESOLVED, draft, ids, then};
use crate::diagnostic::Diagnostic;
use crate::ids::PromptId;
use crate::prompt::spoken;
use crate::step::Step;
use crate::step::dial::{Dial, Party, address_of};
use crate::target::StepKind;

pub(super) fn read_dial(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let to = section.text("to", told);
    if to.is_none() && !section.damaged && !section.has("to") {
        told.push(
            Diagnostic::error("D060", format!("{} does not say whom it rings", section.said))
                .at(&section.name_span, "callers would be connected with nobody")
                .help("add a number or an address, such as `to = \"+12025550123\"` or `to = \"sip:desk@192.0.2.10\"`"),
        );
    }
    let trunk = section.text("trunk", told);
    let party = to.as_ref().map(|text| read_party(text, trunk.as_ref(), told));
    let say = section.texts("say", told).unwrap_or_default();
    let mut aims = then(&mut section, told);
    aims.extend(section.target("else", told).map(|aim| Slot { role: Role::Else, aim }));
    let dial = Dial {
        name: step_name(&section.name),
        to: party.unwrap_or_else(|| Party::Sip(String::new())),
        say: if say.is_empty() { vec![PromptId::new(spoken::CONNECTING)] } else { ids(&say) },
        ring_timeout: section.duration("ring_timeout", 5..=120, 30, told),
        then: None,
        otherwise: UNRESOLVED,
    };
    let rung = to.map(|to| (to, trunk));
    Draft { rung, ..draft(section, StepKind::Dial, Step::Dial(dial), aims, say, told) }
}

fn read_party(text: &Text, trunk: Option<&Text>, told: &mut Vec<Diagnostic>) -> Party {
    let value = text.value.trim();
    if value.contains(['{', '}']) {
        told.push(
            Diagnostic::error(
                "D060",
                "what a caller typed, or anything else that is not written here, cannot be dialled",
            )
            .at(&text.span, "a stranger could ring any number of the world at your cost")
            .help("write the number itself, and a menu before it where there are several"),
        );
        return Party::Sip(String::new());
    }
    let digits = value.strip_prefix('+').unwrap_or("");
    if (7..=15).contains(&digits.len()) && digits.bytes().all(|letter| letter.is_ascii_digit()) {
        return Party::Number { number: value.to_owned(), trunk: trunk.map(|trunk| trunk.value.clone()) };
    }
    if value.strip_prefix("sip:").is_some_and(is_address) {
        return Party::Sip(value.to_owned());
    }
    let bare: String = value.chars().filter(char::is_ascii_digit).collect();
    let help = match (value.starts_with("sip:"), bare.len()) {
        (true, _) => "write the IP address of the phone or the exchange: \"sip:desk@192.0.2.10:5060\"".to_owned(),
        // Of a local number nobody can tell the country.
        (false, 7..=10) => {
            format!(
                "write + and its country before it, as in \"+12025550123\", or an address: \"sip:{bare}@192.0.2.10\""
            )
        }
        (false, 11..=15) => {
            format!("write it with its country, such as \"+{bare}\", or as an address: \"sip:{bare}@192.0.2.10\"")
        }
        _ => "write a number such as \"+12025550123\", or an address such as \"sip:desk@192.0.2.10\"".to_owned(),
    };
    told.push(
        Diagnostic::error("D060", format!("`{value}` cannot be rung"))
            .at(&text.span, "callers would be connected with nobody")
            .help(help),
    );
    Party::Sip(String::new())
}

/// `user@192.0.2.10` or `user@192.0.2.10:5060`, IPv6 in brackets.
fn is_address(rest: &str) -> bool {
    let Some((user, _)) = rest.split_once('@') else { return false };
    let good = |letter: char| letter.is_ascii_alphanumeric() || "-_.+*".contains(letter);
    !user.is_empty() && user.chars().all(good) && address_of(rest).is_some()
}
