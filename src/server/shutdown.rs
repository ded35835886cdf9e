//! Signals, and the orderly end: refuse new calls, let the present ones finish, then BYE, then stop.

use super::inbox::Inbox;
use super::reload::Reloads;
use crate::engine::input::{Command, Input};
use std::io;
use std::sync::mpsc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

/// After the last BYE its answer, or its repeats, get this long.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the main thread waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happening {
    /// SIGINT or SIGTERM.
    StopSignal,
    /// No call is left, or the time to finish is over.
    Drained,
    /// A thread has ended; `panicked` by a bug of ours.
    ThreadEnded { thread: String, panicked: bool },
}

/// Tells when the thread that holds it ends, however that happens.
#[derive(Debug)]
pub struct EndNotice {
    pub thread: String,
    pub tell: mpsc::Sender<Happening>,
}

impl Drop for EndNotice {
    fn drop(&mut self) {
        let panicked = std::thread::panicking();
        // Nobody waits any more: the program is ending already.
        let _ = self.tell.send(Happening::ThreadEnded { thread: self.thread.clone(), panicked });
    }
}

/// SIGINT and SIGTERM are told to the main thread, SIGHUP reloads.
pub fn listen(runtime: &Handle, tell: mpsc::Sender<Happening>, reloads: Reloads) -> io::Result<()> {
    let _inside = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    runtime.spawn(async move {
        loop {
            tokio::select! {
                Some(()) = interrupt.recv() => { let _ = tell.send(Happening::StopSignal); }
                Some(()) = terminate.recv() => { let _ = tell.send(Happening::StopSignal); }
                Some(()) = hang_up.recv() => reloads.now(),
                else => return,
            }
        }
    });
    Ok(())
}

/// Begins the orderly end; `Happening::Drained` is told when it is over.
pub fn drain(runtime: &Handle, inbox: Inbox, limit: Duration, tell: mpsc::Sender<Happening>) {
    runtime.spawn(async move {
        inbox.give(Input::Command(Command::Drain));
        let calls = inbox.view().await.map_or(0, |view| view.snapshot.calls.len());
        if calls > 0 {
            tracing::info!(calls, "stopping: new calls are refused, calls in progress have {} s", limit.as_secs());
            if timeout(limit, inbox.when_quiet()).await.is_err() {
                tracing::warn!("the time is over: the remaining calls are ended");
                hang_up(&inbox).await;
            }
            // The other sides' answers to the last BYEs.
            sleep(LAST_WORDS / 4).await;
        }
        let _ = tell.send(Happening::Drained);
    });
}

/// Ends every call now, by BYE: nobody's phone is left in a silence that looks like a call. Tells `Happening::Drained`.
pub fn end_calls(runtime: &Handle, inbox: Inbox, tell: mpsc::Sender<Happening>) {
    runtime.spawn(async move {
        hang_up(&inbox).await;
        let _ = tell.send(Happening::Drained);
    });
}

async fn hang_up(inbox: &Inbox) {
    inbox.give(Input::Command(Command::HangUpAll));
    let _ = timeout(LAST_WORDS, inbox.when_quiet()).await;
}
