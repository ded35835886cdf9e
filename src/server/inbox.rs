//! The one channel by which everything reaches the control loop, and what may be dropped when it is full.

use crate::engine::input::{Answer, Input, Reply};
use crate::engine::output::QuestionId;
use crate::engine::snapshot::Snapshot;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// SIP messages that may wait; above it new ones are dropped, as the network itself would (peers send again).
pub const SIP_WAITING_MAX: usize = 16_384;

/// What reaches the control loop.
#[derive(Debug)]
pub enum Arrival {
    /// A SIP message, counted against [`SIP_WAITING_MAX`], and when it came.
    Sip(Input, Instant),
    Other(Input),
    /// Somebody wants to see the engine.
    View(oneshot::Sender<View>),
    /// Tell this once no call is left.
    WhenQuiet(oneshot::Sender<()>),
    Stop,
}

/// The engine at one moment, with what the shell itself knows.
#[derive(Clone, PartialEq, Debug)]
pub struct View {
    pub snapshot: Snapshot,
    /// What of the store or the ledger is failing, in words.
    pub trouble: Option<String>,
}

/// The way in. Clones share one channel.
#[derive(Clone, Debug)]
pub struct Inbox {
    sender: mpsc::Sender<Arrival>,
    sip_waiting: Arc<AtomicUsize>,
    sip_overflow: Arc<AtomicU64>,
}

/// The control loop's end.
#[derive(Debug)]
pub struct Arrivals {
    receiver: mpsc::Receiver<Arrival>,
    sip_waiting: Arc<AtomicUsize>,
}

pub fn inbox() -> (Inbox, Arrivals) {
    let (sender, receiver) = mpsc::channel();
    let sip_waiting = Arc::new(AtomicUsize::new(0));
    let inbox = Inbox { sender, sip_waiting: sip_waiting.clone(), sip_overflow: Arc::default() };
    (inbox, Arrivals { receiver, sip_waiting })
}

impl Inbox {
    /// A fact that must not be lost. Their number is bounded by what the engine itself asked for.
    pub fn give(&self, input: Input) {
        // The loop has ended: the program is stopping and nobody needs the fact.
        let _ = self.sender.send(Arrival::Other(input));
    }

    /// A SIP message from the network. `false`: too many wait, it is dropped and counted.
    pub fn offer_sip(&self, input: Input) -> bool {
        if self.sip_waiting.fetch_add(1, Ordering::Relaxed) >= SIP_WAITING_MAX {
            self.sip_waiting.fetch_sub(1, Ordering::Relaxed);
            self.sip_overflow.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        self.sender.send(Arrival::Sip(input, Instant::now())).is_ok()
    }

    /// SIP messages dropped because too many waited.
    pub fn sip_overflow(&self) -> u64 {
        self.sip_overflow.load(Ordering::Relaxed)
    }

    /// The engine now; `None` when the control loop has ended.
    pub async fn view(&self) -> Option<View> {
        let (answer, wait) = oneshot::channel();
        self.sender.send(Arrival::View(answer)).ok()?;
        wait.await.ok()
    }

    /// Ready once no call is left, or the control loop has ended.
    pub fn when_quiet(&self) -> oneshot::Receiver<()> {
        let (tell, wait) = oneshot::channel();
        let _ = self.sender.send(Arrival::WhenQuiet(tell));
        wait
    }

    pub fn stop(&self) {
        let _ = self.sender.send(Arrival::Stop);
    }
}

impl Arrivals {
    /// How many SIP messages wait.
    pub fn sip_waiting(&self) -> usize {
        self.sip_waiting.load(Ordering::Relaxed)
    }

    /// What is here already.
    pub fn here(&self) -> Option<Arrival> {
        self.counted(self.receiver.try_recv().ok())
    }

    /// The next arrival; `None` after `wait` (or for ever, where there is none) without any.
    pub fn next(&self, wait: Option<Duration>) -> Option<Arrival> {
        let arrival = match wait {
            Some(wait) => self.receiver.recv_timeout(wait).ok(),
            // Every sender is gone only when the program stops.
            None => Some(self.receiver.recv().unwrap_or(Arrival::Stop)),
        };
        self.counted(arrival)
    }

    fn counted(&self, arrival: Option<Arrival>) -> Option<Arrival> {
        if matches!(arrival, Some(Arrival::Sip(..))) {
            self.sip_waiting.fetch_sub(1, Ordering::Relaxed);
        }
        arrival
    }
}

/// How the answer to one question comes back. Dropped unused it says that the question failed, so none stays open.
#[derive(Debug)]
pub struct AnswerTo {
    id: QuestionId,
    inbox: Inbox,
    given: bool,
}

impl AnswerTo {
    pub fn new(id: QuestionId, inbox: Inbox) -> AnswerTo {
        AnswerTo { id, inbox, given: false }
    }

    pub fn give(mut self, answer: Answer) {
        self.given = true;
        self.inbox.give(Input::Answered(Reply { id: self.id, answer }));
    }
}

impl Drop for AnswerTo {
    fn drop(&mut self) {
        if !self.given {
            let answer = Answer::Failed("the question was dropped unanswered".into());
            self.inbox.give(Input::Answered(Reply { id: self.id, answer }));
        }
    }
}
