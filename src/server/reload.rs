//! Loads dialplan and prompts again when their files change or SIGHUP asks for it, on a thread of its own.
//!
//! All or nothing: with any error the running dialplan stays and the messages are logged as drawn. Calls are undisturbed;
//! those that have begun keep the dialplan that they began with.

use super::inbox::Inbox;
use crate::dialplan::Dialplan;
use crate::engine::input::Input;
use crate::prompt::PromptLibrary;
use notify::{EventKind, RecursiveMode, Watcher};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

/// Editors and copying programs change a file in several steps: wait until nothing has changed for this long.
const SETTLED: Duration = Duration::from_millis(300);
/// However restless the files are, load by then.
const SETTLED_ROUNDS_MAX: usize = 20;

/// A checked dialplan with its prompts.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub dialplan: Arc<Dialplan>,
    pub prompts: Arc<PromptLibrary>,
    /// Warnings, drawn.
    pub warnings: Vec<String>,
}

/// Reads everything anew; the error is all problems, drawn for a terminal.
pub type Load = Box<dyn Fn() -> Result<Loaded, String> + Send>;

/// Asks for a reload. Clones share one thread.
#[derive(Clone, Debug)]
pub struct Reloads {
    asks: mpsc::Sender<Ask>,
}

#[derive(Debug)]
enum Ask {
    Changed,
    Now,
    Stop,
}

impl Reloads {
    /// Reload at once (SIGHUP).
    pub fn now(&self) {
        let _ = self.asks.send(Ask::Now);
    }

    pub fn stop(&self) {
        let _ = self.asks.send(Ask::Stop);
    }
}

/// Starts the thread. With `watched` folders it loads by itself when a file under them changes; where the system has no
/// watches left it says so and SIGHUP still works.
pub fn start(watched: &[PathBuf], load: Load, inbox: Inbox) -> io::Result<Reloads> {
    let (asks, receiver) = mpsc::channel();
    let watcher = watch(watched, asks.clone());
    std::thread::Builder::new().name("onekey-reload".into()).spawn(move || {
        let _watcher = watcher; // it watches as long as it lives
        while settled(&receiver) {
            match load() {
                Ok(loaded) => {
                    for warning in &loaded.warnings {
                        tracing::warn!("{warning}");
                    }
                    tracing::info!("the dialplan has been loaded again; new calls use it");
                    inbox.give(Input::Reload(loaded.dialplan, loaded.prompts));
                }
                Err(problems) => tracing::error!("the dialplan was not loaded and the present one stays:\n{problems}"),
            }
        }
    })?;
    Ok(Reloads { asks })
}

/// Waits for a wish to reload, and then until the files are at rest. `false`: stop.
fn settled(receiver: &mpsc::Receiver<Ask>) -> bool {
    let mut ask = receiver.recv().unwrap_or(Ask::Stop);
    for _ in 0..SETTLED_ROUNDS_MAX {
        match ask {
            Ask::Now => return true,
            Ask::Stop => return false,
            Ask::Changed => match receiver.recv_timeout(SETTLED) {
                Ok(next) => ask = next,
                Err(_) => return true,
            },
        }
    }
    true
}

fn watch(folders: &[PathBuf], asks: mpsc::Sender<Ask>) -> Option<notify::RecommendedWatcher> {
    if folders.is_empty() {
        return None;
    }
    let told = move |event: notify::Result<notify::Event>| {
        // Reading a file is an event too; our own loading must not bring the next.
        let changed = event.is_ok_and(|event| {
            matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_))
                && event.paths.iter().any(|path| path.extension().is_some_and(|end| end == "toml" || end == "wav"))
        });
        if changed {
            let _ = asks.send(Ask::Changed);
        }
    };
    let watching = notify::recommended_watcher(told).and_then(|mut watcher| {
        for folder in folders {
            watcher.watch(folder, RecursiveMode::Recursive)?;
        }
        Ok(watcher)
    });
    watching.inspect_err(|error| tracing::warn!("file changes are not noticed ({error}); send SIGHUP to reload")).ok()
}
