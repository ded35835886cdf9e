//! What is different between a file and its repair, line by line: `- ` goes, `+ ` comes.
//!
//! For the short examples of `onekey explain`: the time is the product of the lengths.

/// The lines that differ, under the header of the section in which they stand.
pub(super) fn between(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let common = common(&before, &after);
    let (mut a, mut b) = (0, 0);
    let mut text = String::new();
    // The header that the reader has seen last, and the one under which the reader is.
    let (mut shown, mut header) = ("", "");
    while a < before.len() || b < after.len() {
        let is_same = a < before.len() && b < after.len() && before[a] == after[b];
        let (sign, line) = if is_same {
            (a, b) = (a + 1, b + 1);
            (' ', before[a - 1])
        } else if b == after.len() || (a < before.len() && common[a + 1][b] >= common[a][b + 1]) {
            a += 1;
            ('-', before[a - 1])
        } else {
            b += 1;
            ('+', after[b - 1])
        };
        let is_header = line.starts_with('[') || line.starts_with("=== ");
        if is_header {
            header = line;
        }
        if sign == ' ' || line.trim().is_empty() {
            continue;
        }
        if !is_header && header != shown && !header.is_empty() {
            text.push_str(&format!("  {header}\n"));
        }
        shown = header;
        text.push_str(&format!("{sign} {line}\n"));
    }
    text
}

/// How many lines two ends have in common: `[a][b]` is of those from `a` and from `b` on.
fn common(before: &[&str], after: &[&str]) -> Vec<Vec<usize>> {
    let mut common = vec![vec![0; after.len() + 1]; before.len() + 1];
    for a in (0..before.len()).rev() {
        for b in (0..after.len()).rev() {
            common[a][b] = match before[a] == after[b] {
                true => common[a + 1][b + 1] + 1,
                false => common[a + 1][b].max(common[a][b + 1]),
            };
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_stands_under_its_header_and_what_is_the_same_is_left_out() {
        let before = "[a]\nsay = 1\nthen = 2\n\n[b]\nsay = 3\n";
        let after = "[a]\nsay = 1\nthen = 4\n\n[c]\nsay = 3\nthen = 5\n";
        assert_eq!(between(before, after), "  [a]\n- then = 2\n+ then = 4\n- [b]\n+ [c]\n+ then = 5\n");
        assert_eq!(between(before, before), "");
        assert_eq!(between("", "x\n"), "+ x\n");
        assert_eq!(between("x\n", ""), "- x\n");
    }
}
