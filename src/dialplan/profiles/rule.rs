//! What a rule is: a name, a sentence, a figure, who can decide it, and how it is judged.

use super::case::{Case, Verdict};
use super::week::Wanted;

#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub name: &'static str,
    /// In plain English; `{}` stands for the figure.
    text: &'static str,
    figure: Figure,
    pub by: By,
    judged: fn(&Case<'_>, Figure) -> Verdict,
}

/// The figure of a rule, which differs between profiles.
#[derive(Clone, Copy, Debug)]
pub(super) enum Figure {
    None,
    Number(u32),
    /// From the first to the second, in seconds.
    Between(u32, u32),
    Week(Wanted),
    /// The hours, and those that are enough for a line of business customers.
    Weeks(Wanted, Wanted),
    /// Words of `topics`.
    Topics(&'static [&'static str]),
}

/// Who can say whether a rule is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    /// The checker, from the plan and the proof.
    Checker,
    /// The server keeps it on every line; no plan can break it.
    Server,
    /// The checker, where the plan says enough; else it says what to write.
    Partly,
    /// Nobody who only sees a plan.
    Nobody,
}

impl By {
    pub const fn said(self) -> &'static str {
        match self {
            By::Checker => "decided here",
            By::Server => "kept by the server on every line",
            By::Partly => "decided here where the plan says enough",
            By::Nobody => "not decidable here",
        }
    }
}

impl Rule {
    pub const fn new(name: &'static str, by: By, text: &'static str, judged: fn(&Case<'_>, Figure) -> Verdict) -> Rule {
        Rule { name, text, figure: Figure::None, by, judged }
    }

    /// The same rule with a figure.
    pub const fn with(self, figure: Figure) -> Rule {
        Rule { figure, ..self }
    }

    pub fn says(&self) -> String {
        self.text.replacen("{}", &self.figure.said(), 1)
    }

    pub fn judge(&self, case: &Case<'_>) -> Verdict {
        (self.judged)(case, self.figure)
    }
}

impl Figure {
    pub fn number(self) -> u32 {
        match self {
            Figure::Number(number) => number,
            _ => 0,
        }
    }

    fn said(self) -> String {
        match self {
            Figure::None => String::new(),
            Figure::Number(number) => number.to_string(),
            Figure::Between(least, most) => format!("{least} to {most}"),
            Figure::Week(wanted) | Figure::Weeks(wanted, _) => wanted.said(),
            Figure::Topics(topics) => topics.join(", "),
        }
    }
}

/// A rule that the server keeps on every line; a test of the server shows each.
pub(super) fn kept(_: &Case<'_>, _: Figure) -> Verdict {
    Verdict::Kept
}
