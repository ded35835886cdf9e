//! What attackers do to a voice server, done to the real program while a hundred calls go on (issue: abuse): no call loses a
//! packet, trunks and new callers are answered, memory is bounded, offenders are told in a line that fail2ban reads.
//!
//! The phones are those of `tests/phones`. `ONEKEY_PHONES_LONG=1` takes the long forms and makes the table of the report:
//! `ONEKEY_PHONES_LONG=1 cargo test --release --test phones_abuse -- --nocapture`. Bounds are wide, counts are exact: on a
//! machine with two cores the attackers, the callers and the program share them.

// Shared with `tests/phones`, which uses all of them.
#[allow(dead_code)]
#[path = "../phones/call.rs"]
mod call;
#[allow(dead_code)]
#[path = "../phones/database.rs"]
mod database;
#[path = "../phones/digest.rs"]
mod digest;
#[allow(dead_code)]
#[path = "../phones/harness.rs"]
mod harness;
#[allow(dead_code)]
#[path = "../phones/net.rs"]
mod net;
#[allow(dead_code)]
#[path = "../phones/phone.rs"]
mod phone;
#[allow(dead_code)]
#[path = "../phones/process.rs"]
mod process;
#[allow(dead_code)]
#[path = "../phones/rtp.rs"]
mod rtp;
#[allow(dead_code)]
#[path = "../phones/text.rs"]
mod text;
#[allow(dead_code)]
#[path = "../phones/tools.rs"]
mod tools;
#[allow(dead_code)]
#[path = "../phones/wav.rs"]
mod wav;

mod attack;
mod kernel;
mod siege;

mod connections;
mod fail2ban;
mod failing_machine;
mod floods;
mod guessing;
mod injection;
mod many_at_once;
mod third_parties;
