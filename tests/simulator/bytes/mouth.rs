//! What a leg says, packet by packet: one SSRC, numbers that rise by one, timestamps that fit them and the clock.
//!
//! What is passed on from a bridge partner keeps the partner's gaps and order: its numbers and timestamps are moved by an
//! offset, which may change only where a listener would not notice (another source, a pause, a jump).

use super::wire::Rtp;
use onekey::time::Time;

/// Timestamps may be so far from the clock where a talk spurt begins: a frame that was planned and not sent.
const SLACK: i32 = 170;
/// Numbers remembered.
const REMEMBERED: usize = 256;
/// Past jumps of so many numbers or (nearly) 2 s of drift a relay may begin anew.
const JUMP: i32 = 490;
const STRAY: i32 = 15_800;

#[derive(Debug)]
pub struct Mouth {
    pub packets: u64,
    pub newest: Option<u16>,
    /// The partner's numbers go on from no offset: something else was sent, or the bridge is new.
    pub relay_is_over: bool,
    /// It may or may not go on: a play was ordered, and perhaps never began.
    pub relay_may_be_over: bool,
    /// Packets of the partner that were rightly not passed on, since the last one that was.
    left_out: u16,
    /// The offset was set by a packet that was not passed on.
    blind: bool,
    /// What came before a Start went out in one burst: its timestamps are ahead of the clock until it is set anew.
    pub burst: bool,
    ssrc: u32,
    /// After the last sample sent.
    end: u32,
    /// A moment and its timestamp, from the first packet whose timestamp was the time's.
    clock: Option<(Time, u32)>,
    relay: Option<Relay>,
    /// By number: itself, and the source's SSRC and number.
    sent: Box<[(u16, u32, u16); REMEMBERED]>,
}

#[derive(Clone, Copy, Debug)]
struct Relay {
    ssrc: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
    newest: u16,
}

impl Default for Mouth {
    fn default() -> Mouth {
        Mouth {
            packets: 0,
            newest: None,
            relay_is_over: true,
            relay_may_be_over: false,
            left_out: 0,
            blind: false,
            burst: false,
            ssrc: 0,
            end: 0,
            clock: None,
            relay: None,
            sent: Box::new([(0, 0, 0); REMEMBERED]),
        }
    }
}

impl Mouth {
    /// Is this packet of the partner's stream newer than all that were passed on, so that it must be passed on?
    pub fn is_newer(&self, rtp: &Rtp<'_>) -> bool {
        let relay = self.relay.filter(|relay| relay.ssrc == rtp.ssrc);
        self.relay_is_over || relay.is_none_or(|relay| step(relay.newest, rtp.sequence) > 0)
    }

    /// A packet of the leg's own (a prompt, a key). `begins`: a talk spurt or a key may begin here; `samples`: its length.
    pub fn own(&mut self, now: Time, rtp: &Rtp<'_>, begins: bool, samples: u32) -> Result<(), &'static str> {
        let first = self.first(now, rtp);
        self.relay_is_over = true;
        let in_order = first || self.newest.is_some_and(|newest| step(newest, rtp.sequence) == 1);
        let continues = rtp.timestamp == self.end && !rtp.marker;
        let in_time = first || continues || begins && self.begins_in_time(now, rtp.timestamp);
        self.count(rtp, samples, (0, 0));
        match () {
            () if rtp.ssrc != self.ssrc => Err("its SSRC has changed"),
            () if !in_order => Err("its numbers do not rise by one"),
            () if !in_time => Err("its timestamp fits neither its number nor the time"),
            () => Ok(()),
        }
    }

    /// A further packet of a key of our own, whose timestamp stays.
    pub fn own_repeat(&mut self, rtp: &Rtp<'_>, samples: u32) -> Result<(), &'static str> {
        let in_order = self.newest.is_some_and(|newest| step(newest, rtp.sequence) == 1);
        self.count(rtp, samples, (0, 0));
        if rtp.ssrc != self.ssrc {
            return Err("its SSRC has changed");
        }
        if in_order { Ok(()) } else { Err("the numbers of its key do not rise by one") }
    }

    /// A packet of the partner is not for this leg's peer; those after it close the gap.
    pub fn leave_out(&mut self, now: Time, source: &Rtp<'_>) {
        let relay = self.relay.filter(|relay| !self.relay_is_over && relay.ssrc == source.ssrc);
        let goes_on = relay.filter(|relay| !self.may_begin_anew(now, *relay, source));
        let Rtp { ssrc, sequence, .. } = *source;
        match (goes_on, &mut self.relay) {
            (Some(_), Some(relay)) => {
                self.left_out += 1;
                if step(relay.newest, sequence) > 0 {
                    relay.newest = sequence;
                }
            }
            (_, relay) => {
                *relay = Some(Relay { ssrc, sequence_offset: 0, timestamp_offset: 0, newest: sequence });
                (self.relay_is_over, self.blind) = (false, true);
            }
        }
    }

    /// A packet that is `source` passed on.
    pub fn relayed(&mut self, now: Time, rtp: &Rtp<'_>, source: &Rtp<'_>, samples: u32) -> Result<(), &'static str> {
        let first = self.first(now, rtp);
        let sequence_offset = rtp.sequence.wrapping_sub(source.sequence);
        let timestamp_offset = rtp.timestamp.wrapping_sub(source.timestamp);
        let relay = self.relay.filter(|relay| !self.relay_is_over && relay.ssrc == source.ssrc);
        let in_time = |relay: Relay| relay.timestamp_offset == timestamp_offset;
        let in_order = |relay: Relay| relay.sequence_offset.wrapping_sub(sequence_offset) <= self.left_out;
        let verdict = match relay {
            _ if rtp.ssrc != self.ssrc => Err("its SSRC has changed"),
            Some(_) if self.blind => Ok(()),
            Some(relay) if in_time(relay) && in_order(relay) => Ok(()),
            Some(relay) if self.may_begin_anew(now, relay, source) => self.begins_anew(now, rtp, samples, first),
            Some(relay) if in_time(relay) => Err("its numbers do not show the source's gaps"),
            Some(_) => Err("its timestamps do not follow the source's"),
            None => self.begins_anew(now, rtp, samples, first),
        };
        let used = self.sent[usize::from(rtp.sequence) % REMEMBERED];
        let old = !first && self.newest.is_some_and(|newest| step(newest, rtp.sequence) <= 0);
        let again = old && used.0 == rtp.sequence && (used.1, used.2) != (source.ssrc, source.sequence);
        let newest = match relay {
            Some(relay) if step(relay.newest, source.sequence) < 0 => relay.newest,
            _ => source.sequence,
        };
        self.relay = Some(Relay { ssrc: source.ssrc, sequence_offset, timestamp_offset, newest });
        (self.relay_is_over, self.relay_may_be_over) = (false, false);
        (self.left_out, self.blind) = (0, false);
        self.count(rtp, samples, (source.ssrc, source.sequence));
        if again { Err("it gives two packets one number") } else { verdict }
    }

    fn begins_anew(&mut self, now: Time, rtp: &Rtp<'_>, samples: u32, first: bool) -> Result<(), &'static str> {
        if samples > 0 && !rtp.marker {
            return Err("it begins anew without a marker");
        }
        if !first && self.newest.is_some_and(|newest| step(newest, rtp.sequence) != 1) {
            return Err("it begins anew with a number that does not follow");
        }
        let in_time = first || self.begins_in_time(now, rtp.timestamp);
        let burst = self.burst;
        self.burst &= !in_time;
        if in_time || burst { Ok(()) } else { Err("it begins anew at a wrong time") }
    }

    fn may_begin_anew(&self, now: Time, relay: Relay, source: &Rtp<'_>) -> bool {
        if self.relay_may_be_over {
            return true;
        }
        let Some(clock) = self.clock_at(now) else { return true };
        let stray = source.timestamp.wrapping_add(relay.timestamp_offset).wrapping_sub(clock) as i32;
        step(relay.newest, source.sequence).abs() > JUMP || stray.abs() > STRAY
    }

    fn begins_in_time(&mut self, now: Time, timestamp: u32) -> bool {
        let Some(clock) = self.clock_at(now) else {
            let ahead = timestamp.wrapping_sub(self.end) as i32;
            // Right behind what was said it shows nothing of the time.
            self.clock = (ahead > 0).then_some((now, timestamp));
            return ahead >= 0;
        };
        let pause = clock.wrapping_sub(self.end) as i32;
        let due = if pause > 0 { clock } else { self.end };
        timestamp.wrapping_sub(self.end) as i32 >= 0 && (timestamp.wrapping_sub(due) as i32).abs() <= SLACK
    }

    fn clock_at(&self, now: Time) -> Option<u32> {
        self.clock.map(|(then, timestamp)| timestamp.wrapping_add((now.since(then).as_micros() / 125) as u32))
    }

    /// The first packet of all sets the leg's SSRC, and its clock unless it follows one that was not passed on.
    fn first(&mut self, now: Time, rtp: &Rtp<'_>) -> bool {
        let first = self.newest.is_none();
        if first {
            (self.ssrc, self.end) = (rtp.ssrc, rtp.timestamp);
            self.clock = (!self.blind).then_some((now, rtp.timestamp));
        }
        first
    }

    fn count(&mut self, rtp: &Rtp<'_>, samples: u32, source: (u32, u16)) {
        self.packets += 1;
        let end = rtp.timestamp.wrapping_add(samples);
        if end.wrapping_sub(self.end) as i32 > 0 {
            self.end = end;
        }
        if self.newest.is_none_or(|newest| step(newest, rtp.sequence) > 0) {
            self.newest = Some(rtp.sequence);
        }
        self.sent[usize::from(rtp.sequence) % REMEMBERED] = (rtp.sequence, source.0, source.1);
    }

    pub fn ssrc(&self) -> Option<u32> {
        self.newest.map(|_| self.ssrc)
    }
}

/// From one number to another, round the end.
fn step(from: u16, to: u16) -> i32 {
    i32::from(to.wrapping_sub(from) as i16)
}
