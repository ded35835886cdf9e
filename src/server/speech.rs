//! The installed speech programs that turn sentences into sound: Debian's festival for English, espeak-ng for the rest.
//!
//! Each run writes WAV files into a folder of its own. Levelling and resampling are `super::level`'s.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use thiserror::Error;

/// Changing what a voice says or how fast means changing its `name`, so that every prompt is built again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Voice {
    /// festival's HTS voice "slt", a little slower than it speaks by itself.
    Festival,
    /// espeak-ng with this voice.
    Espeak(String),
}

#[derive(Debug, Error)]
pub enum SpeechError {
    #[error("the speech program `{program}` is not installed: install Debian's {packages}")]
    NotInstalled { program: &'static str, packages: &'static str },
    #[error("the speech program `{program}` failed: {said}")]
    Failed { program: &'static str, said: String },
    #[error("cannot run the speech program `{program}`: {cause}")]
    Unrunnable { program: &'static str, cause: std::io::Error },
}

const FESTIVAL_PACKAGES: &str = "festival and festvox-us-slt-hts";

impl Voice {
    /// The voice of a language's folder.
    pub fn of_language(language: &str) -> Voice {
        match language {
            "en" => Voice::Festival,
            // espeak-ng's own `cmn` reads the characters wrongly; this one reads characters and pinyin alike.
            "zh" => Voice::Espeak("cmn-latn-pinyin".to_string()),
            other => Voice::Espeak(other.to_string()),
        }
    }

    /// What makes two sounds of the same words differ; part of what decides whether a prompt is built again.
    pub fn name(&self) -> String {
        match self {
            Voice::Festival => "festival us_slt_hts 0.92".to_string(),
            Voice::Espeak(voice) => format!("espeak-ng {voice} 175"),
        }
    }

    /// Speaks each sentence into a WAV file of its own in `folder`; the paths come back in the same order.
    pub fn speak(&self, sentences: &[String], folder: &Path) -> Result<Vec<PathBuf>, SpeechError> {
        let files: Vec<PathBuf> = (0..sentences.len()).map(|index| folder.join(format!("{index}.wav"))).collect();
        match self {
            Voice::Festival => by_festival(sentences, &files, folder)?,
            Voice::Espeak(voice) => {
                for (sentence, file) in sentences.iter().zip(&files) {
                    by_espeak(voice, sentence, file)?;
                }
            }
        }
        Ok(files)
    }
}

/// One process for all sentences: loading the voice costs more than speaking.
fn by_festival(sentences: &[String], files: &[PathBuf], folder: &Path) -> Result<(), SpeechError> {
    let program = "festival";
    let mut script = String::from("(voice_cmu_us_slt_arctic_hts)\n");
    script.push_str("(set! hts_engine_params (append hts_engine_params (list (list \"-r\" 0.92))))\n");
    for (sentence, file) in sentences.iter().zip(files) {
        let (sentence, file) = (scheme_string(sentence), scheme_string(&file.to_string_lossy()));
        script.push_str(&format!("(utt.save.wave (utt.synth (Utterance Text {sentence})) {file} 'riff)\n"));
    }
    let script_file = folder.join("speak.scm");
    std::fs::write(&script_file, script).map_err(|cause| SpeechError::Unrunnable { program, cause })?;
    let ran = Command::new(program).arg("-b").arg(&script_file).stdin(Stdio::null()).output();
    let output = ran.map_err(|cause| unrunnable(program, FESTIVAL_PACKAGES, cause))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("unbound variable : voice_cmu_us_slt_arctic_hts") {
        return Err(SpeechError::NotInstalled { program: "festival's voice us_slt_hts", packages: FESTIVAL_PACKAGES });
    }
    succeeded(program, &output, files)
}

fn by_espeak(voice: &str, sentence: &str, file: &Path) -> Result<(), SpeechError> {
    let program = "espeak-ng";
    let spawned = Command::new(program)
        .args(["-v", voice, "-s", "175", "--stdin", "-w"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|cause| unrunnable(program, "espeak-ng", cause))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends early is reported by its exit status below, not by this write.
        let _ = stdin.write_all(sentence.as_bytes());
    }
    let output = child.wait_with_output().map_err(|cause| SpeechError::Unrunnable { program, cause })?;
    succeeded(program, &output, &[file.to_path_buf()])
}

fn unrunnable(program: &'static str, packages: &'static str, cause: std::io::Error) -> SpeechError {
    match cause.kind() {
        std::io::ErrorKind::NotFound => SpeechError::NotInstalled { program, packages },
        _ => SpeechError::Unrunnable { program, cause },
    }
}

fn succeeded(program: &'static str, output: &Output, files: &[PathBuf]) -> Result<(), SpeechError> {
    if output.status.success() && files.iter().all(|file| file.is_file()) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it wrote no sound").to_string();
    Err(SpeechError::Failed { program, said })
}

/// A Scheme string: only the quotation mark and the backslash are special in it.
fn scheme_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cannot_leave_the_scheme_string() {
        assert_eq!(scheme_string(r#"say "hi" \ (quit)"#), r#""say \"hi\" \\ (quit)""#);
        assert_eq!(scheme_string("two\nlines"), "\"two lines\"");
    }

    #[test]
    fn a_missing_program_is_named_with_the_packages_to_install() {
        let missing = unrunnable("festival", FESTIVAL_PACKAGES, std::io::ErrorKind::NotFound.into());
        assert_eq!(
            missing.to_string(),
            "the speech program `festival` is not installed: install Debian's festival and festvox-us-slt-hts"
        );
    }

    #[test]
    fn mandarin_is_never_read_by_the_voice_that_spells_it() {
        assert_eq!(Voice::of_language("zh"), Voice::Espeak("cmn-latn-pinyin".to_string()));
    }
}
