//! The shell against the real world, on loopback: WAV files as operators have them, sockets byte by byte, threads that stop.
//!
//! Each folder-sized subject has its file under `tests/shell/`; no test waits longer than it must, and none sleeps.

#[path = "shell/lookups.rs"]
mod lookups;
#[path = "shell/media.rs"]
mod media;
#[path = "shell/serving.rs"]
mod serving;
#[path = "shell/sockets.rs"]
mod sockets;
#[path = "shell/threads.rs"]
mod threads;
// Shared with `tests/phones`, which uses all of it.
#[allow(dead_code)]
#[path = "phones/tools.rs"]
mod tools;
#[path = "shell/wav_files.rs"]
mod wav_files;

use std::path::{Path, PathBuf};

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("onekey-shell-{}-{test}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl std::ops::Deref for Folder {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
