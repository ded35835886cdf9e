//! One row of the CSV file (RFC 4180, without line ends inside fields): its fields, and what they say of a person.

use super::Import;
use crate::callers::{FLAGS_MAX, Stored, is_word};
use crate::ids::Language;
use jiff::civil::Date;
use std::borrow::Cow;
use std::collections::BTreeSet;

const NAMES: [&str; 4] = ["number", "birth_date", "flags", "language"];
/// Older people than this are a mistake in the file.
const AGE_MAX: i16 = 130;

/// Which column holds what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Columns {
    /// `,`, or `;` as spreadsheets write it where a comma stands in numbers.
    pub(super) delimiter: char,
    count: usize,
    /// By `NAMES`; only the number must be there.
    at: [Option<usize>; 4],
}

impl Columns {
    /// # Errors
    /// What is wrong with the header row.
    pub(super) fn of(header: &str) -> Result<Columns, String> {
        let delimiter = if header.contains(';') && !header.contains(',') { ';' } else { ',' };
        let fields = fields_of(header, delimiter)?;
        let mut at = [None; 4];
        for (index, field) in fields.iter().enumerate() {
            let name = field.trim().to_ascii_lowercase();
            let Some(place) = NAMES.iter().position(|known| *known == name) else {
                return Err(format!(
                    "there is no column `{}`: the header row is `{}`, in any order",
                    short(field),
                    NAMES.join(",")
                ));
            };
            if at[place].replace(index).is_some() {
                return Err(format!("two columns are named `{name}`"));
            }
        }
        if at[0].is_none() {
            return Err(format!("there is no column `number`: the header row is `{}`", NAMES.join(",")));
        }
        Ok(Columns { delimiter, count: fields.len(), at })
    }

    fn field<'a>(&self, fields: &'a [Cow<'_, str>], name: usize) -> &'a str {
        self.at[name].and_then(|at| fields.get(at)).map_or("", |field| field.trim())
    }
}

/// The fields of one line.
///
/// # Errors
/// A quotation mark is left open, or stands where none can.
pub(super) fn fields_of(line: &str, delimiter: char) -> Result<Vec<Cow<'_, str>>, String> {
    if !line.contains('"') {
        return Ok(line.split(delimiter).map(Cow::Borrowed).collect());
    }
    let (mut fields, mut rest) = (Vec::new(), line);
    loop {
        let (field, after) = match rest.trim_start_matches(' ').strip_prefix('"') {
            Some(quoted) => take_quoted(quoted)?,
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..end]), &rest[end..])
            }
        };
        fields.push(field);
        match after.trim_start_matches(' ').strip_prefix(delimiter) {
            Some(next) => rest = next,
            None if after.trim().is_empty() => return Ok(fields),
            None => return Err("a quotation mark is followed by more text".to_owned()),
        }
    }
}

/// Up to the closing mark; two marks stand for one.
fn take_quoted(text: &str) -> Result<(Cow<'_, str>, &str), String> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"').ok_or("a quotation mark is not closed")?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Ok((Cow::Owned(field), rest)),
        }
    }
}

/// The number in E.164 and what is to be stored of it.
///
/// # Errors
/// The first thing that is wrong with the row, in the words of whoever keeps the file. It never repeats a number.
pub(super) fn read_row(
    columns: &Columns,
    fields: &[Cow<'_, str>],
    import: &Import<'_>,
) -> Result<(String, Stored), String> {
    if fields.len() != columns.count {
        return Err(format!("{} fields, where the header row has {}", fields.len(), columns.count));
    }
    let number = columns.field(fields, 0);
    if number.is_empty() {
        return Err("no number".to_owned());
    }
    let e164 = import.registry.normalise(number).ok_or("not a telephone number")?;
    let birth = birth_date(columns.field(fields, 1), import.today)?;
    let flags = flags(columns.field(fields, 2))?;
    let language = match columns.field(fields, 3) {
        "" => None,
        word if is_word(word) => Some(Language::new(word)),
        word => return Err(format!("language `{}` is not a name such as `en` or `zh`", short(word))),
    };
    Ok((e164, Stored::new(birth, import.thresholds, flags, language, import.today)))
}

fn birth_date(text: &str, today: Date) -> Result<Option<Date>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    // jiff reads more forms, some with a time; only the one form is meant here.
    let is_shaped = text.len() == 10 && text.is_ascii() && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    let date: Date = Some(text)
        .filter(|_| is_shaped)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| format!("birth_date `{}` is not a date such as 1954-03-21", short(text)))?;
    if date > today {
        return Err("birth_date lies in the future".to_owned());
    }
    if today.year() - date.year() > AGE_MAX {
        return Err(format!("birth_date lies more than {AGE_MAX} years back"));
    }
    Ok(Some(date))
}

fn flags(text: &str) -> Result<BTreeSet<String>, String> {
    let mut flags = BTreeSet::new();
    for word in text.split([' ', ';', '\t']).filter(|word| !word.is_empty()) {
        if !is_word(word) {
            return Err(format!("flag `{}` is not a word of a-z, 0-9, _ and -", short(word)));
        }
        flags.insert(word.to_owned());
    }
    if flags.len() > FLAGS_MAX {
        return Err(format!("more than {FLAGS_MAX} flags"));
    }
    Ok(flags)
}

/// What is repeated of a file in a message: not all of it, and nothing that would act on a terminal.
fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_at_delimiters_outside_quotation_marks() {
        assert_eq!(fields_of("a,b,,d", ',').unwrap(), ["a", "b", "", "d"]);
        assert_eq!(fields_of(r#""a,b", "c ""d""",e"#, ',').unwrap(), ["a,b", "c \"d\"", "e"]);
        assert_eq!(fields_of(r#"a;"b;c""#, ';').unwrap(), ["a", "b;c"]);
        assert_eq!(fields_of(r#""a","#, ',').unwrap(), ["a", ""]);
        assert!(fields_of(r#""a,b"#, ',').is_err());
        assert!(fields_of(r#""a"b,c"#, ',').is_err());
    }

    #[test]
    fn a_header_may_be_in_any_order_but_not_in_any_words() {
        let columns = Columns::of("Language, flags ,number").unwrap();
        assert_eq!(columns.at, [Some(2), None, Some(1), Some(0)]);
        assert_eq!(Columns::of("number;flags").unwrap().delimiter, ';');
        for header in ["", "phone,flags", "number,number", "flags", "+12025550123,1950-01-01"] {
            assert!(Columns::of(header).is_err(), "{header}");
        }
    }
}
