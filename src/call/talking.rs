//! With an agent: the conversation counts (mark t7) only when her RTP arrives, so that silence is never taken for a person.

use super::event::{CallTimer, Effect, Event, LineDirection};
use super::record::ReleasedBy;
use super::{Call, Place};
use crate::ids::{AgentId, QueueName};
use crate::promise::Closing;
use std::time::Duration;

/// An agent who has answered and of whom nothing is heard for so long is let go; the caller is back at the same ticket.
pub(super) const AGENT_MEDIA_WAIT: Duration = Duration::from_secs(5);

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Talking {
    pub agent: AgentId,
    queue: QueueName,
    heard: bool,
    recording: bool,
    held: bool,
}

impl Talking {
    pub fn new(agent: AgentId, queue: QueueName) -> Talking {
        Talking { agent, queue, heard: false, recording: false, held: false }
    }
}

impl Call {
    pub(super) fn talking_event(&mut self, event: Event) {
        let Place::Talking(talking) = &mut self.place else { return };
        match event {
            Event::AgentHeard if !talking.heard => self.conversation_begins(),
            Event::Timer(CallTimer::AgentMedia) if !talking.heard => {
                let (agent, queue) = (talking.agent.clone(), talking.queue.clone());
                self.trace(LineDirection::World, format!("agent {agent} is silent"));
                self.missed += 1;
                self.back_to_queue(queue, false);
            }
            Event::AgentLeft { lost } => self.agent_left(lost),
            Event::AgentHeld(held) => self.agent_holds(held),
            _ => {}
        }
    }

    fn conversation_begins(&mut self) {
        let Place::Talking(talking) = &mut self.place else { return };
        talking.heard = true;
        // Who answered faster than the notice could be spoken is not recorded: the caller is neither held up nor unaware.
        let wanted = self.plan.queue(&talking.queue).is_some_and(|queue| queue.record);
        let records = wanted && self.notice_heard;
        talking.recording = records;
        if wanted && !records {
            self.trace(LineDirection::Engine, "no recording, the notice was not heard".into());
        }
        self.marks.speaking = self.marks.speaking.or(Some(self.now.time));
        self.effects.push(Effect::Clear(CallTimer::AgentMedia));
        self.close_promise(Closing::Conversation);
        self.effects.push(Effect::Speaking);
        if records {
            self.messages += 1;
            let file = format!("{}-talk-{}.wav", self.id, self.messages);
            self.recordings.push(file.clone());
            self.trace(LineDirection::Engine, "record conversation".into());
            self.effects.push(Effect::RecordTalk { file });
        }
    }

    /// Silence would be taken for the end of the call.
    fn agent_holds(&mut self, held: bool) {
        let Place::Talking(talking) = &mut self.place else { return };
        if std::mem::replace(&mut talking.held, held) == held {
            return;
        }
        if held {
            let queue = talking.queue.clone();
            self.trace(LineDirection::Engine, "music while the agent holds".into());
            self.music_of(&queue);
        } else {
            self.quiet();
        }
    }

    /// Her hanging up ends the call; her vanishing, or her leaving before a word, brings the caller back to the ticket.
    pub(super) fn agent_left(&mut self, lost: bool) {
        let Place::Talking(talking) = &self.place else { return };
        let Talking { agent, queue, heard, recording, .. } = talking.clone();
        let what = if lost { "is lost" } else { "hangs up" };
        self.trace(LineDirection::World, format!("agent {agent} {what}"));
        self.effects.push(Effect::Clear(CallTimer::AgentMedia));
        if recording {
            self.effects.push(Effect::StopRecord { cut_tail: Duration::ZERO });
        }
        if heard && !lost {
            self.finish(ReleasedBy::Agent, 16);
        } else {
            self.back_to_queue(queue, heard);
        }
    }
}
