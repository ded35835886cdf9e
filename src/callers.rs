//! The caller registry's arithmetic (DESIGN §9): numbers brought to E.164 and hashed under a key, ages kept as the
//! months in which they are reached. Neither a birth date nor a clear number leaves this file into anything stored.
//!
//! Where the rows lie is `server::store`'s affair; what a flag means for a call is `call`'s.

use crate::caller::{CallerFacts, NumberHash};
use crate::ids::Language;
use crate::time::Wall;
use jiff::civil::Date;
use phonenumber::country;
use std::collections::BTreeSet;
use std::fmt;

/// Longest flag or language name that is stored, in bytes.
pub const WORD_BYTES_MAX: usize = 32;
/// Most flags of one number.
pub const FLAGS_MAX: usize = 16;
/// Longest text that is looked at as a number, in bytes; a longer one is no number.
const NUMBER_BYTES_MAX: usize = 128;

/// How numbers are read and hashed: the registry's secret key and the country of national forms.
#[derive(Clone)]
pub struct CallerRegistry {
    key: [u8; 32],
    country: Option<country::Id>,
}

impl fmt::Debug for CallerRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerRegistry").field("country", &self.country).finish_non_exhaustive()
    }
}

/// Is this an ISO 3166 code whose national numbers can be read, such as `US`?
pub fn is_country(code: &str) -> bool {
    code.parse::<country::Id>().is_ok()
}

impl CallerRegistry {
    /// With a country that [`is_country`] does not know, only international forms are numbers.
    pub fn new(key: [u8; 32], default_country: &str) -> CallerRegistry {
        CallerRegistry { key, country: default_country.parse().ok() }
    }

    /// The E.164 form (`+` and 7 to 15 digits) of a number as people, trunks and phones write it. `None` for what is
    /// no number: extensions, short codes, `anonymous`, names.
    pub fn normalise(&self, number: &str) -> Option<String> {
        if number.len() > NUMBER_BYTES_MAX {
            return None;
        }
        // The fast path: an import has millions of these, and trunks send little else.
        if number.strip_prefix('+').is_some_and(is_international) {
            return Some(number.to_owned());
        }
        let plain = strip_separators(&strip_uri(number.trim())?);
        if let Some(digits) = plain.strip_prefix('+') {
            // A full parse would cost 5 us.
            return is_international(digits).then_some(plain);
        }
        if !plain.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let national = self.country.and_then(|country| parse_valid(Some(country), &plain));
        // "00" is the international prefix of most countries, and trunks write it whatever theirs is; others leave
        // even that out and send the country code alone.
        national
            .or_else(|| plain.strip_prefix("00").and_then(|rest| parse_valid(None, &format!("+{rest}"))))
            .or_else(|| parse_valid(None, &format!("+{plain}")))
    }

    /// The registry's key for a number that [`normalise`](Self::normalise) has returned.
    pub fn hash(&self, e164: &str) -> NumberHash {
        let mut short = [0; 16];
        short.copy_from_slice(&blake3::keyed_hash(&self.key, e164.as_bytes()).as_bytes()[..16]);
        NumberHash(short)
    }

    /// Tells two keys apart without giving either away: rows hashed under another key can never be found.
    pub fn key_mark(&self) -> String {
        blake3::keyed_hash(&self.key, b"which registry key").to_hex()[..16].to_owned()
    }
}

/// The user part of a `sip:`, `sips:` or `tel:` URI (RFC 3966), or the text itself.
fn strip_uri(text: &str) -> Option<String> {
    let text = text.trim_start_matches('<').trim_end_matches('>');
    let colon = text.find(':').map(|at| (text[..at].to_ascii_lowercase(), &text[at + 1..]));
    let user = match &colon {
        Some((scheme, rest)) if scheme == "sip" || scheme == "sips" => rest.split('@').next().unwrap_or(rest),
        Some((scheme, rest)) if scheme == "tel" => rest,
        Some(_) => return None,
        None => text.split('@').next().unwrap_or(text),
    };
    let mut parts = user.split(';');
    let number = parts.next().unwrap_or_default().replace("%2B", "+").replace("%2b", "+");
    // RFC 3966 §5.1.5: a local number with a global context is that context's number.
    let context = parts.filter_map(|part| part.strip_prefix("phone-context=")).find(|context| context.starts_with('+'));
    match context {
        Some(context) if !number.starts_with('+') => Some(format!("{context}{number}")),
        _ => Some(number),
    }
}

/// Takes out what people write between digits, and the `(0)` of `+44 (0)20 …`, which is not dialled from abroad.
fn strip_separators(text: &str) -> String {
    let text = if text.starts_with('+') { text.replace("(0)", "") } else { text.to_owned() };
    text.chars().filter(|letter| !matches!(letter, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '\u{2011}')).collect()
}

fn is_international(digits: &str) -> bool {
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
}

fn parse_valid(country: Option<country::Id>, text: &str) -> Option<String> {
    let number = phonenumber::parse(country, text).ok().filter(|number| number.is_valid())?;
    let e164 = number.format().mode(phonenumber::Mode::E164).to_string();
    is_international(e164.strip_prefix('+')?).then_some(e164)
}

/// When an age is reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reached {
    /// It was at the import: the month itself is not kept.
    Already,
    /// From the first day of this month, counted in months since January 1900.
    Month(u16),
}

/// What is stored of one number beside its hash.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stored {
    /// Each threshold of the import, in rising order; empty where no birth date was given.
    pub ages: Vec<(u8, Reached)>,
    pub flags: BTreeSet<String>,
    pub language: Option<Language>,
}

impl Stored {
    /// Forgets the birth date: of each threshold only whether, or the month from which, it is reached. The day is
    /// rounded to the month's first, so that nobody is treated as too young.
    pub fn new(
        birth: Option<Date>,
        thresholds: &[u8],
        flags: BTreeSet<String>,
        language: Option<Language>,
        today: Date,
    ) -> Stored {
        let thresholds: BTreeSet<u8> = thresholds.iter().copied().collect();
        let reached = |birth: Date, age: u8| match month_number(birth, age) {
            month if month <= month_number(today, 0) => Reached::Already,
            month => Reached::Month(month),
        };
        let ages = birth.map(|birth| thresholds.into_iter().map(|age| (age, reached(birth, age))).collect());
        Stored { ages: ages.unwrap_or_default(), flags, language }
    }

    /// What many rows share (which ages, flags, language) as one line of text: a store keeps it once and numbers it.
    pub fn kind(&self) -> String {
        let ages: Vec<String> = self.ages.iter().map(|(age, _)| age.to_string()).collect();
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        let language = self.language.as_ref().map_or("", Language::as_str);
        format!("{}|{}|{language}", ages.join(","), flags.join(","))
    }

    /// What is one row's own: two bytes (little-endian) for each age, 0 for [`Reached::Already`].
    pub fn months(&self) -> Vec<u8> {
        let number = |reached: &Reached| match reached {
            Reached::Already => 0u16,
            Reached::Month(month) => *month,
        };
        self.ages.iter().flat_map(|(_, reached)| number(reached).to_le_bytes()).collect()
    }

    /// Puts [`kind`](Self::kind) and [`months`](Self::months) together again; `None` when they do not fit.
    pub fn from_parts(kind: &str, months: &[u8]) -> Option<Stored> {
        let words = |text: &str| text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let (ages, rest) = kind.split_once('|')?;
        let (flags, language) = rest.split_once('|')?;
        let ages: Vec<u8> = words(ages).iter().map(|age| age.parse().ok()).collect::<Option<_>>()?;
        let (months, left) = months.as_chunks::<2>();
        if months.len() != ages.len() || !left.is_empty() {
            return None;
        }
        let reached = months.iter().map(|bytes| match u16::from_le_bytes(*bytes) {
            0 => Reached::Already,
            month => Reached::Month(month),
        });
        Some(Stored {
            ages: ages.into_iter().zip(reached).collect(),
            flags: words(flags).into_iter().collect(),
            language: Some(language).filter(|language| !language.is_empty()).map(Language::new),
        })
    }
}

/// What holds of a number on this day.
pub fn facts_on(stored: &Stored, today: Date) -> CallerFacts {
    let now = month_number(today, 0);
    let is_reached = |reached: &Reached| match reached {
        Reached::Already => true,
        Reached::Month(month) => *month <= now,
    };
    CallerFacts {
        ages_reached: stored.ages.iter().filter(|(_, reached)| is_reached(reached)).map(|(age, _)| *age).collect(),
        flags: stored.flags.clone(),
        language: stored.language.clone(),
    }
}

/// The day that is counted for ages: that of the earliest place on earth (UTC+14), so that nobody has to wait for
/// the server's own midnight.
pub fn earliest_date(wall: Wall) -> Date {
    let shifted = jiff::Timestamp::from_second(wall.as_seconds().saturating_add(14 * 3600));
    shifted.map_or(Date::MAX, |at| at.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// Months from January 1900 to `date` plus so many years.
fn month_number(date: Date, years: u8) -> u16 {
    let years = i32::from(date.year()) + i32::from(years) - 1900;
    u16::try_from(years * 12 + i32::from(date.month()) - 1).unwrap_or(0)
}

/// A flag or a language that can be stored: 1 to 32 of `a-z 0-9 _ -`.
pub fn is_word(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    (1..=WORD_BYTES_MAX).contains(&word.len()) && word.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn registry(country: &str) -> CallerRegistry {
        CallerRegistry::new([7; 32], country)
    }

    #[test]
    fn every_way_of_writing_a_number_becomes_the_same_e164() {
        let us = registry("US");
        for written in [
            "+12025550123",
            "+1 202 555 0123",
            "+1 (202) 555-0123",
            "2025550123",
            "(202) 555-0123",
            "202.555.0123",
            "12025550123",
            "0012025550123",
            "01112025550123",
            "tel:+1-202-555-0123",
            "tel:2025550123;phone-context=+1",
            "sip:+12025550123@192.0.2.1;user=phone",
            "SIP:2025550123@example.com",
            "sips:%2B12025550123@example.com",
            "<sip:+12025550123;npdi@example.com>",
        ] {
            assert_eq!(us.normalise(written).as_deref(), Some("+12025550123"), "{written}");
        }
        let gb = registry("GB");
        for written in ["020 7946 0018", "+44 (0)20 7946 0018", "0044 20 7946 0018", "442079460018"] {
            assert_eq!(gb.normalise(written).as_deref(), Some("+442079460018"), "{written}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        let us = registry("US");
        for written in [
            "",
            "+",
            "1001",
            "112",
            "sip:1001@example.com",
            "anonymous",
            "sip:anonymous@anonymous.invalid",
            "mailto:2025550123",
            "+0123456789",
            "+1234567890123456",
            "+1202555012a",
            "202555012",
            "\u{202e}2025550123",
            &"9".repeat(500),
        ] {
            assert_eq!(us.normalise(written), None, "{written}");
        }
        assert_eq!(registry("no such").normalise("2025550123"), None);
        assert_eq!(registry("no such").normalise("+12025550123").as_deref(), Some("+12025550123"));
    }

    #[test]
    fn a_hash_depends_on_number_and_key() {
        let us = registry("US");
        assert_eq!(us.hash("+12025550123"), us.hash("+12025550123"));
        assert_ne!(us.hash("+12025550123"), us.hash("+12025550124"));
        assert_ne!(us.hash("+12025550123"), CallerRegistry::new([8; 32], "US").hash("+12025550123"));
        assert_ne!(us.key_mark(), CallerRegistry::new([8; 32], "US").key_mark());
    }

    #[test]
    fn an_age_counts_from_the_first_day_of_its_month_and_never_later() {
        let stored = Stored::new(Some(date(1962, 5, 31)), &[65, 60], BTreeSet::new(), None, date(2026, 11, 21));
        assert_eq!(stored.ages, [(60, Reached::Already), (65, Reached::Month((2027 - 1900) * 12 + 4))]);
        let ages = |day| facts_on(&stored, day).ages_reached.into_iter().collect::<Vec<_>>();
        assert_eq!(ages(date(2027, 4, 30)), [60]);
        assert_eq!(ages(date(2027, 5, 1)), [60, 65]);
        assert_eq!(ages(date(2050, 1, 1)), [60, 65]);
    }

    #[test]
    fn a_birthday_on_leap_day_and_a_number_without_a_date() {
        let stored = Stored::new(Some(date(1964, 2, 29)), &[65], BTreeSet::new(), None, date(2026, 11, 21));
        assert!(facts_on(&stored, date(2029, 1, 31)).ages_reached.is_empty());
        assert!(facts_on(&stored, date(2029, 2, 1)).ages_reached.contains(&65));
        let this_month = Stored::new(Some(date(1961, 11, 30)), &[65], BTreeSet::new(), None, date(2026, 11, 1));
        assert_eq!(this_month.ages, [(65, Reached::Already)]);
        let undated = Stored::new(None, &[65], BTreeSet::from(["assist".to_owned()]), None, date(2026, 11, 21));
        assert!(undated.ages.is_empty());
        assert!(facts_on(&undated, date(2026, 11, 21)).flags.contains("assist"));
    }

    #[test]
    fn parts_fit_together_again_and_a_row_is_small() {
        let flags = BTreeSet::from(["assist".to_owned(), "deaf".to_owned()]);
        let language = Some(Language::new("zh"));
        let stored = Stored::new(Some(date(1963, 1, 2)), &[60, 65], flags, language, date(2026, 11, 21));
        assert_eq!(Stored::from_parts(&stored.kind(), &stored.months()), Some(stored.clone()));
        assert_eq!(stored.months().len(), 4);
        assert_eq!(Stored::from_parts(&stored.kind(), &[0]), None);
        assert_eq!(Stored::from_parts(&stored.kind(), &[0; 5]), None);
        assert_eq!(Stored::from_parts("65|", &[0, 0]), None);
        let nothing = Stored::default();
        assert_eq!(Stored::from_parts(&nothing.kind(), &nothing.months()), Some(nothing));
    }

    #[test]
    fn the_day_is_that_of_the_earliest_place() {
        assert_eq!(earliest_date(Wall::from_seconds(0)), date(1970, 1, 1));
        assert_eq!(earliest_date(Wall::from_seconds(10 * 3600)), date(1970, 1, 2));
    }
}
