//! A line of a dialplan as a picture: SVG to pin on a wall, DOT and Mermaid for other programs.
//!
//! ```text
//! cards     each section as a card with a row for each way on; what the proof says of it; what is broken, by its code
//! layout    which card stands where, and how lines run between them, in columns from left to right
//! svg       the drawing; dot, mermaid: the same cards as text for Graphviz and for Markdown
//! ```
//! Text from facts, like [`report`](crate::dialplan::report): prints nothing and reads no file.

mod cards;
mod dot;
mod faults;
mod glyphs;
mod layout;
mod measure;
mod mermaid;
mod straighten;
mod svg;
mod text;

use crate::dialplan::reach::{self, Proof};
use crate::dialplan::{Dialplan, Line};
use crate::prompt::PromptLibrary;
use crate::step::link::Role;
use crate::target::{StepKind, StepRef};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How a picture is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Svg,
    Dot,
    Mermaid,
}

/// One line of a dialplan, ready to be drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    pub line: String,
    pub numbers: Vec<String>,
    pub language: String,
    /// The queue that `0` reaches.
    pub human: String,
    /// The line itself, then its sections in order of kind and name.
    pub cards: Vec<Card>,
    /// What is true of every call of the line.
    pub figures: Vec<String>,
    /// Codes for which the checker refuses the dialplan, with how often each occurs. Empty: it is well.
    pub refused: BTreeMap<String, usize>,
    /// Sections that only calls of other lines meet: they are not drawn.
    pub elsewhere: usize,
}

/// A box of the picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Card {
    /// `None`: the line itself, where calls begin.
    pub at: Option<StepRef>,
    pub name: String,
    /// What is worth knowing besides the ways on.
    pub about: Vec<String>,
    pub rows: Vec<Row>,
    /// A call of the line can come here.
    pub met: bool,
    /// What `0` does here, and what doing nothing does.
    pub help: Help,
    /// Codes of what is broken in it as a whole.
    pub codes: BTreeSet<&'static str>,
}

/// What a caller has of a person at a card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Help {
    /// No time passes here, or people are here already.
    NotNeeded,
    /// `0` reaches a person. Who does nothing has help after so long at most.
    After(Duration),
    /// `0` reaches a person, but who does nothing may never have help.
    Never,
    /// `0` reaches a person; nothing is proved, as no call comes here.
    Unknown,
}

/// One way on from a card, or what happens in its stead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The link of the step that this is; `None` for rows that are no link.
    pub role: Option<Role>,
    /// The key, or what must have happened.
    pub when: String,
    pub leads: Leads,
    pub weight: Weight,
    pub codes: BTreeSet<&'static str>,
}

/// Where a row leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Leads {
    /// The place of a card in [`Picture::cards`].
    Card(usize),
    /// The same card again.
    Again,
    /// The people whom `0` reaches.
    Person,
    /// Nowhere else: what happens, in words.
    Says(String),
}

/// How much a way weighs to the eye.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// `0`, from everywhere.
    Human,
    /// A key of a menu.
    Key,
    /// What a step is for has been done.
    Done,
    /// It has not been done.
    Failed,
}

impl Picture {
    /// Draws one line of a plan, also of one that is refused: `refused` are the codes of its errors.
    pub fn of(plan: &Dialplan, line: &Line, prompts: &PromptLibrary, refused: BTreeMap<String, usize>) -> Picture {
        let proof = reach::prove(plan, line, prompts);
        let met: BTreeSet<&StepRef> = proof.steps().collect();
        let linked: BTreeSet<StepRef> = plan.linked(line).into_iter().collect();
        let others = met_by_others(plan, line, prompts, &met, &linked);
        let drawn: Vec<&StepRef> = plan.steps.keys().filter(|at| !others.contains(*at)).collect();
        let mut picture = Picture {
            line: line.name.to_string(),
            numbers: line.numbers.clone(),
            language: line.language.to_string(),
            human: format!("{} {}", StepKind::Queue, line.human.to),
            cards: cards::of(plan, line, &proof, &drawn),
            figures: figures(line, &proof),
            refused,
            elsewhere: others.len(),
        };
        faults::mark(&mut picture, plan, &proof);
        picture
    }

    /// Where a row leads, in words.
    fn says(&self, row: &Row) -> String {
        match &row.leads {
            Leads::Card(to) => {
                let card = &self.cards[*to];
                card.at.as_ref().map_or(card.name.clone(), StepRef::to_string)
            }
            Leads::Again => "once more".to_owned(),
            Leads::Person => "a person".to_owned(),
            Leads::Says(what) => what.clone(),
        }
    }

    /// The picture as a text of this form.
    pub fn write(&self, form: Form) -> String {
        match form {
            Form::Svg => svg::write(self),
            Form::Dot => dot::write(self),
            Form::Mermaid => mermaid::write(self),
        }
    }
}

/// Sections that are no business of this line: a call of another line meets them, none of this one can.
fn met_by_others(
    plan: &Dialplan,
    line: &Line,
    prompts: &PromptLibrary,
    met: &BTreeSet<&StepRef>,
    linked: &BTreeSet<StepRef>,
) -> BTreeSet<StepRef> {
    if plan.steps.keys().all(|at| met.contains(at) || linked.contains(at)) {
        return BTreeSet::new();
    }
    let others = plan.lines.values().filter(|other| other.name != line.name);
    let mut theirs = BTreeSet::new();
    for other in others {
        theirs.extend(reach::prove(plan, other, prompts).steps().cloned());
    }
    theirs.retain(|at| !met.contains(at) && !linked.contains(at));
    theirs
}

fn figures(line: &Line, proof: &Proof) -> Vec<String> {
    let bounds = &proof.bounds;
    let seconds = |length: Duration| format!("{:.0} s", length.as_secs_f64().ceil());
    let mut figures = vec![format!("{} key to a person", bounds.keys_to_person_max)];
    figures.push(format!("a person is offered within {}", seconds(bounds.told_after)));
    if proof.help.values().all(Option::is_some) {
        figures.push(format!("who does nothing is helped within {}", seconds(bounds.silent_longest)));
    }
    figures.push(match bounds.deepest_menu() {
        1 => "1 level of menus".to_owned(),
        levels => format!("{levels} levels of menus"),
    });
    if !line.profiles.is_empty() {
        figures.push(format!("profile {}", line.profiles.join(", ")));
    }
    figures
}
