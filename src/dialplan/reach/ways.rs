//! The moves of all states, in two columns, with the span of each state: large plans have many, and most are short.

use super::node::Move;

#[derive(Default)]
pub(super) struct Ways {
    /// For each node where its moves begin and end in the columns.
    spans: Vec<(u32, u32)>,
    what: Vec<Move>,
    to: Vec<u32>,
}

impl Ways {
    pub fn add_node(&mut self) {
        self.spans.push((0, 0));
    }

    /// What is pushed from now on is this node's.
    pub fn begin(&mut self, node: u32) {
        let here = self.what.len() as u32;
        self.spans[node as usize] = (here, here);
    }

    pub fn push(&mut self, node: u32, what: Move, to: u32) {
        self.what.push(what);
        self.to.push(to);
        self.spans[node as usize].1 = self.what.len() as u32;
    }

    /// In the order in which the world told them.
    pub fn of(&self, node: u32) -> impl Iterator<Item = (Move, u32)> {
        let (begin, end) = self.spans[node as usize];
        let span = begin as usize..end as usize;
        self.what[span.clone()].iter().copied().zip(self.to[span].iter().copied())
    }

    pub fn nth(&self, node: u32, nth: usize) -> Option<(Move, u32)> {
        let (begin, end) = self.spans[node as usize];
        let at = begin as usize + nth;
        (at < end as usize).then(|| (self.what[at], self.to[at]))
    }

    pub fn is_empty(&self, node: u32) -> bool {
        let (begin, end) = self.spans[node as usize];
        begin == end
    }

    pub fn count(&self) -> usize {
        self.what.len()
    }
}
