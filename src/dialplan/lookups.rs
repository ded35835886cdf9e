//! The section `[lookup.NAME]`: which URL is asked, what is taken from its answer, and where each outcome leads.
//!
//! Whether the URL may be asked at all is for the settings' allow-list, which `values` compares.

use super::draft::{Draft, Role, Slot, is_name, step_name};
use super::near::near;
use super::says::{bad_value_name, read_template};
use super::section::{Section, Text};
use super::steps::{UNRESOLVED, draft, needed_then};
use crate::diagnostic::{Diagnostic, Span};
use crate::ids::PromptId;
use crate::prompt::spoken;
use crate::step::Step;
use crate::step::lookup::{Case, Lookup, LookupFailure, Method};
use crate::target::StepKind;
use crate::variable::{Part, Template, Variable};
use std::collections::BTreeMap;

/// Most cases of one look-up.
const CASES_MAX: usize = 100;

pub(super) fn read_lookup(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let mut reads = Vec::new();
    let url_text = section.text("url", told);
    let before = told.len();
    let url = read_url(&section, url_text.as_ref(), &mut reads, told);
    // Whether one may be asked that cannot be asked at all is no question.
    let url_text = url_text.filter(|_| told.len() == before);
    let method = section.text("method", told).map(|text| read_method(&text, told)).unwrap_or_default();
    let mut body = Vec::new();
    for (name, _, value) in section.table("body", told) {
        if let Some(text) = section.as_text(&name, value, told) {
            body.push((name, read_template(&text, &mut reads, told)));
        }
    }
    let mut aims = needed_then(&mut section, told);
    let filler = section.text("filler", told);
    let deadline = section.duration("deadline", 1..=30, 5, told);
    let values = read_values(&mut section, told);
    let on = section.text("on", told);
    let cases = read_cases(&mut section, on.as_ref(), &values, &mut aims, told);
    aims.extend(section.target("else", told).map(|aim| Slot { role: Role::Else, aim }));
    for how in LookupFailure::ALL {
        aims.extend(section.target(how.as_str(), told).map(|aim| Slot { role: Role::Failed(how), aim }));
    }
    let lookup = Lookup {
        name: step_name(&section.name),
        url,
        method,
        body,
        deadline,
        filler: PromptId::new(filler.as_ref().map_or(spoken::ONE_MOMENT, |text| &text.value)),
        values,
        on: on.map(|text| text.value),
        cases,
        then: UNRESOLVED,
        otherwise: UNRESOLVED,
        failed: BTreeMap::new(),
    };
    let prompts = filler.into_iter().collect();
    Draft { reads, url: url_text, ..draft(section, StepKind::Lookup, Step::Lookup(lookup), aims, prompts, told) }
}

fn read_url(
    section: &Section<'_>,
    url: Option<&Text>,
    reads: &mut Vec<(Variable, Span)>,
    told: &mut Vec<Diagnostic>,
) -> Template {
    let Some(text) = url else {
        if !section.damaged {
            told.push(
                Diagnostic::error("D057", format!("{} does not say where it asks", section.said))
                    .at(&section.name_span, "every caller's look-up would fail")
                    .help("add an address, such as `url = \"https://billing.example/accounts/{caller.number}\"`"),
            );
        }
        return Template::default();
    };
    let before = told.len();
    let template = read_template(text, reads, told);
    if told.len() > before {
        return template;
    }
    let fixed = match template.parts.first() {
        Some(Part::Text(fixed)) => fixed.as_str(),
        _ => "",
    };
    let rest = fixed.strip_prefix("https://").or_else(|| fixed.strip_prefix("http://"));
    let good_host = rest.is_some_and(|rest| {
        rest.find(['/', '?']).is_some_and(|end| end > 0) || (template.parts.len() == 1 && !rest.is_empty())
    });
    if !good_host || fixed.contains(char::is_whitespace) || fixed.contains('#') {
        let diagnostic = Diagnostic::error("D057", format!("`{}` is no address that can be asked", text.value))
            .at(&text.span, "every caller's look-up would fail");
        let host = fixed.split(['/', '?']).next().unwrap_or("");
        let is_bare_host = host.contains('.') && !fixed.contains([' ', ':', '#']) && fixed.len() > host.len();
        told.push(match is_bare_host {
            true => diagnostic.help(format!("did you mean \"https://{}\"?", text.value)),
            false => diagnostic
                .help("begin with http:// or https:// and a host, and put variables behind it: the host is never one"),
        });
    }
    template
}

fn read_method(text: &Text, told: &mut Vec<Diagnostic>) -> Method {
    match text.value.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => {
            let diagnostic = Diagnostic::error("D058", format!("a look-up asks by GET or POST, not by `{other}`"))
                .at(&text.span, "every caller's look-up would fail");
            told.push(match near(other, ["GET", "POST"]) {
                Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
                None => diagnostic.help("write \"GET\", or \"POST\" with a `body`"),
            });
            Method::Get
        }
    }
}

fn read_values(section: &mut Section<'_>, told: &mut Vec<Diagnostic>) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (name, span, value) in section.table("values", told) {
        let Some(text) = section.as_text(&name, value, told) else { continue };
        if !is_name(&name) {
            told.push(bad_value_name(&name, &span));
        } else if !text.value.is_empty() && !text.value.starts_with('/') {
            told.push(
                Diagnostic::error("D058", format!("`{}` is no JSON pointer (RFC 6901)", text.value))
                    .at(&text.span, format!("`{{lookup.{name}}}` would never be found"))
                    .help(format!("begin each part with a slash: \"/{}\"", text.value.replace('.', "/"))),
            );
        } else {
            values.insert(name, text.value);
        }
    }
    values
}

fn read_cases(
    section: &mut Section<'_>,
    on: Option<&Text>,
    values: &BTreeMap<String, String>,
    aims: &mut Vec<Slot>,
    told: &mut Vec<Diagnostic>,
) -> Vec<Case> {
    let mut cases = Vec::new();
    let rows = section.table("case", told);
    if rows.len() > CASES_MAX {
        let (_, span, _) = &rows[CASES_MAX];
        told.push(
            Diagnostic::error("D059", format!("{} has more than {CASES_MAX} cases", section.said))
                .at(span, "nobody could say any more where callers go")
                .help("let the system that is asked answer with fewer words"),
        );
    }
    let has_rows = !rows.is_empty();
    for (value, span, target) in rows.into_iter().take(CASES_MAX) {
        if on.is_none() && cases.is_empty() {
            told.push(
                Diagnostic::error("D059", format!("{} has cases and does not say of what", section.said))
                    .at(&span, "no caller would ever take this way")
                    .help(match values.keys().next() {
                        Some(name) => format!("add `on = \"{name}\"`: one of the names in `values`"),
                        None => "add `values = { status = \"/status\" }` and `on = \"status\"`".to_owned(),
                    }),
            );
        }
        if let Some(aim) = section.as_target(&value, target, told) {
            aims.push(Slot { role: Role::Case(value.clone()), aim });
        }
        cases.push(Case { value, target: UNRESOLVED });
    }
    if let Some(on) = on {
        if !values.contains_key(&on.value) {
            let diagnostic =
                Diagnostic::error("D059", format!("{} takes no value called `{}`", section.said, on.value))
                    .at(&on.span, "no caller would ever take one of the cases");
            told.push(match near(&on.value, values.keys().map(String::as_str)) {
                Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
                None => diagnostic.help(format!("add it: `values = {{ {} = \"/pointer/to/it\" }}`", on.value)),
            });
        } else if !has_rows {
            told.push(
                Diagnostic::error("D059", format!("`on` of {} has no cases", section.said))
                    .at(&on.span, "every caller would go the same way")
                    .help("add cases, such as `case = { blocked = \"menu blocked\" }`, or delete it"),
            );
        }
    }
    cases
}
