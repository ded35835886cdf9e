//! Everything that crosses the engine's doorstep, judged by what RFC 3261 allows at that moment: what the engine has been
//! told by then is known exactly, whatever the network does outside.
//!
//! Kept apart from phones, because only here can it be said that a CANCEL was too early, an ACK is missing, or a 200
//! was repeated although its ACK had come. Works on text alone.

use crate::phone::text::Text;
use onekey::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// 64*T1: so long answers and requests may be repeated.
const PATIENCE: Duration = Duration::from_secs(32);
/// Transactions are forgotten after this.
const MEMORY: Duration = Duration::from_secs(150);
/// The dialogs of calls that are over, after this.
const DIALOG_MEMORY: Duration = Duration::from_secs(80);
/// Messages between two looks for what can be forgotten.
const SWEEP_EVERY: u32 = 512;

/// A request of the engine's.
#[derive(Debug)]
struct Asked {
    text: String,
    call_id: String,
    sent: Time,
    provisional: bool,
    status: Option<u16>,
    /// When the first 2xx came.
    accepted: Option<Time>,
    cancelled: Option<Time>,
    touched: Time,
}

/// A request to the engine.
#[derive(Debug)]
struct Served {
    call_id: String,
    cseq: u32,
    from: String,
    status: Option<u16>,
    to_tag: String,
    acked: bool,
    /// A copy has just gone in and is being answered.
    fresh: bool,
    has_body: bool,
    answered: Option<Time>,
    touched: Time,
}

/// An INVITE dialog as both messages' directions show it.
#[derive(Debug, Default)]
struct Dialog {
    engine_called: bool,
    our_tag: String,
    their_tag: String,
    our_cseq: u32,
    /// A 2xx to its first INVITE has passed, and when.
    up: Option<Time>,
    acked: bool,
    bye_sent: bool,
    bye_heard: bool,
    over: Option<Time>,
    /// Where the engine wants sound.
    port: Option<u16>,
}

#[derive(Debug, Default)]
pub struct Doorstep {
    asked: BTreeMap<(String, String), Asked>,
    served: BTreeMap<(u16, String, String), Served>,
    dialogs: BTreeMap<String, Dialog>,
    ports: BTreeMap<u16, String>,
    /// What must come out before the next fact goes in.
    owed: Vec<String>,
    fresh: Vec<(u16, String, String)>,
    messages: u32,
    pub wrong: Vec<String>,
}

impl Doorstep {
    /// The process was killed: nothing that it knew binds the new one.
    pub fn restart(&mut self) {
        *self = Doorstep { wrong: std::mem::take(&mut self.wrong), ..Doorstep::default() };
    }

    /// The dialog whose sound has this port is over.
    pub fn is_over(&self, port: u16) -> bool {
        let dialog = self.ports.get(&port).and_then(|call_id| self.dialogs.get(call_id));
        dialog.is_some_and(|dialog| dialog.over.is_some() || dialog.bye_sent || dialog.bye_heard)
    }

    /// The Call-ID of the dialog with this port.
    pub fn call_id_of(&self, port: u16) -> Option<&str> {
        self.ports.get(&port).map(String::as_str)
    }

    /// Before the next fact everything must be there that the last one made due.
    pub fn settle(&mut self) {
        for key in std::mem::take(&mut self.fresh) {
            if let Some(served) = self.served.get_mut(&key) {
                served.fresh = false;
            }
        }
        let owed = std::mem::take(&mut self.owed);
        self.wrong.extend(owed.into_iter().map(|what| format!("the engine owes {what}")));
    }

    fn complain(&mut self, what: &str, message: &Text<'_>) {
        let at = format!("{} ({} {})", message.start, message.call_id(), message.cseq());
        self.wrong.push(format!("{what}: {at}"));
    }

    pub fn goes_in(&mut self, now: Time, host: u16, text: &str) {
        let Ok(message) = Text::read(text) else { return };
        self.sweep(now);
        match message.status() {
            Some(status) => self.response_in(now, status, &message),
            None => self.request_in(now, host, &message),
        }
    }

    pub fn comes_out(&mut self, now: Time, host: u16, reliable: bool, text: &str) {
        let message = match Text::read(text) {
            Ok(message) => message,
            Err(why) => return self.wrong.push(format!("nobody can read what the engine sent: {why}\n{text}")),
        };
        match message.status() {
            Some(status) => self.response_out(now, host, status, &message),
            None => self.request_out(now, reliable, text, &message),
        }
    }

    fn request_in(&mut self, now: Time, host: u16, request: &Text<'_>) {
        let (method, call_id) = (request.method().to_owned(), request.call_id().to_owned());
        if method == "ACK" {
            return self.ack_in(host, request);
        }
        let key = (host, request.branch().to_owned(), method.clone());
        if let Some(known) = self.served.get_mut(&key) {
            (known.touched, known.fresh) = (now, true);
            self.fresh.push(key);
            return;
        }
        let served = Served {
            call_id: call_id.clone(),
            cseq: request.cseq(),
            from: request.from().to_owned(),
            status: None,
            to_tag: String::new(),
            acked: false,
            fresh: false,
            has_body: !request.body.is_empty(),
            answered: None,
            touched: now,
        };
        self.served.insert(key, served);
        self.owed.push(format!("an answer to {} {call_id}", request.start));
        match method.as_str() {
            "INVITE" if request.to_tag().is_empty() => {
                let dialog = Dialog { their_tag: request.sender_tag().to_owned(), ..Dialog::default() };
                self.dialogs.insert(call_id, dialog);
            }
            "BYE" => {
                if let Some(dialog) = self.dialogs.get_mut(&call_id).filter(|dialog| dialog.knows(request)) {
                    dialog.bye_heard = true;
                    dialog.over = dialog.over.or(Some(now));
                }
            }
            _ => {}
        }
    }

    fn ack_in(&mut self, host: u16, ack: &Text<'_>) {
        let of_invite = |served: &&mut Served| served.call_id == ack.call_id() && served.cseq == ack.cseq();
        let mut same_phone = self.served.iter_mut().filter(|((of, _, method), _)| *of == host && method == "INVITE");
        let mut status = None;
        if let Some(served) = same_phone.by_ref().map(|(_, served)| served).find(of_invite) {
            served.acked |= served.status.is_some_and(|status| status >= 200);
            status = served.status;
        }
        if let Some(dialog) = self.dialogs.get_mut(ack.call_id())
            && matches!(status, Some(200..=299))
        {
            dialog.acked = true;
        }
    }

    fn response_in(&mut self, now: Time, status: u16, response: &Text<'_>) {
        let key = (response.branch().to_owned(), response.method().to_owned());
        let Some(asked) = self.asked.get_mut(&key) else { return };
        asked.touched = now;
        if status < 200 {
            // After Timer B there is nothing that it could concern.
            asked.provisional |= asked.status.is_none() && now.since(asked.sent) < PATIENCE;
            return;
        }
        let first = asked.status.is_none();
        if asked.status.is_some_and(|known| known >= 300) && status < 300 {
            // Refused and then accepted: a phone that has forgotten in between. There is nothing to acknowledge.
            return;
        }
        // An INVITE is given up 64*T1 after its CANCEL (§9.1), or where nothing at all has been heard (Timer B).
        let since = if asked.provisional { asked.cancelled } else { Some(asked.sent) };
        let given_up = since.is_some_and(|at| now.since(at) >= PATIENCE);
        asked.status = asked.status.or(Some(status));
        if response.method() != "INVITE" {
            return;
        }
        if matches!(status, 200..=299) {
            let begun = *asked.accepted.get_or_insert(now);
            // Timer M (RFC 6026) may run out at this very moment.
            if !given_up && now.since(begun) + Duration::from_secs(1) < PATIENCE {
                self.owed.push(format!("an ACK of {} {}", response.start, response.call_id()));
            }
            if let Some(dialog) = self.dialogs.get_mut(response.call_id())
                && first
                && !given_up
            {
                dialog.up = Some(now);
                response.to_tag().clone_into(&mut dialog.their_tag);
            }
        } else if first && !given_up {
            self.owed.push(format!("an ACK of {} {}", response.start, response.call_id()));
            if let Some(dialog) = self.dialogs.get_mut(response.call_id()) {
                dialog.over = dialog.over.or(Some(now));
            }
        }
    }

    fn response_out(&mut self, now: Time, host: u16, status: u16, response: &Text<'_>) {
        let key = (host, response.branch().to_owned(), response.method().to_owned());
        let method = response.method();
        let Some(served) = self.served.get_mut(&key) else {
            return self.complain("it answers what nobody asked", response);
        };
        let (call_id, has_body) = (served.call_id.clone(), served.has_body);
        let mine = format!(" {call_id}");
        self.owed.retain(|owed| !(owed.starts_with("an answer to ") && owed.contains(method) && owed.ends_with(&mine)));
        let copied = (served.call_id.as_str(), served.cseq, served.from.as_str());
        let mut told = Vec::new();
        if copied != (response.call_id(), response.cseq(), response.from()) {
            told.push("Call-ID, CSeq or From of an answer is not the request's");
        }
        if status >= 200 {
            // A CANCEL may overtake its INVITE: 481 at first, 200 when it is repeated.
            if served.status.is_some_and(|known| known != status) && method != "CANCEL" {
                told.push("a second, other final answer");
            }
            if response.to_tag().is_empty() {
                told.push("a final answer without a To tag");
            }
            // Who is challenged again, or refused without memory, may meet another tag.
            if method == "INVITE" && !served.to_tag.is_empty() && served.to_tag != response.to_tag() {
                told.push("the To tag changes");
            }
            // A copy that comes after all is answered anew where nothing is remembered (§8.2.7).
            if served.status.is_some() && served.acked && method == "INVITE" && !served.fresh {
                told.push("an answer is repeated after its ACK");
            }
            let begun = *served.answered.get_or_insert(now);
            if method == "INVITE" && now.since(begun) > PATIENCE + Duration::from_millis(100) {
                told.push("an answer is repeated for too long");
            }
            served.status = Some(status);
            response.to_tag().clone_into(&mut served.to_tag);
        } else if served.status.is_some() {
            told.push("a provisional answer after the final one");
        }
        served.touched = now;
        for what in told {
            self.complain(what, response);
        }
        if method == "INVITE" && status >= 200 {
            self.invite_answered(now, status, has_body, response);
        }
    }

    fn invite_answered(&mut self, now: Time, status: u16, had_offer: bool, response: &Text<'_>) {
        let Some(dialog) = self.dialogs.get_mut(response.call_id()) else { return };
        if (200..300).contains(&status) {
            let changed = !dialog.our_tag.is_empty() && dialog.our_tag != response.to_tag();
            if dialog.up.is_none() {
                dialog.up = Some(now);
                response.to_tag().clone_into(&mut dialog.our_tag);
            }
            if let Some(port) = response.audio_port() {
                dialog.port = Some(port);
                self.ports.insert(port, response.call_id().to_owned());
            } else if had_offer {
                self.complain("a 200 without a description", response);
            }
            if changed {
                self.complain("our tag of a dialog changes", response);
            }
            if response.contact().is_empty() {
                self.complain("a 200 without a Contact", response);
            }
        } else if dialog.up.is_none() && !dialog.engine_called {
            dialog.over = dialog.over.or(Some(now));
        }
    }

    fn request_out(&mut self, now: Time, reliable: bool, text: &str, request: &Text<'_>) {
        if request.sender_tag().is_empty() || request.branch().is_empty() || request.header("Max-Forwards").is_none() {
            self.complain("a request without tag, branch or Max-Forwards", request);
        }
        let key = (request.branch().to_owned(), request.method().to_owned());
        if let Some(known) = self.asked.get_mut(&key) {
            known.touched = now;
            let (same, provisional, status) = (known.text == text, known.provisional, known.status);
            let method = request.method();
            self.owed.retain(|owed| method != "ACK" || !is_ack_of(owed, request));
            if !same {
                self.complain("a repeated request is not the same", request);
            } else if method != "ACK" && (reliable || status.is_some()) {
                self.complain("a request is repeated that was answered or cannot be lost", request);
            } else if method == "INVITE" && provisional {
                self.complain("an INVITE is repeated although the phone has answered", request);
            }
            return;
        }
        match request.method() {
            "INVITE" if request.to_tag().is_empty() => self.invite_out(request),
            "CANCEL" => self.cancel_out(now, request),
            "ACK" => self.ack_out(request),
            _ => self.in_dialog_out(now, request),
        }
        let asked = Asked {
            text: text.to_owned(),
            call_id: request.call_id().to_owned(),
            sent: now,
            provisional: false,
            status: None,
            accepted: None,
            cancelled: None,
            touched: now,
        };
        self.asked.insert(key, asked);
    }

    fn invite_out(&mut self, invite: &Text<'_>) {
        let (call_id, port) = (invite.call_id().to_owned(), invite.audio_port());
        if self.dialogs.contains_key(&call_id) {
            return self.complain("a Call-ID is used twice", invite);
        }
        if let Some(port) = port {
            self.ports.insert(port, call_id.clone());
        }
        let our_tag = invite.sender_tag().to_owned();
        let our_cseq = invite.cseq();
        self.dialogs.insert(call_id, Dialog { engine_called: true, our_tag, our_cseq, port, ..Dialog::default() });
    }

    /// RFC 3261 §9.1: only after a provisional answer and before the final one, with the INVITE's own branch and number.
    fn cancel_out(&mut self, now: Time, cancel: &Text<'_>) {
        let invite = self.asked.get_mut(&(cancel.branch().to_owned(), "INVITE".to_owned()));
        let Some(invite) = invite else { return self.complain("a CANCEL of no INVITE", cancel) };
        let twice = invite.cancelled.replace(now).is_some();
        let (provisional, status) = (invite.provisional, invite.status);
        let of = Text::read(&invite.text).map(|of| (of.cseq(), of.to().to_owned(), of.uri().to_owned()));
        let same = of == Ok((cancel.cseq(), cancel.to().to_owned(), cancel.uri().to_owned()));
        if !provisional {
            self.complain("a CANCEL before the phone has said anything", cancel);
        }
        if status.is_some() {
            self.complain("a CANCEL after the final answer", cancel);
        }
        if !same || twice {
            self.complain("a CANCEL that does not fit its INVITE, or a second one", cancel);
        }
    }

    fn ack_out(&mut self, ack: &Text<'_>) {
        let of_call = |asked: &&Asked| asked.call_id == ack.call_id() && asked.text.starts_with("INVITE");
        let invite = self.asked.values().find(of_call);
        let Some((status, branch)) =
            invite.and_then(|one| Some((one.status?, Text::read(&one.text).ok()?.branch().to_owned())))
        else {
            return self.complain("an ACK for no final answer", ack);
        };
        if (status >= 300) != (branch == ack.branch()) {
            self.complain("an ACK in the wrong transaction", ack);
        }
        self.owed.retain(|owed| !is_ack_of(owed, ack));
        if let Some(dialog) = self.dialogs.get_mut(ack.call_id()) {
            dialog.acked = true;
            if dialog.their_tag != ack.to_tag() && status < 300 {
                self.complain("an ACK with another To tag than the answer's", ack);
            }
        }
    }

    fn in_dialog_out(&mut self, now: Time, request: &Text<'_>) {
        if request.method() == "OPTIONS" {
            return;
        }
        let Some(dialog) = self.dialogs.get_mut(request.call_id()) else {
            return self.complain("a request in no dialog", request);
        };
        let mut told = Vec::new();
        match dialog.up {
            None => told.push("a request in a dialog that is not there"),
            // §15: who was called may not send BYE before the ACK, or before it is given up.
            Some(up) if !dialog.engine_called && !dialog.acked && now.since(up) < PATIENCE => {
                told.push("a request before the ACK");
            }
            Some(_) => {}
        }
        if request.cseq() <= dialog.our_cseq && dialog.our_cseq > 0 {
            told.push("a CSeq that does not rise");
        }
        dialog.our_cseq = request.cseq();
        if (request.sender_tag(), request.to_tag()) != (dialog.our_tag.as_str(), dialog.their_tag.as_str()) {
            told.push("the tags are not the dialog's");
        }
        if dialog.bye_sent || dialog.bye_heard {
            told.push("a request after the BYE");
        }
        if request.method() == "BYE" {
            dialog.bye_sent = true;
            dialog.over = dialog.over.or(Some(now));
        }
        for what in told {
            self.complain(what, request);
        }
    }

    fn sweep(&mut self, now: Time) {
        self.messages += 1;
        if !self.messages.is_multiple_of(SWEEP_EVERY) {
            return;
        }
        let rings = |asked: &Asked| {
            asked.text.starts_with("INVITE") && asked.provisional && asked.status.is_none() && asked.cancelled.is_none()
        };
        self.asked.retain(|(branch, _), asked| {
            let kept = now.since(asked.touched) < MEMORY;
            if !kept && rings(asked) {
                self.wrong.push(format!("the phone that was sent the INVITE {branch} rings for nobody"));
            }
            kept
        });
        self.served.retain(|_, served| now.since(served.touched) < MEMORY);
        self.dialogs.retain(|_, dialog| dialog.over.is_none_or(|at| now.since(at) < DIALOG_MEMORY));
        let dialogs = &self.dialogs;
        self.ports.retain(|_, call_id| dialogs.contains_key(call_id));
    }

    /// Dialogs that are up and not over, for the end of a run: nobody may be left in one.
    pub fn still_up(&self) -> Vec<&str> {
        let up = self.dialogs.iter().filter(|(_, dialog)| dialog.up.is_some() && dialog.over.is_none());
        up.map(|(call_id, _)| call_id.as_str()).collect()
    }
}

impl Dialog {
    /// Only who knows both tags speaks for the dialog.
    fn knows(&self, request: &Text<'_>) -> bool {
        self.up.is_some() && self.our_tag == request.to_tag()
    }
}

fn is_ack_of(owed: &str, ack: &Text<'_>) -> bool {
    owed.starts_with("an ACK of ") && owed.ends_with(ack.call_id())
}
