//! Who plays in a rehearsal: agents with their accounts and phones, and the engine's settings.

use super::phones::{self, AgentPhone};
use crate::engine::{EngineConfig, Remembered};
use crate::ids::{AgentId, CallId, PromiseId};
use crate::script::{Act, Script, What};
use crate::sip::SipConfig;
use crate::sip::digest;
use crate::sip::registrar::{AgentAccount, Binding, DigestChoice};
use crate::time::Wall;
use std::collections::BTreeMap;
use std::time::Duration;

/// Host number of the first agent's phone; the caller's is 1.
const FIRST_AGENT_HOST: u8 = 10;
const PARTY_HOST: u8 = 200;

/// Whoever a dialplan dials.
pub fn party() -> AgentPhone {
    AgentPhone::new(AgentId::new("party"), PARTY_HOST)
}

/// A phone for each agent of the script, and for `more`, who may come later.
pub fn phones(script: &Script, more: &[AgentId]) -> BTreeMap<AgentId, AgentPhone> {
    let phone = |(index, agent): (usize, AgentId)| {
        let mut phone = AgentPhone::new(agent.clone(), FIRST_AGENT_HOST.saturating_add(index as u8));
        phone.is_registered = script.agents.contains(&agent);
        (agent, phone)
    };
    all_agents(script, more).into_iter().enumerate().map(phone).collect()
}

/// What the store knew at the start: everybody's account, and the phones of those who are there.
pub fn remembered(script: &Script, agents: &BTreeMap<AgentId, AgentPhone>, start: Wall) -> Remembered {
    let known = |(id, phone): (&AgentId, &AgentPhone)| {
        let bindings = if script.agents.contains(id) { vec![binding(phone, id, start)] } else { vec![] };
        (account(id), bindings)
    };
    Remembered { agents: agents.iter().map(known).collect(), ..Remembered::default() }
}

/// Agents who are there from the start, and those who come later.
fn all_agents(script: &Script, more: &[AgentId]) -> Vec<AgentId> {
    let mut all = script.agents.clone();
    all.extend_from_slice(more);
    for line in &script.lines {
        if let What::Does(Act::Agent(agent, _)) = &line.what {
            all.push(agent.clone());
        }
    }
    all.sort();
    all.dedup();
    all
}

fn account(agent: &AgentId) -> AgentAccount {
    AgentAccount {
        agent: agent.clone(),
        ha1_md5: digest::ha1_md5(agent.as_str(), phones::REALM, phones::PASSWORD),
        ha1_sha256: digest::ha1_sha256(agent.as_str(), phones::REALM, phones::PASSWORD),
        digest: DigestChoice::Md5,
    }
}

fn binding(phone: &AgentPhone, agent: &AgentId, start: Wall) -> Binding {
    Binding {
        contact: phone.contact(),
        flow: phone.flow(),
        expires: start + Duration::from_secs(86_400),
        call_id: format!("register-{agent}"),
        cseq: 0,
    }
}

/// The engine as it is rehearsed: small bounds, known keys, one media worker.
pub fn config() -> EngineConfig {
    EngineConfig {
        sip: SipConfig {
            realm: phones::REALM.into(),
            advertised: None,
            trunks: Vec::new(),
            product: "Onekey".into(),
            registration_seconds_max: 3600,
            registration_seconds_min: 30,
            transactions_max: 1000,
            contacts_max: 4,
            strangers: Default::default(),
        },
        media_advertised: None,
        media_workers: 1,
        seed: [1; 32],
        registry_key: [2; 32],
        ledger_key: [3; 32],
        default_country: "US".into(),
        calls_max: 10,
        registry_deadline: Duration::from_millis(300),
        recordings: "recordings".into(),
        first_call: CallId(1),
        first_promise: PromiseId(1),
    }
}
