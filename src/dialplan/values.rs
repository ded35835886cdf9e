//! Variables, languages and addresses between sections: whatever is read is set somewhere, whatever is asked may be asked,
//! whatever is dialled has a way out.

use super::Facts;
use super::draft::{Draft, Drafts};
use super::near::near;
use super::section::Text;
use crate::diagnostic::{Diagnostic, Span};
use crate::step::Step;
use crate::step::dial::Party;
use crate::target::StepKind;
use crate::variable::Variable;
use std::collections::BTreeSet;

pub(super) fn check(drafts: &Drafts, facts: &Facts<'_>, told: &mut Vec<Diagnostic>) {
    let given: BTreeSet<Variable> = drafts.steps.values().flat_map(given).collect();
    for draft in drafts.steps.values() {
        for (variable, span) in &draft.reads {
            let is_named = matches!(variable, Variable::Lookup(_) | Variable::Collect(_) | Variable::Set(_));
            if is_named && !given.contains(variable) && !drafts.damaged {
                told.push(never_set(variable, span, &given));
            }
        }
        if let (Some(url), Some(allowed)) = (&draft.url, &facts.lookup_urls) {
            check_url(url, allowed, told);
        }
        if let (Step::Dial(dial), Some((to, trunk)), Some(trunks)) = (&draft.step, &draft.rung, &facts.trunks) {
            check_trunk(&dial.to, to, trunk.as_ref(), trunks, told);
        }
    }
}

/// What a step gives to the call.
fn given(draft: &Draft) -> Vec<Variable> {
    match &draft.step {
        Step::Lookup(lookup) => lookup.values.keys().cloned().map(Variable::Lookup).collect(),
        Step::Collect(collect) => vec![Variable::Collect(collect.name.clone())],
        Step::Set(set) => set.values.iter().map(|(name, _)| Variable::Set(name.clone())).collect(),
        _ => Vec::new(),
    }
}

fn never_set(variable: &Variable, span: &Span, given: &BTreeSet<Variable>) -> Diagnostic {
    let (who, help) = match variable {
        Variable::Lookup(name) => {
            ("look-up takes it", format!("add it to one: `values = {{ {name} = \"/pointer/to/it\" }}`"))
        }
        Variable::Collect(name) => ("collect asks for it", format!("add a section `[{}.{name}]`", StepKind::Collect)),
        Variable::Set(name) => ("set sets it", format!("add it to one: `values = {{ {name} = \"text\" }}`")),
        _ => ("section gives it", "use another variable".to_owned()),
    };
    let diagnostic = Diagnostic::error("D061", format!("`{variable}` is never known: no {who}"))
        .at(span, "callers would be sent to a person instead");
    let words: Vec<String> = given.iter().map(Variable::to_string).collect();
    match near(&variable.to_string(), words.iter().map(String::as_str)) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic.help(help),
    }
}

fn check_url(url: &Text, allowed: &[String], told: &mut Vec<Diagnostic>) {
    let fixed = url.value.split('{').next().unwrap_or("");
    if fixed.is_empty() || allowed.iter().any(|beginning| is_below(fixed, beginning)) {
        return;
    }
    let diagnostic =
        Diagnostic::error("D062", "this address may not be asked").at(&url.span, "every caller's look-up would fail");
    let host = fixed.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    told.push(diagnostic.help(match allowed {
        [] => format!("add it to the settings (onekey.toml): `[lookup]` with `allow = [\"{host}/\"]`"),
        _ => format!("`lookup.allow` of the settings has: {}; add \"{host}/\"", allowed.join(", ")),
    }));
}

/// Whether an address begins so, at the border of a part: `https://a.example` does not allow `https://a.example.net`.
pub fn is_below(address: &str, beginning: &str) -> bool {
    let Some(rest) = address.strip_prefix(beginning) else { return false };
    beginning.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '?'])
}

fn check_trunk(party: &Party, to: &Text, trunk: Option<&Text>, trunks: &BTreeSet<String>, told: &mut Vec<Diagnostic>) {
    let Party::Number { .. } = party else { return };
    let known = || trunks.iter().map(String::as_str);
    match trunk {
        Some(trunk) if !trunks.contains(&trunk.value) => {
            let diagnostic = Diagnostic::error("D063", format!("there is no trunk `{}`", trunk.value))
                .at(&trunk.span, "this number could not be rung for callers");
            told.push(match near(&trunk.value, known()) {
                Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
                None => diagnostic.help("add it to the settings (onekey.toml), under `[[trunk]]`"),
            });
        }
        None if trunks.is_empty() => told.push(
            Diagnostic::error("D063", "there is no trunk through which a number could be rung")
                .at(&to.span, "this number could not be rung for callers")
                .help("add one to the settings (onekey.toml), under `[[trunk]]`, or write a SIP address: \"sip:desk@192.0.2.10\""),
        ),
        _ => {}
    }
}
