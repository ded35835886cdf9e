//! The section `[hours.NAME]`: zones, ranges of days and times, holidays, as administrators write them.
//!
//! What open means at a moment is `step::hours`' matter.

use super::draft::{Draft, Role, Slot, step_name};
use super::near::near;
use super::section::{Section, Text};
use super::steps::{UNRESOLVED, draft};
use crate::diagnostic::{Diagnostic, Span};
use crate::step::Step;
use crate::step::hours::{DAY_MINUTES, DayRange, Days, Holiday, Hours};
use crate::target::StepKind;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

const DAY_WORDS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(super) fn read_hours(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    if !section.has("zone") && !section.damaged {
        told.push(missing(&section.said, &section.name_span, "zone"));
    }
    let roles = [("then", Role::Then), ("else", Role::Else)].into_iter();
    let lacks = roles.filter(|(key, _)| !section.has(key) && !section.damaged).map(|(_, role)| role).collect();
    let zone = section.text("zone", told).and_then(|text| read_zone(&text, told)).unwrap_or(TimeZone::UTC);
    let mut open = Vec::new();
    let before = told.len();
    let ranges = section.texts("open", told).unwrap_or_default();
    if ranges.is_empty() && told.len() == before && !section.damaged {
        told.push(missing(&section.said, &section.name_span, "open"));
    }
    for text in ranges {
        match read_range(&text.value) {
            Ok(range) => open.push(range),
            Err((word, why)) => told.push(bad_range(&text, word, why)),
        }
    }
    let mut holidays = Vec::new();
    for text in section.texts("holidays", told).unwrap_or_default() {
        match read_holiday(&text.value) {
            Some(holiday) => holidays.push(holiday),
            None => told.push(bad_holiday(&text.value, &text.span)),
        }
    }
    let mut aims = Vec::new();
    aims.extend(section.target("then", told).map(|aim| Slot { role: Role::Then, aim }));
    aims.extend(section.target("else", told).map(|aim| Slot { role: Role::Else, aim }));
    let name = step_name(&section.name);
    let hours = Hours { name, zone, open, holidays, then: UNRESOLVED, otherwise: UNRESOLVED };
    Draft { lacks, ..draft(section, StepKind::Hours, Step::Hours(hours), aims, Vec::new(), told) }
}

/// Where callers go is needed only if calls come here: hours that only queues ask need no `then` and `else`.
pub(super) fn missing(said: &str, name: &Span, key: &str) -> Diagnostic {
    let (why, line) = match key {
        "zone" => ("nobody can say whose clock is meant", "zone = \"Asia/Shanghai\""),
        "open" => ("callers would find it closed for ever", "open = [\"mon-fri 08:00-20:00\"]"),
        "then" => ("nothing is said of where callers go while it is open", "then = \"menu main\""),
        _ => ("nothing is said of where callers go while it is closed", "else = \"menu night\""),
    };
    Diagnostic::error("D029", format!("{said} has no `{key}`")).at(name, why).help(format!("add `{line}`"))
}

fn read_zone(text: &Text, told: &mut Vec<Diagnostic>) -> Option<TimeZone> {
    if let Ok(zone) = TimeZone::get(&text.value) {
        return Some(zone);
    }
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let city_of = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let city = city_of(&text.value.replace(' ', "_"));
    let same_city = names.iter().find(|name| name.contains('/') && city_of(name) == city).map(String::as_str);
    let meant = same_city.or_else(|| near(&text.value, names.iter().map(String::as_str)));
    let diagnostic = Diagnostic::error("D027", format!("there is no time zone `{}`", text.value))
        .at(&text.span, "callers would meet opening hours of another clock");
    told.push(match meant {
        Some(name) => diagnostic.help(format!("did you mean \"{name}\"?")),
        None => diagnostic.help("write a continent and a city, such as \"Asia/Shanghai\" or \"America/New_York\""),
    });
    None
}

/// `mon-fri 08:00-20:00`; the error names the word that is wrong and why.
fn read_range(text: &str) -> Result<DayRange, (&str, &'static str)> {
    let Some((days, times)) = text.trim().split_once(char::is_whitespace) else {
        return Err((text, "days and times are both needed"));
    };
    let times = times.trim();
    let (from, to) = read_times(times)?;
    if from == DAY_MINUTES {
        return Err((times, "a day begins at 00:00; 24:00 is its end"));
    }
    if from == to {
        return Err((times, "this has no length; round the clock is 00:00-24:00"));
    }
    Ok(DayRange { days: read_days(days)?, from, to })
}

/// `mon-fri`, `sat,sun`, `fri-mon` (over the week's end), `daily`.
fn read_days(text: &str) -> Result<Days, (&str, &'static str)> {
    if text == "daily" {
        return Ok(Days::DAILY);
    }
    let mut days = Days::default();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |word: &str| DAY_WORDS.iter().position(|day| *day == word.to_ascii_lowercase());
        let first = number(first).ok_or((first, "this is no day"))?;
        let last = number(last).ok_or((last, "this is no day"))?;
        for day in 0..=(last + 7 - first) % 7 {
            let day = Weekday::from_monday_zero_offset(((first + day) % 7) as i8);
            days.insert(day.map_err(|_| (part, "this is no day"))?);
        }
    }
    Ok(days)
}

/// `08:00-20:00` as minutes after midnight.
fn read_times(text: &str) -> Result<(u16, u16), (&str, &'static str)> {
    let Some((from, to)) = text.split_once('-') else {
        return Err((text, "two times are needed, with `-` between"));
    };
    let minutes = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if hour.len() > 2 || minute.len() != 2 || !digits(hour) || !digits(minute) {
            return None;
        }
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60 || hour == 24 && minute == 0).then_some(hour * 60 + minute)
    };
    let from_minutes = minutes(from).ok_or((from, "this is no time of day"))?;
    let to_minutes = minutes(to).ok_or((to, "this is no time of day"))?;
    Ok((from_minutes, to_minutes))
}

/// `2027-01-01`, or with a part of the day: `2027-02-15 12:00-24:00`.
fn read_holiday(text: &str) -> Option<Holiday> {
    let mut words = text.split_whitespace();
    let date: Date = words.next()?.parse().ok()?;
    let (from, to) = match words.next() {
        Some(times) => read_times(times).ok().filter(|(from, to)| from < to)?,
        None => (0, DAY_MINUTES),
    };
    words.next().is_none().then_some(Holiday { date, from, to })
}

fn bad_range(text: &Text, word: &str, why: &str) -> Diagnostic {
    let span = if word.is_empty() { text.span.clone() } else { text.word(word) };
    Diagnostic::error("D026", format!("`{}` cannot be read as opening hours", text.value))
        .at(&span, why)
        .help("write days and times, such as \"mon-fri 08:00-20:00\", \"sat,sun 09:00-17:00\" or \"daily 00:00-24:00\"")
}

fn bad_holiday(written: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("D028", format!("`{written}` is no holiday that can be read"))
        .at(span, "callers would be told that it is open on that day")
        .help("write year-month-day, such as \"2027-01-01\", or a part of one: \"2027-02-15 12:00-24:00\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_lists_and_ranges_also_over_the_end_of_the_week() {
        let days = |text: &str| {
            let days = read_days(text).unwrap();
            let all = (0..7).filter_map(|day| Weekday::from_monday_zero_offset(day).ok());
            all.filter(|day| days.contains(*day)).map(|day| day.to_monday_zero_offset()).collect::<Vec<_>>()
        };
        assert_eq!(days("mon-fri"), [0, 1, 2, 3, 4]);
        assert_eq!(days("sat,sun"), [5, 6]);
        assert_eq!(days("Fri-Mon,wed"), [0, 2, 4, 5, 6]);
        assert_eq!(days("daily").len(), 7);
        for wrong in ["", "monday", "mon-", "mon;tue", "mon,,tue"] {
            assert!(read_days(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_hours_and_minutes_and_a_day_may_end_at_24_00() {
        assert_eq!(read_times("08:00-20:30"), Ok((480, 1230)));
        assert_eq!(read_times("0:00-24:00"), Ok((0, 1440)));
        for wrong in
            ["8-20", "08:00", "08:60-09:00", "25:00-26:00", "24:01-24:02", "08:00-", "-5:00-06:00", "+1:00-02:00"]
        {
            assert!(read_times(wrong).is_err(), "{wrong}");
        }
        assert!(read_range("mon 24:00-06:00").is_err());
        assert!(read_range("mon 08:00-08:00").is_err());
        assert!(read_range("mon 22:00-06:00").is_ok());
    }

    #[test]
    fn a_holiday_is_a_date_with_or_without_a_part() {
        assert_eq!(read_holiday("2027-01-01").map(|day| (day.from, day.to)), Some((0, 1440)));
        assert_eq!(read_holiday("2027-02-15 12:00-24:00").map(|day| (day.from, day.to)), Some((720, 1440)));
        for wrong in ["2027-02-30", "1 January", "2027-01-01 12:00-08:00", "2027-01-01 08:00-12:00 yes", ""] {
            assert_eq!(read_holiday(wrong), None, "{wrong}");
        }
    }
}
