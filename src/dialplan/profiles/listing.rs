//! `onekey profiles`: all profiles, or the rules of one in plain words.

use super::{Asked, Profile, all, find};
use std::fmt::Write;

/// Every profile with what it is for, its source, and how sure that is.
pub fn list() -> String {
    let mut text = String::new();
    for profile in all() {
        let _ = write!(text, "{}\n    {}\n    {}\n", profile.name, profile.says, sourced(profile));
    }
    text + "\nThe rules of one: onekey profiles NAME. To judge every line by one: onekey check --profile NAME.\n\
        Confidence: A the text itself was seen, B+ several sources agree, B one source, C not confirmed, D no law (yet).\n\
        None of this is legal advice.\n"
}

/// The rules of one profile; `None` where there is none of this name.
pub fn one(name: &str) -> Option<String> {
    let profile = find(name)?;
    let mut text = format!("{}: {}\n{}\n\n", profile.name, profile.says, sourced(profile));
    profile.asks.iter().for_each(|asked| text.push_str(&rule(*asked)));
    text.push_str("\nSeconds and shares that a profile sets for running calls are measured at run time, not here.\n");
    Some(text)
}

fn sourced(profile: &Profile) -> String {
    format!("{}; confidence {}", profile.source, profile.confidence)
}

fn rule(asked: Asked) -> String {
    let soft = if asked.is_soft() { "a warning where broken" } else { "an error where broken" };
    format!(
        "  {}\n      {}\n      {}; {soft}; confidence {}\n",
        asked.rule.name,
        asked.rule.says(),
        asked.rule.by.said(),
        asked.grade.as_str(),
    )
}
