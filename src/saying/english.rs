//! English: "one hundred and five", "minus twelve dollars and five cents", "November twenty-sixth, twenty twenty-six".

use super::value::Value;
use super::{Currency, decimal, digits, minus, number, piece};

pub(super) fn say(value: &Value, currency: Currency) -> Vec<String> {
    match value {
        Value::Digits(signs) => digits(signs),
        Value::Number { negative, whole, decimals } => decimal(*negative, cardinal(*whole), decimals),
        Value::Money { negative, whole, cents } => money(*negative, *whole, *cents, currency),
        Value::Date { year: years, month, day } => {
            let mut said = vec![format!("month-{month}")];
            said.extend(ordinal(*day));
            said.extend(year(*years));
            said
        }
        Value::Time { hour, minute } => time(*hour, *minute),
        Value::Duration { days, hours, minutes, seconds } => duration([*days, *hours, *minutes, *seconds]),
        Value::Ordinal(place) => ordinal(*place),
    }
}

/// "one million two hundred and thirty thousand and five"
fn cardinal(value: u64) -> Vec<String> {
    if value == 0 {
        return vec![number(0)];
    }
    let mut said = Vec::new();
    for (unit, name) in [(1_000_000, Some("million")), (1000, Some("thousand")), (1, None)] {
        let part = value / unit % 1000;
        if part == 0 {
            continue;
        }
        // "one thousand and five", but "one thousand two hundred and five".
        if name.is_none() && part < 100 && !said.is_empty() {
            said.push(piece("and"));
        }
        said.extend(below_thousand(part));
        said.extend(name.map(piece));
    }
    said
}

fn below_thousand(value: u64) -> Vec<String> {
    let (hundreds, rest) = (value / 100, value % 100);
    let mut said = Vec::new();
    if hundreds > 0 {
        said.extend([number(hundreds), piece("hundred")]);
        if rest > 0 {
            said.push(piece("and"));
        }
    }
    if rest > 0 {
        said.push(number(rest));
    }
    said
}

/// "twenty-first", "one hundred and first"
fn ordinal(value: u64) -> Vec<String> {
    let (hundreds, rest) = (value / 100, value % 100);
    let mut said = Vec::new();
    if hundreds > 0 {
        said.push(number(hundreds));
        if rest == 0 {
            said.push(piece("hundredth"));
            return said;
        }
        said.extend([piece("hundred"), piece("and")]);
    }
    match (rest / 10, rest % 10) {
        // The days of a month are recorded whole.
        _ if rest <= 31 => said.push(format!("ordinal-{rest}")),
        (_, 0) => said.push(format!("ordinal-{rest}")),
        (tens, ones) => said.extend([number(tens * 10), format!("ordinal-{ones}")]),
    }
    said
}

/// "nineteen eighty-seven", "nineteen oh five", "two thousand and five", "twenty twenty-six"
fn year(value: u64) -> Vec<String> {
    let (century, rest) = (value / 100, value % 100);
    match (century, rest) {
        (century, 0) if century % 10 == 0 => vec![number(century / 10), piece("thousand")],
        (century, 0) => vec![number(century), piece("hundred")],
        (century, rest) if century % 10 == 0 && rest < 10 => {
            vec![number(century / 10), piece("thousand"), piece("and"), number(rest)]
        }
        (century, rest) if rest < 10 => vec![number(century), piece("oh"), number(rest)],
        (century, rest) => vec![number(century), number(rest)],
    }
}

/// "ten a.m.", "twelve oh five a.m.", "two thirty p.m."
fn time(hour: u64, minute: u64) -> Vec<String> {
    let mut said = vec![number(if hour.is_multiple_of(12) { 12 } else { hour % 12 })];
    match minute {
        0 => {}
        1..10 => said.extend([piece("oh"), number(minute)]),
        _ => said.push(number(minute)),
    }
    said.push(piece(if hour < 12 { "am" } else { "pm" }));
    said
}

fn money(negative: bool, whole: u64, cents: u64, currency: Currency) -> Vec<String> {
    // One and many of the unit, one and many of its hundredth.
    let [one, many, cent, many_cents] = match currency {
        Currency::Usd => ["dollar", "dollars", "cent", "cents"],
        Currency::Eur => ["euro", "euros", "cent", "cents"],
        Currency::Gbp => ["pound", "pounds", "penny", "pence"],
        Currency::Cny => ["yuan", "yuan", "fen", "fen"],
    };
    let mut said = minus(negative);
    if whole > 0 || cents == 0 {
        said.extend(cardinal(whole));
        said.push(piece(if whole == 1 { one } else { many }));
    }
    if cents > 0 {
        if whole > 0 {
            said.push(piece("and"));
        }
        said.extend([number(cents), piece(if cents == 1 { cent } else { many_cents })]);
    }
    said
}

/// "one hour two minutes and three seconds"; what is nought is left out.
fn duration(parts: [u64; 4]) -> Vec<String> {
    const UNITS: [(&str, &str); 4] = [("day", "days"), ("hour", "hours"), ("minute", "minutes"), ("second", "seconds")];
    let there: Vec<(u64, (&str, &str))> = parts.into_iter().zip(UNITS).filter(|(count, _)| *count > 0).collect();
    if there.is_empty() {
        return vec![number(0), piece("seconds")];
    }
    let mut said = Vec::new();
    for (at, (count, (one, many))) in there.iter().enumerate() {
        if at > 0 && at + 1 == there.len() {
            said.push(piece("and"));
        }
        said.extend(cardinal(*count));
        said.push(piece(if *count == 1 { one } else { many }));
    }
    said
}
