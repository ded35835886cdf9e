//! What a call learns on its way: digits that are entered, values that are set or looked up, the language it speaks.
//!
//! Values are said and sent, never gone to: a step chooses among places that stand in the dialplan.

use super::event::{Effect, LineDirection, Query};
use super::{Call, Place};
use crate::ids::Language;
use crate::step::lookup::{Lookup, LookupFailure};
use crate::step::{self, Step};
use crate::target::Target;
use crate::variable::{Part, Template, VALUE_BYTES_MAX, Variable};
use std::collections::BTreeMap;
use std::time::Duration;

impl Call {
    /// The step where the caller is takes `0` as a digit.
    pub(super) fn takes_zero(&self) -> bool {
        let Place::Step(inside) = &self.place else { return false };
        self.plan.step(&inside.at).is_some_and(|step| step.takes_zero(&inside.state))
    }

    /// A step counts the digits of its entry; the digits themselves are kept here.
    pub(super) fn keep_digit(&mut self, event: step::Event, digits: u8) {
        match event {
            _ if digits == 0 => self.entry.clear(),
            step::Event::Key(key) if key.as_char().is_ascii_digit() && self.entry.len() < usize::from(digits) => {
                self.entry.push(key.as_char());
            }
            _ => {}
        }
    }

    pub(super) fn check_entry(&mut self) {
        self.silence_step();
        let Place::Step(inside) = &self.place else { return };
        let Some(Step::Collect(collect)) = self.plan.step(&inside.at) else { return };
        let good = collect.check.is_met(&self.entry);
        let variable = Variable::Collect(collect.name.clone());
        self.trace(LineDirection::Engine, format!("entry {}", if good { "good" } else { "wrong" }));
        self.known.insert(variable, self.entry.clone());
        self.advance(step::Event::Checked { good });
    }

    pub(super) fn set_values(&mut self, language: Option<Language>, values: &[(String, Template)], then: Target) {
        if let Some(language) = language {
            self.trace(LineDirection::Engine, format!("language {language}"));
            self.language = language;
        }
        for (name, template) in values {
            // A value of unknown parts stays unknown: a `say` of it has its `else`.
            if let Some(value) = template.fill(|variable| self.value(variable)).filter(|value| is_short(value)) {
                self.known.insert(Variable::Set(name.clone()), value);
            }
        }
        self.go(then);
    }

    pub(super) fn look_up(&mut self, filler_after: Duration) {
        let Place::Step(inside) = &self.place else { return };
        let Some(Step::Lookup(lookup)) = self.plan.step(&inside.at) else { return };
        let name = lookup.name.clone();
        self.lookups += 1;
        let query = self.query(lookup, self.lookups);
        self.trace(LineDirection::Engine, format!("look up {name}"));
        match query {
            Some(query) => {
                self.effects.push(Effect::LookUp(Box::new(query)));
                self.step_listens(filler_after);
            }
            None => self.looked_up(self.lookups, Err(LookupFailure::Unreachable)),
        }
    }

    /// The question with its variables put in; `None` where one of them is not known.
    fn query(&self, lookup: &Lookup, number: u64) -> Option<Query> {
        let value = |variable: &Variable| self.value(variable);
        let url = lookup.url.parts.iter().map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Of(variable) => Some(escaped(&value(variable)?)),
        });
        let body = lookup.body.iter().map(|(name, template)| Some((name.clone(), template.fill(value)?)));
        Some(Query {
            lookup: lookup.name.clone(),
            number,
            url: url.collect::<Option<String>>()?,
            method: lookup.method,
            body: body.collect::<Option<Vec<_>>>()?,
            deadline: lookup.deadline,
            values: lookup.values.clone(),
        })
    }

    /// The answer; one that comes when the caller has gone on is nobody's.
    pub(super) fn looked_up(&mut self, number: u64, found: Result<BTreeMap<String, String>, LookupFailure>) {
        let Place::Step(inside) = &self.place else { return };
        let Some(Step::Lookup(lookup)) = self.plan.step(&inside.at) else { return };
        if number != self.lookups {
            return;
        }
        let found = found.and_then(|found| match found.values().all(|value| is_short(value)) {
            true => Ok(found),
            false => Err(LookupFailure::Unreadable),
        });
        let (name, on) = (lookup.name.clone(), lookup.on.clone());
        match found {
            Ok(found) => {
                let case = on.and_then(|on| lookup.case_of(found.get(&on)?));
                self.trace(LineDirection::World, format!("lookup {name} answers"));
                self.known.extend(found.into_iter().map(|(name, value)| (Variable::Lookup(name), value)));
                self.silence_step();
                self.advance(step::Event::Found { case });
            }
            Err(how) => {
                self.trace(LineDirection::World, format!("lookup {name} {}", how.as_str()));
                self.silence_step();
                self.advance(step::Event::LookUpFailed(how));
            }
        }
    }
}

fn is_short(value: &str) -> bool {
    value.len() <= VALUE_BYTES_MAX
}

/// As a part of a URL's path or query (RFC 3986 §2.1, §2.3): a value can begin no path and add no parameter.
fn escaped(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_typed_can_begin_no_path_and_add_no_parameter() {
        assert_eq!(escaped("+1202/../x?a=1&b#é"), "%2B1202%2F..%2Fx%3Fa%3D1%26b%23%C3%A9");
        assert_eq!(escaped("12*34"), "12%2A34");
    }
}
