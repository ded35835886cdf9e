//! The picture for Markdown (Mermaid's `flowchart`): a node for each card, a line for each way on.

use super::measure::badge_words;
use super::{Card, Leads, Picture, Row, Weight, glyphs};
use crate::target::StepKind;
use std::fmt::Write;

pub(super) fn write(picture: &Picture) -> String {
    let mut out = String::from("flowchart LR\n");
    for (at, card) in picture.cards.iter().enumerate() {
        let (open, close) = match card.at.as_ref().map(|at| at.kind) {
            None | Some(StepKind::Queue) => ("([", "])"),
            Some(StepKind::Hours) => ("{{", "}}"),
            _ => ("[", "]"),
        };
        let _ = writeln!(out, "  c{at}{open}\"{}\"{close}", words(picture, card));
    }
    let mut broken = Vec::new();
    let mut drawn = 0;
    for (at, card) in picture.cards.iter().enumerate() {
        for row in &card.rows {
            let to = match row.leads {
                Leads::Card(to) => to,
                Leads::Again => at,
                Leads::Person | Leads::Says(_) => continue,
            };
            let _ = writeln!(out, "  c{at} {}|\"{}\"| c{to}", arrow(row.weight), label(row));
            if !row.codes.is_empty() {
                broken.push(drawn.to_string());
            }
            drawn += 1;
        }
    }
    styles(&mut out, picture);
    if !broken.is_empty() {
        let _ = writeln!(out, "  linkStyle {} stroke:#c3122f,stroke-width:3px", broken.join(","));
    }
    out
}

fn words(picture: &Picture, card: &Card) -> String {
    let kind = card.at.as_ref().map_or("line", |at| at.kind.as_str());
    let mut lines = vec![format!("{kind} <b>{}</b>", escaped(&card.name))];
    lines.extend(badge_words(card.help).map(|words| format!("0: a person, {words}")));
    for row in card.rows.iter().filter(|row| matches!(row.leads, Leads::Person | Leads::Says(_))) {
        lines.push(format!("{}: {}", label(row), escaped(&picture.says(row))));
    }
    lines.extend(card.codes.iter().map(|code| format!("<b>{code}</b>")));
    lines.join("<br/>")
}

fn label(row: &Row) -> String {
    let codes: String = row.codes.iter().map(|code| format!(" {code}")).collect();
    escaped(&row.when) + &codes
}

fn arrow(weight: Weight) -> &'static str {
    match weight {
        Weight::Human => "==>",
        Weight::Key | Weight::Done => "-->",
        Weight::Failed => "-.->",
    }
}

fn styles(out: &mut String, picture: &Picture) {
    for (at, card) in picture.cards.iter().enumerate() {
        let colour = glyphs::colour(card.at.as_ref().map(|at| at.kind));
        let _ = match (card.met, card.codes.is_empty()) {
            (false, _) => writeln!(out, "  style c{at} fill:#eee,stroke:#6b7580,color:#444,stroke-dasharray:6 4"),
            (true, true) => writeln!(out, "  style c{at} fill:{colour},stroke:{colour},color:#fff"),
            (true, false) => writeln!(out, "  style c{at} fill:{colour},stroke:#c3122f,color:#fff,stroke-width:4px"),
        };
    }
}

/// Mermaid reads `#35;` and the like as characters; quotes, brackets and lines are its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '#' | '&' | '<' | '>' | '`' | '|' | '\\' | '*' | ';' => {
                escaped.push_str(&format!("#{};", u32::from(letter)))
            }
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
