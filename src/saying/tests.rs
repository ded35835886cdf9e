//! What is said of values, against tables and against readers that know nothing of the grammars.

use super::*;
use proptest::prelude::*;

/// The pieces as words, numbers as their digits: enough to read a sentence.
fn said(language: &str, form: Form, currency: Currency, value: &str) -> String {
    match pieces(language, form, currency, value) {
        Ok(pieces) => {
            let short = |id: &PromptId| id.as_str().replace("number-", "").replace("piece-", "");
            pieces.iter().map(short).collect::<Vec<_>>().join(" ")
        }
        Err(Unspeakable(_)) => "?".to_owned(),
    }
}

fn check(language: &str, form: Form, currency: Currency, table: &[(&str, &str)]) {
    for (value, expected) in table {
        assert_eq!(said(language, form, currency, value), *expected, "{language} {} {value}", form.as_str());
    }
}

#[test]
fn english_numbers_money_and_ordinals() {
    let number = [
        ("0", "0"),
        ("21", "21"),
        ("100", "1 hundred"),
        ("105", "1 hundred and 5"),
        ("999", "9 hundred and 99"),
        ("1005", "1 thousand and 5"),
        ("1200", "1 thousand 2 hundred"),
        ("20000", "20 thousand"),
        ("999999999", "9 hundred and 99 million 9 hundred and 99 thousand 9 hundred and 99"),
        ("-12.50", "minus 12 point 5 0"),
        ("-0.0", "0 point 0"),
        ("1000000000", "?"),
        ("1.234", "?"),
        ("12a", "?"),
        ("", "?"),
    ];
    check("en", Form::Number, Currency::Usd, &number);
    let dollars = [
        ("0", "0 dollars"),
        ("1", "1 dollar"),
        ("1.01", "1 dollar and 1 cent"),
        ("12.5", "12 dollars and 50 cents"),
        ("0.05", "5 cents"),
        ("-3.00", "minus 3 dollars"),
    ];
    check("en", Form::Money, Currency::Usd, &dollars);
    check("en", Form::Money, Currency::Gbp, &[("0.01", "1 penny"), ("2.02", "2 pounds and 2 pence")]);
    let ordinals = [
        ("1", "ordinal-1"),
        ("21", "ordinal-21"),
        ("40", "ordinal-40"),
        ("53", "50 ordinal-3"),
        ("100", "1 hundredth"),
        ("101", "1 hundred and ordinal-1"),
        ("999", "9 hundred and 90 ordinal-9"),
        ("0", "?"),
        ("1000", "?"),
    ];
    check("en", Form::Ordinal, Currency::Usd, &ordinals);
}

#[test]
fn english_dates_times_and_durations() {
    let dates = [
        ("2026-11-26", "month-11 ordinal-26 20 26"),
        ("2005-02-01T10:00:00Z", "month-2 ordinal-1 2 thousand and 5"),
        ("1905-01-31", "month-1 ordinal-31 19 oh 5"),
        ("2000-01-01", "month-1 ordinal-1 2 thousand"),
        ("1900-01-01", "month-1 ordinal-1 19 hundred"),
        ("2026-02-30", "?"),
        ("26.11.2026", "?"),
        ("2026-11-26x", "?"),
    ];
    check("en", Form::Date, Currency::Usd, &dates);
    let times = [
        ("00:05", "12 oh 5 am"),
        ("09:00", "9 am"),
        ("12:00", "12 pm"),
        ("2026-11-26T14:30:10+08:00", "2 30 pm"),
        ("24:00", "?"),
        ("9", "?"),
        ("09:60", "?"),
    ];
    check("en", Form::Time, Currency::Usd, &times);
    let durations = [
        ("0", "0 seconds"),
        ("61", "1 minute and 1 second"),
        ("PT2H5M", "2 hours and 5 minutes"),
        ("P1DT3S", "1 day and 3 seconds"),
        ("93784", "1 day 2 hours 3 minutes and 4 seconds"),
        ("PT", "?"),
        ("P5", "?"),
        ("-3", "?"),
    ];
    check("en", Form::Duration, Currency::Usd, &durations);
    check("en", Form::Digits, Currency::Usd, &[("+1*0#", "plus 1 star 0 hash"), ("1 2", "?"), ("", "?")]);
}

/// In characters, as one would write it.
fn characters(form: Form, currency: Currency, value: &str) -> String {
    let names: &[(&str, &str)] = &[
        ("number-2-count", "两"),
        ("piece-hundred-million", "亿"),
        ("piece-ten-thousand", "万"),
        ("piece-thousand", "千"),
        ("piece-hundred", "百"),
        ("piece-point", "点"),
        ("piece-minus", "负"),
        ("piece-ordinal", "第"),
        ("piece-yuan", "元"),
        ("piece-jiao", "角"),
        ("piece-fen", "分"),
        ("piece-us-dollar", "美元"),
        ("piece-us-cent", "美分"),
        ("piece-year", "年"),
        ("piece-month", "月"),
        ("piece-day", "日"),
        ("piece-small-hours", "凌晨"),
        ("piece-morning", "上午"),
        ("piece-noon", "中午"),
        ("piece-afternoon", "下午"),
        ("piece-evening", "晚上"),
        ("piece-oclock", "点"),
        ("piece-minute-of-clock", "分"),
        ("piece-days", "天"),
        ("piece-hours", "小时"),
        ("piece-minutes", "分钟"),
        ("piece-seconds", "秒"),
    ];
    let Ok(pieces) = pieces("zh", form, currency, value) else { return "?".to_owned() };
    let one = |id: &PromptId| match names.iter().find(|(name, _)| *name == id.as_str()) {
        Some((_, character)) => (*character).to_owned(),
        None => below_hundred(id.as_str().trim_start_matches("number-").parse().unwrap()),
    };
    pieces.iter().map(one).collect()
}

fn below_hundred(value: usize) -> String {
    let digits: Vec<char> = "零一二三四五六七八九".chars().collect();
    match (value / 10, value % 10) {
        (0, ones) => digits[ones].to_string(),
        (tens, ones) => {
            let tens = if tens == 1 { String::new() } else { digits[tens].to_string() };
            let ones = if ones == 0 { String::new() } else { digits[ones].to_string() };
            format!("{tens}十{ones}")
        }
    }
}

#[test]
fn mandarin_numbers() {
    let table = [
        ("0", "零"),
        ("2", "二"),
        ("10", "十"),
        ("12", "十二"),
        ("20", "二十"),
        ("100", "一百"),
        ("105", "一百零五"),
        ("110", "一百一十"),
        ("112", "一百一十二"),
        ("200", "两百"),
        ("222", "两百二十二"),
        ("1005", "一千零五"),
        ("1015", "一千零一十五"),
        ("1050", "一千零五十"),
        ("2002", "两千零二"),
        ("10000", "一万"),
        ("10005", "一万零五"),
        ("10010", "一万零一十"),
        ("10500", "一万零五百"),
        ("20000", "两万"),
        ("22000", "两万两千"),
        ("120000", "十二万"),
        ("1000500", "一百万零五百"),
        ("100000000", "一亿"),
        ("100000005", "一亿零五"),
        ("100010000", "一亿零一万"),
        ("112000000", "一亿一千两百万"),
        ("999999999", "九亿九千九百九十九万九千九百九十九"),
        ("-3.05", "负三点零五"),
    ];
    for (value, expected) in table {
        assert_eq!(characters(Form::Number, Currency::Cny, value), expected, "{value}");
    }
}

#[test]
fn mandarin_money_dates_times_durations_and_places() {
    let table = [
        (Form::Money, "12.05", "十二元零五分"),
        (Form::Money, "2.22", "两元两角两分"),
        (Form::Money, "0.5", "五角"),
        (Form::Money, "0", "零元"),
        (Form::Money, "0.05", "五分"),
        (Form::Date, "2026-11-26", "二零二六年十一月二十六日"),
        (Form::Date, "2026-02-02", "二零二六年二月二日"),
        (Form::Time, "08:05", "上午八点零五分"),
        (Form::Time, "14:30", "下午两点三十分"),
        (Form::Time, "00:00", "凌晨零点"),
        (Form::Time, "12:10", "中午十二点十分"),
        (Form::Duration, "PT2H5M", "两小时五分钟"),
        (Form::Duration, "2", "两秒"),
        (Form::Ordinal, "2", "第二"),
        (Form::Ordinal, "12", "第十二"),
        (Form::Ordinal, "105", "第一百零五"),
    ];
    for (form, value, expected) in table {
        assert_eq!(characters(form, Currency::Cny, value), expected, "{value}");
    }
    assert_eq!(characters(Form::Money, Currency::Usd, "12.05"), "十二美元五美分");
}

#[test]
fn a_language_without_a_grammar_says_nothing() {
    assert!(pieces("fr", Form::Number, Currency::Eur, "1").is_err());
    assert!(!knows("fr") && knows("en-GB") && knows("zh"));
    assert!(every_piece("fr", Form::Number, Currency::Eur).is_empty());
}

/// A number read back from its English pieces.
fn read_english(words: &str) -> u64 {
    let (mut total, mut part) = (0, 0);
    for word in words.split(' ') {
        match word {
            "and" => {}
            "hundred" => part *= 100,
            "thousand" => (total, part) = (total + part * 1000, 0),
            "million" => (total, part) = (total + part * 1_000_000, 0),
            number => part += number.parse::<u64>().unwrap(),
        }
    }
    total + part
}

/// A number read back from its characters.
fn read_mandarin(text: &str) -> u64 {
    let (mut total, mut group, mut digit) = (0u64, 0u64, 0u64);
    for sign in text.chars() {
        match sign {
            '亿' => (total, group, digit) = ((group + digit) * 100_000_000, 0, 0),
            '万' => (total, group, digit) = (total + (group + digit) * 10_000, 0, 0),
            '千' => (group, digit) = (group + digit * 1000, 0),
            '百' => (group, digit) = (group + digit * 100, 0),
            '十' => (group, digit) = (group + digit.max(1) * 10, 0),
            '两' => digit = 2,
            sign => digit = "零一二三四五六七八九".chars().position(|known| known == sign).unwrap() as u64,
        }
    }
    total + group + digit
}

/// A length that differs for each piece.
fn length(id: &str) -> Duration {
    Duration::from_millis(id.bytes().fold(7u64, |sum, byte| (sum * 31 + u64::from(byte)) % 997) + 100)
}

/// Values of any size: small ones, round ones and edges are as likely as large ones.
fn any_number() -> impl Strategy<Value = u64> {
    (0u32..=9, 0u64..1_000_000_000, 0u32..=8).prop_map(|(digits, value, noughts)| {
        let cut = value % 10u64.pow(digits);
        cut / 10u64.pow(noughts) * 10u64.pow(noughts)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..Default::default() })]

    #[test]
    fn every_number_reads_back(value in any_number()) {
        prop_assert_eq!(read_english(&said("en", Form::Number, Currency::Usd, &value.to_string())), value);
        prop_assert_eq!(read_mandarin(&characters(Form::Number, Currency::Cny, &value.to_string())), value);
    }
}

#[test]
fn every_piece_is_foreseen_and_nothing_is_longer_than_the_longest() {
    let combinations = ["en", "zh"].into_iter().flat_map(|language| Form::ALL.map(|form| (language, form)));
    for ((language, form), currency) in combinations.flat_map(|of| Currency::ALL.map(|currency| (of, currency))) {
        let known = every_piece(language, form, currency);
        let longest = longest(language, form, currency, &length);
        // Numbers of every size, by a plain generator: the same at every run.
        let mut state = 0x2545_f491_4f6c_dd1du64;
        for round in 0..400u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (whole, cents) = ((state >> 20) % 10u64.pow(round % 10).max(1), (state >> 52) % 100);
            let text = match form {
                Form::Digits => format!("+{whole}*{cents}#"),
                Form::Number | Form::Money => format!("{}{whole}.{cents:02}", if round % 2 == 0 { "-" } else { "" }),
                Form::Date => format!("{}-{:02}-{:02}", 1000 + whole % 9000, 1 + cents % 12, 1 + whole % 28),
                Form::Time => format!("{:02}:{:02}", whole % 24, cents % 60),
                Form::Duration => whole.to_string(),
                Form::Ordinal => (1 + whole % 999).to_string(),
            };
            let said = pieces(language, form, currency, &text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
            let unforeseen = said.iter().find(|id| !known.contains(id.as_str()));
            assert_eq!(unforeseen, None, "{language} {} {text}", form.as_str());
            let lasts: Duration = said.iter().map(|id| length(id.as_str())).sum();
            assert!(lasts <= longest, "{language} {} {text}: {lasts:?} is more than {longest:?}", form.as_str());
        }
    }
}
