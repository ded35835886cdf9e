//! `[collect.NAME]`: digits are entered: a fixed or ranged number of them, ended by the last one, by the end key or by a
//! pause, checked, and read back where that is wanted.
//!
//! `0` is a digit here, so a person is the **lone zero** (the only digit, then a pause or the end key: this file) or the
//! **held zero** (the call's, anywhere in the entry), and always the second failure (DESIGN §1). `star` begins the entry
//! anew. The digits themselves are the call's: here only how many there are, so that the proof can count them.
//! Phases: 0 speaking, 1 awaiting the first digit, 2 taking digits, 3 checking, 4 reading back, 5 awaiting yes or no.

use super::{Edge, Event, StepState, engine_words, words};
use crate::ids::{PromptId, StepName};
use crate::key::Key;
use crate::prompt::spoken;
use crate::saying::{Currency, Form};
use crate::target::Target;
use crate::variable::{Variable, Word};
use std::time::Duration;

const SPEAKING: u8 = 0;
const AWAITING: u8 = 1;
const TAKING: u8 = 2;
const CHECKING: u8 = 3;
const READING_BACK: u8 = 4;
const CONFIRMING: u8 = 5;

/// Most digits of one entry.
pub const DIGITS_MAX: u8 = 40;

/// What an administrator wrote of one collect, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collect {
    pub name: StepName,
    /// Never empty. The last one is spoken again after an error.
    pub say: Vec<PromptId>,
    /// Least and most digits, at most [`DIGITS_MAX`].
    pub least: u8,
    pub most: u8,
    /// Ends an entry of any number of digits; default `hash`.
    pub end_key: Option<Key>,
    pub check: Check,
    /// Read the digits back and ask whether they are right.
    pub confirm: bool,
    pub first_digit_timeout: Duration,
    pub inter_digit_timeout: Duration,
    /// Failed entries that lead to a person, default 2.
    pub max_errors: u8,
    pub barge_in: bool,
    pub then: Target,
}

/// What the digits must be, besides their number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Check {
    /// The last digit is right by the Luhn formula (ISO/IEC 7812-1), as on payment cards.
    pub luhn: bool,
    /// One letter for each digit: a digit stands for itself, `x` for any. Empty: anything. Shorter than the entry: its
    /// beginning.
    pub pattern: String,
}

impl Check {
    /// Digits of this number that are right, or wrong; `None` where there are none such. With `zero_first` they begin with
    /// `0`, else they do not.
    pub fn example(&self, digits: u8, zero_first: bool, good: bool) -> Option<String> {
        let pattern: Vec<char> = self.pattern.chars().chain(std::iter::repeat('x')).take(usize::from(digits)).collect();
        let base: Vec<char> = pattern.iter().map(|letter| if *letter == 'x' { '1' } else { *letter }).collect();
        let fits = |typed: &[char]| {
            let text: String = typed.iter().collect();
            let begins = typed.first().is_some_and(|first| (*first == '0') == zero_first);
            (begins && self.is_met(&text) == good).then_some(text)
        };
        // Right or wrong by changing one digit of the plainest entry, after a first one that may have to be changed too.
        let firsts = base.first().copied().into_iter().chain('0'..='9');
        for first in firsts {
            let mut typed = base.clone();
            *typed.first_mut()? = first;
            for at in 0..typed.len() {
                for digit in std::iter::once(typed[at]).chain('0'..='9') {
                    let mut tried = typed.clone();
                    tried[at] = digit;
                    if let Some(found) = fits(&tried) {
                        return Some(found);
                    }
                }
            }
        }
        None
    }

    pub fn is_met(&self, digits: &str) -> bool {
        let fits = self.pattern.len() <= digits.len()
            && self.pattern.chars().zip(digits.chars()).all(|(wanted, digit)| wanted == 'x' || wanted == digit);
        fits && (!self.luhn || luhn(digits))
    }
}

/// Every second digit from the right but one counts double, the digits of its double added.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

impl Collect {
    pub fn next(&self, state: &mut StepState, event: Event) -> Edge {
        match (event, state.phase) {
            (Event::Entered { .. }, _) => self.speak(state, words(&self.say)),
            (Event::Spoken, SPEAKING) => self.await_first(state),
            (Event::Key(key), SPEAKING | AWAITING | TAKING) => self.key(state, key),
            (Event::Silence, AWAITING) => self.error(state, spoken::NO_ENTRY),
            (Event::Silence, TAKING) => self.ended(state),
            (Event::Checked { good: false }, CHECKING) => self.error(state, spoken::ENTRY_WRONG),
            (Event::Checked { good: true }, CHECKING) if self.confirm => self.read_back(state),
            (Event::Checked { good: true }, CHECKING) => Edge::Go(self.then.clone()),
            // Nobody can be asked whether it is right: a person takes it from here.
            (Event::Unspeakable, READING_BACK) => Edge::Go(Target::Human),
            (Event::Spoken, READING_BACK) => {
                state.phase = CONFIRMING;
                Edge::Listen { within: state.patience(self.first_digit_timeout) }
            }
            (Event::Key(key), READING_BACK | CONFIRMING) => match key.as_char() {
                '1' => Edge::Go(self.then.clone()),
                '2' => self.failed(state, words(&self.say)),
                _ => Edge::Stay,
            },
            (Event::Silence, CONFIRMING) => match self.fails(state) {
                true => Edge::Go(Target::Human),
                false => self.read_back(state),
            },
            _ => Edge::Stay,
        }
    }

    /// Whether a key is a digit of the entry where the caller stands, `0` too.
    pub fn takes_digits(&self, state: &StepState) -> bool {
        matches!(state.phase, SPEAKING | AWAITING | TAKING)
    }

    fn key(&self, state: &mut StepState, key: Key) -> Edge {
        if Some(key) == self.end_key {
            return self.ended(state);
        }
        if key == Key::STAR {
            return self.await_first(state);
        }
        if !key.as_char().is_ascii_digit() {
            return Edge::Stay;
        }
        if state.digits == 0 {
            state.zero_first = key == Key::HUMAN;
        }
        state.digits = state.digits.saturating_add(1);
        state.phase = TAKING;
        if state.digits >= self.most && !lone_zero(state) {
            state.phase = CHECKING;
            return Edge::Check;
        }
        Edge::Take { within: state.patience(self.inter_digit_timeout) }
    }

    /// The end key, or a pause.
    fn ended(&self, state: &mut StepState) -> Edge {
        match state.digits {
            _ if lone_zero(state) => Edge::Human,
            0 => self.error(state, spoken::NO_ENTRY),
            few if few < self.least => self.error(state, spoken::ENTRY_WRONG),
            _ => {
                state.phase = CHECKING;
                Edge::Check
            }
        }
    }

    fn await_first(&self, state: &mut StepState) -> Edge {
        (state.phase, state.digits, state.zero_first) = (AWAITING, 0, false);
        Edge::Listen { within: state.patience(self.first_digit_timeout) }
    }

    fn read_back(&self, state: &mut StepState) -> Edge {
        state.phase = READING_BACK;
        let of = Variable::Collect(self.name.clone());
        let mut said = engine_words(&[spoken::ENTRY_IS]);
        said.push(Word::Value { of, form: Form::Digits, currency: Currency::Usd });
        said.extend(engine_words(&[spoken::ENTRY_CONFIRM]));
        Edge::Speak { words: said, barge_in: true }
    }

    fn error(&self, state: &mut StepState, what: &str) -> Edge {
        let mut said = engine_words(&[what]);
        said.extend(self.say.last().cloned().map(Word::Prompt));
        self.failed(state, said)
    }

    fn failed(&self, state: &mut StepState, said: Vec<Word>) -> Edge {
        match self.fails(state) {
            true => Edge::Go(Target::Human),
            false => self.speak(state, said),
        }
    }

    /// One more failure; true where it is one too many.
    fn fails(&self, state: &mut StepState) -> bool {
        state.errors = state.errors.saturating_add(1);
        state.errors >= state.errors_max(self.max_errors)
    }

    fn speak(&self, state: &mut StepState, words: Vec<Word>) -> Edge {
        (state.phase, state.digits, state.zero_first) = (SPEAKING, 0, false);
        Edge::Speak { words, barge_in: self.barge_in }
    }
}

fn lone_zero(state: &StepState) -> bool {
    state.digits == 1 && state.zero_first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin() -> Collect {
        Collect {
            name: StepName::new("pin"),
            say: vec![PromptId::new("welcome"), PromptId::new("enter-pin")],
            least: 4,
            most: 6,
            end_key: Some(Key::HASH),
            check: Check::default(),
            confirm: false,
            first_digit_timeout: Duration::from_secs(8),
            inter_digit_timeout: Duration::from_secs(3),
            max_errors: 2,
            barge_in: true,
            then: Target::Start,
        }
    }

    /// What the last of these keys leads to; `.` is silence.
    fn typed(collect: &Collect, keys: &str) -> (Edge, StepState) {
        let mut state = StepState::default();
        let mut edge = collect.next(&mut state, Event::Entered { open: true });
        for letter in keys.chars() {
            let event = match letter {
                '.' => Event::Silence,
                's' => Event::Spoken,
                key => Event::Key(Key::from_char(key).unwrap()),
            };
            edge = collect.next(&mut state, event);
        }
        (edge, state)
    }

    #[test]
    fn an_entry_ends_by_its_length_the_end_key_or_a_pause() {
        let pin = pin();
        for whole in ["123456", "1234#", "s1234.", "012345", "0000.", "12*12345#"] {
            assert_eq!(typed(&pin, whole).0, Edge::Check, "{whole}");
        }
        let take = Edge::Take { within: Duration::from_secs(3) };
        for part in ["1", "0", "12345", "s123"] {
            assert_eq!(typed(&pin, part).0, take, "{part}");
        }
        assert_eq!(typed(&pin, "1234").1.digits, 4);
        assert_eq!(typed(&pin, "12*").1.digits, 0);
    }

    #[test]
    fn a_lone_zero_is_a_person_by_the_end_key_and_by_a_pause() {
        let one = Collect { least: 1, most: 1, ..pin() };
        for entry in ["0#", "0.", "s0.", "12*0."] {
            assert_eq!(typed(&pin(), entry).0, Edge::Human, "{entry}");
        }
        assert_eq!(typed(&one, "0").0, Edge::Take { within: Duration::from_secs(3) }, "not an entry of its own");
        assert_eq!(typed(&one, "0.").0, Edge::Human);
        assert_eq!(typed(&one, "5").0, Edge::Check);
        assert!(matches!(typed(&pin(), "00.").0, Edge::Speak { .. }), "two zeros are too few digits");
    }

    #[test]
    fn the_second_failure_is_a_person() {
        let again = |id: &str| Edge::Speak { words: engine_words(&[id, "enter-pin"]), barge_in: true };
        assert_eq!(typed(&pin(), "s.").0, again("no-entry"));
        assert_eq!(typed(&pin(), "#").0, again("no-entry"));
        assert_eq!(typed(&pin(), "12#").0, again("entry-wrong"));
        assert_eq!(typed(&pin(), "12#s.").0, Edge::Go(Target::Human));
        let mut state = typed(&pin(), "123456").1;
        assert_eq!(pin().next(&mut state, Event::Checked { good: false }), again("entry-wrong"));
        let mut gentle = StepState { errors: 1, phase: CHECKING, gentle: true, ..StepState::default() };
        assert_eq!(pin().next(&mut gentle, Event::Checked { good: false }), again("entry-wrong"));
    }

    #[test]
    fn what_was_entered_is_read_back_and_may_be_entered_again() {
        let pin = Collect { confirm: true, ..pin() };
        let at = |phase, event| pin.next(&mut StepState { phase, digits: 4, ..StepState::default() }, event);
        let Edge::Speak { words, .. } = at(CHECKING, Event::Checked { good: true }) else { panic!() };
        assert_eq!(
            words.iter().map(Word::to_string).collect::<Vec<_>>().join(" "),
            "entry-is {collect.pin} entry-confirm"
        );
        let key = |letter| Event::Key(Key::from_char(letter).unwrap());
        assert_eq!(at(READING_BACK, key('1')), Edge::Go(Target::Start));
        assert!(matches!(at(CONFIRMING, key('2')), Edge::Speak { .. }));
        assert_eq!(at(CONFIRMING, key('7')), Edge::Stay);
        let mut state = StepState { phase: CONFIRMING, ..StepState::default() };
        assert!(matches!(pin.next(&mut state, Event::Silence), Edge::Speak { .. }));
        state.phase = CONFIRMING;
        assert_eq!(pin.next(&mut state, Event::Silence), Edge::Go(Target::Human));
        assert!(!pin.takes_digits(&state), "0 is the human key again while the digits are read back");
    }

    #[test]
    fn examples_are_what_they_say_and_are_missing_only_where_there_are_none() {
        let patterns = ["", "4", "0x1", "xx9", "12345", "00"];
        for (luhn, pattern) in patterns.iter().flat_map(|pattern| [(true, pattern), (false, pattern)]) {
            let check = Check { luhn, pattern: (*pattern).into() };
            for (digits, zero_first, good) in (1..=4u8)
                .flat_map(|digits| [(digits, true), (digits, false)])
                .flat_map(|(d, z)| [(d, z, true), (d, z, false)])
            {
                let all = (0..10u32.pow(digits.into()))
                    .map(|number| format!("{number:0width$}", width = usize::from(digits)));
                let mut fitting = all.filter(|text| text.starts_with('0') == zero_first && check.is_met(text) == good);
                let example = check.example(digits, zero_first, good);
                match &example {
                    Some(text) => assert!(check.is_met(text) == good && text.starts_with('0') == zero_first, "{text}"),
                    None => assert_eq!(fitting.next(), None, "luhn {luhn}, pattern {pattern}, {digits} digits"),
                }
            }
        }
    }

    #[test]
    fn checks_are_the_luhn_formula_and_patterns() {
        let check = |luhn, pattern: &str, digits| Check { luhn, pattern: pattern.into() }.is_met(digits);
        assert!(check(true, "", "4111111111111111"));
        assert!(!check(true, "", "4111111111111112"));
        assert!(check(true, "", "79927398713"));
        assert!(check(false, "4xx1", "4561"));
        assert!(!check(false, "4xx1", "4562"));
        assert!(check(false, "62", "6221"), "a shorter pattern is the beginning");
        assert!(!check(false, "62xx", "62"));
    }
}
