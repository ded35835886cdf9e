//! How long a dialplan of so many steps takes to be read, checked and proved.

use super::BenchError;
use super::cost::thread_time;
use super::figures::Figures;
use crate::dialplan;
use crate::server::config::Config;
use crate::server::files::load_prompts;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::fmt::Write as _;

/// Checks a plan of about `steps` steps, all of which can be reached.
///
/// # Errors
/// The prompts that it speaks are not there.
pub fn check(config: &Config, steps: usize) -> Result<Figures, BenchError> {
    let (prompts, _) = load_prompts(&config.prompts, &mut |_| {});
    let (files, facts) = ([("bench.toml".to_owned(), plan(steps))], config.facts(&prompts, None));
    let began = thread_time();
    let (plan, told) = dialplan::load(&files, &facts);
    let took = thread_time().saturating_sub(began);
    if plan.is_none() {
        let first = told.first().map(|told| told.message.clone()).unwrap_or_default();
        return Err(BenchError(format!("the plan to be checked is refused: {first}")));
    }
    let mut figures = Figures::new("check", &[("steps", steps as u64)]);
    figures.add_time("processor", took);
    figures.add("processor per step", took.as_secs_f64() * 1e6 / steps as f64, "us");
    Ok(figures)
}

/// A tree of menus; half of the announcements at its keys end the call, the others lead back to anywhere.
fn plan(steps: usize) -> String {
    let mut random = ChaCha12Rng::seed_from_u64(1);
    let mut text = String::from(
        "[line.bench]\nnumbers = [\"5550100\"]\nstart = \"menu m0\"\nlanguage = \"en\"\nhelp_within = \"1h\"\n\
         [line.bench.human]\nto = \"queue bench\"\n[queue.bench]\n",
    );
    let menus = (steps / 2).max(1);
    for number in 0..menus {
        let _ = write!(text, "[menu.m{number}]\nsay = [\"welcome\"]\n3 = \"play p{number}\"\nstar = \"repeat\"\n");
        for (key, next) in [(1, 2 * number + 1), (2, 2 * number + 2)].into_iter().filter(|(_, next)| *next < menus) {
            let _ = writeln!(text, "{key} = \"menu m{next}\"");
        }
        let _ = write!(text, "[play.p{number}]\nsay = [\"data-balance\"]\n");
        let _ = if number % 2 == 1 {
            writeln!(text, "finished = true")
        } else {
            writeln!(text, "then = \"menu m{}\"", random.next_u64() % menus as u64)
        };
    }
    text
}
