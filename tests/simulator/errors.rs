//! An ERROR line is a bug of ours (DESIGN §15): any that is logged during a run fails it.

use std::sync::Mutex;
use tracing::Level;
use tracing_subscriber::layer::{Context, SubscriberExt};

static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Ear;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Ear {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::ERROR
            && let Ok(mut told) = TOLD.lock()
        {
            told.push(format!("{event:?}"));
        }
    }
}

/// Called by every test; the first call counts.
pub fn listen() {
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Ear));
}

pub fn none() {
    let told = TOLD.lock().map(|told| told.clone()).unwrap_or_default();
    assert!(told.is_empty(), "ERROR lines: {told:?}");
}
