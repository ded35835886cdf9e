//! Whether a value conforms to a JSON Schema: the part of draft 07 that ours is written in. A keyword that is not known here is
//! a panic, so that the schema cannot grow past its test.

use regex::Regex;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;

thread_local! {
    static PATTERNS: RefCell<BTreeMap<String, Regex>> = const { RefCell::new(BTreeMap::new()) };
}

/// What does not conform, each with its place; empty where all is well.
pub fn wrong(schema: &Value, value: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    check(schema, value, "", &mut wrong);
    wrong
}

fn check(schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let object = schema.as_object().expect("a schema is an object");
    for (keyword, wanted) in object {
        let fits = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "x-taplo" => true,
            "type" => is_of(value, wanted.as_str().unwrap()),
            "enum" => wanted.as_array().unwrap().contains(value),
            "pattern" => value.as_str().is_none_or(|text| matches(wanted.as_str().unwrap(), text)),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= wanted.as_u64().unwrap()),
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().unwrap()),
            "required" => {
                let has = |key: &Value| value.get(key.as_str().unwrap()).is_some();
                !value.is_object() || wanted.as_array().unwrap().iter().all(has)
            }
            "anyOf" => wanted.as_array().unwrap().iter().any(|schema| self::wrong(schema, value).is_empty()),
            "items" | "properties" | "propertyNames" | "additionalProperties" => {
                inside(object, keyword, wanted, value, at, wrong);
                true
            }
            unknown => panic!("the test does not know the keyword {unknown}"),
        };
        if !fits {
            wrong.push(format!("{at}: {value} does not fit {keyword} {wanted}"));
        }
    }
}

/// The keywords that look at the parts of a value.
fn inside(
    schema: &serde_json::Map<String, Value>,
    keyword: &str,
    wanted: &Value,
    value: &Value,
    at: &str,
    wrong: &mut Vec<String>,
) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Array(parts) => parts.iter().enumerate().map(|(number, part)| (number.to_string(), part)).collect(),
        Value::Object(parts) => parts.iter().map(|(key, part)| (key.clone(), part)).collect(),
        _ => return,
    };
    for (key, part) in parts {
        let at = format!("{at}/{key}");
        let own = schema.get("properties").and_then(|properties| properties.get(&key));
        match (keyword, wanted) {
            ("items", _) if value.is_array() => check(wanted, part, &at, wrong),
            ("propertyNames", _) if value.is_object() => check(wanted, &Value::String(key), &at, wrong),
            ("properties", _) if value.is_object() => {
                if let Some(own) = own {
                    check(own, part, &at, wrong);
                }
            }
            ("additionalProperties", Value::Bool(false)) if value.is_object() && own.is_none() => {
                wrong.push(format!("{at}: may not stand here"));
            }
            ("additionalProperties", Value::Object(_)) if value.is_object() && own.is_none() => {
                check(wanted, part, &at, wrong);
            }
            _ => {}
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        unknown => panic!("the test does not know the type {unknown}"),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    PATTERNS.with_borrow_mut(|known| {
        let pattern = known.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).unwrap());
        pattern.is_match(text)
    })
}
