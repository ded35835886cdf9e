//! Columns of boxes and passing lines, mended for lines that begin at rows: the layout crate takes every line to begin in the
//! middle of its box. Neighbours that lines need not cross for are swapped, then everything is moved so that lines run
//! as straight as the order allows.

/// Something that needs room in a column: a card, or a line that passes.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub height: f64,
    /// Of its top.
    pub y: f64,
    pub is_card: bool,
}

/// A line from an item to one of the next column, with where it begins and ends below their tops.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub from: usize,
    pub leaves: f64,
    pub to: usize,
    pub enters: f64,
}

pub(super) struct Columns {
    pub items: Vec<Item>,
    /// Each from top to bottom.
    pub columns: Vec<Vec<usize>>,
    spans: Vec<Span>,
    /// For each item the spans that come from the left and that go to the right.
    left: Vec<Vec<usize>>,
    right: Vec<Vec<usize>>,
}

const SWEEPS: usize = 24;
const BETWEEN_CARDS: f64 = 26.0;
const BETWEEN_CARD_AND_LINE: f64 = 18.0;
const BETWEEN_LINES: f64 = 13.0;

impl Columns {
    pub fn new(items: Vec<Item>, columns: Vec<Vec<usize>>, spans: Vec<Span>) -> Columns {
        let mut left = vec![Vec::new(); items.len()];
        let mut right = vec![Vec::new(); items.len()];
        for (number, span) in spans.iter().enumerate() {
            left[span.to].push(number);
            right[span.from].push(number);
        }
        Columns { items, columns, spans, left, right }
    }

    /// The tops of all items, the least of them 0. `passing` are the items of each line that passes columns, from left to right.
    pub fn settle(mut self, passing: &[Vec<usize>]) -> Vec<f64> {
        for column in 0..self.columns.len() {
            self.pack(column);
        }
        for _ in 0..SWEEPS {
            let mut swapped = false;
            for column in 0..self.columns.len() {
                swapped |= self.swap(column);
            }
            self.sweep();
            if !swapped {
                break;
            }
        }
        for _ in 0..SWEEPS {
            self.sweep();
        }
        passing.iter().for_each(|line| self.flatten(line));
        let least = self.items.iter().map(|item| item.y).fold(f64::INFINITY, f64::min);
        self.items.iter().map(|item| item.y - least).collect()
    }

    fn sweep(&mut self) {
        (0..self.columns.len()).for_each(|column| self.pack(column));
        (0..self.columns.len()).rev().for_each(|column| self.pack(column));
    }

    /// Swaps neighbours of a column where fewer lines then cross.
    fn swap(&mut self, column: usize) -> bool {
        let mut swapped = false;
        for _ in 0..self.columns[column].len() {
            let mut again = false;
            for at in 1..self.columns[column].len() {
                let (one, other) = (self.columns[column][at - 1], self.columns[column][at]);
                if self.crossings(other, one) < self.crossings(one, other) {
                    self.columns[column].swap(at - 1, at);
                    let top = self.items[one].y;
                    self.items[one].y = top + self.items[other].height + self.between(other, one);
                    self.items[other].y = top;
                    again = true;
                }
            }
            swapped |= again;
            if !again {
                break;
            }
        }
        swapped
    }

    /// How many lines of the two cross while `upper` is above.
    fn crossings(&self, upper: usize, lower: usize) -> usize {
        let count = |of: &Vec<Vec<usize>>, end: &dyn Fn(&Span) -> f64| {
            let ends = |item: usize| of[item].iter().map(|span| end(&self.spans[*span])).collect::<Vec<f64>>();
            let lowers = ends(lower);
            ends(upper).into_iter().map(|one| lowers.iter().filter(|other| **other < one).count()).sum::<usize>()
        };
        count(&self.left, &|span| self.items[span.from].y + span.leaves)
            + count(&self.right, &|span| self.items[span.to].y + span.enters)
    }

    /// Moves a column's items to where their lines are straightest without changing their order: least squares under an
    /// order, by pooling neighbours that would overlap.
    fn pack(&mut self, column: usize) {
        let order = &self.columns[column];
        let mut offset = 0.0;
        // Each pool: the sum of weighted wishes, of weights, and how many items.
        let mut pools: Vec<(f64, f64, usize)> = Vec::new();
        let mut offsets = Vec::with_capacity(order.len());
        for (nth, item) in order.iter().enumerate() {
            if nth > 0 {
                offset += self.items[order[nth - 1]].height + self.between(order[nth - 1], *item);
            }
            offsets.push(offset);
            let (wish, weight) = self.wish(*item);
            pools.push(((wish - offset) * weight, weight, 1));
            while let [.., above, below] = pools.as_slice()
                && above.0 / above.1 > below.0 / below.1
            {
                let joined = (above.0 + below.0, above.1 + below.1, above.2 + below.2);
                pools.truncate(pools.len() - 2);
                pools.push(joined);
            }
        }
        let tops = pools.iter().flat_map(|(sum, weight, count)| std::iter::repeat_n(sum / weight, *count));
        for ((item, top), offset) in order.iter().zip(tops).zip(offsets) {
            self.items[*item].y = top + offset;
        }
    }

    /// Gives a long line as few bends as the room between its neighbours allows: packing spreads a slope over all columns.
    fn flatten(&mut self, line: &[usize]) {
        let (Some(first), Some(last)) = (line.first(), line.last()) else { return };
        let source = &self.spans[self.left[*first][0]];
        let begins = self.items[source.from].y + source.leaves;
        let target = &self.spans[self.right[*last][0]];
        let ends = self.items[target.to].y + target.enters;
        let mut nth = 0;
        while nth < line.len() {
            let (mut least, mut most) = self.room(line[nth]);
            let mut next = nth + 1;
            while next < line.len() {
                let (above, below) = self.room(line[next]);
                if above.max(least) > below.min(most) {
                    break;
                }
                (least, most) = (above.max(least), below.min(most));
                next += 1;
            }
            let wish = match (nth == 0 && (least..=most).contains(&begins), next == line.len()) {
                (true, _) => begins,
                (false, true) => ends,
                (false, false) => self.items[line[nth]].y,
            };
            let height = wish.clamp(least, most);
            line[nth..next].iter().for_each(|item| self.items[*item].y = height);
            nth = next;
        }
    }

    /// Between what heights a passing line can be without changing its column.
    fn room(&self, item: usize) -> (f64, f64) {
        let Some(column) = self.columns.iter().find(|column| column.contains(&item)) else { return (0.0, 0.0) };
        let at = column.iter().position(|other| *other == item).unwrap_or(0);
        let y = self.items[item].y;
        let above = at.checked_sub(1).map(|above| column[above]);
        let least = above.map_or(f64::NEG_INFINITY, |above| {
            self.items[above].y + self.items[above].height + self.between(above, item)
        });
        let most = column.get(at + 1).map_or(f64::INFINITY, |below| self.items[*below].y - self.between(item, *below));
        (least.min(y), most.max(y))
    }

    /// Where an item's top should be for the sake of its lines, and how much that counts.
    fn wish(&self, item: usize) -> (f64, f64) {
        let (mut sum, mut weights) = (0.0, 0.0);
        let mut add = |top: f64, weight: f64| {
            sum += top * weight;
            weights += weight;
        };
        let weight = |other: usize| match (self.items[item].is_card, self.items[other].is_card) {
            (true, true) => 1.0,
            (false, false) => 8.0,
            _ => 2.0,
        };
        for span in self.left[item].iter().map(|span| &self.spans[*span]) {
            add(self.items[span.from].y + span.leaves - span.enters, weight(span.from));
        }
        for span in self.right[item].iter().map(|span| &self.spans[*span]) {
            add(self.items[span.to].y + span.enters - span.leaves, weight(span.to));
        }
        if weights == 0.0 { (self.items[item].y, 0.01) } else { (sum / weights, weights) }
    }

    fn between(&self, upper: usize, lower: usize) -> f64 {
        match (self.items[upper].is_card, self.items[lower].is_card) {
            (true, true) => BETWEEN_CARDS,
            (false, false) => BETWEEN_LINES,
            _ => BETWEEN_CARD_AND_LINE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(y: f64) -> Item {
        Item { height: 50.0, y, is_card: true }
    }

    #[test]
    fn boxes_stand_in_the_order_of_the_rows_that_lead_to_them() {
        // Two rows of the first card lead to two cards that stand the wrong way round.
        let items = vec![card(0.0), card(0.0), card(100.0)];
        let spans = vec![
            Span { from: 0, leaves: 20.0, to: 2, enters: 10.0 },
            Span { from: 0, leaves: 40.0, to: 1, enters: 10.0 },
        ];
        let tops = Columns::new(items, vec![vec![0], vec![1, 2]], spans).settle(&[]);
        assert!(tops[2] + 50.0 < tops[1], "{tops:?}");
    }

    #[test]
    fn a_line_that_can_be_straight_is_and_nothing_overlaps() {
        let items = vec![card(300.0), Item { height: 0.0, y: 0.0, is_card: false }, card(0.0), card(90.0)];
        let spans = vec![
            Span { from: 0, leaves: 30.0, to: 1, enters: 0.0 },
            Span { from: 1, leaves: 0.0, to: 3, enters: 20.0 },
        ];
        let tops = Columns::new(items, vec![vec![0], vec![2, 1], vec![3]], spans).settle(&[vec![1]]);
        assert!((tops[0] + 30.0 - tops[1]).abs() < 0.5 && (tops[1] - tops[3] - 20.0).abs() < 0.5, "{tops:?}");
        assert!(tops[2] + 50.0 <= tops[1], "{tops:?}");
    }
}
