//! Where a call went otherwise than its script says, for whoever has to mend one of the two: the lines around the first
//! difference, side by side, with their numbers in the file. Later differences follow from the first, so they are not told.
//!
//! ```text
//! line 11: `play bill-amount` is written, `play data-balance` came
//!   line   written                         really
//!      9    0.0  > call
//!     10    2.0  > press 2
//!     11 x  2.0  < play bill-amount         2.0  < play data-balance
//! ```

use super::TOLERANCE;
use crate::script::{Line, Script, What, line_text};
use std::fmt::Write;
use std::time::Duration;

/// Rows that are shown before the difference and after it.
const BEFORE: usize = 4;
const AFTER: usize = 3;
/// The left column is at least so wide, and at most.
const WIDTH: std::ops::RangeInclusive<usize> = 24..=60;

/// The first difference; `real` are the engine's lines that are compared.
pub(super) fn first(script: &Script, real: &[&Line]) -> Option<String> {
    let expected: Vec<&Line> = script.lines.iter().filter(|line| is_wish(line)).collect();
    let index = (0..expected.len().max(real.len())).find(|index| match (expected.get(*index), real.get(*index)) {
        (Some(want), Some(got)) => !is_same(want, got),
        _ => true,
    })?;
    let mut text = sentence(script, index, &expected, real);
    let rows = rows(script, pairs(&expected, real));
    let at = rows.iter().position(|row| !row.is_well).unwrap_or(rows.len());
    table(&mut text, &rows[at.saturating_sub(BEFORE)..(at + 1 + AFTER).min(rows.len())]);
    Some(text)
}

fn is_wish(line: &Line) -> bool {
    matches!(line.what, What::Expects(_))
}

fn is_same(want: &Line, got: &Line) -> bool {
    want.what == got.what && want.at.abs_diff(got.at) <= TOLERANCE
}

fn words(line: &Line) -> &str {
    match &line.what {
        What::Expects(words) => words,
        What::Does(_) => "",
    }
}

fn seconds(at: Duration) -> String {
    format!("{:.1}", at.as_secs_f64())
}

/// What is wrong, in one sentence.
fn sentence(script: &Script, index: usize, expected: &[&Line], real: &[&Line]) -> String {
    let (want, got) = match (expected.get(index), real.get(index)) {
        (Some(want), Some(got)) => (*want, *got),
        (Some(want), None) => {
            return format!("line {}: `{}` never came; the call did nothing more\n", want.number, words(want));
        }
        (None, Some(got)) => {
            let before = script.lines.iter().rfind(|line| line.at <= got.at).map_or(1, |line| line.number);
            let (words, at) = (words(got), seconds(got.at));
            return format!("line {before}: after it `{words}` came at {at}, and is not written\n");
        }
        (None, None) => return String::new(),
    };
    let number = want.number;
    let expects = |line: &Line, others: &[&Line]| others.iter().any(|other| other.what == line.what);
    let mut text = if want.what == got.what {
        let apart = seconds(want.at.abs_diff(got.at));
        let how = if got.at > want.at { "later" } else { "earlier" };
        format!("line {number}: `{}` came {apart} s {how} than written", words(want))
    } else if expects(got, &expected[index + 1..]) && !expects(want, &real[index + 1..]) {
        format!("line {number}: `{}` never came; what is written after it did", words(want))
    } else if expects(want, &real[index + 1..]) && !expects(got, &expected[index + 1..]) {
        format!("line {number}: `{}` came before `{}`, and is not written", words(got), words(want))
    } else {
        format!("line {number}: `{}` is written, `{}` came", words(want), words(got))
    };
    text.push('\n');
    text
}

/// A line that is written, a line that came, or both side by side.
type Pair<'a> = (Option<&'a Line>, Option<&'a Line>);

/// What is written and what came, so that as many as can be stand beside their like.
fn pairs<'a>(expected: &[&'a Line], real: &[&'a Line]) -> Vec<Pair<'a>> {
    // The length of the longest sequence that both have from here on.
    let mut alike = vec![vec![0u32; real.len() + 1]; expected.len() + 1];
    for want in (0..expected.len()).rev() {
        for got in (0..real.len()).rev() {
            alike[want][got] = if expected[want].what == real[got].what {
                alike[want + 1][got + 1] + 1
            } else {
                alike[want + 1][got].max(alike[want][got + 1])
            };
        }
    }
    let (mut want, mut got) = (0, 0);
    let mut pairs = Vec::new();
    while want < expected.len() || got < real.len() {
        let is_left = (want < expected.len(), got < real.len());
        let best = alike[want][got];
        // Neither is missed by the other: they stand side by side, alike or not.
        if is_left == (true, true) && (expected[want].what == real[got].what || alike[want + 1][got + 1] == best) {
            pairs.push((Some(expected[want]), Some(real[got])));
            (want, got) = (want + 1, got + 1);
        } else if is_left.0 && (!is_left.1 || alike[want + 1][got] == best) {
            pairs.push((Some(expected[want]), None));
            want += 1;
        } else {
            pairs.push((None, Some(real[got])));
            got += 1;
        }
    }
    pairs
}

/// One row of the table: what is written, and what really came.
struct Row {
    number: usize,
    written: String,
    really: String,
    is_well: bool,
}

impl Row {
    fn of((want, got): Pair<'_>) -> Row {
        let shown = |line: Option<&Line>| line.map_or_else(|| "(nothing)".to_owned(), line_text);
        Row {
            number: want.map_or(0, |line| line.number),
            written: shown(want),
            really: shown(got),
            is_well: matches!((want, got), (Some(want), Some(got)) if is_same(want, got)),
        }
    }

    /// What people do is as it is written.
    fn done(line: &Line) -> Row {
        Row { number: line.number, written: line_text(line), really: String::new(), is_well: true }
    }
}

/// The script's lines with the engine's beside them; what came and is not written stands where it came.
fn rows(script: &Script, pairs: Vec<Pair<'_>>) -> Vec<Row> {
    let mut pairs = pairs.into_iter().peekable();
    let mut rows = Vec::new();
    for line in &script.lines {
        let is_wish = is_wish(line);
        let comes_before =
            |pair: &Pair<'_>| pair.0.is_none() && (is_wish || pair.1.is_some_and(|got| got.at < line.at));
        while let Some(pair) = pairs.next_if(comes_before) {
            rows.push(Row::of(pair));
        }
        match is_wish {
            true => rows.extend(pairs.next().map(Row::of)),
            false => rows.push(Row::done(line)),
        }
    }
    rows.extend(pairs.map(Row::of));
    rows
}

fn table(text: &mut String, rows: &[Row]) {
    let longest = rows.iter().map(|row| row.written.chars().count()).max().unwrap_or_default();
    let width = longest.clamp(*WIDTH.start(), *WIDTH.end());
    let _ = writeln!(text, "  line   {:<width$}  really", "written");
    for row in rows {
        let number = if row.number > 0 { row.number.to_string() } else { String::new() };
        let mark = if row.is_well { ' ' } else { 'x' };
        let shown = format!("{number:>6} {mark} {:<width$}  {}", row.written, row.really);
        let _ = writeln!(text, "{}", shown.trim_end());
    }
}
