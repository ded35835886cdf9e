//! Just enough of Rust's lexis to tell code from comments, strings and characters.
//!
//! What counts as code is in `Token`s with their lines; comments are kept apart, because marks of unfinished work hide
//! there. It never fails: an unclosed string or comment simply reaches to the end of the file.

/// A word of the code, or one character of punctuation. Literals are dropped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub line: usize,
    pub text: String,
}

#[derive(Default)]
pub struct Lexed {
    pub tokens: Vec<Token>,
    /// Each comment with the line on which it begins.
    pub comments: Vec<(usize, String)>,
}

pub fn lex(source: &str) -> Lexed {
    let mut lexer = Lexer { letters: source.chars().collect(), at: 0, line: 1, out: Lexed::default() };
    while lexer.at < lexer.letters.len() {
        lexer.step();
    }
    lexer.out
}

struct Lexer {
    letters: Vec<char>,
    at: usize,
    line: usize,
    out: Lexed,
}

impl Lexer {
    fn step(&mut self) {
        let letter = self.letters[self.at];
        match letter {
            '/' if self.ahead(1) == Some('/') => self.line_comment(),
            '/' if self.ahead(1) == Some('*') => self.block_comment(),
            '"' => self.string(),
            '\'' => self.quote(),
            _ if letter.is_alphabetic() || letter == '_' => self.word(),
            _ if letter.is_ascii_digit() => self.number(),
            _ if letter.is_whitespace() => self.advance(),
            _ => {
                self.push(letter.to_string());
                self.advance();
            }
        }
    }

    fn line_comment(&mut self) {
        let (start, line) = (self.at, self.line);
        while self.at < self.letters.len() && self.letters[self.at] != '\n' {
            self.advance();
        }
        self.out.comments.push((line, self.letters[start..self.at].iter().collect()));
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let (start, line) = (self.at, self.line);
        let mut depth = 0;
        while self.at < self.letters.len() {
            let pair = (self.letters[self.at], self.ahead(1));
            match pair {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.advance();
                    continue;
                }
            }
            self.advance();
            self.advance();
            if depth == 0 {
                break;
            }
        }
        self.out.comments.push((line, self.letters[start..self.at].iter().collect()));
    }

    fn string(&mut self) {
        self.advance();
        while self.at < self.letters.len() {
            match self.letters[self.at] {
                '\\' => self.advance(),
                '"' => break,
                _ => {}
            }
            self.advance();
        }
        self.advance();
    }

    /// `r"…"`, `r#"…"#`: ends at a quotation mark followed by as many hashes as it began with.
    fn raw_string(&mut self) {
        let mut hashes = 0;
        while self.ahead(0) == Some('#') {
            hashes += 1;
            self.advance();
        }
        self.advance();
        while self.at < self.letters.len() {
            let closes = self.letters[self.at] == '"' && (1..=hashes).all(|n| self.ahead(n) == Some('#'));
            self.advance();
            if closes {
                (0..hashes).for_each(|_| self.advance());
                return;
            }
        }
    }

    /// A character, or a lifetime: `'a'` closes after one letter, `'a` does not.
    fn quote(&mut self) {
        if self.ahead(1) != Some('\\') && self.ahead(2) != Some('\'') {
            self.advance();
            while self.ahead(0).is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
                self.advance();
            }
            return;
        }
        self.advance();
        if self.ahead(0) == Some('\\') {
            self.advance();
        }
        self.advance();
        while self.at < self.letters.len() && self.letters[self.at] != '\'' {
            self.advance();
        }
        self.advance();
    }

    fn word(&mut self) {
        let start = self.at;
        while self.ahead(0).is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            self.advance();
        }
        let word: String = self.letters[start..self.at].iter().collect();
        let raw = matches!(word.as_str(), "r" | "br" | "cr");
        match self.ahead(0) {
            Some('"') if raw => self.raw_string(),
            Some('#') if raw && matches!(self.ahead(1), Some('"' | '#')) => self.raw_string(),
            Some('"') if matches!(word.as_str(), "b" | "c") => self.string(),
            Some('\'') if word == "b" => self.quote(),
            _ => self.out.tokens.push(Token { line: self.line, text: word }),
        }
    }

    fn number(&mut self) {
        while self.ahead(0).is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            self.advance();
        }
    }

    fn push(&mut self, text: String) {
        self.out.tokens.push(Token { line: self.line, text });
    }

    fn ahead(&self, by: usize) -> Option<char> {
        self.letters.get(self.at + by).copied()
    }

    fn advance(&mut self) {
        if self.ahead(0) == Some('\n') {
            self.line += 1;
        }
        self.at += 1;
    }
}
