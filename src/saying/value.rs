//! From a value's text to what it says: read once, alike for all languages.

use super::{Form, Unspeakable};

/// Largest whole number that is said.
pub(super) const NUMBER_MAX: u64 = 999_999_999;
/// Most digits that are said one by one.
pub(super) const DIGITS_MAX: usize = 40;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    Digits(Vec<char>),
    /// `decimals` as they are said: none, or one or two digits.
    Number {
        negative: bool,
        whole: u64,
        decimals: Vec<u64>,
    },
    Money {
        negative: bool,
        whole: u64,
        cents: u64,
    },
    Date {
        year: u64,
        month: u64,
        day: u64,
    },
    Time {
        hour: u64,
        minute: u64,
    },
    Duration {
        days: u64,
        hours: u64,
        minutes: u64,
        seconds: u64,
    },
    Ordinal(u64),
}

impl Value {
    pub fn read(form: Form, text: &str) -> Result<Value, Unspeakable> {
        let text = text.trim();
        let read = match form {
            Form::Digits => digits(text),
            Form::Number => {
                decimal(text).map(|(negative, whole, decimals)| Value::Number { negative, whole, decimals })
            }
            Form::Money => decimal(text).map(|(negative, whole, decimals)| Value::Money {
                negative,
                whole,
                cents: match decimals[..] {
                    [tenths] => tenths * 10,
                    [tenths, hundredths] => tenths * 10 + hundredths,
                    _ => 0,
                },
            }),
            Form::Date => date(text),
            Form::Time => time(text),
            Form::Duration => duration(text),
            Form::Ordinal => text.parse().ok().filter(|place| (1..=999).contains(place)).map(Value::Ordinal),
        };
        // The text itself may be a balance: it is not repeated in a message that might be logged.
        read.ok_or_else(|| Unspeakable(format!("this cannot be said as a {}", form.as_str())))
    }
}

fn digits(text: &str) -> Option<Value> {
    let good = text.chars().all(|sign| sign.is_ascii_digit() || "+*#".contains(sign));
    (good && (1..=DIGITS_MAX).contains(&text.len())).then(|| Value::Digits(text.chars().collect()))
}

/// Sign, whole part and at most two decimals; `-0.00` is not negative.
fn decimal(text: &str) -> Option<(bool, u64, Vec<u64>)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || part.is_some_and(|part| !is_number(part) || part.len() > 2) {
        return None;
    }
    let whole: u64 = whole.parse().ok().filter(|whole| *whole <= NUMBER_MAX)?;
    let decimals: Vec<u64> = part.unwrap_or("").bytes().map(|digit| u64::from(digit - b'0')).collect();
    let is_zero = whole == 0 && decimals.iter().all(|digit| *digit == 0);
    Some((negative && !is_zero, whole, decimals))
}

fn date(text: &str) -> Option<Value> {
    let day = text.get(..10)?;
    let is_stamp = text.len() == 10 || text[10..].starts_with(['T', 't', ' ']);
    let date: jiff::civil::Date = day.parse().ok().filter(|_| is_stamp)?;
    let (year, month, day) = (u64::try_from(date.year()).ok()?, date.month().unsigned_abs(), date.day().unsigned_abs());
    (1000..=9999).contains(&year).then_some(Value::Date { year, month: month.into(), day: day.into() })
}

/// `14:05`, `14:05:30`, or behind the `T` of a time stamp, as it stands there.
fn time(text: &str) -> Option<Value> {
    let clock = text.split_once(['T', 't', ' ']).map_or(text, |(_, clock)| clock);
    let (hour, rest) = clock.split_once(':')?;
    let minute = rest.get(..2)?;
    let ends = rest[2..].is_empty() || rest[2..].starts_with([':', '+', '-', 'Z']);
    let number = |text: &str, most: u64| {
        text.parse::<u64>().ok().filter(|value| *value <= most && (1..=2).contains(&text.len()))
    };
    if !ends {
        return None;
    }
    Some(Value::Time { hour: number(hour, 23)?, minute: number(minute, 59)? })
}

fn duration(text: &str) -> Option<Value> {
    let seconds = match text.strip_prefix('P') {
        Some(rest) => iso_seconds(rest)?,
        None => text.parse::<u64>().ok().filter(|_| text.bytes().all(|digit| digit.is_ascii_digit()))?,
    };
    (seconds <= NUMBER_MAX).then_some(Value::Duration {
        days: seconds / 86_400,
        hours: seconds / 3600 % 24,
        minutes: seconds / 60 % 60,
        seconds: seconds % 60,
    })
}

/// What stands behind the `P`: days, hours, minutes and whole seconds.
fn iso_seconds(text: &str) -> Option<u64> {
    let mut seconds = 0u64;
    let mut number = String::new();
    let mut in_time = false;
    for letter in text.chars() {
        let unit = match (letter, in_time) {
            ('0'..='9', _) => {
                number.push(letter);
                continue;
            }
            ('T', false) if number.is_empty() => {
                in_time = true;
                continue;
            }
            ('D', false) => 86_400,
            ('H', true) => 3600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        let count: u64 = number.parse().ok()?;
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && !text.is_empty() && text != "T").then_some(seconds)
}

/// Values of a form in which every piece occurs that any value of it needs, in every place.
pub(super) fn covering(form: Form) -> Vec<Value> {
    let numbers = || {
        (0..1000u64)
            .flat_map(|part| [part, part * 1000, part * 10_000, part * 1_000_000, part * 1_001_001 % 1_000_000_000])
    };
    let wholes = || numbers().chain([200_000_000, 100_000_005, 20_000, 10_005]).filter(|number| *number <= NUMBER_MAX);
    match form {
        Form::Digits => "0123456789+*#".chars().map(|sign| Value::Digits(vec![sign])).collect(),
        Form::Number => {
            let digits = (0..10).map(|digit| Value::Number { negative: true, whole: 0, decimals: vec![digit] });
            wholes().map(|whole| Value::Number { negative: false, whole, decimals: Vec::new() }).chain(digits).collect()
        }
        Form::Money => {
            let cents = (0..100).flat_map(|cents| [0, 1, 2].map(|whole| Value::Money { negative: true, whole, cents }));
            wholes().map(|whole| Value::Money { negative: false, whole, cents: 0 }).chain(cents).collect()
        }
        Form::Date => {
            let days = (1..=31).map(|day| Value::Date { year: 2026, month: 1, day });
            let months = (1..=12).map(|month| Value::Date { year: 2026, month, day: 1 });
            let years = (1000..=9999).map(|year| Value::Date { year, month: 1, day: 1 });
            days.chain(months).chain(years).collect()
        }
        Form::Time => (0..24).flat_map(|hour| (0..60).map(move |minute| Value::Time { hour, minute })).collect(),
        Form::Duration => {
            let small =
                (0..60).map(|count| Value::Duration { days: count, hours: count % 24, minutes: count, seconds: count });
            let single = (0..3).flat_map(|count| {
                [
                    Value::Duration { days: count, hours: 0, minutes: 0, seconds: 0 },
                    Value::Duration { days: 0, hours: count, minutes: 0, seconds: 0 },
                    Value::Duration { days: 0, hours: 0, minutes: count, seconds: 0 },
                    Value::Duration { days: 0, hours: 0, minutes: 0, seconds: count },
                ]
            });
            let days = (0..=11_574).map(|days| Value::Duration { days, hours: 0, minutes: 0, seconds: 0 });
            small.chain(single).chain(days).collect()
        }
        Form::Ordinal => (1..=999).map(Value::Ordinal).collect(),
    }
}
