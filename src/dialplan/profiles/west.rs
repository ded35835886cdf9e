//! Profiles of Europe and the Americas.

use super::Grade::{A, B, BPlus, D};
use super::rule::Figure;
use super::week::Wanted;
use super::{Profile, asks};
use super::{menus, people, words};

/// Weekdays, for lines of business customers.
const BUSINESS: Wanted = Wanted { days: (0, 4), from: 8 * 60 + 30, to: 19 * 60 + 30 };

pub(super) const PROFILES: &[Profile] = &[
    Profile {
        name: "br-sac-2022",
        says: "Brazil: customer service by telephone",
        source: "Decree 11.034/2022",
        confidence: "A/B+",
        asks: &[
            asks(people::SERVICE_HOURS, BPlus),
            asks(people::HOURS_PER_DAY.with(Figure::Number(8)), BPlus),
            asks(menus::LEVEL1_OPTIONS.with(Figure::Topics(&["complaint", "cancel"])), BPlus),
            asks(people::NO_ENTRY_FIRST, BPlus),
            asks(words::ADS_NEED_CONSENT, BPlus),
            asks(words::CALLBACK_ON_DROP, BPlus),
            asks(words::RECORDING_DAYS.with(Figure::Number(90)), BPlus),
            asks(words::RECORD_YEARS.with(Figure::Number(2)), BPlus),
        ],
    },
    Profile {
        name: "br-sac-2008-strict",
        says: "Brazil: the stricter rules of before, kept of one's own will",
        source: "Decree 6.523/2008, repealed; Portaria MJ 2.014/2008",
        confidence: "A (menus), B+ (seconds); repealed",
        asks: &[
            asks(menus::LEVEL1_OPTIONS.with(Figure::Topics(&["human", "complaint", "cancel"])), A),
            asks(people::EVERY_MENU, A),
            asks(people::NO_ENTRY_FIRST, A),
            asks(people::NO_HANG_UP, A),
        ],
    },
    Profile {
        name: "es-sac-2025",
        says: "Spain: customer service of large firms and basic services",
        source: "Law 10/2025 (BOE-A-2025-26698); firms adapt by 2026-12-28",
        confidence: "B+",
        asks: &[
            asks(people::MAX_LEVEL.with(Figure::Number(1)), BPlus),
            asks(people::KEY_EVERY_STATE, BPlus),
            asks(people::NO_BOT_ONLY, BPlus),
            asks(people::NO_HANG_UP, BPlus),
            asks(words::ADAPTED, BPlus),
        ],
    },
    Profile {
        name: "it-agcom-2024",
        says: "Italy: call centres of communications firms",
        source: "AGCOM 255/24/CONS",
        confidence: "B+",
        asks: &[
            asks(menus::LEVEL1_OPTIONS.with(Figure::Topics(&["complaint"])), BPlus),
            asks(people::SHORTEST, BPlus),
            asks(
                people::HOURS
                    .with(Figure::Weeks(Wanted { days: (0, 4), from: 8 * 60 + 30, to: 21 * 60 + 30 }, BUSINESS)),
                BPlus,
            ),
            asks(people::HOURS_BUSINESS.with(Figure::Week(BUSINESS)), BPlus),
        ],
    },
    Profile {
        name: "pt-dl134-2009",
        says: "Portugal: call centres",
        source: "Decree-Law 134/2009",
        confidence: "B+",
        asks: &[
            asks(menus::MAX_OPTIONS_LEVEL1.with(Figure::Number(5)), BPlus),
            asks(people::MAX_LEVEL.with(Figure::Number(1)), BPlus),
            asks(words::NO_ADS, BPlus),
            asks(people::FIFO, BPlus),
            asks(words::RECORDING_DAYS.with(Figure::Number(90)), BPlus),
            asks(words::NO_NUMBER, BPlus),
        ],
    },
    Profile {
        name: "ar-1033-2021",
        says: "Argentina: telephone lines of large firms",
        source: "Resolution 1033/2021",
        confidence: "B+; whether it is still in force is not verified",
        asks: &[
            asks(menus::MAX_OPTIONS_LEVEL1.with(Figure::Number(5)), BPlus),
            asks(people::MAX_LEVEL.with(Figure::Number(1)), BPlus),
            asks(people::HOURS_PER_WEEK.with(Figure::Number(60)), BPlus),
            asks(people::NO_HANG_UP, BPlus),
        ],
    },
    Profile {
        name: "be-charter",
        says: "Belgium: firms that have signed the charter",
        source: "Charter for Customer Friendliness",
        confidence: "B",
        asks: &[asks(people::CALLBACK_AFTER.with(Figure::Number(150)), B), asks(people::ANNOUNCE_WAIT, B)],
    },
    Profile {
        name: "de-tkg-115",
        says: "Germany: queues",
        source: "Telecommunications Act (TKG) 2021, section 115",
        confidence: "A",
        asks: &[asks(people::ANNOUNCE_WAIT, A), asks(words::CHARGE, A), asks(words::NUMBER_TYPE, A)],
    },
    Profile {
        name: "us-cable-76-309",
        says: "United States: cable operators",
        source: "47 CFR 76.309",
        confidence: "A",
        asks: &[asks(people::EXISTS, A)],
    },
    Profile {
        name: "us-medicare-cd",
        says: "United States: Medicare parts C and D",
        source: "CMS, standards of call centres",
        confidence: "B",
        asks: &[asks(people::EXISTS, B)],
    },
    Profile {
        name: "us-dc-15-3106",
        says: "United States, District of Columbia",
        source: "Municipal Regulations 15-3106",
        confidence: "A",
        asks: &[asks(people::ANNOUNCED, A), asks(people::NO_HANG_UP, A)],
    },
    Profile {
        name: "us-ca-ab1609-draft",
        says: "United States, California: a bill",
        source: "AB 1609 (2026), its outcome unknown",
        confidence: "D",
        asks: &[asks(people::HOURS_PER_DAY.with(Figure::Number(10)), D)],
    },
    Profile {
        name: "eu-aiact-50",
        says: "European Union: machines that speak with people",
        source: "Regulation (EU) 2024/1689, article 50(1)",
        confidence: "B+",
        asks: &[asks(words::AI_NOTICE, BPlus), asks(words::KEY_IN_BOT, BPlus)],
    },
];
