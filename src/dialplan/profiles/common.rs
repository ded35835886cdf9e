//! Profiles that belong to no country: the least of all, accessibility, privacy.

use super::Grade::{A, B, BPlus};
use super::rule::Figure;
use super::{Profile, asks};
use super::{menus, people, words};

pub(super) const PROFILES: &[Profile] = &[
    Profile {
        name: "baseline-one-key",
        says: "the least that this server expects of every line",
        source: "W3C COGA voice menus; GetHuman standard 1.0; ISO/IEC 13714:1995 in summaries",
        confidence: "A/B+",
        asks: &[
            asks(people::KEY_EVERY_STATE, A),
            asks(people::KEY_RESERVED, A),
            asks(people::NO_HANG_UP, A),
            asks(people::NO_ENTRY_FIRST, A),
            asks(words::NO_ADS, A),
            asks(menus::BARGE_IN, A),
            asks(menus::MAX_COMMANDS.with(Figure::Number(4)), BPlus),
            asks(menus::NO_INPUT_TIMEOUT.with(Figure::Between(3, 10)), BPlus),
            asks(menus::MAX_ERRORS.with(Figure::Number(2)), A),
            asks(people::LOOPS_EXIT, A),
        ],
    },
    Profile {
        name: "a11y-en301549",
        says: "callers who hear, speak or type with difficulty",
        source: "EN 301 549 v3.2.1 clause 6; WCAG 2.2.1; Section 508",
        confidence: "A/B",
        asks: &[
            asks(words::TEXT_PATH, B),
            asks(words::NO_HEARING, B),
            asks(menus::EXTEND_TIME.with(Figure::Number(20)), A),
            asks(menus::EXTEND_TIMES.with(Figure::Number(10)), A),
            asks(menus::BARGE_IN, B),
            asks(menus::REPEAT_KEY, B),
        ],
    },
    Profile {
        name: "privacy-minimal",
        says: "as little as possible is kept of callers",
        source: "PIPL article 19; GDPR articles 5, 22 and 25",
        confidence: "A (PIPL 19), C (GDPR articles)",
        asks: &[
            asks(words::NO_BIRTH_DATE, A),
            asks(words::NO_CLEAR_NUMBER, A),
            asks(words::ROUTE_REASON, A),
            asks(words::RECORDING_NOTICE, A),
            asks(words::NOTICE_DELAYS_NOBODY, A),
        ],
    },
];
