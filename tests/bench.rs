//! `onekey bench` with the real server, small and short: it ends, nothing is lost, and its JSON has the figures of
//! `tests/bench/*.json`, by which two commits are compared (`BLESS=1` writes those files anew; read them). What the figures
//! are is nobody's business here: this machine may be busy.

use serde_json::{Map, Value};
use std::path::Path;
use std::process::Command;

fn measured(name: &str, arguments: &[&str]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_onekey"));
    command.current_dir(root).arg("bench").args(arguments).args(["--seconds", "1", "--json"]);
    let output = command.output().expect("onekey runs");
    assert!(output.status.success(), "bench {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let figures = found["figures"].as_object().expect("figures");
    let units: Map<String, Value> =
        figures.iter().map(|(name, figure)| (name.clone(), figure["unit"].clone())).collect();
    let shape = format!("{:#}\n", serde_json::json!({ "bench": found["bench"], "units of its figures": units }));
    let file = root.join(format!("tests/bench/{name}.json"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &shape).expect("the shape can be written");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), shape, "the figures of {name} have changed");
    assert!(found["machine"]["cores"].as_u64().is_some_and(|cores| cores > 0));
    found["figures"].clone()
}

fn value(figures: &Value, name: &str) -> f64 {
    figures[name]["value"].as_f64().unwrap_or_else(|| panic!("no {name} in {figures:#}"))
}

#[test]
fn callers_who_listen_and_speak_are_heard_of() {
    let figures = measured("prompts", &["prompts", "--calls", "20", "--talking"]);
    assert!(value(&figures, "packets heard of those due") > 50.0, "{figures:#}");
    assert!(value(&figures, "ratio to a port each") > 0.1, "{figures:#}");
}

#[test]
fn callers_and_agents_hear_each_other() {
    let figures = measured("bridges", &["bridges", "--calls", "10"]);
    assert!(value(&figures, "packets heard of those due") > 50.0, "{figures:#}");
}

#[test]
fn calls_are_set_up_and_ended() {
    let figures = measured("setup", &["setup", "--rate", "20"]);
    assert!(value(&figures, "calls") >= 15.0 && value(&figures, "failed") == 0.0, "{figures:#}");
}

#[test]
fn the_machine_alone_and_a_plan() {
    let figures = measured("limit", &["limit", "--calls", "20"]);
    assert!(value(&figures, "sending, one port: processor per call-second") > 1.0, "{figures:#}");
    assert!(value(&measured("check", &["check", "--steps", "50"]), "processor") > 0.0);
}

#[test]
fn how_figures_grow_is_drawn() {
    let file = std::env::temp_dir().join(format!("onekey-plot-{}.svg", std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_onekey"));
    command.args(["bench", "check", "--steps", "80", "--json", "--plot"]).arg(&file);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("onekey runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let steps: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON a line")).collect();
    let steps: Vec<_> = steps.iter().map(|found| found["of"]["steps"].as_u64().unwrap_or(0)).collect();
    assert_eq!(steps, [10, 20, 40, 60, 80]);
    let drawn = std::fs::read_to_string(&file).expect("a picture");
    assert!(drawn.starts_with("<svg") && drawn.matches("<circle").count() == 10, "{drawn}");
    std::fs::remove_file(&file).expect("the picture is there");
}

#[test]
fn people_are_imported_and_found() {
    let figures = measured("registry", &["registry", "--rows", "5000"]);
    assert!(value(&figures, "on the disk per row") < 60.0, "{figures:#}");
    assert!(value(&figures, "look-ups") > 10.0, "{figures:#}");
}
