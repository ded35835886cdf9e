//! The words of a language's prompts: `prompts.toml` and the lists that it includes, as one.
//!
//! `include = ["numbers.toml"]` at the top of a list reads another list of the same folder as if it stood there. Used by who
//! loads the prompts and by who builds their sounds, so that both see the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The list with which a language begins.
pub const FIRST: &str = "prompts.toml";

/// All prompts of one folder.
#[derive(Debug, Default)]
pub struct Texts {
    pub prompts: BTreeMap<String, Entry>,
    /// What is wrong, each with the file that has to be mended.
    pub troubles: Vec<(PathBuf, String)>,
}

/// What a list says of one prompt.
#[derive(Debug)]
pub struct Entry {
    pub list: PathBuf,
    /// From 1.
    line: usize,
    value: toml::Value,
}

impl Entry {
    /// What stands there, or what is wrong with it and where.
    ///
    /// # Errors
    /// It is not of the form that is wished.
    pub fn read<T: serde::de::DeserializeOwned>(self, id: &str) -> Result<T, String> {
        let wrong = |cause: toml::de::Error| format!("line {}: prompt `{id}`: {}", self.line, cause.message());
        self.value.try_into().map_err(wrong)
    }
}

/// Reads `folder/prompts.toml` and everything that it includes. Never stops at the first trouble.
pub fn read(folder: &Path) -> Texts {
    let mut texts = Texts::default();
    read_list(folder, &folder.join(FIRST), &mut Vec::new(), &mut texts);
    texts
}

fn read_list(folder: &Path, list: &Path, including: &mut Vec<PathBuf>, texts: &mut Texts) {
    let trouble = |texts: &mut Texts, message: String| texts.troubles.push((list.to_owned(), message));
    if including.iter().any(|outer| outer == list) {
        return trouble(texts, "it includes itself, directly or through another list: take one `include` out".into());
    }
    let text = match std::fs::read_to_string(list) {
        Ok(text) => text,
        Err(cause) => return trouble(texts, format!("cannot be read: {cause}")),
    };
    let mut table: BTreeMap<String, toml::Spanned<toml::Value>> = match toml::from_str(&text) {
        Ok(table) => table,
        Err(cause) => return trouble(texts, cause.to_string()),
    };
    including.push(list.to_owned());
    match included(table.remove("include").map(toml::Spanned::into_inner)) {
        Ok(names) => names.iter().for_each(|name| read_list(folder, &folder.join(name), including, texts)),
        Err(message) => texts.troubles.push((list.to_owned(), message)),
    }
    including.pop();
    for (id, value) in table {
        match texts.prompts.get(&id) {
            Some(other) => {
                let other = other.list.file_name().unwrap_or_default().to_string_lossy().into_owned();
                texts
                    .troubles
                    .push((list.to_owned(), format!("prompt `{id}` stands in {other} already: delete one of the two")));
            }
            None => {
                let line = 1 + text[..value.span().start].matches('\n').count();
                texts.prompts.insert(id, Entry { list: list.to_owned(), line, value: value.into_inner() });
            }
        }
    }
}

/// Names of lists in the same folder.
fn included(value: Option<toml::Value>) -> Result<Vec<String>, String> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let wrong = || "`include` is a list of files of this folder, such as include = [\"numbers.toml\"]".to_owned();
    let names: Vec<String> = value.try_into().map_err(|_| wrong())?;
    let is_plain = |name: &String| name.ends_with(".toml") && !name.contains(['/', '\\']) && !name.starts_with('.');
    if names.iter().all(is_plain) { Ok(names) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn troubles(name: &str, lists: &[(&str, &str)]) -> Vec<String> {
        let folder = std::env::temp_dir().join(format!("onekey-texts-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (file, text) in lists {
            std::fs::write(folder.join(file), text).unwrap();
        }
        let texts = read(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        let mut told: Vec<String> = texts.troubles.into_iter().map(|(_, message)| message).collect();
        told.push(texts.prompts.into_keys().collect::<Vec<_>>().join(" "));
        told
    }

    #[test]
    fn included_lists_count_as_if_they_stood_there() {
        let lists = [
            ("prompts.toml", "include = [\"a.toml\"]\n[welcome]\ntext = \"x\"\n"),
            ("a.toml", "include = [\"b.toml\"]\n[one]\ntext = \"1\"\n"),
            ("b.toml", "[two]\ntext = \"2\"\n"),
        ];
        assert_eq!(troubles("whole", &lists), ["one two welcome"]);
    }

    #[test]
    fn what_is_wrong_with_an_include_is_told_and_the_rest_is_read() {
        let twice =
            [("prompts.toml", "include = [\"a.toml\"]\n[one]\ntext = \"x\"\n"), ("a.toml", "[one]\ntext = \"1\"\n")];
        assert!(troubles("twice", &twice)[0].contains("`one` stands in a.toml already"));
        let round = [("prompts.toml", "include = [\"prompts.toml\"]\n[one]\ntext = \"x\"\n")];
        assert!(troubles("round", &round)[0].contains("includes itself"));
        let gone = [("prompts.toml", "include = [\"gone.toml\"]\n[one]\ntext = \"x\"\n")];
        assert_eq!(troubles("gone", &gone).len(), 2);
        for wrong in ["\"a.toml\"", "[\"../a.toml\"]", "[\"a\"]", "[1]"] {
            let list = format!("include = {wrong}\n[one]\ntext = \"x\"\n");
            let told = troubles("wrong", &[("prompts.toml", list.as_str())]);
            assert!(told[0].contains("is a list of files"), "{wrong}: {told:?}");
        }
    }
}
