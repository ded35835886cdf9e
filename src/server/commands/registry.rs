//! `onekey registry import|find|count`: the caller registry (DESIGN §9).

use super::{CommandError, Done, PROBLEMS, open_database, open_existing, wall_now};
use crate::callers::{CallerRegistry, Reached, earliest_date};
use crate::server::config::Config;
use crate::server::registry_import::{BadRow, Import, Progress};
use crate::server::secrets::Secrets;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const READING: &str =
    "reading {bar:40} {percent:>3} %  {binary_bytes}/{binary_total_bytes}  {elapsed_precise} (left: {eta_precise})";
const STORING: &str = "storing {bar:40} {percent:>3} %  {human_pos}/{human_len} numbers  {elapsed_precise}";

/// Imports a CSV file; status 1 when any row was bad.
///
/// # Errors
/// The file, its header, the key or the database cannot be used.
pub fn import(config: &Config, file: &Path, is_json: bool) -> Done {
    let failed = |error| CommandError::Said(format!("{}: {error}", file.display()));
    let source = File::open(file).map_err(failed)?;
    let bar = ProgressBar::new(source.metadata().map_err(failed)?.len());
    if let Ok(style) = ProgressStyle::with_template(READING) {
        bar.set_style(style);
    }
    let registry = caller_registry(config)?;
    let mut database = open_database(config)?;
    let today = earliest_date(wall_now());
    let import = Import { registry: &registry, thresholds: &config.registry.thresholds, today };
    let began = Instant::now();
    let name = file.display();
    let mut on_bad = |bad: BadRow| bar.suspend(|| eprintln!("{name}:{}: {}", bad.line, bad.reason));
    let mut on_progress = |progress| match progress {
        Progress::Read { bytes } => bar.set_position(bytes),
        Progress::Stored { rows, of } => {
            if let Ok(style) = ProgressStyle::with_template(STORING) {
                bar.set_style(style);
            }
            bar.set_length(of);
            bar.set_position(rows);
        }
    };
    let summary = import
        .run(BufReader::with_capacity(1 << 18, source), &mut database, &mut on_bad, &mut on_progress)
        .map_err(|error| CommandError::Said(format!("{name}: {error}")))?;
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    if is_json {
        println!("{}", serde_json::json!({ "imported": summary.imported, "bad": summary.bad, "seconds": seconds }));
    } else {
        let rate = summary.imported as f64 / seconds.max(0.001);
        println!(
            "{} numbers imported, {} bad rows, {seconds:.1} s ({rate:.0} a second)",
            summary.imported, summary.bad
        );
    }
    Ok(if summary.bad == 0 { ExitCode::SUCCESS } else { PROBLEMS })
}

/// Shows what is stored of a number; status 1 when it is not listed.
///
/// # Errors
/// It is no number, or the key or the database cannot be used.
pub fn find(config: &Config, number: &str, is_json: bool) -> Done {
    let database = open_existing(config)?;
    let registry = caller_registry(config)?;
    if !database.is_registry_key(&registry.key_mark())? {
        return Err(crate::server::registry_import::ImportError::OtherKey.into());
    }
    let e164 = registry.normalise(number).ok_or_else(|| {
        CommandError::Said(format!(
            "`{number}` is not a telephone number (country {})",
            config.registry.default_country
        ))
    })?;
    let Some(stored) = database.person(registry.hash(&e164))? else {
        println!("{}", if is_json { "null".to_owned() } else { format!("{e164} is not listed") });
        return Ok(PROBLEMS);
    };
    let ages: Vec<(u8, String)> = stored.ages.iter().map(|(age, reached)| (*age, readable(*reached))).collect();
    let language = stored.language.as_ref().map(|language| language.as_str());
    if is_json {
        let ages: serde_json::Map<_, _> = ages.into_iter().map(|(age, when)| (age.to_string(), when.into())).collect();
        println!(
            "{}",
            serde_json::json!({ "number": e164, "ages": ages, "flags": stored.flags, "language": language })
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!("{e164}");
    for (age, when) in ages {
        println!("  age {age}: {when}");
    }
    println!("  flags: {}", stored.flags.into_iter().collect::<Vec<_>>().join(" "));
    println!("  language: {}", language.unwrap_or("-"));
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// The database cannot be read.
pub fn count(config: &Config) -> Done {
    println!("{}", open_existing(config)?.people_count()?);
    Ok(ExitCode::SUCCESS)
}

fn caller_registry(config: &Config) -> Result<CallerRegistry, CommandError> {
    Ok(CallerRegistry::new(Secrets::load(&config.data)?.registry_key, &config.registry.default_country))
}

fn readable(reached: Reached) -> String {
    match reached {
        Reached::Already => "reached".to_owned(),
        Reached::Month(month) => format!("from {}-{:02}", 1900 + month / 12, month % 12 + 1),
    }
}
