//! The reference model: the obvious, slow truth of who waits since when with which ticket and which agent is free, made
//! from what anybody outside could see (DESIGN §8), and compared with the engine after every fact.

use onekey::engine::snapshot::Snapshot;
use onekey::ids::{AgentId, CallId, QueueName};
use onekey::step::queue::{Queue, Strategy};
use onekey::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Something that has happened, as the traces and the wire show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    Joined {
        call: CallId,
        queue: QueueName,
        caller: Option<String>,
        flagged: bool,
        held: bool,
    },
    /// It was said that this queue cannot take the caller.
    Refused {
        call: CallId,
        queue: QueueName,
    },
    /// Hung up, cut, or gone another way (call-back).
    Left(CallId),
    /// Sent away because nobody serves.
    Deserted(CallId),
    Held(CallId, bool),
    LoggedIn(AgentId),
    LoggedOut(AgentId),
    Removed(AgentId),
    /// She has dialled *40 or *41.
    Away(AgentId, bool),
    /// Her phone rang in vain. `by_us`: for want of a port; `by_time`: nothing has come, time has passed.
    Missed {
        call: CallId,
        agent: AgentId,
        by_us: bool,
        by_time: bool,
    },
    Answered {
        call: CallId,
        agent: AgentId,
    },
    /// She is gone, and the caller is back.
    GivenBack(CallId),
    /// Her sound has come.
    Speaking(CallId),
}

#[derive(Clone, Debug)]
struct Caller {
    call: CallId,
    queue: QueueName,
    /// Microseconds; joining less the head start. Then the order of coming.
    order: (i64, u64),
    number: Option<String>,
    held: bool,
    rings: BTreeSet<AgentId>,
    with: Option<AgentId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doing {
    Offline,
    Free,
    Ringing(CallId, Time),
    Talking(CallId),
    Resting(Time),
    Away,
}

#[derive(Clone, Debug)]
struct Person {
    doing: Doing,
    registered: bool,
    wants_away: bool,
    idle_since: Time,
    missed: u32,
}

/// A place that is kept for who dropped out.
#[derive(Clone, Debug)]
struct Kept {
    queue: QueueName,
    number: String,
    order: (i64, u64),
    left: Time,
}

#[derive(Debug, Default)]
pub struct Truth {
    queues: BTreeMap<QueueName, Queue>,
    callers: Vec<Caller>,
    people: BTreeMap<AgentId, Person>,
    kept: Vec<Kept>,
    joined: u64,
    /// Since when callers wait in a queue that nobody serves.
    deserted: BTreeMap<QueueName, Time>,
    pub wrong: Vec<String>,
}

impl Truth {
    /// The settings that hold from now on.
    pub fn learn<'a>(&mut self, queues: impl Iterator<Item = &'a Queue>) {
        self.queues.extend(queues.map(|queue| (queue.name.clone(), queue.clone())));
    }

    /// Who is in a queue and with nobody.
    pub fn waiting(&self) -> impl Iterator<Item = CallId> {
        self.callers.iter().filter(|caller| caller.with.is_none()).map(|caller| caller.call)
    }

    /// Waiting or with an agent.
    pub fn has(&self, call: CallId) -> bool {
        self.callers.iter().any(|caller| caller.call == call)
    }

    /// What happened at this moment. Of what is due at the same microsecond callers come first, then ringing that has
    /// lasted long enough, then rests that are over, then queues that nobody serves.
    pub fn moment(&mut self, now: Time, mut facts: Vec<Fact>) {
        facts.sort_by_key(|fact| match fact {
            Fact::Deserted(_) => 2,
            fact => i32::from(self.is_rung_out(now, fact)),
        });
        for fact in facts {
            if matches!(fact, Fact::Deserted(_)) {
                self.time_passes(now);
            }
            self.happens(now, fact);
        }
        self.time_passes(now);
        self.ring(now);
    }

    fn is_rung_out(&self, now: Time, fact: &Fact) -> bool {
        let Fact::Missed { agent, .. } = fact else { return false };
        let doing = self.people.get(agent).map(|person| person.doing);
        matches!(doing, Some(Doing::Ringing(_, until)) if until <= now)
    }

    pub fn happens(&mut self, now: Time, fact: Fact) {
        self.apply(now, fact);
        self.ring(now);
    }

    fn apply(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::Joined { call, queue, caller, flagged, held } => self.join(now, call, queue, caller, flagged, held),
            Fact::Refused { call, queue } => self.refused(call, &queue),
            Fact::Left(call) => self.leave(now, call),
            Fact::Deserted(call) => {
                if let Some(caller) = self.take(call) {
                    if self.queues.get(&caller.queue).is_some_and(|queue| self.staffed(queue) > 0) {
                        self.wrong
                            .push(format!("{call} is sent away from queue {} as deserted: it is not", caller.queue));
                    }
                    self.all_stop(&caller);
                }
            }
            Fact::Held(call, held) => {
                let Some(caller) = self.callers.iter_mut().find(|caller| caller.call == call) else { return };
                caller.held = held;
                let rings = if held { std::mem::take(&mut caller.rings) } else { BTreeSet::new() };
                rings.iter().for_each(|agent| self.free(agent, Doing::Free));
            }
            Fact::LoggedIn(agent) => self.logged_in(now, agent),
            Fact::LoggedOut(agent) => self.logged_out(&agent),
            Fact::Removed(agent) => {
                self.logged_out(&agent);
                self.people.retain(|known, person| *known != agent || person.doing != Doing::Offline);
            }
            Fact::Away(agent, away) => self.wants_away(now, &agent, away),
            Fact::Missed { call, agent, by_us, by_time } => {
                if let (true, Some(Doing::Ringing(_, until))) = (by_time, self.people.get(&agent).map(|one| one.doing))
                    && until > now
                {
                    self.wrong
                        .push(format!("{agent} is not rung for as long as she should be: {:?} less", until - now));
                }
                self.missed(now, call, &agent, by_us);
            }
            Fact::Answered { call, agent } => self.answered(call, &agent),
            Fact::GivenBack(call) => self.given_back(now, call),
            Fact::Speaking(call) => {
                let with =
                    self.callers.iter().find(|caller| caller.call == call).and_then(|caller| caller.with.clone());
                if let Some(person) = with.and_then(|agent| self.people.get_mut(&agent)) {
                    person.missed = 0;
                }
            }
        }
    }

    fn join(&mut self, now: Time, call: CallId, queue: QueueName, number: Option<String>, flagged: bool, held: bool) {
        if self.has(call) {
            return;
        }
        let Some(settings) = self.queues.get(&queue).cloned() else {
            return self.wrong.push(format!("{call} joins queue {queue}, which nobody has heard of"));
        };
        if self.staffed(&settings) == 0 || self.waiting_in(&queue) >= settings.length_max {
            self.wrong.push(format!("{call} may join queue {queue}, which is full or deserted"));
        }
        self.joined += 1;
        let head_start =
            if flagged { settings.ages_every * u32::from(settings.flagged_priority) } else { Default::default() };
        let mut order = (now.as_micros() as i64 - head_start.as_micros() as i64, self.joined);
        if let Some(number) = &number
            && let Some(at) = self.kept.iter().position(|kept| kept.queue == queue && kept.number == *number)
        {
            let kept = self.kept.remove(at);
            if now.since(kept.left) <= settings.keep_place {
                order = kept.order;
            }
        }
        self.callers.push(Caller { call, queue, order, number, held, rings: BTreeSet::new(), with: None });
    }

    fn refused(&mut self, call: CallId, queue: &QueueName) {
        let Some(settings) = self.queues.get(queue) else { return };
        if self.staffed(settings) > 0 && self.waiting_in(queue) < settings.length_max {
            self.wrong.push(format!("{call} is sent away from queue {queue}, which could serve"));
        }
    }

    fn take(&mut self, call: CallId) -> Option<Caller> {
        let at = self.callers.iter().position(|caller| caller.call == call)?;
        Some(self.callers.remove(at))
    }

    fn leave(&mut self, now: Time, call: CallId) {
        let Some(caller) = self.take(call) else { return };
        if let Some(agent) = &caller.with {
            let rest = self.queues.get(&caller.queue).map_or(Default::default(), |queue| queue.wrap_up);
            return self.rests(now, agent, rest);
        }
        // Who has dialled again on another line while this one was dying gets the older place.
        let own = |other: &&mut Caller| {
            other.with.is_none()
                && other.queue == caller.queue
                && other.number == caller.number
                && other.order >= caller.order
        };
        let same_person = self.callers.iter_mut().filter(own).min_by_key(|other| other.order);
        match (&caller.number, same_person) {
            (Some(_), Some(other)) => other.order = caller.order,
            (Some(number), None) => {
                self.kept.retain(|kept| kept.queue != caller.queue || kept.number != *number);
                let (queue, number, order) = (caller.queue.clone(), number.clone(), caller.order);
                self.kept.push(Kept { queue, number, order, left: now });
            }
            (None, _) => {}
        }
        self.all_stop(&caller);
    }

    fn all_stop(&mut self, caller: &Caller) {
        for agent in &caller.rings {
            self.free(agent, Doing::Free);
        }
    }

    /// What she does next, unless she is gone or wants to be away.
    fn free(&mut self, agent: &AgentId, next: Doing) {
        let Some(person) = self.people.get_mut(agent) else { return };
        person.doing = match (person.registered, person.wants_away) {
            (false, _) => Doing::Offline,
            (true, true) => Doing::Away,
            (true, false) => next,
        };
        person.wants_away = false;
    }

    fn rests(&mut self, now: Time, agent: &AgentId, rest: std::time::Duration) {
        self.free(agent, if rest.is_zero() { Doing::Free } else { Doing::Resting(now + rest) });
        if let Some(person) = self.people.get_mut(agent) {
            person.idle_since = now;
        }
    }

    fn logged_in(&mut self, now: Time, agent: AgentId) {
        let fresh = Person { doing: Doing::Offline, registered: false, wants_away: false, idle_since: now, missed: 0 };
        let person = self.people.entry(agent).or_insert(fresh);
        person.registered = true;
        if person.doing == Doing::Offline {
            *person = Person { doing: Doing::Free, registered: true, wants_away: false, idle_since: now, missed: 0 };
        }
    }

    fn logged_out(&mut self, agent: &AgentId) {
        let Some(person) = self.people.get_mut(agent) else { return };
        person.registered = false;
        if !matches!(person.doing, Doing::Ringing(..) | Doing::Talking(_)) {
            person.doing = Doing::Offline;
        }
    }

    fn wants_away(&mut self, now: Time, agent: &AgentId, away: bool) {
        let Some(person) = self.people.get_mut(agent) else { return };
        match (person.doing, away) {
            (Doing::Ringing(..) | Doing::Talking(_), _) => person.wants_away = away,
            (Doing::Offline, _) => {}
            (_, true) => person.doing = Doing::Away,
            (Doing::Away, false) => {
                *person = Person { doing: Doing::Free, missed: 0, idle_since: now, ..person.clone() };
            }
            (_, false) => person.wants_away = false,
        }
    }

    fn missed(&mut self, now: Time, call: CallId, agent: &AgentId, by_us: bool) {
        let Some(caller) = self.callers.iter_mut().find(|caller| caller.call == call) else { return };
        if !caller.rings.remove(agent) {
            return self.wrong.push(format!("{call} was missed by {agent}, whose phone did not ring for it"));
        }
        let queue = caller.queue.clone();
        self.counts_as_missed(agent, &queue, by_us);
        let rest = self.queues.get(&queue).map_or(Default::default(), |queue| queue.wrap_up);
        self.rests(now, agent, rest);
    }

    fn counts_as_missed(&mut self, agent: &AgentId, queue: &QueueName, by_us: bool) {
        let most = self.queues.get(queue).map_or(u32::MAX, |queue| queue.missed_max.into());
        if let Some(person) = self.people.get_mut(agent).filter(|_| !by_us) {
            person.missed += 1;
            person.wants_away |= person.missed >= most;
        }
    }

    fn answered(&mut self, call: CallId, agent: &AgentId) {
        let Some(caller) = self.callers.iter_mut().find(|caller| caller.call == call) else {
            return self.wrong.push(format!("{agent} answers {call}, which does not wait"));
        };
        if !caller.rings.remove(agent) || caller.with.is_some() {
            self.wrong.push(format!("{agent} has {call} without having been rung for it"));
        }
        caller.with = Some(agent.clone());
        let others = std::mem::take(&mut caller.rings);
        others.iter().for_each(|other| self.free(other, Doing::Free));
        if let Some(person) = self.people.get_mut(agent) {
            person.doing = Doing::Talking(call);
        }
    }

    fn given_back(&mut self, now: Time, call: CallId) {
        let Some(caller) = self.callers.iter_mut().find(|caller| caller.call == call) else { return };
        let Some(agent) = caller.with.take() else { return };
        let queue = caller.queue.clone();
        self.counts_as_missed(&agent, &queue, false);
        let rest = self.queues.get(&queue).map_or(Default::default(), |queue| queue.wrap_up);
        self.rests(now, &agent, rest);
    }

    fn serves<'a>(&'a self, queue: &'a Queue) -> impl Iterator<Item = (u8, &'a AgentId, &'a Person)> {
        self.people.iter().filter_map(|(agent, person)| {
            if queue.agents.is_empty() {
                return Some((1, agent, person));
            }
            let (_, level) = queue.agents.iter().find(|(named, _)| named == agent)?;
            Some((*level, agent, person))
        })
    }

    fn staffed(&self, queue: &Queue) -> usize {
        let there = |person: &Person| {
            person.registered && !person.wants_away && !matches!(person.doing, Doing::Away | Doing::Offline)
        };
        self.serves(queue).filter(|(_, _, person)| there(person)).count()
    }

    fn waiting_in(&self, queue: &QueueName) -> usize {
        self.callers.iter().filter(|caller| caller.queue == *queue && caller.with.is_none()).count()
    }

    /// Rests that are over by now, one after the other: who is free first is rung first.
    fn time_passes(&mut self, now: Time) {
        let over = |person: &Person| matches!(person.doing, Doing::Resting(until) if until <= now);
        let rested: Vec<AgentId> =
            self.people.iter().filter(|(_, person)| over(person)).map(|(agent, _)| agent.clone()).collect();
        for agent in rested {
            self.free(&agent, Doing::Free);
            self.ring(now);
        }
    }

    /// Rings whoever is free for whoever is next, until nobody is left of either.
    fn ring(&mut self, now: Time) {
        self.callers.sort_by_key(|caller| caller.order);
        while let Some((at, agents)) = self.next_to_ring() {
            let caller = &mut self.callers[at];
            let until = now + self.queues[&caller.queue].ring_timeout;
            caller.rings.extend(agents.iter().cloned());
            let call = caller.call;
            for agent in agents {
                if let Some(person) = self.people.get_mut(&agent) {
                    person.doing = Doing::Ringing(call, until);
                }
            }
        }
        self.nobody_waits_for_nobody(now);
    }

    fn next_to_ring(&self) -> Option<(usize, Vec<AgentId>)> {
        let waits = |caller: &Caller| caller.with.is_none() && caller.rings.is_empty() && !caller.held;
        for (at, caller) in self.callers.iter().enumerate().filter(|(_, caller)| waits(caller)) {
            let queue = &self.queues[&caller.queue];
            let mut free: Vec<_> = self.serves(queue).filter(|(_, _, person)| person.doing == Doing::Free).collect();
            free.sort_by_key(|(level, agent, person)| (*level, person.missed, person.idle_since, *agent));
            if queue.strategy == Strategy::LongestIdle {
                free.truncate(1);
            }
            if !free.is_empty() {
                return Some((at, free.into_iter().map(|(_, agent, _)| agent.clone()).collect()));
            }
        }
        None
    }

    fn nobody_waits_for_nobody(&mut self, now: Time) {
        for queue in self.queues.values() {
            if self.waiting_in(&queue.name) == 0 || self.staffed(queue) > 0 {
                self.deserted.remove(&queue.name);
                continue;
            }
            let since = *self.deserted.entry(queue.name.clone()).or_insert(now);
            if now.since(since) > queue.unstaffed_after {
                self.wrong.push(format!("callers wait in queue {} although nobody has served it for long", queue.name));
            }
        }
    }

    /// Does the engine believe the same?
    pub fn compare(&mut self, now: Time, seen: &Snapshot) {
        for (agent, person) in &self.people {
            let (state, call) = match person.doing {
                Doing::Offline => ("offline", None),
                Doing::Free => ("available", None),
                Doing::Ringing(call, _) => ("ringing", Some(call)),
                Doing::Talking(call) => ("on_call", Some(call)),
                Doing::Resting(_) => ("wrap_up", None),
                Doing::Away => ("away", None),
            };
            if let Doing::Ringing(call, until) = person.doing
                && until < now
            {
                self.wrong.push(format!("{agent} is still rung for {call}, {:?} too long", now.since(until)));
            }
            match seen.agents.get(agent) {
                Some(view) if (view.state, view.call) == (state, call) => {}
                Some(view) => {
                    let (theirs, of) = (view.state, view.call);
                    self.wrong.push(format!("{agent} is {state} {call:?}, the engine says {theirs} {of:?}"));
                }
                None => self.wrong.push(format!("the engine does not know {agent}, who is {state}")),
            }
        }
        for agent in seen.agents.keys().filter(|agent| !self.people.contains_key(*agent)) {
            self.wrong.push(format!("the engine knows {agent}, who was never there"));
        }
        self.compare_queues(seen);
    }

    fn compare_queues(&mut self, seen: &Snapshot) {
        for name in self.queues.keys() {
            let mut waiting: Vec<&Caller> =
                self.callers.iter().filter(|caller| caller.queue == *name && caller.with.is_none()).collect();
            waiting.sort_by_key(|caller| caller.order);
            let ours = waiting.iter().map(|caller| caller.call);
            let theirs = seen.queues.get(name).map_or(&[][..], |view| &view.calls);
            if !ours.clone().eq(theirs.iter().copied()) {
                let ours: Vec<CallId> = ours.collect();
                self.wrong.push(format!("in queue {name} wait {ours:?}, the engine says {theirs:?}"));
            }
        }
    }
}
