//! The drawing: a heading, cards, the lines between them, and a legend.

use super::glyphs::{SIGNS, STYLE, colour};
use super::layout::{self, BESIDE_HEAD, Layout, MARGIN, Place, Wire};
use super::measure::{
    ABOUT_LINE, CAP, CODE, HEAD, LEADS, MARK, PAD, ROW, SPACE, Size, badge_words, code_width, is_cap, kind, leads,
    name, row_middle, shown_about, when,
};
use super::text::{Face, count, escape, fit, width};
use super::{Card, Help, Leads, Picture, Row, Weight};
use crate::target::StepKind;
use std::collections::BTreeSet;
use std::fmt::Write;

pub(super) fn write(picture: &Picture) -> String {
    let layout = layout::of(picture);
    let mut body = String::new();
    heading(&mut body, picture, &layout);
    // The heavier on top of the lighter.
    let mut wires: Vec<&Wire> = layout.wires.iter().collect();
    wires.sort_by_key(|wire| std::cmp::Reverse(row_of(picture, wire).weight));
    wires.iter().for_each(|wire| draw_wire(&mut body, picture, wire));
    let wired: BTreeSet<(usize, usize)> = layout.wires.iter().map(|wire| (wire.card, wire.row)).collect();
    if !layout.beside.is_empty() {
        heading_beside(&mut body, picture, &layout);
    }
    for at in 0..picture.cards.len() {
        draw_card(&mut body, picture, &layout, at, &wired);
    }
    let top = layout.height + 40.0;
    let height = top + legend(&mut body, picture, top, layout.width);
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' viewBox='0 0 {width} {height}'>\n\
         <title>line {}</title>\n<style>{STYLE}</style>\n<defs>{SIGNS}</defs>\n\
         <rect width='{width}' height='{height}' fill='#f6f8fa'/>\n{body}</svg>\n",
        escape(&picture.line),
        width = tenth(layout.width),
        height = tenth(height),
    )
}

/// With at most one digit behind the point: enough for the eye, and the same text everywhere.
fn tenth(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded.fract() == 0.0 { format!("{rounded:.0}") } else { format!("{rounded:.1}") }
}

fn row_of<'a>(picture: &'a Picture, wire: &Wire) -> &'a Row {
    &picture.cards[wire.card].rows[wire.row]
}

fn text(out: &mut String, class: &str, (x, y): (f64, f64), words: &str) {
    let _ = writeln!(out, "<text class='{class}' x='{}' y='{}'>{}</text>", tenth(x), tenth(y), escape(words));
}

fn sign(out: &mut String, id: &str, class: &str, (x, y): (f64, f64)) {
    let class = if class.is_empty() { String::new() } else { format!(" class='{class}'") };
    let _ = writeln!(out, "<use href='#{id}'{class} x='{}' y='{}'/>", tenth(x), tenth(y));
}

fn heading(out: &mut String, picture: &Picture, layout: &Layout) {
    let room = layout.width - 2.0 * MARGIN;
    let title = Face { size: 26.0, bold: true };
    let under = Face { size: 13.0, bold: false };
    text(out, "t", (MARGIN, 44.0), &fit(&format!("Line {}", picture.line), title, room));
    let numbers = picture.numbers.join(", ");
    let says = format!("dial {numbers}  ·  speaks {}  ·  0 reaches {}", picture.language, picture.human);
    text(out, "u", (MARGIN, 66.0), &fit(&says, under, room));
    if picture.refused.is_empty() {
        text(out, "u", (MARGIN, 85.0), &fit(&picture.figures.join("  ·  "), under, room));
        return;
    }
    let codes: Vec<String> = picture.refused.iter().map(|(code, many)| format!("{code} ({many})")).collect();
    let errors = count(picture.refused.values().sum(), "error");
    let says = format!(
        "Refused, {errors}: {}. What breaks the promise is red; `onekey check` says the rest.",
        codes.join(", ")
    );
    text(out, "u x b", (MARGIN, 85.0), &fit(&says, Face { bold: true, ..under }, room));
}

fn heading_beside(out: &mut String, picture: &Picture, layout: &Layout) {
    let y = layout.beside_top;
    let right = layout.width - MARGIN;
    let _ = writeln!(
        out,
        "<path d='M{} {y}H{}' stroke='#b4bdc6' stroke-width='1' stroke-dasharray='2 4'/>",
        tenth(MARGIN),
        tenth(right),
        y = tenth(y)
    );
    let are_met = layout.beside.iter().any(|card| picture.cards[*card].met);
    let says = if are_met { "No call comes here, or only to ask whether it is open" } else { "No call comes here" };
    text(out, "u b", (MARGIN, y + BESIDE_HEAD - 18.0), says);
}

fn draw_wire(out: &mut String, picture: &Picture, wire: &Wire) {
    let row = row_of(picture, wire);
    let (class, arrow) = match (row.codes.is_empty(), row.weight) {
        (false, _) => ("r", "ar"),
        (true, Weight::Human) => ("m", "am"),
        (true, Weight::Key) => ("e", "ae"),
        (true, Weight::Done) => ("d", "ae"),
        (true, Weight::Failed) => ("f", "af"),
    };
    let path = path(&wire.points);
    let off = if picture.cards[wire.card].met { "" } else { " off" };
    let _ =
        writeln!(out, "<path class='s' d='{path}'/><path class='{class}{off}' d='{path}' marker-end='url(#{arrow})'/>");
}

/// Straight through the columns, curved between them.
fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (nth, (x, y)) in points.iter().enumerate() {
        match (nth, nth % 2) {
            (0, _) => path.push_str(&format!("M{} {}", tenth(*x), tenth(*y))),
            (_, 1) => path.push_str(&format!("H{}", tenth(*x))),
            _ => {
                let (from_x, from_y) = points[nth - 1];
                let bend = (x - from_x) * 0.5;
                let (one, other) = (tenth(from_x + bend), tenth(x - bend));
                let _ = write!(path, "C{one} {} {other} {y} {} {y}", tenth(from_y), tenth(*x), y = tenth(*y));
            }
        }
    }
    path
}

fn draw_card(out: &mut String, picture: &Picture, layout: &Layout, at: usize, wired: &BTreeSet<(usize, usize)>) {
    let (card, place) = (&picture.cards[at], &layout.places[at]);
    let step_kind = card.at.as_ref().map(|at| at.kind);
    let head = if card.met { colour(step_kind) } else { "#6b7580" };
    let (edge, thick) = if card.codes.is_empty() { (head, "1.5") } else { ("#c3122f", "3") };
    let dashes = if card.met { "" } else { " stroke-dasharray='6 4'" };
    let off = if card.met { "" } else { " class='off'" };
    let (w, h) = (place.size.width, place.size.height);
    let full = card.at.as_ref().map_or(format!("line {}", card.name), ToString::to_string);
    let _ = writeln!(
        out,
        "<g transform='translate({} {})'{off}><title>{}</title>\n\
         <rect width='{w}' height='{h}' rx='9' fill='#fff' stroke='{edge}' stroke-width='{thick}'{dashes}/>\
         <path d='M0 {HEAD}V9Q0 0 9 0H{r}Q{w} 0 {w} 9V{HEAD}z' fill='{head}'/>",
        tenth(place.x),
        tenth(place.y),
        escape(&full),
        r = tenth(w - 9.0),
        w = tenth(w),
        h = tenth(h),
    );
    text(out, "k", (PAD, 15.0), &kind(card));
    text(out, "n", (PAD, 31.0), &name(card));
    draw_badge(out, card, step_kind, place);
    let mut y = HEAD;
    if !card.codes.is_empty() {
        draw_codes(out, &card.codes, PAD, y + 12.0);
        y += 20.0;
    }
    for line in card.about.iter().filter(|line| !line.is_empty()) {
        y += ABOUT_LINE;
        text(out, "a", (PAD, y), &shown_about(line));
    }
    for (nth, row) in card.rows.iter().enumerate() {
        let sign = match row.leads {
            Leads::Card(_) if wired.contains(&(at, nth)) => Sign::Line,
            Leads::Card(to) if layout.places[to].x < place.x => Sign::Drawn("back", ""),
            Leads::Card(_) => Sign::Drawn("on", ""),
            Leads::Again => Sign::Drawn("again", ""),
            Leads::Person => Sign::Drawn("person", "h"),
            Leads::Says(_) if card.at.is_some() => Sign::Drawn("end", ""),
            Leads::Says(_) => Sign::Nothing,
        };
        draw_row(out, picture, row, (row_middle(card, nth), &place.size), sign);
    }
    out.push_str("</g>\n");
}

/// `0`, a person, and after how long who does nothing has help; people themselves have the person alone.
fn draw_badge(out: &mut String, card: &Card, kind: Option<StepKind>, place: &Place) {
    let right = place.size.width - 8.0;
    if kind == Some(StepKind::Queue) {
        sign(out, "person", "w", (right - 24.0, HEAD / 2.0 + 1.0));
        sign(out, "person", "w", (right - 9.0, HEAD / 2.0 + 1.0));
        return;
    }
    let Some(words) = badge_words(card.help) else { return };
    let left = right - place.size.badge;
    let class = if card.help == Help::Never { "g x" } else { "g" };
    let _ = writeln!(
        out,
        "<rect x='{}' y='9' width='{}' height='22' rx='11' fill='#fff'/>",
        tenth(left),
        tenth(place.size.badge)
    );
    text(out, "g h", (left + 8.0, 24.0), "0");
    sign(out, "person", "h", (left + 25.0, 20.0));
    text(out, class, (left + 36.0, 24.0), &words);
}

fn draw_codes(out: &mut String, codes: &BTreeSet<&'static str>, left: f64, middle: f64) {
    let wide = code_width() - 6.0;
    for (nth, code) in codes.iter().enumerate() {
        let x = left + nth as f64 * code_width();
        let _ = writeln!(
            out,
            "<rect x='{}' y='{}' width='{}' height='15' rx='3' fill='#c3122f'/>",
            tenth(x),
            tenth(middle - 7.5),
            tenth(wide)
        );
        text(out, "c", (x + wide / 2.0, middle + CODE.size * 0.36), code);
    }
}

/// What stands at the end of a row.
enum Sign {
    /// A line to another card begins there.
    Line,
    /// One of [`SIGNS`], with its class.
    Drawn(&'static str, &'static str),
    Nothing,
}

fn draw_row(out: &mut String, picture: &Picture, row: &Row, (y, size): (f64, &Size), end: Sign) {
    let w = size.width;
    let top = y - ROW / 2.0;
    let _ = writeln!(out, "<path class='row' d='M{PAD} {}H{}'/>", tenth(top), tenth(w - PAD));
    if is_cap(row) {
        let _ = writeln!(out, "<rect class='cap' x='{PAD}' y='{}' width='{CAP}' height='18' rx='4'/>", tenth(y - 9.0));
        let class = if row.weight == Weight::Human { "p h" } else { "p" };
        text(out, class, (PAD + CAP / 2.0, y + 4.0), &when(row));
    } else {
        text(out, "i", (PAD, y + 4.0), &when(row));
    }
    let class = match row.leads {
        _ if !row.codes.is_empty() => "l x",
        Leads::Person => "l h",
        _ if row.weight == Weight::Failed => "l u",
        _ => "l",
    };
    let said = leads(picture, row);
    let left = if is_cap(row) { PAD + CAP + SPACE } else { size.column };
    text(out, class, (left, y + 4.2), &said);
    if !row.codes.is_empty() {
        draw_codes(out, &row.codes, left + width(&said, LEADS) + SPACE, y);
    }
    match end {
        Sign::Drawn(id, class) => sign(out, id, class, (w - PAD - MARK / 2.0 + 4.0, y)),
        Sign::Line => {
            let fill = match (row.codes.is_empty(), row.weight) {
                (false, _) => "#c3122f",
                (true, Weight::Human) => "#17692f",
                (true, Weight::Failed) => "#7d8894",
                (true, Weight::Key | Weight::Done) => "#2f3e4d",
            };
            let _ = writeln!(out, "<circle cx='{}' cy='{}' r='4' fill='{fill}'/>", tenth(w), tenth(y));
        }
        Sign::Nothing => {}
    }
}

/// A sign of the legend: how wide it is, how it is drawn, what it means.
type Meaning = (f64, fn(&mut String, f64, f64), String);

/// Signs and lines that are in the drawing with what they mean, in as many rows as they need; the height of it all.
fn legend(out: &mut String, picture: &Picture, top: f64, sheet: f64) -> f64 {
    let parts = meanings(out, picture);
    let _ = writeln!(
        out,
        "<path d='M{} {y}H{}' stroke='#b4bdc6' stroke-width='1'/>",
        tenth(MARGIN),
        tenth(sheet - MARGIN),
        y = tenth(top)
    );
    let (mut x, mut y) = (MARGIN, top + 26.0);
    let words = Face { size: 11.0, bold: false };
    for (wide, draw, says) in parts {
        let all = wide + 8.0 + width(&says, words);
        if x > MARGIN && x + all > sheet - MARGIN {
            (x, y) = (MARGIN, y + 26.0);
        }
        draw(out, x, y);
        text(out, "i", (x + wide + 8.0, y + 4.0), &says);
        x += all + 26.0;
    }
    if picture.elsewhere > 0 {
        y += 26.0;
        let says = format!("{} of other lines not drawn", count(picture.elsewhere, "section"));
        text(out, "i", (MARGIN, y + 4.0), &says);
    }
    y - top + 28.0
}

fn meanings(drawn: &str, picture: &Picture) -> Vec<Meaning> {
    let mut parts: Vec<Meaning> = vec![
        (66.0, badge_sample, "0 reaches a person; who does nothing is helped within this time".into()),
        (14.0, |out, x, y| sign(out, "person", "h", (x + 7.0, y)), format!("a person: {}", picture.human)),
        (36.0, |out, x, y| line_sample(out, "m", "am", x, y), "0, from everywhere".into()),
        (36.0, |out, x, y| line_sample(out, "e", "ae", x, y), "a key".into()),
    ];
    let has = |mark: &str| drawn.contains(mark);
    if has("class='f") {
        parts.push((36.0, |out, x, y| line_sample(out, "f", "af", x, y), "closed, failed, nobody there".into()));
    }
    if has("'#back'") {
        parts.push((14.0, |out, x, y| sign(out, "back", "", (x + 7.0, y)), "back to that card".into()));
    }
    if has("'#on'") {
        parts.push((14.0, |out, x, y| sign(out, "on", "", (x + 7.0, y)), "on to that card".into()));
    }
    if has("'#again'") {
        parts.push((14.0, |out, x, y| sign(out, "again", "", (x + 7.0, y)), "the same again".into()));
    }
    if has("'#end'") {
        parts.push((14.0, |out, x, y| sign(out, "end", "", (x + 7.0, y)), "the way ends there".into()));
    }
    if picture.cards.iter().any(|card| !card.met) {
        parts.push((28.0, dashed_sample, "no call comes here".into()));
    }
    if !picture.refused.is_empty() {
        let draw = |out: &mut String, x: f64, y: f64| draw_codes(out, &BTreeSet::from(["D000"]), x, y);
        parts.push((code_width(), draw, "broken: `onekey explain` and this code".into()));
    }
    parts
}

fn line_sample(out: &mut String, class: &str, arrow: &str, x: f64, y: f64) {
    let (x, end, y) = (tenth(x), tenth(x + 34.0), tenth(y));
    let _ = writeln!(out, "<path class='{class}' d='M{x} {y}H{end}' marker-end='url(#{arrow})'/>");
}

fn badge_sample(out: &mut String, x: f64, y: f64) {
    let _ = writeln!(
        out,
        "<rect x='{}' y='{}' width='66' height='22' rx='11' fill='#fff' stroke='#b4bdc6'/>",
        tenth(x),
        tenth(y - 11.0)
    );
    text(out, "g h", (x + 8.0, y + 4.0), "0");
    sign(out, "person", "h", (x + 25.0, y));
    text(out, "g", (x + 36.0, y + 4.0), "25 s");
}

fn dashed_sample(out: &mut String, x: f64, y: f64) {
    let _ = writeln!(
        out,
        "<rect x='{}' y='{}' width='26' height='16' rx='4' fill='#fff' stroke='#6b7580' stroke-width='1.5' stroke-dasharray='4 3'/>",
        tenth(x),
        tenth(y - 8.0)
    );
}
