//! What a phone makes of the messages that come, and what it complains of: answers to nothing, tags and sequence numbers
//! that change, an ACK for no 200, a second final answer.

use super::digest::proof;
use super::text::Text;
use super::{Dialog, Heard, MEMORY, PATIENCE, Phone, State};
use onekey::time::Time;

impl Phone {
    /// A message has arrived.
    pub fn receive(&mut self, now: Time, text: &str) {
        if !self.hears {
            return;
        }
        match Text::read(text) {
            Err(why) => self.wrong.push(format!("phone {} cannot read what it was sent: {why}\n{text}", self.host)),
            Ok(message) if message.status().is_some() => self.response(now, &message),
            Ok(message) => self.request(now, text, &message),
        }
    }

    /// Nothing came back for 32 seconds.
    pub(super) fn unanswered(&mut self, now: Time, call_id: &str, method: &str) {
        let Some(dialog) = self.dialogs.get(call_id) else { return };
        match (method, dialog.state) {
            ("INVITE", State::Calling | State::Cancelling) => {
                self.over(now, call_id);
                self.heard.push((call_id.to_owned(), Heard::Refused(408)));
            }
            ("INVITE" | "INFO", State::Up) => {
                // RFC 3261 §14.1: a dialog in which nothing is answered is dead; it is ended with a BYE.
                self.hang_up(now, call_id, "");
                self.heard.push((call_id.to_owned(), Heard::Ended));
            }
            _ => {}
        }
    }

    fn response(&mut self, now: Time, response: &Text<'_>) {
        let (branch, method) = (response.branch(), response.method());
        let Some(at) = self.asking.iter().position(|one| one.branch == branch && one.method == method) else {
            return self.late_response(response);
        };
        let status = response.status().unwrap_or_default();
        let call_id = self.asking[at].call_id.clone();
        if response.call_id() != call_id {
            self.wrong.push(format!("phone {}: {} answers {call_id}", self.host, response.call_id()));
        }
        if status < 200 {
            self.asking[at].progressing = method == "INVITE";
        } else {
            self.asking.remove(at);
        }
        self.tag_is_constant(&call_id, response);
        match method {
            "INVITE" if status >= 200 => self.invite_answered(now, &call_id, status, response),
            "REGISTER" if status >= 200 => self.register_answered(now, status, response),
            // Who is told that there is no such dialog has none.
            "INFO" | "UPDATE" if matches!(status, 481 | 408) => self.dialog_is_gone(now, &call_id),
            _ => {}
        }
    }

    /// Of a transaction that is over: a repeated 200 gets its ACK again; one that was never begun is a mistake.
    fn late_response(&mut self, response: &Text<'_>) {
        let ours = format!("z9hG4bK-{}-", self.host);
        let Some(rest) = response.branch().strip_prefix(&ours) else {
            return self.wrong.push(format!("phone {}: an answer to nothing: {}", self.host, response.start));
        };
        let mut numbers = rest.split('-').map(|number| number.parse::<u32>().unwrap_or(u32::MAX));
        let (boot, number) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        if boot == self.boots && number > self.branches {
            self.wrong.push(format!("phone {}: an answer to what was never asked: {}", self.host, response.start));
        }
        let status = response.status().unwrap_or_default();
        let Some(dialog) = self.dialogs.get(response.call_id()) else { return };
        if response.method() != "INVITE" || status < 200 || boot != self.boots {
            return;
        }
        let is_newest = response.cseq() == dialog.invite_cseq;
        if (200..300).contains(&status) && is_newest && !dialog.ack.is_empty() {
            self.say(dialog.ack.clone());
        } else if status >= 300 {
            self.acknowledge_refusal(response);
        }
    }

    fn tag_is_constant(&mut self, call_id: &str, response: &Text<'_>) {
        let tag = response.to_tag();
        let Some(dialog) = self.dialogs.get_mut(call_id) else { return };
        if tag.is_empty() || response.method() == "CANCEL" || !dialog.ours {
            return;
        }
        if dialog.their_tag.is_empty() {
            dialog.their_tag = tag.to_owned();
        } else if dialog.their_tag != tag && response.method() == "INVITE" && dialog.state == State::Up {
            let known = &dialog.their_tag;
            self.wrong.push(format!("phone {}: the To tag of {call_id} was {known} and is {tag}", self.host));
        }
    }

    fn invite_answered(&mut self, now: Time, call_id: &str, status: u16, response: &Text<'_>) {
        if status >= 300 {
            self.acknowledge_refusal(response);
        }
        let Some(dialog) = self.dialogs.get_mut(call_id) else { return };
        let first = matches!(dialog.state, State::Calling | State::Cancelling);
        match (status, first) {
            (200..300, _) => {
                let crossed = dialog.state == State::Cancelling;
                dialog.learn(response);
                if first {
                    dialog.state = State::Up;
                }
                self.acknowledge(call_id, response.cseq());
                if first {
                    self.heard.push((call_id.to_owned(), Heard::Answered));
                }
                if crossed {
                    // Our CANCEL came too late.
                    self.hang_up(now, call_id, "");
                    self.heard.push((call_id.to_owned(), Heard::Ended));
                } else if !first {
                    self.heard.push((call_id.to_owned(), Heard::Changed));
                }
            }
            (_, true) => {
                self.over(now, call_id);
                self.heard.push((call_id.to_owned(), Heard::Refused(status)));
            }
            (408 | 481, false) => self.dialog_is_gone(now, call_id),
            _ => {}
        }
    }

    fn dialog_is_gone(&mut self, now: Time, call_id: &str) {
        if self.dialogs.get(call_id).is_some_and(|dialog| dialog.state == State::Up) {
            self.over(now, call_id);
            self.heard.push((call_id.to_owned(), Heard::Ended));
        }
    }

    /// The ACK of a 2xx: a request of its own, with the description that the INVITE did not have.
    fn acknowledge(&mut self, call_id: &str, cseq: u32) {
        let branch = self.new_branch();
        let late = self.dialogs.get_mut(call_id).is_some_and(|dialog| std::mem::take(&mut dialog.late_offer));
        let body = if late { self.describe(call_id) } else { String::new() };
        let text = self.write(call_id, "ACK", &branch, cseq, None, "", &body);
        if let Some(dialog) = self.dialogs.get_mut(call_id) {
            dialog.ack.clone_from(&text);
        }
        self.say(text);
    }

    /// The ACK of a refusal belongs to the INVITE's transaction (§17.1.1.3).
    fn acknowledge_refusal(&mut self, response: &Text<'_>) {
        let Some(dialog) = self.dialogs.get(response.call_id()) else { return };
        let target = dialog.target.clone();
        let (contact, address) = (self.contact(), self.address());
        let heads = super::Heads {
            from: response.from(),
            to: response.to(),
            call_id: response.call_id(),
            cseq: response.cseq(),
            method: "ACK",
            contact: &contact,
            more: "",
        };
        let text = super::request(&address, self.transport_word(), &target, response.branch(), &heads, "");
        self.say(text);
    }

    fn register_answered(&mut self, now: Time, status: u16, response: &Text<'_>) {
        if status == 401 && self.proofs < 3 {
            self.proofs += 1;
            let challenge = response.header("WWW-Authenticate").unwrap_or_default();
            let proof = proof(&self.name, challenge);
            return self.send_register(now, &proof);
        }
        self.heard.push((response.call_id().to_owned(), Heard::Registered(status)));
    }

    fn request(&mut self, now: Time, text: &str, asked: &Text<'_>) {
        let (branch, method) = (asked.branch(), asked.method());
        if method == "ACK" {
            return self.acknowledged(asked);
        }
        if let Some(known) = self.replied.iter().find(|one| one.branch == branch && one.method == method) {
            let again = known.text.clone();
            return self.say(again);
        }
        match method {
            "INVITE" if asked.to_tag().is_empty() => self.rings(now, text, asked),
            "CANCEL" => self.cancelled(now, text, asked),
            "BYE" => self.ended(now, text, asked),
            "OPTIONS" => self.reply(now, text, 200, "", ""),
            _ => self.reply(now, text, 405, "", ""),
        }
    }

    fn rings(&mut self, now: Time, text: &str, invite: &Text<'_>) {
        let call_id = invite.call_id().to_owned();
        let tag = format!(";tag=p{}-{}", self.host, self.boots);
        let our_port = 40_000 + 2 * (self.dialogs.len() as u16 % 500);
        let mut dialog = self.dialog(format!("{}{tag}", invite.to()), invite.from().to_owned(), our_port);
        (dialog.state, dialog.ours) = (State::Ringing, false);
        invite.contact().clone_into(&mut dialog.target);
        invite.sender_tag().clone_into(&mut dialog.their_tag);
        invite.branch().clone_into(&mut dialog.branch);
        text.clone_into(&mut dialog.invite);
        dialog.their_cseq = invite.cseq();
        dialog.rings_until = Some(now + super::RINGS_MAX);
        dialog.their_port = invite.audio_port();
        self.dialogs.insert(call_id.clone(), dialog);
        if self.says_it_rings {
            self.reply(now, text, 180, "", "");
        }
        self.heard.push((call_id, Heard::Rings));
    }

    fn cancelled(&mut self, now: Time, text: &str, cancel: &Text<'_>) {
        let Some(dialog) = self.dialogs.get(cancel.call_id()).filter(|dialog| dialog.branch == cancel.branch()) else {
            return self.reply(now, text, 481, "", "");
        };
        let (invite, rings) = (dialog.invite.clone(), dialog.state == State::Ringing);
        self.reply(now, text, 200, "", "");
        if rings {
            self.reply(now, &invite, 487, "", "");
            self.over(now, cancel.call_id());
            self.heard.push((cancel.call_id().to_owned(), Heard::Cancelled));
        }
    }

    fn ended(&mut self, now: Time, text: &str, bye: &Text<'_>) {
        let Some(dialog) = self.dialogs.get_mut(bye.call_id()) else { return self.reply(now, text, 481, "", "") };
        if !dialog.their_tag.is_empty() && dialog.their_tag != bye.sender_tag() {
            let known = &dialog.their_tag;
            self.wrong.push(format!("phone {}: a BYE with tag {}, not {known}", self.host, bye.sender_tag()));
        }
        if bye.cseq() < dialog.their_cseq {
            let last = dialog.their_cseq;
            self.wrong.push(format!("phone {}: CSeq {} after {last} in {}", self.host, bye.cseq(), bye.call_id()));
        }
        dialog.their_cseq = bye.cseq();
        let rings = dialog.state == State::Ringing;
        let (was_up, invite) = (matches!(dialog.state, State::Up | State::Ringing), dialog.invite.clone());
        self.reply(now, text, 200, "", "");
        if rings {
            self.reply(now, &invite, 487, "", "");
        }
        if was_up {
            self.over(now, bye.call_id());
            self.heard.push((bye.call_id().to_owned(), Heard::Ended));
        }
    }

    fn acknowledged(&mut self, ack: &Text<'_>) {
        let mine = |one: &&mut super::Replied| one.method == "INVITE" && one.call_id == ack.call_id();
        let Some(replied) = self.replied.iter_mut().find(mine) else {
            // Long over, or of before a loss of power.
            return;
        };
        let final_answer = !replied.text.starts_with("SIP/2.0 1");
        // A phone that has lost its power does not know what it answered before.
        if !final_answer && self.boots > 0 {
            return;
        }
        if !final_answer {
            let told = format!("phone {}: an ACK of {} before any final answer", self.host, ack.call_id());
            return self.wrong.push(told);
        }
        let first = replied.again.take().is_some();
        if first && replied.text.starts_with("SIP/2.0 2") {
            self.heard.push((ack.call_id().to_owned(), Heard::Acked));
        }
    }
}

impl Dialog {
    /// What a 2xx says of the other side.
    fn learn(&mut self, response: &Text<'_>) {
        response.to().clone_into(&mut self.them);
        if !response.contact().is_empty() {
            response.contact().clone_into(&mut self.target);
        }
        self.their_port = response.audio_port().or(self.their_port);
    }
}

/// Late messages are known for longer than anybody repeats them.
const _: () = assert!(MEMORY.as_secs() > PATIENCE.as_secs());
