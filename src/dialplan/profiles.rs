//! The names of the profiles: sets of rules of a country or a regulator that a line may bind itself to (DESIGN §5).
//!
//! Only the names so far, so that a wrong one is told at once; what they ask of a line comes with the proof.

/// Every profile that `profiles = [...]` may name.
pub(super) const NAMES: [&str; 28] = [
    "baseline-one-key",
    "cn-elderly-2020",
    "cn-telecom-15s",
    "cn-internet-30s",
    "cn-gov-gbt33358",
    "cn-bank-elder-2021",
    "kr-ars-2009",
    "tw-fsc-card",
    "in-trai",
    "tr-bddk-2020",
    "tr-epdk-2021",
    "tr-btk-2012",
    "br-sac-2022",
    "br-sac-2008-strict",
    "es-sac-2025",
    "it-agcom-2024",
    "pt-dl134-2009",
    "ar-1033-2021",
    "be-charter",
    "de-tkg-115",
    "ng-ncc-2024",
    "us-cable-76-309",
    "us-medicare-cd",
    "us-dc-15-3106",
    "us-ca-ab1609-draft",
    "eu-aiact-50",
    "a11y-en301549",
    "privacy-minimal",
];
