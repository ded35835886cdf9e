//! The queue alone: order, head start, places kept, who is rung, and what becomes of agents.

use super::agent::AgentState;
use super::*;
use crate::step::queue::{Queue, Strategy};
use std::time::Duration;

struct Hall {
    queues: Queues,
    now: Time,
    settings: Queue,
    timers: BTreeMap<QueueTimer, Time>,
    seen: Vec<Effect>,
}

impl Hall {
    fn new() -> Hall {
        Hall {
            queues: Queues::default(),
            now: Time::from_millis(1_000_000),
            settings: Queue::named(QueueName::new("care")),
            timers: BTreeMap::new(),
            seen: Vec::new(),
        }
    }

    fn act(&mut self, act: impl FnOnce(&mut Queues, Time, &mut Vec<Effect>)) -> Vec<Effect> {
        let mut out = Vec::new();
        act(&mut self.queues, self.now, &mut out);
        for effect in &out {
            match effect {
                Effect::Set(timer, at) => drop(self.timers.insert(timer.clone(), *at)),
                Effect::Clear(timer) => drop(self.timers.remove(timer)),
                _ => self.seen.push(effect.clone()),
            }
        }
        out.retain(|effect| !matches!(effect, Effect::Set(..) | Effect::Clear(_)));
        out
    }

    fn agent(&mut self, name: &str) -> AgentId {
        let agent = AgentId::new(name);
        let id = agent.clone();
        self.act(|queues, now, out| queues.registered(now, &id, true, out));
        agent
    }

    fn join(&mut self, call: u64, flagged: bool) -> Vec<Effect> {
        self.join_as(call, None, flagged)
    }

    fn join_as(&mut self, call: u64, caller: Option<NumberHash>, flagged: bool) -> Vec<Effect> {
        let settings = self.settings.clone();
        self.act(|queues, now, out| {
            queues.join(now, CallId(call), &settings, caller, flagged).unwrap();
            queues.dispatch(now, out);
        })
    }

    fn answer(&mut self, call: u64, agent: &AgentId) {
        self.act(|queues, now, out| assert!(queues.answered(now, CallId(call), agent, out)));
        self.queues.speaking(CallId(call));
    }

    fn miss(&mut self, call: u64, agent: &AgentId) -> Vec<Effect> {
        self.act(|queues, now, out| queues.missed(now, CallId(call), agent, Miss::Rejected, out))
    }

    fn leave(&mut self, call: u64) -> Vec<Effect> {
        self.act(|queues, now, out| queues.leave(now, CallId(call), true, out))
    }

    /// Lets time pass and fires what is due, in order.
    fn wait(&mut self, seconds: u64) -> Vec<Effect> {
        let until = self.now + Duration::from_secs(seconds);
        let mut done = Vec::new();
        while let Some((timer, at)) = self
            .timers
            .iter()
            .filter(|(_, at)| **at <= until)
            .min_by_key(|(_, at)| **at)
            .map(|(t, at)| (t.clone(), *at))
        {
            self.now = at;
            self.timers.remove(&timer);
            done.extend(self.act(|queues, now, out| queues.timeout(now, timer, out)));
        }
        self.now = until;
        done
    }

    fn state(&self, agent: &AgentId) -> AgentState {
        self.queues.agent_state(agent).unwrap()
    }
}

fn ring(call: u64, agent: &AgentId) -> Effect {
    Effect::Ring { call: CallId(call), agent: agent.clone() }
}

#[test]
fn thirty_callers_and_one_agent_are_served_in_the_order_in_which_they_came() {
    let mut hall = Hall::new();
    let agent = hall.agent("1001");
    for call in 1..=30 {
        hall.join(call, false);
        hall.wait(1);
    }
    let mut served = Vec::new();
    while let AgentState::Ringing(call) = hall.state(&agent) {
        served.push(call.0);
        hall.answer(call.0, &agent);
        hall.wait(30);
        hall.leave(call.0);
        hall.wait(5);
    }
    assert_eq!(served, (1..=30).collect::<Vec<_>>());
}

#[test]
fn a_rejected_call_keeps_its_place_before_those_who_came_later() {
    let mut hall = Hall::new();
    let agent = hall.agent("1001");
    assert_eq!(hall.join(1, false), [ring(1, &agent)]);
    hall.join(2, false);
    hall.miss(1, &agent);
    assert_eq!(hall.queues.standing(CallId(1)).unwrap().place, 1);
    assert_eq!(hall.wait(5), [ring(1, &agent)]);
}

#[test]
fn a_flagged_caller_is_five_minutes_ahead_and_no_more() {
    let mut hall = Hall::new();
    hall.settings.length_max = 10;
    let agent = hall.agent("1001");
    hall.join(1, false);
    hall.answer(1, &agent);
    hall.join(2, false);
    hall.wait(120);
    hall.join(3, true);
    assert_eq!(hall.queues.standing(CallId(3)).unwrap().place, 1, "ahead of one who waits for 2 minutes");
    hall.wait(200);
    hall.join(4, true);
    assert_eq!(
        hall.queues.standing(CallId(4)).unwrap().place,
        3,
        "behind one who waits for 5 minutes 20: nobody starves"
    );
    assert_eq!(hall.queues.standing(CallId(3)).unwrap().place, 1, "an ordinary caller never passes one who was ahead");
}

#[test]
fn who_drops_and_dials_again_in_time_has_the_old_ticket() {
    let mut hall = Hall::new();
    let agent = hall.agent("1001");
    let caller = Some(NumberHash([7; 16]));
    hall.join(1, false);
    hall.answer(1, &agent);
    hall.join_as(2, caller, false);
    hall.join(3, false);
    hall.leave(2);
    hall.wait(240);
    hall.join_as(4, caller, false);
    assert_eq!(hall.queues.standing(CallId(4)).unwrap().place, 1);
    hall.leave(4);
    hall.wait(301);
    hall.join_as(5, caller, false);
    assert_eq!(hall.queues.standing(CallId(5)).unwrap().place, 2, "five minutes are over");
}

#[test]
fn the_agent_who_has_been_idle_longest_is_rung_and_a_lower_level_first() {
    let mut hall = Hall::new();
    let early = hall.agent("1002");
    hall.wait(10);
    let late = hall.agent("1001");
    assert_eq!(hall.join(1, false), [ring(1, &early)]);
    hall.leave(1);
    hall.settings.agents = vec![(early.clone(), 2), (late.clone(), 1)];
    assert_eq!(hall.join(2, false), [ring(2, &late)]);
}

#[test]
fn ring_all_rings_everyone_and_stops_the_others_when_one_answers() {
    let mut hall = Hall::new();
    hall.settings.strategy = Strategy::RingAll;
    let (one, two) = (hall.agent("1001"), hall.agent("1002"));
    let mut rung = hall.join(1, false);
    rung.sort_by_key(|effect| format!("{effect:?}"));
    assert_eq!(rung, [ring(1, &one), ring(1, &two)]);
    let told = hall.act(|queues, now, out| assert!(queues.answered(now, CallId(1), &two, out)));
    assert_eq!(told, [Effect::StopRinging { call: CallId(1), agent: one.clone(), elsewhere: true }]);
    assert_eq!(hall.state(&one), AgentState::Available);
}

#[test]
fn missed_calls_set_an_agent_away_and_she_comes_back_by_her_own_wish() {
    let mut hall = Hall::new();
    let agent = hall.agent("1001");
    hall.join(1, false);
    hall.wait(20);
    assert_eq!(hall.state(&agent), AgentState::WrapUp(hall.now + Duration::from_secs(5)), "one call missed: a rest");
    hall.wait(25);
    assert_eq!(hall.state(&agent), AgentState::Away, "two missed");
    let id = agent.clone();
    let rung = hall.act(|queues, now, out| queues.set_away(now, &id, false, out));
    assert_eq!(rung, [ring(1, &agent)]);
}

#[test]
fn an_agent_rests_after_a_call_before_the_next_one_rings() {
    let mut hall = Hall::new();
    let agent = hall.agent("1001");
    hall.join(1, false);
    hall.answer(1, &agent);
    hall.join(2, false);
    assert_eq!(hall.leave(1), []);
    assert_eq!(hall.wait(4), []);
    assert_eq!(hall.wait(1), [ring(2, &agent)]);
}

#[test]
fn a_silent_agent_gives_the_caller_back_at_the_same_ticket() {
    let mut hall = Hall::new();
    let (one, two) = (hall.agent("1001"), hall.agent("1002"));
    hall.join(1, false);
    hall.act(|queues, now, out| assert!(queues.answered(now, CallId(1), &one, out)));
    hall.wait(5);
    let told = hall.act(|queues, now, out| queues.give_back(now, CallId(1), out));
    assert_eq!(told, [ring(1, &two)]);
    assert_eq!(hall.queues.standing(CallId(1)).unwrap().place, 1);
}

#[test]
fn a_caller_on_hold_is_passed_over_and_not_lost() {
    let mut hall = Hall::new();
    let agent = hall.agent("1001");
    hall.join(9, false);
    hall.answer(9, &agent);
    hall.join(1, false);
    hall.join(2, false);
    hall.act(|queues, now, out| queues.hold(now, CallId(1), true, out));
    hall.leave(9);
    assert_eq!(hall.wait(5), [ring(2, &agent)]);
    hall.leave(2);
    let rung = hall.act(|queues, now, out| queues.hold(now, CallId(1), false, out));
    assert_eq!(rung, [ring(1, &agent)]);
}

#[test]
fn a_queue_without_people_takes_nobody_and_lets_go_of_those_who_wait() {
    let mut hall = Hall::new();
    assert_eq!(hall.queues.can_serve(&hall.settings), Err(Refusal::NobodyThere));
    let agent = hall.agent("1001");
    hall.join(1, false);
    hall.miss(1, &agent);
    let id = agent.clone();
    hall.act(|queues, now, out| queues.registered(now, &id, false, out));
    assert_eq!(hall.wait(59), []);
    assert_eq!(hall.wait(1), [Effect::Deserted { call: CallId(1) }]);
    assert!(!hall.queues.has(CallId(1)));
}

#[test]
fn a_full_queue_says_so() {
    let mut hall = Hall::new();
    hall.settings.length_max = 2;
    let agent = hall.agent("1001");
    hall.join(1, false);
    hall.answer(1, &agent);
    hall.join(2, false);
    hall.join(3, false);
    assert_eq!(hall.queues.can_serve(&hall.settings), Err(Refusal::Full));
}

#[test]
fn an_agent_who_logs_out_while_talking_is_gone_only_afterwards() {
    let mut hall = Hall::new();
    let agent = hall.agent("1001");
    hall.join(1, false);
    hall.answer(1, &agent);
    let id = agent.clone();
    hall.act(|queues, now, out| queues.registered(now, &id, false, out));
    assert_eq!(hall.state(&agent), AgentState::OnCall(CallId(1)));
    hall.leave(1);
    assert_eq!(hall.state(&agent), AgentState::Offline);
}
