//! The hours of a week, minute by minute: when people are there, and when a rule wants them to be.

use crate::step::hours::{DAY_MINUTES, Hours};
use jiff::civil::Weekday;

const DAY: usize = DAY_MINUTES as usize;
const WEEK: usize = 7 * DAY;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// What a rule asks for: from the first day (0 is Monday) to the last, between two minutes of the day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    pub days: (u8, u8),
    pub from: u16,
    pub to: u16,
}

impl Wanted {
    pub const ALWAYS: Wanted = Wanted { days: (0, 6), from: 0, to: DAY_MINUTES };

    /// `Mon-Fri 08:30-21:30`
    pub fn said(self) -> String {
        if self == Wanted::ALWAYS {
            return "24x7".to_owned();
        }
        let days = match self.days {
            (0, 6) => "daily".to_owned(),
            (first, last) => format!("{}-{}", DAYS[usize::from(first)], DAYS[usize::from(last)]),
        };
        format!("{days} {}-{}", clock(self.from), clock(self.to))
    }

    /// Whether it names every day, so that a holiday would be an exception from it.
    pub fn is_daily(self) -> bool {
        self.days == (0, 6)
    }

    fn minutes(self) -> impl Iterator<Item = usize> {
        let days = usize::from(self.days.0)..=usize::from(self.days.1);
        days.flat_map(move |day| (self.from..self.to).map(move |minute| day * DAY + usize::from(minute)))
    }
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Which minutes of a week are open, by the clock of one zone, holidays left aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Week(Vec<bool>);

impl Week {
    pub fn closed() -> Week {
        Week(vec![false; WEEK])
    }

    pub fn always() -> Week {
        Week(vec![true; WEEK])
    }

    pub fn add(&mut self, hours: &Hours) {
        for range in &hours.open {
            let to = if range.to > range.from { range.to } else { range.to + DAY_MINUTES };
            for day in 0..7i8 {
                let weekday = Weekday::from_monday_zero_offset(day).unwrap_or(Weekday::Monday);
                if range.days.contains(weekday) {
                    let first = DAY * day as usize;
                    (range.from..to).for_each(|minute| self.0[(first + usize::from(minute)) % WEEK] = true);
                }
            }
        }
    }

    pub fn is_never(&self) -> bool {
        !self.0.contains(&true)
    }

    /// The first minute that is wanted and closed: `Sat 17:00`.
    pub fn lacks(&self, wanted: Wanted) -> Option<String> {
        let minute = wanted.minutes().find(|minute| !self.0[*minute])?;
        Some(format!("{} {}", DAYS[minute / DAY], clock((minute % DAY) as u16)))
    }

    /// The day with the fewest open minutes, and how many.
    pub fn shortest_day(&self) -> (&'static str, u32) {
        let open = |day: usize| self.0[day * DAY..(day + 1) * DAY].iter().filter(|open| **open).count() as u32;
        (0..7).map(|day| (DAYS[day], open(day))).min_by_key(|(_, minutes)| *minutes).unwrap_or((DAYS[0], 0))
    }

    pub fn minutes(&self) -> u32 {
        self.0.iter().filter(|open| **open).count() as u32
    }
}
