//! A rehearsal without a script: somebody walks through the plan and says what people and the world do, act by act, and
//! what is done becomes a script. The engine, the phones and the time are those of every rehearsal.
//!
//! Acts happen at whole tenths of a second, each in a tenth of its own, because that is how a script tells time: what is
//! written down afterwards goes exactly as it went.

use super::seen::Seen;
use super::world::World;
use super::{CannotRun, Stage, set_up};
use crate::ids::AgentId;
use crate::script::{Act, AgentAct, Line, LookupSays, Script, What};
use std::time::Duration;

const TENTH: Duration = Duration::from_millis(100);
/// After the call's end, for what is still written into the ledger.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// [`Live::run_on`] gives up after so long: nothing more would be seen.
const NOTHING_MAX: Duration = Duration::from_secs(3600);

/// One call that is walked.
pub struct Live {
    world: World,
    script: Script,
    /// Everything until here has happened.
    ran: Duration,
}

impl Live {
    /// Places the call. `header` says who calls which line and when; its lines are not looked at. `more` are agents who
    /// may log in later.
    ///
    /// # Errors
    /// There is no such line, or the time is not one.
    pub fn begin(stage: &Stage, header: Script, more: &[AgentId]) -> Result<Live, CannotRun> {
        let call = Line { at: Duration::ZERO, what: What::Does(Act::Call), number: 0 };
        let script = Script { lines: vec![call], ..header };
        let mut world = set_up(stage, &script, more)?;
        world.seen = Some(Vec::new());
        let mut live = Live { world, script, ran: Duration::ZERO };
        live.run(Duration::ZERO);
        Ok(live)
    }

    /// Lets everything happen until then; less, where a look-up is asked: it must be answered first.
    pub fn run(&mut self, until: Duration) {
        self.world.run(until);
        self.ran = if self.waits_for_lookup().is_some() { self.world.at() } else { self.ran.max(until) };
    }

    /// Lets time pass until the next thing is seen.
    pub fn run_on(&mut self) {
        let until = self.ran + NOTHING_MAX;
        while !self.has_news() && self.waits_for_lookup().is_none() {
            let Some(next) = self.world.next_happening().filter(|next| *next <= until) else { return };
            self.run(next);
        }
    }

    /// Everything that happened until then is known.
    pub fn now(&self) -> Duration {
        self.ran
    }

    /// When something may happen by itself.
    pub fn next_happening(&self) -> Option<Duration> {
        self.world.next_happening()
    }

    /// What was seen since the last time it was asked, with its times.
    pub fn news(&mut self) -> Vec<(Duration, Seen)> {
        self.world.seen.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn has_news(&self) -> bool {
        let matters = |seen: &Seen| match seen {
            Seen::Walked(walk) => walk.awaits.is_some(),
            Seen::Heard | Seen::Stopped => false,
            _ => true,
        };
        self.world.seen.iter().flatten().any(|(_, seen)| matters(seen))
    }

    /// The name of the look-up that waits for its answer.
    pub fn waits_for_lookup(&self) -> Option<&str> {
        self.world.looked_up.keys().next().map(String::as_str)
    }

    pub fn is_over(&self) -> bool {
        self.world.caller.is_over()
    }

    /// Where the caller is, in the engine's words: `menu main`, `queue care`, `talking 1001`.
    pub fn place(&self) -> String {
        self.world.place().unwrap_or_else(|| "over".into())
    }

    /// Agents whose phones ring.
    pub fn ringing(&self) -> Vec<&AgentId> {
        self.world.agents.iter().filter(|(_, phone)| phone.rings()).map(|(agent, _)| agent).collect()
    }

    pub fn talking(&self) -> Option<&AgentId> {
        self.world.agents.iter().find(|(_, phone)| phone.talks()).map(|(agent, _)| agent)
    }

    pub fn party_rings(&self) -> bool {
        self.world.party.rings()
    }

    pub fn party_talks(&self) -> bool {
        self.world.party.talks()
    }

    /// All agents, each with whether a phone of theirs is registered.
    pub fn agents(&self) -> impl Iterator<Item = (&AgentId, bool)> {
        self.world.agents.iter().map(|(agent, phone)| (agent, phone.is_registered))
    }

    /// Somebody does something, in the next tenth of a second. An answer to a look-up is given at once.
    ///
    /// # Errors
    /// It cannot be done now; the words say why.
    pub fn act(&mut self, act: Act) -> Result<(), String> {
        if let Act::Lookup(name, says) = act {
            return self.answer(&name, says);
        }
        if let Some(name) = self.waits_for_lookup() {
            return Err(format!("look-up {name} waits for its answer: nothing else happens before"));
        }
        self.can(&act)?;
        let tenths = u32::try_from(self.ran.as_millis() / TENTH.as_millis()).unwrap_or(u32::MAX);
        let at = TENTH * tenths.saturating_add(1);
        // What happens in the same moment as an act comes after it, as in a script that is run.
        self.world.run(at.saturating_sub(Duration::from_micros(1)));
        self.ran = self.world.at().max(self.ran);
        if self.waits_for_lookup().is_some() {
            return Err("a look-up has been asked in this moment: answer it first".into());
        }
        self.can(&act)?;
        self.script.lines.push(Line { at, what: What::Does(act.clone()), number: 0 });
        self.world.act_at(at, act);
        self.run(at);
        Ok(())
    }

    fn answer(&mut self, name: &str, says: LookupSays) -> Result<(), String> {
        let Some(id) = self.world.looked_up.remove(name) else {
            return Err(format!("look-up {name} has not been asked"));
        };
        self.script.lookups.entry(name.to_owned()).or_default().push(says.clone());
        self.world.see(Seen::Did(Act::Lookup(name.to_owned(), says.clone())));
        self.world.look_up_says(id, &says);
        self.run(self.ran);
        Ok(())
    }

    fn can(&self, act: &Act) -> Result<(), String> {
        let no = |why: &str| Err(why.to_owned());
        let is_over = self.is_over();
        match act {
            Act::Call => no("the call has begun already"),
            Act::Press(_) | Act::Hold(..) | Act::HangUp | Act::Lost if is_over => no("the call is over"),
            Act::Agent(agent, does) => match self.world.agents.get(agent) {
                None => Err(format!("there is no agent {agent} here; --agents names who is there")),
                Some(phone) => {
                    let who = format!("agent {agent}");
                    let is_there = phone.is_registered;
                    can_do(&who, *does, is_there, phone.rings(), phone.talks())
                }
            },
            Act::Party(AgentAct::LogsIn | AgentAct::LogsOut) => no("whoever is dialled does not log in or out"),
            Act::Party(does) => {
                let party = &self.world.party;
                can_do("whoever is dialled", *does, true, party.rings(), party.talks())
            }
            _ => Ok(()),
        }
    }

    /// Lets the end of the call be written down, and gives the whole call as a script.
    pub fn finish(mut self) -> Script {
        self.run(self.ran + AFTERWARDS);
        let mut lines = self.script.lines;
        lines.extend(self.world.wished);
        // What people do stands before what it led to.
        lines.sort_by_key(|line| (line.at, matches!(line.what, What::Expects(_))));
        Script { lines, ..self.script }
    }
}

fn can_do(who: &str, does: AgentAct, is_there: bool, rings: bool, talks: bool) -> Result<(), String> {
    let good = match does {
        AgentAct::Answers | AgentAct::AnswersSilently | AgentAct::Rejects | AgentAct::DoesNotAnswer => rings,
        AgentAct::HangsUp | AgentAct::IsLost => talks,
        AgentAct::LogsIn => !is_there,
        AgentAct::LogsOut => is_there,
    };
    match (good, does) {
        (true, _) => Ok(()),
        (false, AgentAct::LogsIn) => Err(format!("{who} is logged in already")),
        (false, AgentAct::LogsOut) => Err(format!("{who} is not logged in")),
        (false, AgentAct::HangsUp | AgentAct::IsLost) => Err(format!("{who} talks with nobody")),
        (false, _) => Err(format!("{who} is not being rung")),
    }
}
