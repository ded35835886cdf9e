//! Seeded bad weather on a line: what becomes of the n-th packet that goes one way. The same seed gives the same packet
//! the same fate in every run, however fast the machine is; when anything is carried out is the relay's affair.

use std::time::Duration;

/// The weather in one direction. Shares are in thousandths.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub seed: u64,
    pub lost: u64,
    pub doubled: u64,
    /// Packets that come later than the jitter allows, behind those that were sent after them.
    pub belated: u64,
    pub delay: Duration,
    /// The delay of each packet is up to so much shorter or longer.
    pub jitter: Duration,
}

impl Weather {
    /// A clear line.
    pub fn fair() -> Weather {
        Weather { seed: 0, lost: 0, doubled: 0, belated: 0, delay: Duration::ZERO, jitter: Duration::ZERO }
    }

    /// 5 % lost, 100 ms ± 40 ms (which puts neighbours out of order), 3 % doubled, 2 % late by up to 760 ms more.
    pub fn foul(seed: u64) -> Weather {
        let (delay, jitter) = (Duration::from_millis(100), Duration::from_millis(40));
        Weather { seed, lost: 50, doubled: 30, belated: 20, delay, jitter }
    }

    /// The delays of the copies of packet `number` of path `path` that arrive: none if it is lost.
    pub fn fate(&self, path: u64, number: u64) -> Vec<Duration> {
        let mut dice = Dice::new(self.seed ^ path.rotate_left(40) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if dice.below(1000) < self.lost {
            return Vec::new();
        }
        let copies = if dice.below(1000) < self.doubled { 2 } else { 1 };
        (0..copies).map(|_| self.delay_of_one(&mut dice)).collect()
    }

    fn delay_of_one(&self, dice: &mut Dice) -> Duration {
        let spread = 2 * self.jitter.as_micros() as u64 + 1;
        let usual = self.delay.as_micros() as u64 + dice.below(spread);
        let belated = if dice.below(1000) < self.belated { 60_000 + dice.below(700_000) } else { 0 };
        Duration::from_micros((usual + belated).saturating_sub(self.jitter.as_micros() as u64))
    }
}

/// A small generator: enough for weather and for what tests press and say.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number from 0 to `limit - 1`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[test]
fn foul_weather_is_as_it_says_and_the_same_for_the_same_seed() {
    let fates = |seed| (0..20_000).map(|number| Weather::foul(seed).fate(1, number)).collect::<Vec<_>>();
    let all = fates(7);
    assert_eq!(all, fates(7));
    assert_ne!(all, fates(8));
    let share = |of: &dyn Fn(&Vec<Duration>) -> bool| all.iter().filter(|fate| of(fate)).count() * 1000 / all.len();
    assert!((44..=56).contains(&share(&Vec::is_empty)), "{} lost", share(&Vec::is_empty));
    let doubled = share(&|fate| fate.len() == 2);
    assert!((24..=34).contains(&doubled), "{doubled} doubled");
    let belated = share(&|fate| fate.iter().any(|delay| delay.as_millis() > 140));
    assert!((14..=26).contains(&belated), "{belated} belated");
    let delays = || all.iter().flatten().map(Duration::as_millis);
    assert!((60..=62).contains(&delays().min().unwrap()) && (800..=900).contains(&delays().max().unwrap()));
    assert_eq!(Weather::fair().fate(1, 1), [Duration::ZERO]);
}
