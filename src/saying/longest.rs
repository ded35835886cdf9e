//! The longest that a value of a form can last: exact where all its parts can be tried, else the sum of its longest parts.

use super::value::{DIGITS_MAX, Value, covering};
use super::{Currency, Form, Grammar};
use std::time::Duration;

pub(super) fn of(grammar: Grammar, form: Form, currency: Currency, length_of: &dyn Fn(&str) -> Duration) -> Duration {
    let lasts = |value: &Value| grammar.say(value, currency).iter().map(|id| length_of(id)).sum::<Duration>();
    let most = |form: Form| covering(form).iter().map(&lasts).max().unwrap_or_default();
    match form {
        Form::Digits => most(Form::Digits) * DIGITS_MAX as u32,
        // Every clock time, day and ordinal is among those that were tried; of a date the parts are tried one by one.
        Form::Time | Form::Ordinal => most(form),
        Form::Date => {
            let date = |year, month, day| lasts(&Value::Date { year, month, day });
            let plain = date(2026, 1, 1);
            let over = |longest: Option<Duration>| longest.unwrap_or_default().saturating_sub(plain);
            let months = over((1..=12).map(|month| date(2026, month, 1)).max());
            let days = over((1..=31).map(|day| date(2026, 1, day)).max());
            plain + months + days + over((1000..=9999).map(|year| date(year, 1, 1)).max())
        }
        Form::Number => number(&lasts),
        Form::Money => {
            let unit = |whole, cents| lasts(&Value::Money { negative: false, whole, cents });
            let units = [0, 1, 2, 5].map(|whole| unit(whole, 0)).into_iter().max().unwrap_or_default();
            let cents = (0..100).map(|cents| unit(1, cents)).max().unwrap_or_default();
            number(&lasts) + units + cents
        }
        Form::Duration => {
            let part = |days, hours, minutes, seconds| lasts(&Value::Duration { days, hours, minutes, seconds });
            let longest = |of: &dyn Fn(u64) -> Duration, most: u64| (0..=most).map(of).max().unwrap_or_default();
            let days = longest(&|days| part(days, 0, 0, 0), 11_574);
            let hours = longest(&|hours| part(0, hours, 0, 0), 23);
            let minutes = longest(&|minutes| part(0, 0, minutes, 0), 59);
            let seconds = longest(&|seconds| part(0, 0, 0, seconds), 59);
            // What joins the last two parts.
            let joined = part(0, 0, 1, 1).saturating_sub(part(0, 0, 1, 0) + part(0, 0, 0, 1));
            days + hours + minutes + seconds + joined
        }
    }
}

/// A minus, three groups of digits each at its longest with its unit, a point and two decimals. A group that is said after
/// another may have a word before it, which the longest group behind a plain one shows.
fn number(lasts: &dyn Fn(&Value) -> Duration) -> Duration {
    let whole =
        |negative, whole, decimals: &[u64]| lasts(&Value::Number { negative, whole, decimals: decimals.to_vec() });
    let plain = |value| whole(false, value, &[]);
    let group = |of: &dyn Fn(u64) -> u64, most: u64| (1..=most).map(|part| plain(of(part))).max().unwrap_or_default();
    // Groups of three digits and of four, so that it holds for every grammar.
    let threes = group(&|part| part * 1_000_000, 999)
        + group(&|part| part * 1000 + 1_000_000, 999)
        + group(&|part| part + 1000, 999);
    let fours = group(&|part| part * 100_000_000, 9)
        + group(&|part| part * 10_000 + 100_000_000, 9999)
        + group(&|part| part + 10_000, 9999);
    let minus = whole(true, 1, &[]).saturating_sub(plain(1));
    let tenths = (0..10).map(|digit| whole(false, 1, &[digit, digit])).max().unwrap_or_default();
    threes.max(fours) + minus + tenths.saturating_sub(plain(1))
}
