//! A directory of one test, and how tests wait for another thread.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Removed with all that is in it at the end.
pub struct Place(PathBuf);

impl Place {
    pub fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("onekey-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub type Answers<T> = Receiver<Result<T, String>>;
pub type Reply<T> = Box<dyn FnOnce(Result<T, String>) + Send>;

/// A reply for the store or the ledger, and where its answer comes out.
pub fn reply<T: Send + 'static>() -> (Reply<T>, Answers<T>) {
    let (sender, receiver) = channel();
    (Box::new(move |answer| sender.send(answer).unwrap_or_default()), receiver)
}

pub fn answer<T>(answers: &Answers<T>) -> Result<T, String> {
    answers.recv_timeout(Duration::from_secs(20)).expect("no answer in 20 s")
}

/// Waits until `is_so`, 20 s at most.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "not within 20 s: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
