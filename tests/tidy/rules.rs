//! The rules of the tree (DESIGN §2, §14, §15), each a function from a file to what is wrong in it.
//!
//! A breach reads `file:line: what`. The tables at the top are the architecture: change them only with the design.

use crate::lexer::{Lexed, Token, lex};

/// Every layer of `src/`, and the other layers that it may name. What is not listed may not be imported.
const LAYERS: &[(&str, &str)] = &[
    // The words.
    ("ids", ""),
    ("time", ""),
    ("key", "time"),
    ("codec", ""),
    ("diagnostic", ""),
    ("target", "ids"),
    ("caller", "ids"),
    ("promise", "ids time"),
    ("prompt", "codec ids"),
    ("saying", "ids prompt"),
    ("variable", "ids saying"),
    ("script", "caller diagnostic ids key target time variable"),
    // The standards, each alone.
    ("sip", "codec ids key time"),
    ("media", "codec ids key prompt time"),
    // What was written.
    ("step", "diagnostic ids key prompt saying target time variable"),
    ("dialplan", "caller diagnostic ids key prompt saying script step target time variable"),
    // What was written, drawn.
    ("picture", "dialplan ids prompt step target variable"),
    // The work, in telephone words: no SIP, no RTP, and none of each other.
    ("call", "caller codec diagnostic dialplan ids key promise prompt saying script step target time variable"),
    ("queue", "caller codec diagnostic dialplan ids key promise prompt saying script step target time variable"),
    ("callers", "caller codec diagnostic dialplan ids key promise prompt saying script step target time variable"),
    // The door, and below it everything.
    (
        "engine",
        "call callers media queue sip \
         caller codec diagnostic dialplan ids key promise prompt saying script step target time variable",
    ),
    // Runs `.call` files through the engine under virtual time, for tests and for `onekey test`.
    (
        "rehearsal",
        "engine call callers media queue sip \
         caller codec diagnostic dialplan ids key promise prompt saying script step target time variable",
    ),
    // The world. The console shows what the server has, and stands on it.
    (
        "server",
        "picture rehearsal engine call callers media queue sip \
         caller codec diagnostic dialplan ids key promise prompt saying script step target time variable",
    ),
    (
        "bench",
        "server rehearsal engine call callers media queue sip \
         caller codec diagnostic dialplan ids key promise prompt saying script step target time variable",
    ),
    (
        "console",
        "server rehearsal engine call callers media queue sip \
         caller codec diagnostic dialplan ids key promise prompt saying script step target time variable",
    ),
];

/// Where the world may be touched.
const SHELL: &[&str] = &["src/server/", "src/console/", "src/bench/", "src/main.rs"];

/// Words that ask the world something, or that make a run depend on more than its input.
const IMPURE: &[&str] = &[
    "tokio",
    "async",
    "await",
    "Instant",
    "SystemTime",
    "HashMap",
    "HashSet",
    "Mutex",
    "RwLock",
    "thread_rng",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
];
const IMPURE_STD: &[&str] = &["fs", "env", "thread", "process"];
const IMPURE_MACROS: &[&str] = &["println", "print", "eprintln", "eprint", "dbg"];

/// A crate, and the one place that may name it (a file, or the beginning of paths).
const HOMES: &[(&str, &str)] = &[
    ("rsip", "src/sip/compose.rs"),
    ("rtp_rs", "src/media/stream.rs"),
    ("hound", "src/server/files.rs"),
    ("dagre", "src/picture/layout.rs"),
    ("plotters", "src/bench/plot.rs"),
    ("axum", "src/console/"),
    ("reqwest", "src/server/lookup.rs"),
    ("rusqlite", "src/server/store"),
    ("rusqlite_migration", "src/server/store"),
];

/// Names that mean something else there: INFO is a method of SIP (RFC 6086).
const ALLOWED_WORDS: &[(&str, &str)] = &[("src/sip/", "info")];

const BANNED_WORDS: &[&str] =
    &["manager", "handler", "helper", "util", "context", "session", "service", "data", "info"];

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// Everything wrong with one file; `path` from the root of the repository, with `/`.
pub fn breaches(path: &str, source: &str) -> Vec<String> {
    let lexed = lex(source);
    let mut found = Found { path, breaches: Vec::new() };
    opening(&mut found, source);
    lengths(&mut found, source, &lexed.tokens);
    unfinished(&mut found, &lexed);
    names(&mut found, &lexed.tokens);
    glob_of_super(&mut found, &lexed.tokens);
    if path.starts_with("src/") {
        imports(&mut found, &lexed.tokens);
        homes(&mut found, &lexed.tokens);
        if !SHELL.iter().any(|place| path.starts_with(place)) {
            purity(&mut found, &lexed.tokens);
        }
    }
    found.breaches.sort_by_key(|(line, _)| *line);
    found.breaches.into_iter().map(|(line, what)| format!("{path}:{line}: {what}")).collect()
}

struct Found<'a> {
    path: &'a str,
    breaches: Vec<(usize, String)>,
}

impl Found<'_> {
    fn add(&mut self, line: usize, what: impl Into<String>) {
        self.breaches.push((line, what.into()));
    }
}

fn opening(found: &mut Found, source: &str) {
    if !source.starts_with("//!") {
        found.add(1, "the file does not open with `//!` lines that say what it is");
    }
}

fn lengths(found: &mut Found, source: &str, tokens: &[Token]) {
    let lines = source.lines().count();
    if lines > FILE_LINES_MAX {
        found.add(lines, format!("the file has {lines} lines, more than {FILE_LINES_MAX}"));
    }
    for at in 0..tokens.len().saturating_sub(1) {
        let name = &tokens[at + 1];
        if tokens[at].text != "fn" || !is_word(&name.text) {
            continue;
        }
        let Some(end) = body_end(tokens, at) else { continue };
        let lines = tokens[end].line - tokens[at].line + 1;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("the function `{}` has {lines} lines, more than {FUNCTION_LINES_MAX}", name.text);
            found.add(tokens[at].line, what);
        }
    }
}

/// The closing brace of the function that begins at `at`; `None` for one without a body.
fn body_end(tokens: &[Token], at: usize) -> Option<usize> {
    let mut brackets = 0;
    let open = (at..tokens.len()).find(|&place| match tokens[place].text.as_str() {
        "(" | "[" => {
            brackets += 1;
            false
        }
        ")" | "]" => {
            brackets -= 1;
            false
        }
        "{" | ";" => brackets == 0,
        _ => false,
    })?;
    if tokens[open].text == ";" { None } else { closing(tokens, open) }
}

/// The brace that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0;
    (open..tokens.len()).find(|&place| {
        match tokens[place].text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

fn unfinished(found: &mut Found, lexed: &Lexed) {
    let tokens = &lexed.tokens;
    for (at, token) in tokens.iter().enumerate() {
        let next = |by: usize| tokens.get(at + by).map_or("", |token| token.text.as_str());
        if matches!(token.text.as_str(), "todo" | "unimplemented") && next(1) == "!" {
            found.add(token.line, format!("`{}!` is left", token.text));
        }
        if token.text == "#" && next(1) == "[" && next(2) == "ignore" {
            found.add(token.line, "a test is ignored");
        }
    }
    for (line, comment) in &lexed.comments {
        for mark in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
            if comment.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == mark) {
                found.add(*line, format!("`{mark}` is left in a comment"));
            }
        }
    }
}

fn names(found: &mut Found, tokens: &[Token]) {
    for pair in tokens.windows(2) {
        let declares = matches!(pair[0].text.as_str(), "struct" | "enum" | "trait" | "type" | "union" | "mod");
        if !declares || !is_word(&pair[1].text) {
            continue;
        }
        if let Some(word) = banned_word(found.path, &pair[1].text) {
            found.add(pair[1].line, format!("the name `{}` contains `{word}`, which says nothing", pair[1].text));
        }
    }
    let stem = found.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs").to_string();
    if let Some(word) = banned_word(found.path, &stem) {
        found.add(1, format!("the file's name contains `{word}`, which says nothing"));
    }
}

/// The first banned word among the words of a name, written `LikeThis` or `like_this`; `Datagram` is another word.
fn banned_word(path: &str, name: &str) -> Option<&'static str> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() {
            words.push(String::new());
        }
        if letter != '_' {
            words.last_mut().expect("never empty").extend(letter.to_lowercase());
        }
    }
    let is_there = |banned: &str| words.iter().any(|word| word == banned || *word == format!("{banned}s"));
    let is_allowed =
        |banned: &str| ALLOWED_WORDS.iter().any(|(place, word)| path.starts_with(place) && *word == banned);
    BANNED_WORDS.iter().find(|banned| is_there(banned) && !is_allowed(banned)).copied()
}

fn glob_of_super(found: &mut Found, tokens: &[Token]) {
    if found.path.ends_with("tests.rs") {
        return;
    }
    for at in paths_from(tokens, "super") {
        let texts: Vec<&str> = tokens[at..].iter().take(4).map(|token| token.text.as_str()).collect();
        if texts == ["super", ":", ":", "*"] && !modules_around(tokens, at).iter().any(|name| name.ends_with("tests")) {
            found.add(tokens[at].line, "`use super::*` outside a test module hides what is used");
        }
    }
}

fn imports(found: &mut Found, tokens: &[Token]) {
    let module = module_of(found.path);
    let Some(layer) = module.first().cloned() else { return };
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        found.add(1, format!("`{layer}` is in no layer: give it a line in the table of tests/tidy/rules.rs"));
        return;
    };
    let mut named = Vec::new();
    for at in paths_from(tokens, "crate") {
        named.extend(first_names(tokens, at + 1));
    }
    for at in paths_from(tokens, "super") {
        let mut after = at;
        let mut level = module.len() + modules_around(tokens, at).len();
        while tokens.get(after).is_some_and(|token| token.text == "super") && level > 0 {
            level -= 1;
            after += if tokens.get(after + 3).is_some_and(|token| token.text == "super") { 3 } else { 1 };
        }
        // Having climbed to the root of the crate, what follows is a layer.
        if level == 0 {
            named.extend(first_names(tokens, after));
        }
    }
    for name in named {
        let known = LAYERS.iter().any(|(layer, _)| *layer == name.text);
        if known && name.text != layer && !allowed.split(' ').any(|layer| layer == name.text) {
            found.add(name.line, format!("`{layer}` may not import `{}` (DESIGN §2)", name.text));
        }
    }
}

fn homes(found: &mut Found, tokens: &[Token]) {
    for token in tokens {
        for (name, home) in HOMES {
            if token.text == *name && !found.path.starts_with(home) {
                found.add(token.line, format!("`{name}` has one home, {home}"));
            }
        }
    }
}

fn purity(found: &mut Found, tokens: &[Token]) {
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map_or("", |token| token.text.as_str());
        if IMPURE.contains(&token.text.as_str()) {
            found.add(token.line, format!("the core may not name `{}`", token.text));
        }
        if IMPURE_MACROS.contains(&token.text.as_str()) && next == "!" {
            found.add(token.line, format!("the core may not print: `{}!`", token.text));
        }
    }
    for at in paths_from(tokens, "std") {
        for name in first_names(tokens, at + 1) {
            if IMPURE_STD.contains(&name.text.as_str()) {
                found.add(name.line, format!("the core may not name `std::{}`", name.text));
            }
        }
    }
}

/// Where a path begins with this word: it stands before `::` and not after it.
fn paths_from<'a>(tokens: &'a [Token], word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_colons = |at: usize| {
        tokens.get(at).is_some_and(|token| token.text == ":")
            && tokens.get(at + 1).is_some_and(|token| token.text == ":")
    };
    (0..tokens.len()).filter(move |&at| tokens[at].text == word && is_colons(at + 1) && (at < 2 || !is_colons(at - 2)))
}

/// The names that follow the `::` at `at`: one, or the first of each branch of `{a, b::c}`.
fn first_names(tokens: &[Token], at: usize) -> Vec<&Token> {
    let Some(first) = tokens.get(at + 2) else { return Vec::new() };
    if first.text != "{" {
        return vec![first];
    }
    let end = closing(tokens, at + 2).unwrap_or(tokens.len());
    let mut depth = 0;
    let mut names = Vec::new();
    for place in at + 2..end {
        match tokens[place].text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ if depth == 1 && matches!(tokens[place - 1].text.as_str(), "{" | ",") => names.push(&tokens[place]),
            _ => {}
        }
    }
    names
}

/// The names of the inline modules around a token, outermost first.
fn modules_around(tokens: &[Token], at: usize) -> Vec<&str> {
    let opens =
        |place: &usize| tokens[*place].text == "mod" && tokens.get(place + 2).is_some_and(|token| token.text == "{");
    let around = (0..at).filter(opens).filter(|&place| closing(tokens, place + 2).is_some_and(|end| end > at));
    around.map(|place| tokens[place + 1].text.as_str()).collect()
}

/// `src/step/menu.rs` is `step::menu`; the crate's roots are the empty path.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    match inner {
        "lib" | "main" => Vec::new(),
        _ => inner.split('/').map(str::to_string).collect(),
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}
