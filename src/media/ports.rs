//! The port range of one worker: RTP on even ports, RTCP on the odd one above (RFC 3550 §11).
//!
//! Ports are handed out in a circle, so that packets still under way to an ended call do not meet the next one.
//! Binding them is the shell's work.

/// Which RTP ports of the range are taken.
#[derive(Debug)]
pub struct Ports {
    first: u16,
    taken: Vec<bool>,
    next: usize,
}

impl Ports {
    /// Pairs that lie wholly within `first..=last`.
    pub fn new(first: u16, last: u16) -> Ports {
        let first = first.saturating_add(first % 2);
        let pairs = (usize::from(last) + 1).saturating_sub(usize::from(first)) / 2;
        Ports { first, taken: vec![false; pairs], next: 0 }
    }

    /// How many legs the range can serve.
    pub fn pairs(&self) -> usize {
        self.taken.len()
    }

    /// The next free port after the one handed out last.
    pub fn take(&mut self) -> Option<u16> {
        let pairs = self.taken.len();
        let index = (0..pairs).map(|step| (self.next + step) % pairs).find(|index| !self.taken[*index])?;
        self.taken[index] = true;
        self.next = (index + 1) % pairs;
        Some(self.first + 2 * index as u16)
    }

    pub fn give_back(&mut self, port: u16) {
        if let Some(taken) = self.taken.get_mut(usize::from(port.saturating_sub(self.first) / 2)) {
            *taken = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_even_and_go_round_before_one_comes_again() {
        let mut ports = Ports::new(10_001, 10_007);
        assert_eq!(ports.pairs(), 3);
        assert_eq!(ports.take(), Some(10_002));
        ports.give_back(10_002);
        assert_eq!(ports.take(), Some(10_004));
        assert_eq!(ports.take(), Some(10_006));
        assert_eq!(ports.take(), Some(10_002));
        assert_eq!(ports.take(), None);
        ports.give_back(10_006);
        assert_eq!(ports.take(), Some(10_006));
    }

    #[test]
    fn a_range_without_a_whole_pair_serves_nobody() {
        assert_eq!(Ports::new(10_001, 10_002).take(), None);
        assert_eq!(Ports::new(20, 10).take(), None);
        assert_eq!(Ports::new(u16::MAX, u16::MAX).take(), None);
        assert_eq!(Ports::new(65_534, 65_535).take(), Some(65_534));
    }
}
