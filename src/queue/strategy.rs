//! Which of the free agents is rung for a caller.

use super::agent::{Agent, AgentState};
use crate::ids::AgentId;
use crate::step::queue::{Queue, Strategy};
use std::collections::BTreeMap;

/// The agents to ring now: one, or all for `ring_all`. A lower level goes first; within it who
/// has missed fewer calls in a row (a phone that has vanished must not cost the next caller a ring time too), then who has
/// been idle longest.
pub fn pick(queue: &Queue, agents: &BTreeMap<AgentId, Agent>) -> Vec<AgentId> {
    let mut free: Vec<(u8, &Agent, &AgentId)> =
        serving(queue, agents).filter(|(_, agent, _)| agent.state == AgentState::Available).collect();
    free.sort_by_key(|(level, agent, id)| (*level, agent.missed, agent.idle_since, *id));
    let most = match queue.strategy {
        Strategy::LongestIdle => 1,
        Strategy::RingAll => usize::MAX,
    };
    free.into_iter().take(most).map(|(_, _, id)| id.clone()).collect()
}

/// How many people serve this queue now, busy ones too.
pub fn staffed(queue: &Queue, agents: &BTreeMap<AgentId, Agent>) -> usize {
    serving(queue, agents).filter(|(_, agent, _)| agent.is_staffed()).count()
}

fn serving<'a>(
    queue: &'a Queue,
    agents: &'a BTreeMap<AgentId, Agent>,
) -> impl Iterator<Item = (u8, &'a Agent, &'a AgentId)> {
    agents.iter().filter_map(|(id, agent)| {
        let level =
            if queue.agents.is_empty() { 1 } else { queue.agents.iter().find(|(served_by, _)| served_by == id)?.1 };
        Some((level, agent, id))
    })
}
