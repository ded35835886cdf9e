//! WAV files of every kind that operators have, whole and broken, and the prompts made of them.

use super::Folder;
use onekey::codec::Codec;
use onekey::diagnostic::Severity;
use onekey::media::g711;
use onekey::server::files::{Wav, load_prompts, read_dialplans, read_wav, write_wav};
use std::time::Duration;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const ALAW: u16 = 6;
const MULAW: u16 = 7;

/// A WAV file with a plain header, and `length` in it if given in place of the true one.
fn wav(tag: u16, channels: u16, rate_hz: u32, bits: u16, sound: &[u8], length: Option<u32>) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
    file.extend(b"LIST\x05\0\0\0title\0"); // an odd chunk, padded
    file.extend(b"fmt \x10\0\0\0");
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend(length.unwrap_or(sound.len() as u32).to_le_bytes());
    file.extend(sound);
    file
}

/// Half a second of 440 Hz at half of full scale.
fn tone(rate_hz: u32) -> Vec<f32> {
    (0..rate_hz / 2).map(|at| 0.5 * (at as f32 * 440.0 * std::f32::consts::TAU / rate_hz as f32).sin()).collect()
}

fn bytes_of<const N: usize>(samples: &[f32], encode: impl Fn(f32) -> [u8; N]) -> Vec<u8> {
    samples.iter().flat_map(|&sample| encode(sample)).collect()
}

fn sixteen(sample: f32) -> [u8; 2] {
    ((sample * 32767.0) as i16).to_le_bytes()
}

/// How much of the sound is 440 Hz (1: all), its strength (1: as in `tone`), and for how many seconds.
fn heard(samples: &[f32], rate_hz: u32) -> (f32, f32, f32) {
    let step = 440.0 * std::f32::consts::TAU / rate_hz as f32;
    let (mut sine, mut cosine, mut power) = (0.0, 0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        sine += sample * (at as f32 * step).sin();
        cosine += sample * (at as f32 * step).cos();
        power += sample * sample;
    }
    let count = samples.len() as f32;
    let purity = (sine * sine + cosine * cosine) * 2.0 / count / power;
    (purity, (power / count).sqrt() / 0.5f32.powf(1.5), count / rate_hz as f32)
}

fn assert_tone(name: &str, wav: &Wav, seconds: f32) {
    let (purity, strength, length) = heard(&wav.samples, wav.rate_hz);
    assert!(purity > 0.99, "{name}: only {purity} of it is the tone");
    assert!((0.97..1.03).contains(&strength), "{name}: strength {strength}");
    assert!((length - seconds).abs() < 0.01, "{name}: {length} s");
}

#[test]
fn every_usual_coding_sounds_the_same() {
    let folder = Folder::new("codings");
    let sound = tone(8000);
    let law = |codec| move |sample: f32| [g711::encode(codec, (sample * 32767.0) as i16)];
    let files = [
        ("8 bit", wav(PCM, 1, 8000, 8, &bytes_of(&sound, |s| [(s * 127.0 + 128.0) as u8]), None)),
        ("16 bit", wav(PCM, 1, 8000, 16, &bytes_of(&sound, sixteen), None)),
        (
            "24 bit",
            wav(
                PCM,
                1,
                8000,
                24,
                &bytes_of(&sound, |s| {
                    let [a, b, c, _] = ((s * 8_388_607.0) as i32).to_le_bytes();
                    [a, b, c]
                }),
                None,
            ),
        ),
        ("32 bit", wav(PCM, 1, 8000, 32, &bytes_of(&sound, |s| ((s * 2e9) as i32).to_le_bytes()), None)),
        ("float", wav(FLOAT, 1, 8000, 32, &bytes_of(&sound, f32::to_le_bytes), None)),
        ("A-law", wav(ALAW, 1, 8000, 8, &bytes_of(&sound, law(Codec::Pcma)), None)),
        ("mu-law", wav(MULAW, 1, 8000, 8, &bytes_of(&sound, law(Codec::Pcmu)), None)),
        ("length unknown", wav(PCM, 1, 8000, 16, &bytes_of(&sound, sixteen), Some(0xffff_ffff))),
    ];
    for (name, file) in files {
        let read = read_wav(&folder.write("a.wav", file)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((read.rate_hz, &read.warnings), (8000, &vec![]), "{name}");
        // 2e9 is a little less than full scale, 8 bits are coarse: both within the tolerance of what is heard.
        let scale = if name == "32 bit" { 2_147_483_648.0 / 2e9 } else { 1.0 };
        let samples = read.samples.iter().map(|sample| sample * scale).collect();
        assert_tone(name, &Wav { samples, ..read }, 0.5);
    }
}

#[test]
fn two_channels_are_mixed() {
    let folder = Folder::new("stereo");
    let frames: Vec<f32> = tone(8000).into_iter().flat_map(|sample| [sample * 1.5, sample * 0.5]).collect();
    let read = read_wav(&folder.write("a.wav", wav(PCM, 2, 8000, 16, &bytes_of(&frames, sixteen), None))).unwrap();
    assert_tone("stereo", &read, 0.5);
}

#[test]
fn a_file_cut_short_is_used_with_a_warning() {
    let folder = Folder::new("cut");
    let mut file = wav(PCM, 1, 8000, 16, &bytes_of(&tone(8000), sixteen), None);
    file.truncate(file.len() - 4001); // a quarter of a second and half a sample
    let read = read_wav(&folder.write("a.wav", file)).unwrap();
    assert_tone("cut", &read, 0.25);
    assert_eq!(read.warnings, ["the file is cut short: 0.2 s of 0.5 s are there and are used; copy it again"]);
}

#[test]
fn what_is_no_sound_is_refused_in_words() {
    let folder = Folder::new("refused");
    let sound = bytes_of(&tone(8000), sixteen);
    let cut_in_header = wav(PCM, 1, 8000, 16, &sound, None)[..40].to_vec();
    for (file, part) in [
        (Vec::new(), "empty"),
        (b"ID3\x04 this is an MP3 file".to_vec(), "not a WAV file"),
        (cut_in_header, "cut short"),
        (wav(PCM, 1, 8000, 16, &[], None), "no sound"),
        (wav(85, 1, 8000, 16, &sound, None), "format tag 85"),
        (wav(PCM, 0, 8000, 16, &sound, None), "0 channels"),
        (wav(PCM, 1, 3, 16, &sound, None), "rate of 3"),
        (wav(FLOAT, 1, 8000, 64, &sound, None), "64 bits"),
    ] {
        let error = read_wav(&folder.write("a.wav", file)).unwrap_err();
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
    assert!(read_wav(&folder.join("none.wav")).unwrap_err().contains("no such file"));
}

#[test]
fn prompts_of_any_rate_become_telephone_sound_in_both_laws() {
    let folder = Folder::new("rates");
    let list: String = [8000, 44_100, 48_000, 16_000, 6000]
        .map(|rate| {
            folder.write(&format!("en/tone-{rate}.wav"), wav(PCM, 1, rate, 16, &bytes_of(&tone(rate), sixteen), None));
            format!("[tone-{rate}]\ntext = \"A tone.\"\n")
        })
        .concat();
    folder.write("en/prompts.toml", list);
    let (library, problems) = load_prompts(&folder, &mut |_| {});
    let told: Vec<_> = problems.iter().map(|problem| (problem.severity, problem.message.as_str())).collect();
    let dull = "its 6000 samples per second are fewer than the telephone's 8000: it will sound dull";
    assert_eq!(told, [(Severity::Warning, dull)]);
    for rate in [8000, 44_100, 48_000, 16_000, 6000] {
        let prompt = library.get("en", &format!("tone-{rate}")).unwrap();
        assert_eq!(prompt.facts.length, Duration::from_millis(500), "{rate}");
        for codec in [Codec::Pcmu, Codec::Pcma] {
            let frames = (0..prompt.frames()).flat_map(|frame| prompt.frame(codec, frame));
            let samples = frames.map(|&byte| f32::from(g711::decode(codec, byte)) / 32768.0).collect();
            assert_tone(&format!("{rate} {codec:?}"), &Wav { samples, rate_hz: 8000, warnings: vec![] }, 0.5);
        }
    }
}

#[test]
fn one_bad_prompt_keeps_no_other_from_loading() {
    let folder = Folder::new("prompts");
    let sound = wav(PCM, 1, 8000, 16, &bytes_of(&tone(8000), sixteen), None);
    for name in ["en/welcome.wav", "en/greeting.wav", "en/tone.wav", "shared/hold-music.wav", "shared/tone.wav"] {
        folder.write(name, &sound);
    }
    folder.write("shared/prompts.toml", "[hold-music]\ntext = \"Music.\"\n[tone]\ntext = \"A tone.\"\n");
    folder.write(
        "en/prompts.toml",
        "[welcome]\ntext = \"Press 0.\"\noffers_human = true\n\
         [hello]\ntext = \"Hello.\"\nfile = \"greeting.wav\"\noffer_ends = \"0.25s\"\n\
         [late]\ntext = \"Late.\"\nfile = \"greeting.wav\"\noffer_ends = \"9s\"\n\
         [tone]\ntext = \"Our own tone.\"\n\
         [gone]\ntext = \"Gone.\"\n\
         [odd]\ntext = \"Odd.\"\nfile = \"greeting.wav\"\nofers_human = true\n\
         [when]\ntext = \"When.\"\nfile = \"greeting.wav\"\noffer_ends = \"soon\"\n",
    );
    folder.write("zh/prompts.toml", "[welcome\n");
    let (library, problems) = load_prompts(&folder, &mut |_| {});
    let offer = |id| library.get("en", id).unwrap().facts.offer_ends;
    assert_eq!(offer("welcome"), Some(Duration::from_millis(500)));
    assert_eq!(offer("hello"), Some(Duration::from_millis(250)));
    assert_eq!(offer("late"), Some(Duration::from_millis(500)));
    assert_eq!(offer("hold-music"), None);
    assert_eq!(library.get("en", "tone").unwrap().facts.text, "Our own tone.");
    assert!(library.get("zh", "hold-music").is_some(), "what is shared is there in every language");
    assert!(library.get("en", "gone").is_none() && library.get("shared", "tone").is_none());
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for part in [
        "gone.wav: there is no such file",
        "prompt `odd`: unknown field `ofers_human`",
        "prompt `when`: offer_ends is not a time",
        "warning: ",
        "zh/prompts.toml: TOML parse error at line 1",
    ] {
        assert!(told.iter().any(|line| line.contains(part)), "nothing says {part:?} in {told:#?}");
    }
    assert_eq!(told.len(), 5, "{told:#?}");
}

#[test]
fn what_we_write_we_read() {
    let folder = Folder::new("written");
    let path = folder.join("deep/er/a.wav");
    let samples: Vec<i16> = tone(8000).iter().map(|sample| (sample * 32768.0) as i16).collect();
    write_wav(&path, &samples).unwrap();
    assert_tone("written", &read_wav(&path).unwrap(), 0.5);
}

#[test]
fn a_dialplan_folder_is_read_by_name_and_only_its_toml() {
    let folder = Folder::new("dialplans");
    folder.write("b.toml", "b");
    folder.write("a.toml", "a");
    folder.write("a.call", "not this");
    folder.write(".a.toml.swp", "nor this");
    let texts: Vec<String> = read_dialplans(&folder).unwrap().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["a", "b"]);
    assert!(read_dialplans(&folder.join("none")).unwrap_err().contains("there is no such file or folder"));
}

#[test]
fn the_projects_own_prompts_are_whole() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
    let (library, problems) = load_prompts(&folder, &mut |_| {});
    assert!(problems.is_empty(), "{problems:#?}");
    for language in ["en", "zh"] {
        for id in onekey::prompt::spoken::REQUIRED {
            assert!(library.get(language, id).is_some(), "{language} has no prompt {id}");
        }
        assert!(library.get(language, "welcome").unwrap().facts.offer_ends.is_some());
    }
}
