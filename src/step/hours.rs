//! `[hours.NAME]`: open or closed, by zone, weekday and holiday.
//!
//! A range is a stretch of real time between two readings of the local clock. Where the clock is set forward over one of
//! them, the range begins or ends at that moment; where it is set back, the range begins at the first reading and ends
//! at the last, so that an opening is never torn in two.

use super::{Edge, Event, StepState};
use crate::ids::StepName;
use crate::target::Target;
use crate::time::Wall;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// A day's end, `24:00`.
pub const DAY_MINUTES: u16 = 24 * 60;

/// What an administrator wrote of one set of hours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hours {
    pub name: StepName,
    pub zone: TimeZone,
    /// Open while any of these holds.
    pub open: Vec<DayRange>,
    /// Closed then, whatever `open` says.
    pub holidays: Vec<Holiday>,
    pub then: Target,
    pub otherwise: Target,
}

/// `mon-fri 08:00-20:00`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayRange {
    pub days: Days,
    /// Minutes after midnight, 0 to 1439.
    pub from: u16,
    /// Minutes after midnight, 1 to 1440; at or before `from` it is a reading of the next day (`22:00-06:00`).
    pub to: u16,
}

/// `2027-01-01`, or a part of it: `2027-02-15 12:00-24:00`. As the clock of the zone shows it; the night that began the
/// day before is cut at midnight.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Holiday {
    pub date: Date,
    /// Minutes after midnight.
    pub from: u16,
    pub to: u16,
}

/// Days of the week.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Days(u8);

impl Days {
    pub const DAILY: Days = Days(0b111_1111);

    pub fn insert(&mut self, day: Weekday) {
        self.0 |= 1 << day.to_monday_zero_offset();
    }

    pub fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }
}

impl Hours {
    pub fn next(&self, _state: &mut StepState, event: Event) -> Edge {
        match event {
            Event::Entered { open: true } => Edge::Go(self.then.clone()),
            Event::Entered { open: false } => Edge::Go(self.otherwise.clone()),
            _ => Edge::Stay,
        }
    }

    /// What it says at every moment, if it is always the same: open round the clock without holidays, or never open.
    pub fn always(&self) -> Option<bool> {
        const WEEK: usize = 7 * DAY_MINUTES as usize;
        let mut open = vec![false; WEEK];
        for range in &self.open {
            let to = if range.to > range.from { range.to } else { range.to + DAY_MINUTES };
            for day in 0..7 {
                let weekday = Weekday::from_monday_zero_offset(day).unwrap_or(Weekday::Monday);
                if range.days.contains(weekday) {
                    let first = usize::from(DAY_MINUTES) * day as usize;
                    (range.from..to).for_each(|minute| open[(first + usize::from(minute)) % WEEK] = true);
                }
            }
        }
        match (open.iter().all(|minute| *minute), open.iter().any(|minute| *minute)) {
            (true, _) if self.holidays.is_empty() => Some(true),
            (_, false) => Some(false),
            _ => None,
        }
    }

    /// Whether it is open at this moment. A wall clock outside the years -9999 to 9999 is never open.
    pub fn open_at(&self, at: Wall) -> bool {
        let Ok(now) = Timestamp::from_microsecond(at.as_micros()) else { return false };
        let local = self.zone.to_datetime(now);
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let closed = |day: &Holiday| day.date == local.date() && (day.from..day.to).contains(&minute);
        if self.holidays.iter().any(closed) {
            return false;
        }
        // A range of today, or of yesterday where it passes midnight.
        let days = [Some(local.date()), local.date().yesterday().ok()];
        days.into_iter().flatten().any(|day| {
            let of_day = self.open.iter().filter(|range| range.days.contains(day.weekday()));
            of_day.into_iter().any(|range| self.holds(range, day, now))
        })
    }

    /// Whether `now` lies in the range that begins on `day`.
    fn holds(&self, range: &DayRange, day: Date, now: Timestamp) -> bool {
        let minutes = |of: u16| day.at(0, 0, 0, 0).checked_add(i64::from(of).minutes()).ok();
        let to = if range.to > range.from { range.to } else { range.to + DAY_MINUTES };
        let (Some(from), Some(to)) = (minutes(range.from), minutes(to)) else { return false };
        match (self.moment(from, Reading::First), self.moment(to, Reading::Last)) {
            (Some(from), Some(to)) => from <= now && now < to,
            _ => false,
        }
    }

    /// When the local clock reads this. Over a gap: the moment at which it is set forward.
    fn moment(&self, local: DateTime, reading: Reading) -> Option<Timestamp> {
        let offset = match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, after } => match reading {
                Reading::First => before,
                Reading::Last => after,
            },
            AmbiguousOffset::Gap { after, .. } => {
                let shortly_before = after.to_timestamp(local).ok()?;
                return self.zone.following(shortly_before).next().map(|change| change.timestamp());
            }
        };
        offset.to_timestamp(local).ok()
    }
}

/// Which one is meant where the clock reads the same twice.
#[derive(Clone, Copy)]
enum Reading {
    First,
    Last,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MON_FRI: Days = Days(0b001_1111);

    fn hours(zone: &str, open: Vec<DayRange>, holidays: Vec<Holiday>) -> Hours {
        let name = StepName::new("office");
        Hours {
            name,
            zone: TimeZone::get(zone).unwrap(),
            open,
            holidays,
            then: Target::Start,
            otherwise: Target::Human,
        }
    }

    fn range(days: Days, from: (u16, u16), to: (u16, u16)) -> DayRange {
        DayRange { days, from: from.0 * 60 + from.1, to: to.0 * 60 + to.1 }
    }

    /// A moment written in UTC.
    fn utc(text: &str) -> Wall {
        Wall::from_micros(text.parse::<Timestamp>().unwrap().as_microsecond())
    }

    fn check(hours: &Hours, table: &[(&str, bool)]) {
        for (moment, open) in table {
            assert_eq!(hours.open_at(utc(moment)), *open, "{moment}");
        }
    }

    #[test]
    fn open_and_closed_lead_to_their_targets() {
        let hours = hours("UTC", vec![], vec![]);
        let mut state = StepState::default();
        assert_eq!(hours.next(&mut state, Event::Entered { open: true }), Edge::Go(Target::Start));
        assert_eq!(hours.next(&mut state, Event::Entered { open: false }), Edge::Go(Target::Human));
        for event in [Event::Spoken, Event::Silence, Event::Recorded, Event::Key(crate::key::Key::STAR)] {
            assert_eq!(hours.next(&mut state, event), Edge::Stay);
        }
    }

    #[test]
    fn the_zone_decides_which_day_and_minute_it_is() {
        // 2026-11-23 is a Monday; Shanghai is eight hours ahead of UTC.
        let hours = hours("Asia/Shanghai", vec![range(MON_FRI, (8, 0), (20, 0))], vec![]);
        let table = [
            ("2026-11-22T23:59:59Z", false),
            ("2026-11-23T00:00:00Z", true),
            ("2026-11-23T11:59:59Z", true),
            ("2026-11-23T12:00:00Z", false),
            ("2026-11-28T02:00:00Z", false),
        ];
        check(&hours, &table);
    }

    #[test]
    fn a_range_that_passes_midnight_belongs_to_the_day_it_begins_on() {
        let mut friday = Days::default();
        friday.insert(Weekday::Friday);
        let hours = hours("UTC", vec![range(friday, (22, 0), (6, 0))], vec![]);
        let table = [
            ("2026-11-27T05:00:00Z", false),
            ("2026-11-27T21:59:00Z", false),
            ("2026-11-27T22:00:00Z", true),
            ("2026-11-28T05:59:59Z", true),
            ("2026-11-28T06:00:00Z", false),
            ("2026-11-28T22:30:00Z", false),
        ];
        check(&hours, &table);
    }

    #[test]
    fn round_the_clock_has_no_closed_second_even_where_the_clock_is_changed() {
        let hours = hours("America/New_York", vec![range(Days::DAILY, (0, 0), (24, 0))], vec![]);
        let mut moment = utc("2026-01-01T00:00:00Z");
        let end = utc("2027-01-01T00:00:00Z");
        while moment < end {
            assert!(hours.open_at(moment), "{moment:?}");
            moment = moment + std::time::Duration::from_secs(1799);
        }
    }

    #[test]
    fn a_holiday_or_a_part_of_one_is_closed() {
        let day =
            |text: &str, from: u16, to: u16| Holiday { date: text.parse().unwrap(), from: from * 60, to: to * 60 };
        let holidays = vec![day("2027-01-01", 0, 24), day("2027-02-15", 12, 24)];
        let hours = hours("UTC", vec![range(Days::DAILY, (8, 0), (2, 0))], holidays);
        let table = [
            ("2026-12-31T23:59:00Z", true),
            ("2027-01-01T00:30:00Z", false),
            ("2027-01-01T12:00:00Z", false),
            ("2027-01-02T00:00:00Z", true),
            ("2027-02-15T11:59:00Z", true),
            ("2027-02-15T12:00:00Z", false),
            ("2027-02-16T01:00:00Z", true),
        ];
        check(&hours, &table);
    }

    #[test]
    fn where_the_clock_is_set_forward_over_an_edge_the_edge_is_that_moment() {
        // New York, 2026-03-08: 02:00 becomes 03:00 at 07:00 UTC.
        let opens_in_gap = hours("America/New_York", vec![range(Days::DAILY, (2, 30), (5, 0))], vec![]);
        check(
            &opens_in_gap,
            &[
                ("2026-03-08T06:59:59Z", false),
                ("2026-03-08T07:00:00Z", true),
                ("2026-03-08T08:59:59Z", true),
                ("2026-03-08T09:00:00Z", false),
            ],
        );
        let closes_in_gap = hours("America/New_York", vec![range(Days::DAILY, (1, 0), (2, 30))], vec![]);
        check(&closes_in_gap, &[("2026-03-08T06:59:59Z", true), ("2026-03-08T07:00:00Z", false)]);
    }

    #[test]
    fn where_the_clock_is_set_back_an_opening_is_not_torn_in_two() {
        // New York, 2026-11-01: 02:00 becomes 01:00 at 06:00 UTC, so 01:30 is read at 05:30 and 06:30 UTC.
        let ends_in_fold = hours("America/New_York", vec![range(Days::DAILY, (0, 0), (1, 30))], vec![]);
        check(
            &ends_in_fold,
            &[
                ("2026-11-01T05:29:00Z", true),
                ("2026-11-01T05:45:00Z", true),
                ("2026-11-01T06:29:59Z", true),
                ("2026-11-01T06:30:00Z", false),
            ],
        );
        let begins_in_fold = hours("America/New_York", vec![range(Days::DAILY, (1, 30), (4, 0))], vec![]);
        check(
            &begins_in_fold,
            &[("2026-11-01T05:29:59Z", false), ("2026-11-01T05:30:00Z", true), ("2026-11-01T06:10:00Z", true)],
        );
    }
}
