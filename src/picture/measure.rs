//! How large a card is, and where its rows are: what layout and drawing must agree on. Pixels.

use super::text::{Face, fit, width};
use super::{Card, Help, Picture, Row, Weight};

pub(super) const NAME: Face = Face { size: 14.0, bold: true };
pub(super) const KIND: Face = Face { size: 9.5, bold: true };
pub(super) const ABOUT: Face = Face { size: 10.5, bold: false };
pub(super) const WHEN: Face = Face { size: 11.0, bold: false };
pub(super) const LEADS: Face = Face { size: 12.0, bold: false };
pub(super) const BADGE: Face = Face { size: 11.0, bold: true };
pub(super) const CODE: Face = Face { size: 10.0, bold: true };

pub(super) const HEAD: f64 = 40.0;
pub(super) const ABOUT_LINE: f64 = 16.0;
pub(super) const ROW: f64 = 24.0;
/// Between the edge of a card and its words.
pub(super) const PAD: f64 = 10.0;
/// A cap for a key.
pub(super) const CAP: f64 = 20.0;
/// Between the parts of a row.
pub(super) const SPACE: f64 = 8.0;
/// Room at the end of a row for what is drawn there.
pub(super) const MARK: f64 = 18.0;
const WIDTH_LEAST: f64 = 168.0;
const NAME_MOST: f64 = 210.0;
const ABOUT_MOST: f64 = 236.0;
const WHEN_MOST: f64 = 120.0;
const LEADS_MOST: f64 = 236.0;

/// A card's measures.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Size {
    pub width: f64,
    pub height: f64,
    /// Where rows that begin with words, not with a key, say where they lead, from the card's left.
    pub column: f64,
    pub badge: f64,
}

pub(super) fn size(picture: &Picture, card: &Card) -> Size {
    let badge = badge(card);
    let head = width(&name(card), NAME).max(width(&kind(card), KIND)) + if badge > 0.0 { badge + 18.0 } else { 0.0 };
    let about = card.about.iter().map(|line| width(&shown_about(line), ABOUT)).fold(0.0, f64::max);
    let words = card.rows.iter().filter(|row| !is_cap(row));
    let column = words.map(|row| width(&when(row), WHEN) + SPACE).fold(CAP + SPACE, f64::max);
    let begins = |row: &Row| if is_cap(row) { CAP + SPACE } else { column };
    let rows = card.rows.iter().map(|row| begins(row) + width(&leads(picture, row), LEADS) + codes_width(row) + MARK);
    let rows = rows.fold(0.0, f64::max);
    let codes: f64 = card.codes.len() as f64 * code_width();
    let inner = head.max(about).max(rows).max(codes);
    Size {
        width: (inner + 2.0 * PAD).max(WIDTH_LEAST).ceil(),
        height: row_top(card) + card.rows.len() as f64 * ROW + if card.rows.is_empty() { 2.0 } else { 4.0 },
        column: column + PAD,
        badge,
    }
}

/// Where the rows begin, from the card's top.
fn row_top(card: &Card) -> f64 {
    let codes = if card.codes.is_empty() { 0.0 } else { 20.0 };
    let about = card.about.iter().filter(|line| !line.is_empty()).count() as f64 * ABOUT_LINE;
    HEAD + codes + if about > 0.0 { about + 8.0 } else { 4.0 }
}

/// The middle of a row, from the card's top.
pub(super) fn row_middle(card: &Card, row: usize) -> f64 {
    row_top(card) + (row as f64 + 0.5) * ROW
}

/// Where lines come in, from the card's top.
pub(super) const ENTRY: f64 = HEAD / 2.0;

pub(super) fn name(card: &Card) -> String {
    fit(&card.name, NAME, NAME_MOST)
}

pub(super) fn kind(card: &Card) -> String {
    card.at.as_ref().map_or("LINE".to_owned(), |at| at.kind.as_str().to_uppercase())
}

pub(super) fn shown_about(line: &str) -> String {
    fit(line, ABOUT, ABOUT_MOST)
}

pub(super) fn when(row: &Row) -> String {
    if is_cap(row) { row.when.clone() } else { fit(&row.when, WHEN, WHEN_MOST) }
}

/// Keys are drawn as keys.
pub(super) fn is_cap(row: &Row) -> bool {
    matches!(row.weight, Weight::Key | Weight::Human)
}

/// Where a row leads, in words.
pub(super) fn leads(picture: &Picture, row: &Row) -> String {
    fit(&picture.says(row), LEADS, LEADS_MOST)
}

pub(super) fn code_width() -> f64 {
    width("D000", CODE) + 12.0
}

fn codes_width(row: &Row) -> f64 {
    row.codes.len() as f64 * code_width()
}

/// What stands in the badge behind the `0` and the person.
pub(super) fn badge_words(help: Help) -> Option<String> {
    match help {
        Help::NotNeeded | Help::Unknown => None,
        Help::After(longest) => Some(super::text::seconds(longest)),
        Help::Never => Some("never".to_owned()),
    }
}

fn badge(card: &Card) -> f64 {
    badge_words(card.help).map_or(0.0, |words| (width(&words, BADGE) + 46.0).ceil())
}
