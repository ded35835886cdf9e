//! Profiles of Asia, Turkey and Africa.

use super::Grade::{B, BPlus, C};
use super::rule::Figure;
use super::week::Wanted;
use super::{Profile, asks, recommends};
use super::{menus, people, words};

pub(super) const PROFILES: &[Profile] = &[
    Profile {
        name: "cn-elderly-2020",
        says: "China: callers of 65 and over reach the operators' people without menus",
        source: "MIIT, one-key access for elders, announced 2020-12-25",
        confidence: "B+ (route), C (the share of 85 percent)",
        asks: &[
            asks(people::ELDER_DIRECT.with(Figure::Number(65)), BPlus),
            asks(people::ELDER_UNKNOWN, C),
            asks(people::KEY_EVERY_STATE, BPlus),
            asks(people::NO_HANG_UP, BPlus),
        ],
    },
    Profile {
        name: "cn-telecom-15s",
        says: "China: telephone hotlines of operators",
        source: "3G service norms (trial), 2009-06-01; Telecom Service Norms, 2005",
        confidence: "B (15 seconds), C (85 percent, day and night)",
        asks: &[asks(people::HOURS.with(Figure::Week(Wanted::ALWAYS)), C)],
    },
    Profile {
        name: "cn-internet-30s",
        says: "China: hotlines of internet companies",
        source: "MIIT letter 292 of 2021 and its follow-up of 2023",
        confidence: "B (30 seconds, encouraged), C (85 percent)",
        asks: &[asks(people::EXISTS, B)],
    },
    Profile {
        name: "cn-gov-gbt33358",
        says: "China: hotlines of the government",
        source: "GB/T 33358-2016, recommended standard",
        confidence: "B+",
        asks: &[
            recommends(menus::NO_MENU, BPlus),
            asks(words::NO_ADS, BPlus),
            asks(people::HOURS.with(Figure::Week(Wanted::ALWAYS)), BPlus),
        ],
    },
    Profile {
        name: "cn-bank-elder-2021",
        says: "China: elders who call banks and insurers",
        source: "Banking and insurance regulator, YBJBF 40 of 2021",
        confidence: "B+ (the duty), B (age 60 is practice only)",
        asks: &[asks(people::ELDER_ANY, BPlus)],
    },
    Profile {
        name: "kr-ars-2009",
        says: "Korea: automatic response systems",
        source: "KCC guideline of 2009-11-25, voluntary",
        confidence: "B+",
        asks: &[
            asks(people::EVERY_MENU, BPlus),
            asks(menus::KEYS, BPlus),
            asks(menus::MAX_DEPTH.with(Figure::Number(5)), BPlus),
            recommends(menus::MAX_DEPTH_SOFT.with(Figure::Number(3)), BPlus),
            asks(words::CHARGE, BPlus),
            asks(people::CALLBACK_AFTER.with(Figure::Number(30)), BPlus),
        ],
    },
    Profile {
        name: "tw-fsc-card",
        says: "Taiwan: hotlines of card issuers",
        source: "FSC, card hotlines, 2011; card-loss lines, 2024-07",
        confidence: "B+",
        asks: &[
            asks(menus::LEVEL1_OPTIONS.with(Figure::Topics(&["card_loss", "emergency_abroad"])), BPlus),
            asks(people::MAX_LEVEL.with(Figure::Number(3)), BPlus),
            asks(people::LOSS_HOURS.with(Figure::Week(Wanted::ALWAYS)), B),
            asks(words::AUDIT.with(Figure::Number(1)), B),
        ],
    },
    Profile {
        name: "in-trai",
        says: "India: hotlines of telecom operators",
        source: "TRAI, quality of service, 2014; complaint regulations, 2012",
        confidence: "B+ (seconds), B (language first, hours), C (the text of 2024)",
        asks: &[
            asks(menus::LEVEL1_LANGUAGE, B),
            asks(people::HOURS.with(Figure::Week(Wanted { days: (0, 6), from: 8 * 60, to: 24 * 60 })), B),
            asks(people::KEY_EVERY_STATE, C),
        ],
    },
    Profile {
        name: "tr-bddk-2020",
        says: "Turkey: call centres of banks",
        source: "BDDK, Official Gazette 31132 of 2020-05-20",
        confidence: "B+",
        asks: &[
            asks(people::ELDER_DIRECT.with(Figure::Number(60)), BPlus),
            asks(words::NO_ADS, BPlus),
            asks(people::CARD_CANCEL, BPlus),
        ],
    },
    Profile {
        name: "tr-epdk-2021",
        says: "Turkey: call centres of electricity suppliers",
        source: "EPDK, in force since 2021-01-01",
        confidence: "B",
        asks: &[
            asks(people::SECONDS_TO_OFFER.with(Figure::Number(45)), B),
            asks(words::ADS_COUNT, B),
            asks(people::AUTO_HUMAN.with(Figure::Number(120)), B),
        ],
    },
    Profile {
        name: "tr-btk-2012",
        says: "Turkey: call centres of telecom operators",
        source: "BTK, Official Gazette 28236 of 2012-03-17",
        confidence: "A (definitions), B (figures)",
        asks: &[asks(people::SECONDS_TO_OFFER.with(Figure::Number(45)), B)],
    },
    Profile {
        name: "ng-ncc-2024",
        says: "Nigeria: hotlines of telecom operators",
        source: "NCC, quality of service business rules, 2024-08",
        confidence: "B+",
        asks: &[asks(people::CALLBACK_AFTER.with(Figure::Number(300)), BPlus)],
    },
];
