//! The section `[collect.NAME]`: how many digits, how they end, what they must be.
//!
//! An entry that would accept a single `0` is refused here: the lone zero is a person (DESIGN §1).

use super::draft::{Draft, step_name};
use super::near::near;
use super::section::{Section, Text};
use super::steps::{UNRESOLVED, draft, ids, needed_then, say};
use crate::diagnostic::{Diagnostic, Span};
use crate::key::Key;
use crate::step::Step;
use crate::step::collect::{Check, Collect, DIGITS_MAX};
use crate::target::StepKind;
use toml::de::DeValue;

pub(super) fn read_collect(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let say = say(&mut section, told);
    let aims = needed_then(&mut section, told);
    let digits = read_digits(&mut section, told);
    let end_key = match section.text("end_key", told) {
        Some(text) => read_end_key(&text, told),
        None => Some(Key::HASH),
    };
    let luhn = section.text("check", told).is_some_and(|text| read_check(&text, told));
    let pattern =
        section.text("pattern", told).map(|text| read_pattern(&text, digits.as_ref(), told)).unwrap_or_default();
    // Where the number is not known, one that fits stands in: a small one, which is soon proved.
    let stand_in = pattern.len().clamp(4, usize::from(DIGITS_MAX)) as u8;
    let (least, most) = digits.as_ref().map_or((stand_in, stand_in), |digits| (digits.least, digits.most));
    let collect = Collect {
        name: step_name(&section.name),
        say: ids(&say),
        least,
        most,
        end_key,
        check: Check { luhn, pattern },
        confirm: section.flag("confirm", false, told),
        first_digit_timeout: section.duration("first_digit_timeout", 1..=60, 8, told),
        inter_digit_timeout: section.duration("inter_digit_timeout", 1..=30, 3, told),
        max_errors: section.count("max_errors", 1..=10, 2, told) as u8,
        barge_in: section.flag("barge_in", true, told),
        then: UNRESOLVED,
    };
    if let Some(digits) = digits.filter(|digits| digits.least == 1 && collect.check.is_met("0")) {
        told.push(takes_lone_zero(&section.said, &digits));
    }
    draft(section, StepKind::Collect, Step::Collect(collect), aims, say, told)
}

/// How many digits, and where it is written.
struct Digits {
    least: u8,
    most: u8,
    span: Span,
}

fn takes_lone_zero(said: &str, digits: &Digits) -> Diagnostic {
    let help = match digits.most {
        1 => "make it a menu: one key is a choice, and there 0 reaches a person".to_owned(),
        most => format!("ask for at least two digits: `digits = \"2-{most}\"`"),
    };
    Diagnostic::error("D050", format!("{said} would take a single 0 as an entry"))
        .at(&digits.span, "a 0 alone reaches a person, from everywhere; callers rely on it")
        .help(help)
}

/// `digits = 16` or `digits = "4-6"`.
fn read_digits(section: &mut Section<'_>, told: &mut Vec<Diagnostic>) -> Option<Digits> {
    let Some(value) = section.take("digits") else {
        if !section.damaged {
            let message = format!("{} does not say how many digits", section.said);
            told.push(
                Diagnostic::error("D051", message)
                    .at(&section.name_span, "callers would not know when their entry is whole")
                    .help("add a number, such as `digits = 16`, or least and most: `digits = \"4-6\"`"),
            );
        }
        return None;
    };
    let span = section.source.span(value.span());
    let text = match value.get_ref() {
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::String(text) => text.to_string(),
        _ => {
            told.push(section.wrong_type("digits", value, "a number, such as 16, or a text with two, such as \"4-6\""));
            return None;
        }
    };
    let (least, last) = text.split_once('-').unwrap_or((&text, &text));
    match (least.trim().parse::<u8>(), last.trim().parse::<u8>()) {
        (Ok(least), Ok(last)) if 1 <= least && least <= last && last <= DIGITS_MAX => {
            Some(Digits { least, most: last, span })
        }
        _ => {
            told.push(
                Diagnostic::error("D051", format!("`{text}` is no number of digits"))
                    .at(&span, "callers could not enter anything that fits")
                    .help(format!("write a number from 1 to {DIGITS_MAX}, or least and most: `digits = \"4-6\"`")),
            );
            None
        }
    }
}

fn read_end_key(text: &Text, told: &mut Vec<Diagnostic>) -> Option<Key> {
    match text.value.as_str() {
        "hash" | "#" => Some(Key::HASH),
        "star" | "*" => Some(Key::STAR),
        "none" => None,
        other => {
            let diagnostic = Diagnostic::error("D052", format!("`{other}` cannot end an entry"))
                .at(&text.span, "callers could not tell the end of their entry from its digits");
            told.push(match near(other, ["hash", "star", "none"]).filter(|_| other.len() > 1) {
                Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
                None => diagnostic.help("one of: hash, star, none (then the last digit or a pause ends it)"),
            });
            Some(Key::HASH)
        }
    }
}

fn read_check(text: &Text, told: &mut Vec<Diagnostic>) -> bool {
    if text.value != "luhn" {
        let diagnostic = Diagnostic::error("D053", format!("there is no check called `{}`", text.value))
            .at(&text.span, "every entry of callers would be taken as right");
        told.push(match near(&text.value, ["luhn"]) {
            Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
            None => diagnostic.help("write `check = \"luhn\"` (cards), or use `pattern` for what the digits must be"),
        });
    }
    text.value == "luhn"
}

fn read_pattern(text: &Text, digits: Option<&Digits>, told: &mut Vec<Diagnostic>) -> String {
    let pattern = text.value.to_ascii_lowercase();
    let most = digits.map_or(DIGITS_MAX, |digits| digits.most);
    let fits = |letter: char| letter.is_ascii_digit() || letter == 'x';
    let (wrong, place) =
        if let Some(letter) = text.value.matches(|letter: char| !fits(letter.to_ascii_lowercase())).next() {
            ("has other letters than digits and x".to_owned(), text.word(letter))
        } else if pattern.len() > usize::from(most) {
            let digits = if most == 1 { "digit" } else { "digits" };
            (format!("has {} letters, and the entry at most {most} {digits}", pattern.len()), text.span.clone())
        } else {
            return pattern;
        };
    told.push(
        Diagnostic::error("D053", format!("the pattern `{}` {wrong}", text.value))
            .at(&place, "no entry of a caller could ever be right")
            .help("write one letter for each digit: the digit itself, or x for any, such as \"62xx\""),
    );
    String::new()
}
