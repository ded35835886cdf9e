//! `onekey calls list`: the latest call records.

use super::{Done, open_existing, readable_time};
use crate::server::config::Config;
use crate::time::Wall;
use std::process::ExitCode;

/// # Errors
/// The database cannot be read.
pub fn list(config: &Config, limit: u32, is_json: bool) -> Done {
    let rows = open_existing(config)?.calls(limit)?;
    if is_json {
        println!("{}", serde_json::json!(rows));
        return Ok(ExitCode::SUCCESS);
    }
    let seconds = |ms: Option<i64>| ms.map_or("-".to_owned(), |ms| format!("{}.{}s", ms / 1000, ms % 1000 / 100));
    println!(
        "{:<24} {:<12} {:<8} {:<14} {:<8} {:<8} {:<8} released by",
        "began", "line", "asked", "by", "person", "agent", "end"
    );
    for row in rows {
        println!(
            "{:<24} {:<12} {:<8} {:<14} {:<8} {:<8} {:<8} {}",
            readable_time(Wall::from_micros(row.began_us)),
            row.line,
            seconds(row.human_asked_ms),
            row.asked_by.unwrap_or_default(),
            seconds(row.speaking_ms),
            row.agent.unwrap_or_default(),
            seconds(row.ended_ms),
            row.released_by,
        );
    }
    Ok(ExitCode::SUCCESS)
}
