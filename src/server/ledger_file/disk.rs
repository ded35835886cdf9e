//! The ledger's bytes on disk: an append either is durable as a whole or leaves the file as it was.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What the writer needs of a disk; tests put a failing one in its place.
pub(super) trait Disk: Send {
    /// Appends and flushes. On an error nothing of `bytes` counts as written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn read(&mut self) -> io::Result<Vec<u8>>;
    /// Puts `bytes` in the file's place, at once: a crash leaves the old or the new one.
    fn replace(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Keeps lines that cannot be read, beside the ledger, for whoever wants to look into it.
    fn set_aside(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn length(&self) -> u64;
}

pub(super) struct FileDisk {
    path: PathBuf,
    file: File,
    /// Length of what is whole and flushed.
    length: u64,
    /// A failed append may have left bytes behind `length`.
    is_ragged: bool,
}

impl FileDisk {
    pub(super) fn open(path: &Path) -> io::Result<FileDisk> {
        let file = open_append(path)?;
        let length = file.metadata()?.len();
        Ok(FileDisk { path: path.to_owned(), file, length, is_ragged: false })
    }

    pub(super) fn cut_to(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.sync_data()?;
        self.length = length;
        self.is_ragged = false;
        Ok(())
    }
}

impl Disk for FileDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_ragged {
            self.cut_to(self.length)?;
        }
        // After a failed flush the kernel may call the same pages clean, so they are cut off and written anew.
        self.is_ragged = true;
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        self.is_ragged = false;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        std::fs::read(&self.path)
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.with_extension("ledger.new");
        let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        // Whatever fails from here on, the new file is the ledger: appends must go there.
        self.file = open_append(&self.path)?;
        self.length = bytes.len() as u64;
        self.is_ragged = false;
        match self.path.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }

    fn set_aside(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = open_append(&self.path.with_extension("ledger.damaged"))?;
        file.write_all(bytes)?;
        file.sync_data()
    }

    fn length(&self) -> u64 {
        self.length
    }
}

fn open_append(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).mode(0o600).open(path)
}
