//! Mandarin: 一百零五, 两千, 十二元零五分, 二零二六年十一月二十六日, 下午两点零五分, 第三.
//!
//! 两 stands for two before a measure word and before 百, 千, 万 and 亿; 二 in digits, ordinals, dates and at the end of a
//! number. 零 stands once for any run of noughts inside. 一 is said before 十 only inside a number (一百一十).

use super::value::Value;
use super::{Currency, decimal, digits, minus, number, piece};
use crate::prompt::spoken;

pub(super) fn say(value: &Value, currency: Currency) -> Vec<String> {
    match value {
        Value::Digits(signs) => digits(signs),
        Value::Number { negative, whole, decimals } => decimal(*negative, cardinal(*whole), decimals),
        Value::Money { negative, whole, cents } => money(*negative, *whole, *cents, currency),
        Value::Date { year, month, day } => {
            let digits = [year / 1000, year / 100 % 10, year / 10 % 10, year % 10];
            let mut said: Vec<String> = digits.into_iter().map(number).collect();
            said.extend([piece("year"), number(*month), piece("month"), number(*day), piece("day")]);
            said
        }
        Value::Time { hour, minute } => time(*hour, *minute),
        Value::Duration { days, hours, minutes, seconds } => duration([*days, *hours, *minutes, *seconds]),
        Value::Ordinal(place) => {
            let mut said = vec![piece("ordinal")];
            said.extend(cardinal(*place));
            said
        }
    }
}

/// 两
fn two() -> String {
    spoken::count(2)
}

/// Before 百, 千, 万, 亿.
fn multiple(digit: u64) -> String {
    if digit == 2 { two() } else { number(digit) }
}

/// In groups of four digits: 亿, 万, and what is left.
fn cardinal(value: u64) -> Vec<String> {
    if value == 0 {
        return vec![number(0)];
    }
    let mut said = Vec::new();
    let mut skipped = false;
    for (unit, name) in [(100_000_000, Some("hundred-million")), (10_000, Some("ten-thousand")), (1, None)] {
        let group = value / unit % 10_000;
        if group == 0 {
            skipped |= !said.is_empty();
            continue;
        }
        if !said.is_empty() && (skipped || group < 1000) {
            said.push(number(0));
        }
        skipped = false;
        let inside = !said.is_empty();
        match (group, name) {
            (2, Some(name)) => said.extend([two(), piece(name)]),
            (group, Some(name)) => {
                said.extend(below_ten_thousand(group, inside));
                said.push(piece(name));
            }
            (group, None) => said.extend(below_ten_thousand(group, inside)),
        }
    }
    said
}

/// One group. `inside`: something was said before it.
fn below_ten_thousand(value: u64, inside: bool) -> Vec<String> {
    let (thousands, hundreds, rest) = (value / 1000, value / 100 % 10, value % 100);
    let mut said = Vec::new();
    if thousands > 0 {
        said.extend([multiple(thousands), piece("thousand")]);
    }
    if hundreds > 0 {
        said.extend([multiple(hundreds), piece("hundred")]);
    }
    if rest == 0 {
        return said;
    }
    let is_inside = inside || !said.is_empty();
    let noughts = (thousands > 0 && hundreds == 0) || (hundreds > 0 && rest < 10);
    if noughts {
        said.push(number(0));
    }
    // 一百一十, 一千零一十, but 十五 alone.
    if is_inside && (10..20).contains(&rest) {
        said.push(number(1));
    }
    said.push(number(rest));
    said
}

/// Before a measure word: 两 alone, else the number.
fn count(value: u64) -> Vec<String> {
    if value == 2 { vec![two()] } else { cardinal(value) }
}

fn money(negative: bool, whole: u64, cents: u64, currency: Currency) -> Vec<String> {
    let mut said = minus(negative);
    let (unit, cent) = match currency {
        Currency::Cny => ("yuan", "fen"),
        Currency::Usd => ("us-dollar", "us-cent"),
        Currency::Eur => ("euro", "euro-cent"),
        Currency::Gbp => ("pound", "pence"),
    };
    if whole > 0 || cents == 0 {
        said.extend(count(whole));
        said.push(piece(unit));
    }
    if currency != Currency::Cny {
        if cents > 0 {
            said.extend(count(cents));
            said.push(piece(cent));
        }
        return said;
    }
    // 五角, 五角五分, 零五分
    let (tenths, hundredths) = (cents / 10, cents % 10);
    if tenths > 0 {
        said.extend(count(tenths));
        said.push(piece("jiao"));
    } else if hundredths > 0 && whole > 0 {
        said.push(number(0));
    }
    if hundredths > 0 {
        said.extend(count(hundredths));
        said.push(piece("fen"));
    }
    said
}

/// 凌晨零点, 上午八点零五分, 中午十二点, 下午两点半 as 两点三十分, 晚上九点
fn time(hour: u64, minute: u64) -> Vec<String> {
    let part = match hour {
        0..6 => "small-hours",
        6..12 => "morning",
        12 => "noon",
        13..18 => "afternoon",
        _ => "evening",
    };
    let mut said = vec![piece(part)];
    said.extend(count(if hour > 12 { hour - 12 } else { hour }));
    said.push(piece("oclock"));
    match minute {
        0 => {}
        1..10 => said.extend([number(0), number(minute), piece("minute-of-clock")]),
        _ => said.extend([number(minute), piece("minute-of-clock")]),
    }
    said
}

/// 两小时五分钟; what is nought is left out.
fn duration(parts: [u64; 4]) -> Vec<String> {
    const UNITS: [&str; 4] = ["days", "hours", "minutes", "seconds"];
    let mut said = Vec::new();
    for (count_of, unit) in parts.into_iter().zip(UNITS).filter(|(count, _)| *count > 0) {
        said.extend(count(count_of));
        said.push(piece(unit));
    }
    if said.is_empty() { vec![number(0), piece("seconds")] } else { said }
}
