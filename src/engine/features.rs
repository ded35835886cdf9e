//! Feature codes that agents dial on their own phones: `*40` away, `*41` available.

use super::Engine;
use super::incoming::refusal;
use super::legs::{Leg, Role};
use crate::ids::{AgentId, LegId, PlayId};
use crate::media::command::MediaCommand;
use crate::prompt::spoken;
use crate::sip::Invitation;
use crate::sip::stack::EndReason;
use std::sync::Arc;

/// What an agent wants by a code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Feature {
    agent: AgentId,
    away: bool,
}

impl Engine {
    /// Only a phone that is provably an agent's has features; to all others the code is an unknown number.
    pub(super) fn feature_code(&self, invitation: &Invitation) -> Option<Feature> {
        let agent = invitation.from_agent.clone()?;
        match invitation.dialled.as_str() {
            "*40" => Some(Feature { agent, away: true }),
            "*41" => Some(Feature { agent, away: false }),
            _ => None,
        }
    }

    pub(super) fn begin_feature(&mut self, invitation: Invitation, feature: Feature) {
        let leg = invitation.leg;
        let worker = self.quietest_worker();
        let address = self.media_address(invitation.flow.local.ip());
        let Feature { agent, away } = feature;
        self.with_queues(|queues, now, out| queues.set_away(now, &agent, away, out));
        let signals_from = self.signals_from(&invitation.flow);
        let mut held = Leg::new(Role::Feature { away }, worker, address, signals_from);
        held.remember_offer(invitation.offer);
        self.open_leg(leg, held);
    }

    /// 200 with our answer, or with our offer where the phone made none: then the words wait for its ACK.
    pub(super) fn answer_feature(&mut self, id: LegId, away: bool) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let offer = leg.take_offer();
        if offer.is_empty() {
            let ours = leg.offer().unwrap_or_default();
            return self.with_sip(|sip, out| sip.answer(now, id, ours, out));
        }
        match leg.answer(&offer) {
            Ok((answer, format)) => {
                self.with_sip(|sip, out| sip.answer(now, id, answer, out));
                self.start_media(id, format);
                self.confirm_feature(id, away);
            }
            Err(refused) => self.end_leg(id, refusal(refused.status)),
        }
    }

    /// A few words say what is now, and the call ends.
    pub(super) fn confirm_feature(&mut self, id: LegId, away: bool) {
        let words = if away { spoken::AGENT_AWAY } else { spoken::AGENT_AVAILABLE };
        let language = self.dialplan.lines.values().next().map(|line| line.language.clone());
        let language = language.as_ref().map_or("en", |language| language.as_str());
        let found = [words, spoken::TONE].iter().find_map(|id| self.prompts.get(language, id)).map(Arc::clone);
        match found {
            Some(prompt) => {
                self.media(id, MediaCommand::Play { leg: id, play: PlayId(1), prompts: vec![prompt], repeat: false });
            }
            None => self.end_leg(id, EndReason::Normal),
        }
    }
}
