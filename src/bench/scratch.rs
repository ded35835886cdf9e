//! A folder for one measurement, gone with all that is in it when the measurement ends.

use super::BenchError;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// # Errors
    /// It cannot be made.
    pub fn new() -> Result<Scratch, BenchError> {
        let folder = std::env::temp_dir().join(format!("onekey-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| BenchError(format!("{}: {error}; TMPDIR can name another folder", folder.display())))?;
        Ok(Scratch { folder })
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is the system's to clean up.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
