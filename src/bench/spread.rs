//! How long many things took: counts in buckets a thirty-second of a power of two wide, so that millions cost nothing.

use std::time::Duration;

const PARTS: u64 = 32;

/// Durations from a nanosecond up, each known to about three per cent.
#[derive(Clone, Debug, Default)]
pub struct Spread {
    buckets: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Spread {
    pub fn add(&mut self, took: Duration) {
        let place = bucket(took.as_nanos().min(u128::from(u64::MAX)) as u64);
        if self.buckets.len() <= place {
            self.buckets.resize(place + 1, 0);
        }
        self.buckets[place] += 1;
        self.count += 1;
        self.longest = self.longest.max(took);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The time that this share of all (0 to 1) did not exceed; zero if there were none.
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (place, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(upper_end(place)).min(self.longest);
            }
        }
        self.longest
    }
}

/// Below [`PARTS`] each nanosecond has a bucket; above, each power of two has [`PARTS`].
fn bucket(nanos: u64) -> usize {
    if nanos < PARTS {
        return nanos as usize;
    }
    let shift = u64::from(nanos.ilog2() - PARTS.ilog2());
    (PARTS * shift + (nanos >> shift)) as usize
}

fn upper_end(place: usize) -> u64 {
    let place = place as u64;
    if place < PARTS * 2 {
        return place;
    }
    let shift = place / PARTS - 1;
    ((place % PARTS + PARTS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_known_to_three_per_cent() {
        for nanos in [0, 1, 31, 32, 33, 63, 64, 65, 1000, 123_456, 999_999_999, 30_000_000_000] {
            let mut spread = Spread::default();
            spread.add(Duration::from_nanos(nanos));
            spread.add(Duration::from_secs(1000));
            let half = spread.quantile(0.5).as_nanos() as u64;
            assert!(half >= nanos && half as f64 <= nanos as f64 * 1.035, "{nanos} ns is told as {half}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let mut spread = Spread::default();
        (1..=1000).rev().for_each(|millis| spread.add(Duration::from_millis(millis)));
        assert_eq!(spread.count(), 1000);
        for (share, millis) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let told = spread.quantile(share).as_secs_f64() * 1000.0;
            assert!((millis..=millis * 1.035).contains(&told), "{share}: {told} ms");
        }
        assert_eq!(Spread::default().quantile(0.99), Duration::ZERO);
    }
}
