//! The one thread that writes recordings, so that a slow disk never holds up a packet.
//!
//! About a second of samples comes at a time and each is flushed with the length in the header: what a crash leaves is a
//! readable WAV. When too much waits the recording ends with `RecordFailed`; the call goes on.

use super::files::WavOut;
use crate::ids::{LegId, WorkerId};
use crate::media::command::RecordChannels;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

/// Blocks of samples (about a second each) that may wait for the disk, over all recordings.
pub const BLOCKS_WAITING_MAX: usize = 4096;

/// What a media worker wants of the disk.
#[derive(Debug)]
enum Order {
    Open { worker: WorkerId, leg: LegId, file: PathBuf, channels: RecordChannels },
    Samples { leg: LegId, samples: Vec<i16> },
    Close { leg: LegId },
    Abandon { leg: LegId },
    Stop,
}

/// What the disk has to say to a media worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recording {
    Failed { leg: LegId, reason: String },
    Closed { leg: LegId },
}

/// The way to the writing thread. Never blocks.
#[derive(Clone, Debug)]
pub struct Recorder {
    orders: mpsc::Sender<Order>,
    waiting: Arc<AtomicUsize>,
}

/// Starts the writing thread. `tell` is called there with what each worker must know.
pub fn start(tell: impl Fn(WorkerId, Recording) + Send + 'static) -> io::Result<(Recorder, JoinHandle<()>)> {
    let (orders, receiver) = mpsc::channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let seen = waiting.clone();
    let thread = std::thread::Builder::new().name("onekey-recordings".into()).spawn(move || {
        let mut writer = Writer { open: HashMap::new(), tell };
        while let Ok(order) = receiver.recv() {
            if matches!(order, Order::Samples { .. }) {
                seen.fetch_sub(1, Ordering::Relaxed);
            }
            if !writer.carry_out(order) {
                break;
            }
        }
    })?;
    Ok((Recorder { orders, waiting }, thread))
}

impl Recorder {
    pub fn open(&self, worker: WorkerId, leg: LegId, file: PathBuf, channels: RecordChannels) {
        let _ = self.orders.send(Order::Open { worker, leg, file, channels });
    }

    /// `false`: the disk is too slow; the samples are dropped and the recording should be given up.
    pub fn samples(&self, leg: LegId, samples: Vec<i16>) -> bool {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= BLOCKS_WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        self.orders.send(Order::Samples { leg, samples }).is_ok()
    }

    pub fn close(&self, leg: LegId) {
        let _ = self.orders.send(Order::Close { leg });
    }

    /// Closes without telling: the worker has told already that the recording failed.
    pub fn abandon(&self, leg: LegId) {
        let _ = self.orders.send(Order::Abandon { leg });
    }

    /// Closes every open file and ends the thread.
    pub fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }
}

struct Writer<Tell> {
    open: HashMap<LegId, (WorkerId, WavOut)>,
    tell: Tell,
}

impl<Tell: Fn(WorkerId, Recording)> Writer<Tell> {
    /// `false`: it was the last order.
    fn carry_out(&mut self, order: Order) -> bool {
        match order {
            Order::Open { worker, leg, file, channels } => {
                let count = match channels {
                    RecordChannels::One => 1,
                    RecordChannels::Two => 2,
                };
                match WavOut::create(&file, count) {
                    Ok(out) => {
                        self.open.insert(leg, (worker, out));
                    }
                    Err(error) => self.failed(worker, leg, format!("{}: {error}", file.display())),
                }
            }
            Order::Samples { leg, samples } => {
                // Samples that were on their way when the recording failed have no file any more.
                let Some((worker, out)) = self.open.get_mut(&leg) else { return true };
                if let Err(error) = out.write(&samples).and_then(|()| out.flush()) {
                    let worker = *worker;
                    self.open.remove(&leg);
                    self.failed(worker, leg, error.to_string());
                }
            }
            Order::Close { leg } => {
                let Some((worker, out)) = self.open.remove(&leg) else { return true };
                match out.finish() {
                    Ok(()) => (self.tell)(worker, Recording::Closed { leg }),
                    Err(error) => self.failed(worker, leg, error.to_string()),
                }
            }
            Order::Abandon { leg } => {
                if let Some((_, out)) = self.open.remove(&leg)
                    && let Err(error) = out.finish()
                {
                    tracing::warn!("the recording of {leg} could not be completed: {error}");
                }
            }
            Order::Stop => {
                for (leg, (_, out)) in self.open.drain() {
                    if let Err(error) = out.finish() {
                        tracing::error!("the recording of {leg} could not be completed: {error}");
                    }
                }
                return false;
            }
        }
        true
    }

    fn failed(&self, worker: WorkerId, leg: LegId, reason: String) {
        tracing::warn!("the recording of {leg} has ended: {reason}");
        (self.tell)(worker, Recording::Failed { leg, reason });
    }
}
