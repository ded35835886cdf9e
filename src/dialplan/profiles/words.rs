//! Rules of what is said and kept: adverts, charges, notices, recordings, records. Many of them no plan can tell.

use super::case::{Case, Fault, Verdict};
use super::rule::{By, Figure, Rule, kept};
use crate::dialplan::draft::Draft;
use crate::prompt::spoken;
use crate::target::StepKind;

pub(super) const NO_ADS: Rule = Rule::new(
    "no_ads",
    By::Checker,
    "nothing that a caller hears advertises: no prompt of it is marked `advert = true` in prompts.toml",
    |case, _| {
        let mut told = Vec::new();
        for draft in case.reached() {
            told.extend(case.adverts_of(draft).into_iter().map(|text| {
                let why = format!("{} says the advert `{}`", draft.at, text.value);
                Fault::new(&text.span, why, "take it out")
            }));
        }
        told.extend(case.of_kind(StepKind::Queue).filter_map(|queue| own_music(case, queue)));
        Verdict::of(told)
    },
);
pub(super) const ADS_NEED_CONSENT: Rule = Rule::new(
    "ads_need_consent",
    By::Checker,
    "who waits in a queue hears no advert, because nobody has agreed to one",
    |case, _| {
        let waits = |queue: &'_ Draft| {
            let is_advert = case.languages_at(&queue.at).iter().any(|language| {
                let music = case.queue(&queue.at).map(|queue| queue.hold_music.as_str());
                music.and_then(|id| case.prompt(language, id)).is_some_and(|prompt| prompt.facts.advert)
            });
            let why = format!("who waits in {} hears an advert", queue.at);
            is_advert.then(|| Fault::new(&queue.name, why, "give it another `hold_music`"))
        };
        Verdict::of(case.of_kind(StepKind::Queue).filter_map(waits).collect())
    },
);
pub(super) const ADS_COUNT: Rule = Rule::new(
    "ads_count_in_time",
    By::Server,
    "adverts count in the seconds until a person is offered, as all prompts do",
    kept,
);
pub(super) const AI_NOTICE: Rule = Rule::new(
    "ai_notice_before_bot",
    By::Partly,
    "callers are told before they speak to a machine that it is one (recorded prompts and keys are none)",
    no_bot,
);
pub(super) const KEY_IN_BOT: Rule =
    Rule::new("human_key_in_bot", By::Partly, "0 reaches a person also while a machine speaks with the caller", no_bot);
pub(super) const RECORDING_NOTICE: Rule = Rule::new(
    "recording_notice_before_recording",
    By::Server,
    "a call is recorded only after the notice has been heard; who is answered before it is not recorded",
    kept,
);
pub(super) const NOTICE_DELAYS_NOBODY: Rule = Rule::new(
    "notice_delays_human",
    By::Server,
    "no notice keeps a caller from a person: it is said while the agent's phone rings",
    kept,
);
pub(super) const NO_BIRTH_DATE: Rule = Rule::new(
    "store_birth_date",
    By::Server,
    "no birth date is stored: the registry keeps only the month in which an age is reached",
    kept,
);
pub(super) const NO_CLEAR_NUMBER: Rule = Rule::new(
    "store_clear_number_in_cdr",
    By::Server,
    "a call's record holds no clear number, only a keyed hash",
    kept,
);
pub(super) const ROUTE_REASON: Rule = Rule::new(
    "route_reason_only",
    By::Server,
    "a call's record says that a caller went straight to a person, and not the age",
    kept,
);
pub(super) const CHARGE: Rule =
    Rule::new("announce_charge", By::Nobody, "callers are told whether the call costs them anything", |case, _| {
        outside(case, "what a call costs is not written in a plan", "if it costs anything, say so in the first prompt")
    });
pub(super) const NUMBER_TYPE: Rule = Rule::new(
    "number_type",
    By::Nobody,
    "who waits dials a free, geographic, mobile or flat-rate number",
    |case, _| outside(case, "the tariff of a number is not written in a plan", "ask who leases you the number"),
);
pub(super) const AUDIT: Rule =
    Rule::new("audit_per_year", By::Nobody, "the line is audited {} time a year, or more", |case, _| {
        outside(case, "no plan tells who audits it", "note the date of each audit")
    });
pub(super) const CALLBACK_ON_DROP: Rule =
    Rule::new("callback_on_drop", By::Nobody, "who is cut off is called back", |case, _| {
        let why = "callers who had asked for a person are kept in the ledger when the line breaks; the others are not";
        outside(case, why, "call back whom `onekey promises list` shows as due")
    });
pub(super) const RECORDING_DAYS: Rule =
    Rule::new("recording_days_min", By::Nobody, "recordings are kept for {} days or longer", |case, _| {
        let why = "the server deletes no recording by itself, and who else does is not known here";
        outside(case, why, "see that nothing on this machine deletes recordings earlier")
    });
pub(super) const RECORD_YEARS: Rule =
    Rule::new("record_years_min", By::Nobody, "records of calls are kept for {} years or longer", |case, _| {
        let why = "the server deletes no record by itself, and who else does is not known here";
        outside(case, why, "keep backups of the database for as long")
    });
pub(super) const ADAPTED: Rule = Rule::new(
    "adapt_for_age_disability",
    By::Nobody,
    "the line is fit for elders and for people with a disability",
    |case, _| {
        let why = "fitness for elders and disabled people is more than a plan can show";
        outside(case, why, "use `direct` and `gentle` of `[line.NAME.human]`, and try the line with those people")
    },
);
pub(super) const NO_NUMBER: Rule = Rule::new(
    "store_caller_number",
    By::Nobody,
    "the caller's number is not stored",
    |case, _| {
        let why = "the ledger holds the number, encrypted, until its promise is kept, and each record a keyed hash of it; \
                   whether that is storing is for a lawyer";
        outside(case, why, "ask one before you bind the line to this")
    },
);
pub(super) const TEXT_PATH: Rule = Rule::new(
    "text_path_to_human",
    By::Nobody,
    "who can neither hear nor speak reaches a person by text",
    |case, _| {
        let why = "this server takes no real-time text; whether a relay stands before it is not known here";
        outside(case, why, "offer a relay or another way by text beside this line")
    },
);
pub(super) const NO_HEARING: Rule = Rule::new(
    "usable_without_hearing_or_speech",
    By::Nobody,
    "the line can be used without hearing and without speech",
    |case, _| {
        let why =
            "no speech is needed (keys and silence are enough), but hearing is, unless a relay stands before the line";
        outside(case, why, "offer a relay or another way by text beside this line")
    },
);

/// The language has no section that is a bot; only behind another number one can stand.
fn no_bot(case: &Case<'_>, _: Figure) -> Verdict {
    match case.of_kind(StepKind::Dial).next() {
        None => Verdict::Kept,
        Some(dial) => Verdict::undecidable(
            &dial.name,
            format!("whether a machine answers the number that {} rings is not known here", dial.at),
            "if one does, say so in a play before it; 0 held reaches a person all the same",
        ),
    }
}

/// The music of a queue that names none of its own.
fn own_music(case: &Case<'_>, queue: &Draft) -> Option<Fault> {
    let is_named =
        queue.prompts.iter().any(|text| case.queue(&queue.at).is_some_and(|of| of.hold_music.as_str() == text.value));
    let is_advert =
        |language: &&str| case.prompt(language, spoken::HOLD_MUSIC).is_some_and(|prompt| prompt.facts.advert);
    let plays = !is_named && case.languages_at(&queue.at).iter().any(is_advert);
    let why = format!("who waits in {} hears the advert `{}`", queue.at, spoken::HOLD_MUSIC);
    plays.then(|| Fault::new(&queue.name, why, "give it another `hold_music`"))
}

/// What is decided elsewhere: told at the profile's name in the line.
fn outside(case: &Case<'_>, why: &str, help: &str) -> Verdict {
    Verdict::undecidable(case.here(), why, help)
}
