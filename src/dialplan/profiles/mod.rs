//! Profiles: what a law, a regulator or a standard asks of a telephone line, as rules that a plan is judged by (DESIGN §5).
//!
//! ```text
//! rule      every rule: its name, what it says, who can decide it
//! east, west, common   the profiles: which rules, with which figures, and how sure each is
//! case      one line with everything that was found of it, and what a rule can come to
//! menus, people, words   the judging itself
//! week      hours of a week
//! tell      what is not kept, as diagnostics
//! listing   `onekey profiles`
//! ```
//! A rule is **kept**, **broken**, or **not decidable here**: what nobody can read off a plan is never passed in silence.
//!
//! A broken rule is an error (D075) and refuses the plan, except where it is *soft* and a warning (D076). Soft is
//! a rule that the source itself only recommends, one whose figure could not be confirmed (confidence C), and one that is a
//! draft and no law (confidence D). A rule that is voluntary or repealed as a whole stays hard: who binds a line to it
//! wants it kept. What is not decidable is a warning (D077), hard or soft.
//!
//! Nothing here is legal advice: sources were read in copies and often through others, which is what the letters say.
//! Figures that are measured while calls run (seconds in a queue, shares of answered calls) are no part of this.

mod case;
mod common;
mod east;
mod listing;
mod menus;
mod people;
mod rule;
mod tell;
mod week;
mod west;
mod words;

pub use listing::{list, one};

use super::draft::{Drafts, LineDraft};
use super::near::near;
use super::reach::Proof;
use super::{Dialplan, Facts};
use crate::diagnostic::Diagnostic;
use crate::ids::LineName;
use case::{Case, Verdict};
use rule::Rule;
use std::collections::BTreeMap;
use std::fmt;

/// How sure a figure or a duty is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Grade {
    /// The official text, or a verbatim copy of it, was seen.
    A,
    /// Several independent second-hand sources agree.
    BPlus,
    /// One second-hand source.
    B,
    /// Commonly held, not confirmed.
    C,
    /// A draft or a proposal: not law.
    D,
}

impl Grade {
    const fn as_str(self) -> &'static str {
        match self {
            Grade::A => "A",
            Grade::BPlus => "B+",
            Grade::B => "B",
            Grade::C => "C",
            Grade::D => "D",
        }
    }
}

/// One rule of a profile.
#[derive(Clone, Copy, Debug)]
struct Asked {
    rule: Rule,
    grade: Grade,
    /// The source itself only recommends it.
    recommended: bool,
}

impl Asked {
    /// A warning where it is broken, not an error.
    fn is_soft(self) -> bool {
        self.recommended || matches!(self.grade, Grade::C | Grade::D)
    }
}

/// A rule of this confidence; by the others of a table.
const fn asks(rule: Rule, grade: Grade) -> Asked {
    Asked { rule, grade, recommended: false }
}

/// A rule that is only recommended.
const fn recommends(rule: Rule, grade: Grade) -> Asked {
    Asked { rule, grade, recommended: true }
}

/// A set of rules that a line may bind itself to by `profiles = ["NAME"]`.
#[derive(Debug)]
struct Profile {
    name: &'static str,
    /// One line of plain English.
    says: &'static str,
    /// Which text, and of when.
    source: &'static str,
    /// Of the source as a whole, in the letters of [`Grade`], with what must be known of it.
    confidence: &'static str,
    asks: &'static [Asked],
}

fn all() -> impl Iterator<Item = &'static Profile> {
    [common::PROFILES, east::PROFILES, west::PROFILES].into_iter().flatten()
}

/// Of all profiles, as lines name them.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|profile| profile.name)
}

fn find(name: &str) -> Option<&'static Profile> {
    all().find(|profile| profile.name == name)
}

/// Whether there is such a profile.
pub fn is_known(name: &str) -> bool {
    find(name).is_some()
}

/// What was most likely meant by a name that no profile has.
pub fn meant(name: &str) -> String {
    match near(name, names()) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("the profiles are: {}", names().collect::<Vec<_>>().join(", ")),
    }
}

/// How a line fares by one profile: numbers of rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judged {
    pub profile: &'static str,
    pub kept: usize,
    pub broken: usize,
    /// Broken, but only warned of.
    pub soft_broken: usize,
    pub undecidable: usize,
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = |count: usize| if count == 1 { "rule" } else { "rules" };
        write!(f, "profile {}: {} {} kept", self.profile, self.kept, rules(self.kept))?;
        if self.broken > 0 {
            write!(f, ", {} broken", self.broken)?;
        }
        if self.soft_broken > 0 {
            write!(f, ", {} soft {} broken", self.soft_broken, rules(self.soft_broken))?;
        }
        if self.undecidable > 0 {
            write!(f, ", {} not decidable here", self.undecidable)?;
        }
        Ok(())
    }
}

/// Judges every proved line by its own profiles and by those of `facts`; tells what is not kept, each thing once.
pub(super) fn judge(
    drafts: &Drafts,
    plan: &Dialplan,
    proofs: &[(&LineDraft, Proof)],
    facts: &Facts<'_>,
    told: &mut Vec<Diagnostic>,
) -> BTreeMap<LineName, Vec<Judged>> {
    let mut judged = BTreeMap::new();
    let mut known = tell::Known::default();
    for (draft, proof) in proofs {
        let Some(line) = plan.lines.get(draft.name.as_str()) else { continue };
        let case = Case { drafts, plan, draft, line, proof, prompts: facts.prompts };
        let mut of_line: Vec<Judged> = Vec::new();
        for name in draft.profiles.iter().map(|text| &text.value).chain(&facts.profiles) {
            let Some(profile) = find(name).filter(|one| of_line.iter().all(|other| other.profile != one.name)) else {
                continue;
            };
            of_line.push(judge_by(profile, &case, &mut known, told));
        }
        judged.insert(line.name.clone(), of_line);
    }
    judged
}

fn judge_by(profile: &'static Profile, case: &Case<'_>, known: &mut tell::Known, told: &mut Vec<Diagnostic>) -> Judged {
    let mut sum = Judged { profile: profile.name, kept: 0, broken: 0, soft_broken: 0, undecidable: 0 };
    for asked in profile.asks {
        match asked.rule.judge(case) {
            Verdict::Kept => sum.kept += 1,
            Verdict::Broken(faults) => {
                if asked.is_soft() {
                    sum.soft_broken += 1
                } else {
                    sum.broken += 1
                }
                faults.into_iter().for_each(|fault| known.broken(profile, *asked, case, fault, told));
            }
            Verdict::Undecidable(fault) => {
                sum.undecidable += 1;
                known.undecidable(profile, *asked, case, *fault, told);
            }
        }
    }
    sum
}
