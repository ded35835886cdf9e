//! What a bench has found: a table for people, JSON for comparing two commits or two machines.

use serde_json::{Value, json};
use std::time::Duration;

/// One figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
}

/// All that one run has found, and where.
#[derive(Clone, PartialEq, Debug)]
pub struct Figures {
    pub bench: &'static str,
    /// How it was asked for: calls, rate and the like.
    pub of: Vec<(&'static str, u64)>,
    pub list: Vec<Figure>,
    /// What a reader must know before he believes them.
    pub warnings: Vec<String>,
}

impl Figures {
    pub fn new(bench: &'static str, of: &[(&'static str, u64)]) -> Figures {
        Figures { bench, of: of.to_vec(), list: Vec::new(), warnings: Vec::new() }
    }

    pub fn add(&mut self, name: &'static str, value: f64, unit: &'static str) {
        self.list.push(Figure { name, value, unit });
    }

    pub fn add_time(&mut self, name: &'static str, time: Duration) {
        self.add(name, time.as_secs_f64() * 1e3, "ms");
    }

    pub fn to_json(&self) -> Value {
        let figures: serde_json::Map<String, Value> = self
            .list
            .iter()
            .map(|figure| (figure.name.to_owned(), json!({"value": rounded(figure.value), "unit": figure.unit})))
            .collect();
        let of: serde_json::Map<String, Value> =
            self.of.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        json!({
            "bench": self.bench, "of": of, "figures": figures, "warnings": self.warnings,
            "version": env!("CARGO_PKG_VERSION"), "machine": machine(),
        })
    }

    /// Aligned, with the unit behind each figure.
    pub fn to_table(&self) -> String {
        let of: Vec<String> = self.of.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let mut text = format!("{} ({})\n", self.bench, of.join(", "));
        let width = self.list.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        for figure in &self.list {
            text += &format!("  {:<width$}  {:>12} {}\n", figure.name, shown(figure.value), figure.unit);
        }
        for warning in &self.warnings {
            text += &format!("  note: {warning}\n");
        }
        text
    }
}

fn machine() -> Value {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    json!({"cores": cores, "processor": processor.trim_start_matches([' ', '\t', ':']), "kernel": kernel.trim()})
}

/// Four digits are more than a measurement of this kind is good for.
fn rounded(value: f64) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    let digits = (3 - value.abs().max(1e-12).log10().floor() as i32).clamp(0, 9);
    json!((value * 10f64.powi(digits)).round() / 10f64.powi(digits))
}

fn shown(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    match value.abs() {
        size if size >= 1000.0 || value == value.trunc() => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_with_as_many_digits_as_they_are_good_for() {
        let mut figures = Figures::new("prompts", &[("calls", 1000)]);
        figures.add("processor per call-second", 187.654, "us");
        figures.add("ratio to the limit", 1.23456, "");
        figures.add("packets due", 500_000.0, "");
        figures.add("of nothing", f64::NAN, "");
        assert_eq!(
            figures.to_table(),
            "prompts (calls 1000)\n  processor per call-second         187.7 us\n  ratio to the limit                1.235 \n  \
             packets due                      500000 \n  of nothing                            - \n"
        );
        let json = figures.to_json();
        assert_eq!(json["figures"]["processor per call-second"], json!({"value": 187.7, "unit": "us"}));
        assert_eq!(json["figures"]["of nothing"]["value"], Value::Null);
        assert_eq!(json["of"]["calls"], 1000);
    }
}
