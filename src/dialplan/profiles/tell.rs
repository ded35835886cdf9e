//! What is not kept, as diagnostics: the fault, then the rule, the profile, its source and how sure that is.

use super::case::{Case, Fault};
use super::rule::By;
use super::{Asked, Profile};
use crate::diagnostic::{Diagnostic, Span};
use std::collections::BTreeSet;

/// What has been told: two lines that share a menu and a profile make one message.
#[derive(Default)]
pub(super) struct Known(BTreeSet<(&'static str, &'static str, Span, String)>);

impl Known {
    pub fn broken(
        &mut self,
        profile: &'static Profile,
        asked: Asked,
        case: &Case<'_>,
        fault: Fault,
        told: &mut Vec<Diagnostic>,
    ) {
        let Some(message) = self.message(profile, asked, case, &fault) else { return };
        let (diagnostic, verb) = match asked.is_soft() {
            true => (Diagnostic::warning("D076", message), "recommends"),
            false => (Diagnostic::error("D075", message), "asks"),
        };
        told.push(placed(diagnostic, profile, case, fault, &format!("{} {verb}: {}", profile.name, asked.rule.says())));
    }

    pub fn undecidable(
        &mut self,
        profile: &'static Profile,
        asked: Asked,
        case: &Case<'_>,
        mut fault: Fault,
        told: &mut Vec<Diagnostic>,
    ) {
        if asked.rule.by == By::Nobody {
            fault.at = bound(profile, case).unwrap_or(case.here()).clone();
        }
        let Some(message) = self.message(profile, asked, case, &fault) else { return };
        let diagnostic = Diagnostic::warning("D077", format!("not decidable here: {message}"));
        told.push(placed(diagnostic, profile, case, fault, &format!("{} asks: {}", profile.name, asked.rule.says())));
    }

    /// The fault and whose rule it is against, unless that has been told.
    fn message(&mut self, profile: &'static Profile, asked: Asked, case: &Case<'_>, fault: &Fault) -> Option<String> {
        let rule = asked.rule;
        let is_new = self.0.insert((profile.name, rule.name, fault.at.clone(), fault.why.clone()));
        is_new.then(|| {
            format!(
                "{} (line {}, rule `{}` of profile {}; {}; confidence {})",
                fault.why,
                case.line.name,
                rule.name,
                profile.name,
                profile.source,
                asked.grade.as_str(),
            )
        })
    }
}

fn placed(diagnostic: Diagnostic, profile: &Profile, case: &Case<'_>, fault: Fault, label: &str) -> Diagnostic {
    let diagnostic = diagnostic.at(&fault.at, label).help(fault.help);
    match bound(profile, case).filter(|at| **at != fault.at) {
        Some(at) => diagnostic.also(at, format!("line {} binds itself to it here", case.line.name)),
        None => diagnostic,
    }
}

/// Where the line names the profile, if it does.
fn bound<'a>(profile: &Profile, case: &Case<'a>) -> Option<&'a Span> {
    case.draft.profiles.iter().find(|text| text.value == profile.name).map(|text| &text.span)
}
