//! What can go wrong in one run, and what goes wrong at the moment: network, disk, registry, ports. Each seed has its own
//! season, in which some troubles never come and others come often, so that rare pairs of troubles meet too.

use crate::bytes::Air;
use crate::words::Faults;
use rand_chacha::ChaCha12Rng;
use rand_core::Rng;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registry {
    Quick,
    /// After the engine's patience.
    Late,
    Fails,
    Silent,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disk {
    Works,
    Fails,
    /// Writes when it works again, in order.
    Stuck,
}

/// What a run may meet at all.
#[derive(Clone, Copy, Debug)]
pub struct Season {
    pub network: bool,
    pub disk: bool,
    pub registry: bool,
    pub media: bool,
    pub kills: bool,
    pub phones_fail: bool,
    pub tcp: bool,
    pub reloads: bool,
    pub strangers: bool,
}

/// How it is now.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// SIP datagrams, in a thousand.
    pub lost: u64,
    pub doubled: u64,
    pub late: u64,
    pub registry: Registry,
    pub disk: Disk,
    pub faults: Faults,
    pub air: Air,
}

impl Season {
    pub fn of(dice: &mut ChaCha12Rng) -> Season {
        let bits = dice.next_u32();
        let has = |bit: u32| bits >> bit & 1 == 1;
        Season {
            network: has(0),
            disk: has(1),
            registry: has(2),
            media: has(3),
            kills: has(4) && has(5),
            phones_fail: has(6),
            tcp: has(7),
            reloads: has(8),
            strangers: has(9),
        }
    }

    /// The weather changes.
    pub fn weather(self, dice: &mut ChaCha12Rng) -> Weather {
        let mut weather = Weather::calm();
        let mut roll = |sides: u64| dice.next_u64() % sides;
        if self.network {
            weather.lost = [0, 20, 50, 200, 500][roll(5) as usize];
            weather.doubled = [0, 0, 50, 200][roll(4) as usize];
            weather.late = [0, 0, 50, 300][roll(4) as usize];
            weather.air = Air {
                lost: [0, 10, 50, 200][roll(4) as usize],
                doubled: [0, 0, 20][roll(3) as usize],
                late: [0, 0, 20][roll(3) as usize],
                delay_ms: [0, 20, 100][roll(3) as usize],
                jitter_ms: [0, 5, 40][roll(3) as usize],
            };
        }
        if self.registry {
            weather.registry =
                [Registry::Quick, Registry::Quick, Registry::Late, Registry::Fails, Registry::Silent][roll(5) as usize];
        }
        if self.disk {
            weather.disk = [Disk::Works, Disk::Works, Disk::Fails, Disk::Stuck][roll(4) as usize];
        }
        if self.media {
            weather.faults = Faults { no_port: [0, 0, 15][roll(3) as usize], no_recording: [0, 20][roll(2) as usize] };
        }
        weather
    }
}

impl Weather {
    pub fn calm() -> Weather {
        Weather {
            lost: 0,
            doubled: 0,
            late: 0,
            registry: Registry::Quick,
            disk: Disk::Works,
            faults: Faults::default(),
            air: Air::default(),
        }
    }

    /// When the copies of a datagram arrive: none, one or two.
    pub fn way(&self, dice: &mut ChaCha12Rng, host: u16, reliable: bool) -> [Option<Duration>; 2] {
        // Always the same for one phone, so that nothing overtakes unless it is meant to.
        let usual = Duration::from_millis(3 + u64::from(host) * 7 % 40);
        let mut roll = || dice.next_u64() % 1000;
        if reliable || (self.lost, self.doubled, self.late) == (0, 0, 0) {
            return [Some(usual), None];
        }
        if roll() < self.lost {
            return [None, None];
        }
        let mut one =
            |usual: Duration| if roll() < self.late { usual + Duration::from_millis(roll() * 2) } else { usual };
        let first = one(usual);
        let second = one(usual + Duration::from_millis(1));
        [Some(first), (roll() < self.doubled).then_some(second)]
    }
}
