//! The JSON Schema of a dialplan's file, for editors: completion, hover and warnings while one types. `onekey schema` prints
//! it, and `dialplans/dialplan.schema.json` is that text.
//!
//! It knows one file and not the folder, so it sees less than the checker; what the checker takes, it takes too.

mod table;

pub use table::{Form, HUMAN, KINDS, Kind, LeftOut, Setting};

use super::profiles;
use super::section::say_duration;
use crate::target::StepKind;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A name of a section: no space, and no sign but `-` and `_`.
const NAME: &str = r"[^\s!-,./:-@\[-^`{-~]+";
const TIME: &str = r"^\s*[0-9]+(?:\.[0-9]{1,3})?\s*(?:ms|s|sec|m|min|h)\s*$";
const DIGITS: &str = r"^\s*[0-9]{1,2}\s*(?:-\s*[0-9]{1,2}\s*)?$";

/// The whole schema, as text that ends with a line's end.
pub fn text() -> String {
    let kinds: Map<String, Value> = KINDS.iter().map(|kind| (kind.word.to_owned(), sections(kind))).collect();
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A dialplan of Onekey",
        "description": "Sections [kind.NAME] with settings. All files of a folder are one dialplan; `onekey check` sees the whole.",
        "type": "object",
        "properties": kinds,
        // Not `false`: Taplo would then underline the whole file instead of the misspelt section.
        "additionalProperties": { "enum": ["no section of this kind"] },
    });
    format!("{schema:#}\n")
}

/// All sections of a kind, by their names.
fn sections(kind: &Kind) -> Value {
    json!({
        "description": kind.doc,
        "type": "object",
        "propertyNames": { "pattern": format!("^{NAME}$"), "maxLength": 64 },
        "additionalProperties": section(kind),
    })
}

fn section(kind: &Kind) -> Value {
    let settings: Map<String, Value> =
        kind.settings.iter().map(|setting| (setting.key.to_owned(), value(setting))).collect();
    let needed: Vec<&str> =
        kind.settings.iter().filter(|setting| setting.default == LeftOut::Needed).map(|setting| setting.key).collect();
    let mut section = json!({
        "description": kind.doc,
        "type": "object",
        "properties": settings,
        "required": needed,
        "additionalProperties": false,
        // What Taplo puts in where a section is completed.
        "x-taplo": { "initKeys": needed },
    });
    if !kind.one_of.is_empty() {
        section["anyOf"] = kind.one_of.iter().map(|key| json!({ "required": [key] })).collect();
    }
    section
}

fn value(setting: &Setting) -> Value {
    let mut value = form(&setting.form);
    describe(&mut value, &described(setting));
    if let LeftOut::Is(default) = setting.default {
        // A default that is no JSON would be a slip in the table, which its test finds.
        value["default"] = serde_json::from_str(default).unwrap_or_default();
    }
    value
}

/// In every place where an editor may look for it: Taplo asks the part of a list, and each of several forms.
fn describe(value: &mut Value, text: &str) {
    value["description"] = json!(text);
    if value["items"].is_object() {
        describe(&mut value["items"], text);
    }
    for form in value.get_mut("anyOf").and_then(Value::as_array_mut).into_iter().flatten() {
        describe(form, text);
    }
}

/// What is shown where the pointer rests on a setting: what it is for, its unit and limits, its default.
fn described(setting: &Setting) -> String {
    let time = |seconds: u64| say_duration(Duration::from_secs(seconds));
    let limits = match setting.form {
        Form::Time(least, most) => {
            format!(" A length of time, from {} to {}: a number and ms, s, m or h, in quotes.", time(least), time(most))
        }
        Form::Count(least, most) => format!(" A number from {least} to {most}."),
        Form::Word(words) => {
            words.iter().map(|(word, means)| format!("\n- \"{word}\": {means}")).collect::<String>() + "\n"
        }
        Form::Target => " A kind and a name (\"menu bills\"), or: repeat, back, start, human.".to_owned(),
        Form::Section => " A kind and a name: \"menu main\".".to_owned(),
        Form::Queue => " Such as \"queue care\".".to_owned(),
        _ => String::new(),
    };
    let default = match setting.default {
        LeftOut::Needed => " It must be there.".to_owned(),
        LeftOut::None => String::new(),
        LeftOut::Is(default) => format!(" Default: {default}."),
    };
    format!("{}{limits}{default}", setting.doc)
}

fn form(form: &Form) -> Value {
    match form {
        Form::Text(pattern) => text_of(pattern),
        Form::Texts(pattern) => list_of(text_of(pattern)),
        Form::Word(words) => {
            let docs: Vec<&str> = words.iter().map(|(_, means)| *means).collect();
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            json!({ "type": "string", "enum": words, "x-taplo": { "docs": { "enumValues": docs } } })
        }
        Form::Profiles => list_of(json!({ "type": "string", "enum": profiles::names().collect::<Vec<_>>() })),
        Form::Target => text_of(&target("|repeat|back|start|human")),
        Form::Section => text_of(&target("")),
        Form::Queue => text_of(&format!(r"^\s*queue\s+{NAME}\s*$")),
        Form::Time(..) => text_of(TIME),
        Form::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Digits => json!({
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": crate::step::collect::DIGITS_MAX },
                text_of(DIGITS),
            ]
        }),
        Form::Table(pattern) => json!({ "type": "object", "additionalProperties": text_of(pattern) }),
        Form::Targets => {
            json!({ "type": "object", "additionalProperties": text_of(&target("|repeat|back|start|human")) })
        }
        Form::Topics => {
            let keys = (1..=9).map(|key| key.to_string()).chain(["star".to_owned(), "hash".to_owned()]);
            let properties: Map<String, Value> = keys.map(|key| (key, text_of(""))).collect();
            json!({ "type": "object", "properties": properties, "additionalProperties": false })
        }
        Form::Human => section(&HUMAN),
    }
}

fn target(words: &str) -> String {
    format!(r"^\s*(?:(?:{})\s+{NAME}{words})\s*$", StepKind::WORDS.join("|"))
}

fn text_of(pattern: &str) -> Value {
    if pattern.is_empty() { json!({ "type": "string" }) } else { json!({ "type": "string", "pattern": pattern }) }
}

fn list_of(part: Value) -> Value {
    json!({ "anyOf": [{ "type": "array", "items": part }, part] })
}
