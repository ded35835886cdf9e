//! `deploy/onekey.toml` is complete and true, and every mistake is told with its place.

use super::*;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const DOCUMENTED: &str = include_str!("../../../deploy/onekey.toml");

/// The file with every commented-out key and section in force: their `#` touches the word, a remark's does not.
fn uncommented() -> String {
    let is_key =
        |line: &str| line.starts_with('#') && line[1..].starts_with(|c: char| c == '[' || c.is_ascii_lowercase());
    DOCUMENTED.lines().map(|line| if is_key(line) { &line[1..] } else { line }).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_documented_file_as_it_is_changes_nothing() {
    assert_eq!(parse("onekey.toml", DOCUMENTED), Ok(Config::default()));
    assert_eq!(parse("onekey.toml", ""), Ok(Config::default()));
}

#[test]
fn every_documented_value_is_the_default() {
    let mut config = parse("onekey.toml", &uncommented()).unwrap();
    assert_eq!(config.trunks.len(), 1);
    assert_eq!(config.trunks[0].addresses[1], ("198.51.100.0".parse().unwrap(), 24));
    config.trunks.clear();
    assert_eq!(config, Config::default());
}

#[test]
fn every_key_is_documented() {
    let (_, problems) = read("onekey.toml", &uncommented());
    let mut section = String::new();
    let mut documented = BTreeSet::new();
    for line in uncommented().lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned() + ".";
        } else if let Some((key, _)) = line.split_once(" = ") {
            documented.insert(format!("{section}{key}"));
        }
    }
    assert_eq!(documented, problems.known);
    assert!(documented.contains("rtp.last_port") && documented.contains("trunk.asserts_identity"));
}

#[test]
fn values_are_read() {
    let text = "data = 'd'\n[sip]\nudp = ['[::]:5070', '127.0.0.1:5080']\ntcp = []\nadvertised = '203.0.113.7'\n\
                [rtp]\ntimeout = '500ms'\nfirst_port = 0x4000\n[media]\nworkers = 3\npriority = 'normal'\nraw_socket = true\n\
                [http]\nlisten = 'off'\n[registry]\nthresholds = [70]\ndefault_country = 'CN'\n";
    let config = parse("onekey.toml", text).unwrap();
    assert_eq!(config.sip.udp.len(), 2);
    assert_eq!(config.sip.udp[0], "[::]:5070".parse::<SocketAddr>().unwrap());
    assert!(config.sip.tcp.is_empty());
    assert_eq!(config.sip.advertised, Some("203.0.113.7".parse::<IpAddr>().unwrap()));
    assert_eq!((config.rtp.timeout, config.rtp.first_port), (Duration::from_millis(500), 0x4000));
    assert_eq!(
        (config.media.workers, config.media.priority, config.media.raw_socket),
        (Some(3), Priority::Normal, true)
    );
    assert_eq!((config.http.listen, config.registry.thresholds), (None, vec![70]));
    assert_eq!(config.database.path, Path::new("d/onekey.sqlite"));
}

#[test]
fn all_mistakes_are_told_in_one_run_with_their_places() {
    let text = "dat = 'x'\n[spi]\nudp = []\n[sip]\nudp = '0.0.0.0:5060'\nreelm = 'x'\nadvertised = 'example.com'\n\
                [rtp]\nfirst_port = 70000\ntimeout = '30'\nlast_port = true\n[registry]\ndefault_country = 'Mars'\n\
                thresholds = [65, 'x']\n[[trunk]]\naddresses = ['192.0.2.0/33']\n[limits]\ncalls = 0\n[log]\nzzz = 1\n";
    let refused =
        Refused { file: "f".to_owned(), text: text.to_owned(), diagnostics: parse("onekey.toml", text).unwrap_err() };
    let told = refused.to_string();
    let expected = [
        "onekey.toml:1:1: error[C003]: there is no key `dat` before the first section (did you mean `data`?)",
        "onekey.toml:2:2: error[C002]: there is no section `spi` (did you mean `sip`?)",
        "onekey.toml:5:7: error[C004]: `udp` is text, and must be a list in brackets, [ ]",
        "onekey.toml:6:1: error[C003]: there is no key `reelm` in [sip] (did you mean `realm`?)",
        "onekey.toml:7:14: error[C005]: `advertised` must be \"auto\" or an IP address",
        "onekey.toml:9:14: error[C005]: `first_port` must be a whole number from 1 to 65535",
        "onekey.toml:10:11: error[C005]: `timeout` must be a duration",
        "onekey.toml:11:13: error[C004]: `last_port` is true or false, and must be a whole number",
        "onekey.toml:13:19: error[C005]: `default_country` must be a country's two letters",
        "onekey.toml:14:19: error[C004]: `thresholds` is text, and must be a whole number",
        "onekey.toml:15:1: error[C006]: `[[trunk]]` needs the key `name`",
        "onekey.toml:16:14: error[C005]: `addresses` must be an address",
        "onekey.toml:18:9: error[C005]: `calls` must be a whole number",
        "onekey.toml:20:1: error[C003]: there is no key `zzz` in [log]",
    ];
    assert_eq!(told.lines().count(), expected.len(), "{told}");
    for (line, start) in told.lines().zip(expected) {
        assert!(line.starts_with(start), "{line}\ninstead of\n{start}");
    }
}

#[test]
fn broken_toml_is_told_together_with_what_is_wrong_beside_it() {
    let text = "[sip]\nrealm = \nudp = 5\n[rtp\nnosuch = 1\n";
    let told =
        Refused { file: "f".to_owned(), text: text.to_owned(), diagnostics: parse("onekey.toml", text).unwrap_err() }
            .to_string();
    assert!(told.contains("onekey.toml:2:"), "{told}");
    assert!(told.contains(":3:7: error[C004]"), "{told}");
    assert!(told.matches("C001").count() >= 2, "{told}");
}

#[test]
fn a_file_is_drawn_with_its_lines_and_a_byte_order_mark_moves_nothing() {
    let path = std::env::temp_dir().join(format!("onekey-settings-{}.toml", std::process::id()));
    std::fs::write(&path, "\u{feff}[sip]\nreelm = 'x'\n").unwrap();
    let refused = load(Some(&path)).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(refused.to_string().contains(":2:1: error[C003]"), "{refused}");
    let drawn = refused.drawn(false);
    assert!(drawn.contains("reelm = 'x'") && drawn.contains("^^^^^ not known"), "{drawn}");
}

#[test]
fn settings_that_contradict_each_other_are_told() {
    for (text, part) in [
        ("[rtp]\nfirst_port = 20000\nlast_port = 20002\n", ":3:13: error[C007]: ports 20000 to 20002"),
        ("[sip]\nudp = []\ntcp = []\n", ":1:1: error[C007]: neither"),
        ("[sip]\nregistration_min = 4000\n", ":2:20: error[C007]"),
        ("[[trunk]]\nname='a'\naddresses=[]\n[[trunk]]\nname='a'\naddresses=[]\n", ":4:1: error[C007]: there are two"),
        ("sip = 5\n", ":1:7: error[C004]: `sip` is a section"),
        ("[trunk]\nname='a'\n", ":1:1: error[C004]: there may be several"),
    ] {
        let told = Refused { file: "f".to_owned(), text: text.to_owned(), diagnostics: parse("f", text).unwrap_err() }
            .to_string();
        assert!(told.contains(part), "{text}: {told}");
    }
}

#[test]
fn a_named_file_must_be_there_and_each_code_is_explained() {
    let told = load(Some(Path::new("no/such/onekey.toml"))).unwrap_err().to_string();
    assert!(told.contains("C001") && told.contains("no/such/onekey.toml"), "{told}");
    assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
}
