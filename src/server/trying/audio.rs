//! The sound of `onekey try --audio`: what the caller would hear, as a WAV file for a player that is installed.
//!
//! The frames are those that calls are sent, so it sounds as on a telephone.

use crate::codec::Codec;
use crate::media::g711;
use crate::prompt::Prompt;
use crate::server::files::WavOut;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// Players, the plainest first, with what makes them play one file in silence.
const PLAYERS: [(&str, &[&str]); 5] = [
    ("aplay", &["-q"]),
    ("paplay", &[]),
    ("play", &["-q"]),
    ("ffplay", &["-nodisp", "-autoexit", "-loglevel", "quiet"]),
    ("afplay", &[]),
];

/// Plays one thing at a time. What it wrote is gone when it is dropped.
pub struct Audio {
    program: PathBuf,
    options: &'static [&'static str],
    folder: PathBuf,
    written: u32,
    playing: Option<Child>,
}

impl Audio {
    /// With the first player that is found on `path`, the search path of programs.
    ///
    /// # Errors
    /// There is none; the words say which would do.
    pub fn find(path: Option<&OsStr>) -> Result<Audio, String> {
        let folders: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        let there = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|file| is_program(file));
        let found = PLAYERS.iter().find_map(|(name, options)| Some((there(name)?, *options)));
        let (program, options) = found.ok_or_else(|| {
            let names: Vec<&str> = PLAYERS.iter().map(|(name, _)| *name).collect();
            format!(
                "--audio needs a program that plays sound, and none is installed: {} (Debian: apt install alsa-utils). \
                 Without --audio the words are shown",
                names.join(", ")
            )
        })?;
        let folder = std::env::temp_dir().join(format!("onekey-try-{}", std::process::id()));
        Ok(Audio { program, options, folder, written: 0, playing: None })
    }

    /// Plays these one after the other, instead of what plays now. Music is played once.
    ///
    /// # Errors
    /// The file cannot be written, or the player does not start.
    pub fn play(&mut self, prompts: &[Arc<Prompt>]) -> Result<(), String> {
        self.stop();
        let file = self.folder.join(format!("{}.wav", self.written));
        self.written += 1;
        let shown = file.display();
        write(&file, prompts).map_err(|error| format!("{shown}: {error}"))?;
        let mut command = Command::new(&self.program);
        command.args(self.options).arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = command.spawn().map_err(|error| format!("{}: {error}", self.program.display()))?;
        self.playing = Some(started);
        Ok(())
    }

    /// Silence.
    pub fn stop(&mut self) {
        if let Some(mut playing) = self.playing.take() {
            // It may have ended by itself.
            let _ = playing.kill();
            let _ = playing.wait();
        }
    }
}

impl Drop for Audio {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

/// One WAV file of all of them.
fn write(file: &Path, prompts: &[Arc<Prompt>]) -> std::io::Result<()> {
    let mut out = WavOut::create(file, 1)?;
    for prompt in prompts {
        for index in 0..prompt.frames() {
            let frame = prompt.frame(Codec::Pcmu, index);
            let samples: Vec<i16> = frame.iter().map(|byte| g711::decode(Codec::Pcmu, *byte)).collect();
            out.write(&samples)?;
        }
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Language, PromptId};
    use crate::prompt::PromptFacts;
    use crate::server::files::read_wav;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("onekey-audio-{}-{test}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn the_first_player_on_the_path_plays_and_a_file_that_cannot_run_is_none() {
        let folder = folder("path");
        let put = |name: &str, mode: u32| {
            std::fs::write(folder.join(name), "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let told = Audio::find(Some(folder.as_os_str())).err().unwrap();
        assert!(told.contains("aplay, paplay, play, ffplay, afplay"), "{told}");
        put("ffplay", 0o755);
        put("aplay", 0o644);
        let audio = Audio::find(Some(folder.as_os_str())).unwrap();
        assert_eq!(audio.program, folder.join("ffplay"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn prompts_are_written_one_after_the_other_as_calls_hear_them() {
        let folder = folder("wav");
        let prompt = |byte: u8, frames: usize| {
            let facts = PromptFacts { text: String::new(), length: Duration::ZERO, offer_ends: None, advert: false };
            let sound = || vec![byte; 160 * frames];
            Arc::new(Prompt::new(PromptId::new("a"), Language::new("en"), facts, sound(), sound()))
        };
        let file = folder.join("both.wav");
        write(&file, &[prompt(0x00, 2), prompt(0xff, 3)]).unwrap();
        let wav = read_wav(&file).unwrap();
        assert_eq!((wav.rate_hz, wav.samples.len()), (8000, 160 * 5));
        assert!(wav.samples[319] < -0.9 && wav.samples[320].abs() < 0.01, "the loudest, then silence");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
