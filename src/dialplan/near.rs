//! The near name: what an administrator most likely meant.
//!
//! Knows words only; what may be meant where is told by who asks.

/// The candidate that is fewest typing slips away from `written`, if it is near enough to be meant: at most one slip in
/// three characters. The first of equals.
pub(super) fn near<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any name: comparing costs the product of the lengths.
    if written.len() > 64 {
        return None;
    }
    let most = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= 64 && candidate.len().abs_diff(written.len()) <= 4 * most)
        .map(|candidate| (slips(&written.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(slips, _)| *slips <= most)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, left out, changed or swapped with their neighbour (optimal string alignment).
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_in_three_letters_is_near() {
        assert_eq!(slips("suport", "support"), 1);
        assert_eq!(slips("sya", "say"), 1);
        assert_eq!(near("suport", ["bills", "support"]), Some("support"));
        assert_eq!(near("Main", ["main"]), Some("main"));
        assert_eq!(near("night", ["main", "bills"]), None);
        assert_eq!(near("a", []), None);
    }
}
