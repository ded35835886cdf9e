//! The sections `[say.NAME]` and `[set.NAME]`: values in sentences, and values and languages of a call's own.
//!
//! Whether the variables are ever set, and the pieces recorded, is for `values`.

use super::draft::{Draft, is_name, step_name};
use super::near::near;
use super::section::{Section, Text};
use super::steps::{FINISH, UNRESOLVED, draft, needed_then, nothing_after, say, then};
use crate::diagnostic::{Diagnostic, Span};
use crate::ids::{Language, PromptId};
use crate::saying::{Currency, Form};
use crate::step::Step;
use crate::step::say::Say;
use crate::step::set::Set;
use crate::target::StepKind;
use crate::variable::{BadTemplate, Part, Template, Variable, Word};

pub(super) fn read_say(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let texts = say(&mut section, told);
    let finished = section.flag("finished", false, told);
    if !finished && !section.has("then") && !section.damaged {
        told.push(nothing_after(&section).help(FINISH));
    }
    let mut aims = then(&mut section, told);
    aims.extend(section.target("else", told).map(|aim| super::draft::Slot { role: super::draft::Role::Else, aim }));
    let (mut words, mut prompts, mut reads, mut values) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for text in texts {
        if !text.value.trim_start().starts_with('{') {
            words.push(Word::Prompt(PromptId::new(&text.value)));
            prompts.push(text);
        } else if let Some((of, form, currency)) = read_value(&text, told) {
            reads.push((of.clone(), place_of(&text, &of)));
            values.push((form, currency, text.span.clone()));
            words.push(Word::Value { of, form, currency });
        }
    }
    let barge_in = section.flag("barge_in", true, told);
    let name = step_name(&section.name);
    let say = Say { name, say: words, then: None, otherwise: UNRESOLVED, finished, barge_in };
    Draft { reads, values, ..draft(section, StepKind::Say, Step::Say(say), aims, prompts, told) }
}

/// `{lookup.balance} as money EUR`
fn read_value(text: &Text, told: &mut Vec<Diagnostic>) -> Option<(Variable, Form, Currency)> {
    let (value, form) = text.value.split_once('}').map_or((text.value.as_str(), ""), |(value, form)| (value, form));
    let of = match Template::read(&format!("{value}}}")) {
        Ok(template) => match &template.parts[..] {
            [Part::Of(of)] => of.clone(),
            _ => return bad_value(text, &Variable::Lookup("balance".to_owned()), &[], told),
        },
        Err(wrong) => {
            told.push(bad_template(text, &wrong));
            return None;
        }
    };
    let words: Vec<&str> = form.split_whitespace().collect();
    let (form, currency) = match words[..] {
        ["as", form] => (form, None),
        ["as", form, currency] if !["a", "an", "the"].contains(&form) => (form, Some(currency)),
        _ => return bad_value(text, &of, &words, told),
    };
    let Some(form) = Form::from_word(form) else { return bad_form(text, form, told) };
    if let Some(word) = currency.filter(|_| form != Form::Money) {
        return no_currency(text, form, word, told);
    }
    let currency = match currency {
        Some(word) => match Currency::from_word(word) {
            Some(currency) => currency,
            None => return bad_currency(text, word, told),
        },
        None if form == Form::Money => return bad_currency(text, "", told),
        None => Currency::Usd,
    };
    if of == Variable::CallerName {
        told.push(
            Diagnostic::error("D055", "a caller's name cannot be spoken")
                .at(&text.span, "callers would hear silence: only what is put together of recorded pieces can be said")
                .help("say numbers, digits, dates, times or money; a name can be sent with a look-up"),
        );
        return None;
    }
    Some((of, form, currency))
}

/// `words` are what stands behind the variable: the form may be among them.
fn bad_value<T>(text: &Text, of: &Variable, words: &[&str], told: &mut Vec<Diagnostic>) -> Option<T> {
    let diagnostic = Diagnostic::error("D055", format!("nobody can say how `{}` is to be spoken", text.value))
        .at(&text.span, "callers would hear a gap in the sentence");
    let form = words.iter().find_map(|word| Form::from_word(word));
    let currency = words.iter().find_map(|word| Currency::from_word(word));
    told.push(match (form, currency) {
        (Some(Form::Money), Some(currency)) | (None, Some(currency)) => {
            diagnostic.help(format!("did you mean \"{of} as money {}\"?", currency.as_str()))
        }
        (Some(form), _) if form != Form::Money => {
            diagnostic.help(format!("did you mean \"{of} as {}\"?", form.as_str()))
        }
        _ => diagnostic.help(format!("write behind it how, such as \"{of} as number\" or \"{of} as money EUR\"")),
    });
    None
}

fn no_currency<T>(text: &Text, form: Form, word: &str, told: &mut Vec<Diagnostic>) -> Option<T> {
    told.push(
        Diagnostic::error("D055", format!("only money has a currency, and this is spoken as {}", form.as_str()))
            .at(&text.word(word), "callers would not hear what is meant")
            .help(format!("leave out `{word}`, or write \"as money {word}\"")),
    );
    None
}

fn bad_form<T>(text: &Text, form: &str, told: &mut Vec<Diagnostic>) -> Option<T> {
    let forms = Form::ALL.map(Form::as_str);
    let diagnostic = Diagnostic::error("D055", format!("nothing is spoken as `{form}`"))
        .at(&text.word(form), "callers would hear a gap in the sentence");
    told.push(match near(form, forms) {
        Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
        None => diagnostic.help(format!("one of: {}", forms.join(", "))),
    });
    None
}

fn bad_currency<T>(text: &Text, word: &str, told: &mut Vec<Diagnostic>) -> Option<T> {
    let (message, place) = match word {
        "" => ("money of which currency?".to_owned(), text.span.clone()),
        word => (format!("the currency `{word}` is not known"), text.word(word)),
    };
    let diagnostic = Diagnostic::error("D055", message).at(&place, "callers would hear an amount of nothing");
    let known = Currency::ALL.map(Currency::as_str);
    told.push(match near(word, known).filter(|_| !word.is_empty()) {
        Some(meant) => diagnostic.help(format!("did you mean \"{meant}\"?")),
        None => diagnostic.help(format!("write one of {}, such as \"as money EUR\"", known.join(", "))),
    });
    None
}

/// A template that cannot be read, at the brace that is to blame.
pub(super) fn bad_template(text: &Text, wrong: &BadTemplate) -> Diagnostic {
    let place = text.part(wrong.range.clone());
    let Some(word) = &wrong.word else {
        return Diagnostic::error("D054", "a brace stands alone")
            .at(&place, "nobody can say what is to stand here")
            .help("write a variable as {lookup.balance}, and a brace that is none as {{ or }}");
    };
    let diagnostic = Diagnostic::error("D054", format!("there is no variable `{{{word}}}`"))
        .at(&place, "nothing would ever stand here");
    let near_kind = || {
        let (kind, name) = word.split_once('.')?;
        let kind = near(kind, ["lookup", "collect", "set"])?;
        let meant = format!("{kind}.{name}");
        Variable::from_word(&meant).map(|_| meant)
    };
    match near(word, Variable::fixed_words()).map(str::to_owned).or_else(near_kind) {
        Some(meant) => diagnostic.help(format!("did you mean `{{{meant}}}`?")),
        None => diagnostic.help(format!("what there is: {}", Variable::known())),
    }
}

/// Where a text names a variable: with its braces, and the first time.
pub(super) fn place_of(text: &Text, variable: &Variable) -> Span {
    let names = |range: &std::ops::Range<usize>| {
        Variable::from_word(text.value[range.start + 1..range.end - 1].trim()).as_ref() == Some(variable)
    };
    let pairs = text.value.match_indices('{').filter_map(|(start, _)| {
        let end = start + text.value[start..].find('}')?;
        Some(start..end + 1)
    });
    let range = pairs.into_iter().find(names);
    range.map_or_else(|| text.span.clone(), |range| text.part(range))
}

/// A template, and the variables that it reads with their places.
pub(super) fn read_template(text: &Text, reads: &mut Vec<(Variable, Span)>, told: &mut Vec<Diagnostic>) -> Template {
    match Template::read(&text.value) {
        Ok(template) => {
            reads.extend(template.variables().map(|variable| (variable.clone(), place_of(text, variable))));
            template
        }
        Err(wrong) => {
            told.push(bad_template(text, &wrong));
            Template::default()
        }
    }
}

pub(super) fn read_set(mut section: Section<'_>, told: &mut Vec<Diagnostic>) -> Draft {
    let aims = needed_then(&mut section, told);
    let language = section.text("language", told);
    let mut reads = Vec::new();
    let mut values = Vec::new();
    for (name, span, value) in section.table("values", told) {
        let Some(text) = section.as_text(&name, value, told) else { continue };
        match is_name(&name) {
            true => values.push((name, read_template(&text, &mut reads, told))),
            false => told.push(bad_value_name(&name, &span)),
        }
    }
    if language.is_none() && values.is_empty() && !section.damaged {
        told.push(
            Diagnostic::error("D056", format!("{} sets nothing", section.said))
                .at(&section.name_span, "nothing would be different for callers")
                .help("add `language = \"zh\"`, or `values = { topic = \"bills\" }`"),
        );
    }
    let set = Set {
        name: step_name(&section.name),
        language: language.as_ref().map(|text| Language::new(&text.value)),
        values,
        then: UNRESOLVED,
    };
    Draft { reads, language, ..draft(section, StepKind::Set, Step::Set(set), aims, Vec::new(), told) }
}

pub(super) fn bad_value_name(name: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("D008", format!("`{name}` cannot be a name"))
        .at(span, "no text could ever name it")
        .help("a name is made of letters, digits, `-` and `_`")
}
