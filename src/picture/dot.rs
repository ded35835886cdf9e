//! The picture for Graphviz: cards as tables whose rows are ports, so that `dot -Tsvg` draws lines from the keys.

use super::measure::badge_words;
use super::text::escape;
use super::{Card, Leads, Picture, Row, Weight, glyphs};
use std::fmt::Write;

pub(super) fn write(picture: &Picture) -> String {
    let mut out = format!(
        "digraph \"line {}\" {{\n  rankdir=LR;\n  node [shape=plain, fontname=\"Helvetica\", fontsize=11];\n  \
         edge [color=\"#2f3e4d\", arrowsize=0.7];\n",
        quoted(&picture.line)
    );
    for (at, card) in picture.cards.iter().enumerate() {
        draw_card(&mut out, picture, at, card);
    }
    for (at, card) in picture.cards.iter().enumerate() {
        for (nth, row) in card.rows.iter().enumerate() {
            let to = match row.leads {
                Leads::Card(to) => to,
                Leads::Again => at,
                Leads::Person | Leads::Says(_) => continue,
            };
            let _ = writeln!(out, "  c{at}:r{nth} -> c{to}:head{};", style(row));
        }
    }
    out.push_str("}\n");
    out
}

fn draw_card(out: &mut String, picture: &Picture, at: usize, card: &Card) {
    let kind = card.at.as_ref().map(|at| at.kind);
    let colour = if card.met { glyphs::colour(kind) } else { "#6b7580" };
    let edge = if card.codes.is_empty() { colour } else { "#c3122f" };
    let dashed = if card.met { "" } else { " STYLE=\"dashed\"" };
    let word = kind.map_or("line", |kind| kind.as_str());
    let _ = write!(
        out,
        "  c{at} [label=<<TABLE BORDER=\"1\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"4\" COLOR=\"{edge}\"{dashed}>\
         <TR><TD PORT=\"head\" BGCOLOR=\"{colour}\" COLSPAN=\"2\"><FONT COLOR=\"white\">{word} <B>{}</B>{}</FONT></TD></TR>",
        escape(&card.name),
        badge_words(card.help).map_or(String::new(), |words| format!("  0: a person, {words}")),
    );
    for line in card.about.iter().filter(|line| !line.is_empty()) {
        let _ = write!(out, "<TR><TD COLSPAN=\"2\" ALIGN=\"LEFT\"><I>{}</I></TD></TR>", escape(line));
    }
    for code in &card.codes {
        let _ = write!(out, "<TR><TD COLSPAN=\"2\"><FONT COLOR=\"#c3122f\"><B>{code}</B></FONT></TD></TR>");
    }
    for (nth, row) in card.rows.iter().enumerate() {
        let codes: String =
            row.codes.iter().map(|code| format!(" <FONT COLOR=\"#c3122f\"><B>{code}</B></FONT>")).collect();
        let _ = write!(
            out,
            "<TR><TD ALIGN=\"LEFT\">{}</TD><TD PORT=\"r{nth}\" ALIGN=\"LEFT\">{}{codes}</TD></TR>",
            escape(&row.when),
            escape(&picture.says(row)),
        );
    }
    out.push_str("</TABLE>>];\n");
}

fn style(row: &Row) -> &'static str {
    match (row.codes.is_empty(), row.weight) {
        (false, _) => " [color=\"#c3122f\", penwidth=2]",
        (true, Weight::Human) => " [color=\"#17692f\", penwidth=2]",
        (true, Weight::Failed) => " [style=dashed, color=\"#7d8894\"]",
        (true, Weight::Key | Weight::Done) => "",
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
