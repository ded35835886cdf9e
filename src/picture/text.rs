//! How wide words are, how they are shortened, and how they stand in XML. No font is asked: the widths are those of a wide
//! one (DejaVu Sans, near Verdana), so that words fit in whatever a browser takes.

use std::time::Duration;

/// Hundredths of the size for the characters from space to `~`.
const WIDTHS: [u8; 95] = [
    32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
    84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 30, 30, 66, 56, 86, 75, 79, 60, 79, 70, 63, 61, 73, 68, 99, 69,
    61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63,
    59, 82, 59, 59, 53, 64, 34, 64, 84,
];

/// A size in pixels, and whether the letters are bold.
#[derive(Clone, Copy)]
pub(super) struct Face {
    pub size: f64,
    pub bold: bool,
}

/// In pixels; at least as wide as it will be.
pub(super) fn width(text: &str, face: Face) -> f64 {
    let hundredths: u32 = text.chars().map(hundredths).sum();
    f64::from(hundredths) / 100.0 * face.size * if face.bold { 1.16 } else { 1.0 }
}

fn hundredths(letter: char) -> u32 {
    match letter {
        ' '..='~' => u32::from(WIDTHS[letter as usize - ' ' as usize]),
        // Latin, Greek and Cyrillic letters with their marks; what joins to others is not wider.
        '\u{a0}'..='\u{10ff}' => 80,
        _ => 102,
    }
}

/// The text, cut short with `…` where it would be wider than `most` pixels.
pub(super) fn fit(text: &str, face: Face, most: f64) -> String {
    if width(text, face) <= most {
        return text.to_owned();
    }
    let room = most - width("…", face);
    let mut shown = String::new();
    for letter in text.chars() {
        shown.push(letter);
        if width(&shown, face) > room {
            shown.pop();
            break;
        }
    }
    shown.truncate(shown.trim_end().len());
    shown + "…"
}

/// As text or attribute of XML and HTML. What XML 1.0 cannot hold at all becomes a question mark.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whole seconds, never fewer than it takes.
pub(super) fn seconds(length: Duration) -> String {
    format!("{} s", length.as_millis().div_ceil(1000))
}

/// `1 error`, `2 errors`
pub(super) fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: Face = Face { size: 10.0, bold: false };

    #[test]
    fn what_is_too_wide_is_cut_and_then_fits() {
        assert_eq!(fit("bills", FACE, 40.0), "bills");
        for text in ["a name that goes on and on", "一条很长的中文名称在这里写着", "WWWWWWWWWWWWWW"] {
            let shown = fit(text, FACE, 60.0);
            assert!(shown.ends_with('…') && width(&shown, FACE) <= 60.0, "{shown}");
            assert!(text.starts_with(shown.trim_end_matches('…')), "{shown}");
        }
        assert!(width("中文", FACE) >= 20.0);
    }

    #[test]
    fn no_text_can_break_out_of_the_xml() {
        assert_eq!(escape("a<b>&\"c\"\u{1}\n"), "a&lt;b&gt;&amp;&quot;c&quot;? ");
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(seconds(Duration::from_millis(20_001)), "21 s");
        assert_eq!(seconds(Duration::ZERO), "0 s");
    }
}
