//! Onekey: a telephony IVR engine that hands every caller to a person on one press of `0`.
//!
//! # The map
//!
//! A pure core with one door, [`engine::Engine::handle`], and a thin shell around it. Facts go in, wishes come out;
//! nothing in the core asks the world for anything, not even the time. Imports point down only (`tests/tidy.rs` holds
//! the table and fails otherwise):
//!
//! | layer | modules | what is there |
//! |---|---|---|
//! | the world | [`server`], [`console`], [`bench`] | sockets, threads, files, database, clock, commands |
//! | replays | [`rehearsal`] | a `.call` script, or somebody who walks, on the real engine in virtual time; coverage |
//! | the door | [`engine`] | one fact in, wishes out; legs, timers, questions to the world |
//! | the work | [`call`], [`queue`], [`callers`] | a caller's journey; tickets, agents, the ledger; who is flagged |
//! | what can be seen of it | [`picture`] | a line as SVG, DOT and Mermaid |
//! | what was written | [`dialplan`] | a folder of TOML files, read and checked as a whole |
//! | what can be asked for | [`step`] | one file for each kind of section |
//! | the standards | [`sip`], [`media`] | each alone |
//! | the words | [`ids`], [`time`], [`key`], [`codec`], [`target`], [`caller`], [`promise`], [`prompt`], [`diagnostic`], [`script`], [`variable`], [`saying`] | |
//!
//! To follow one call from the INVITE to the agent's voice, read `engine/incoming.rs`, then `call/welcome.rs`,
//! `call/steps.rs`, `call/waiting.rs`, `queue/dispatch.rs`, `engine/queue_effects.rs`, `call/talking.rs`.
//! The human key is taken in one place: `Call::key` in `call/mod.rs`.
//!
//! # Standards
//!
//! | RFC | what of it | not (yet) |
//! |---|---|---|
//! | 3261 SIP | transactions with all timers, dialogs, CANCEL, re-INVITE, OPTIONS, registrar; UDP and TCP | TLS, DNS (RFC 3263) |
//! | 6026 | Accepted states of INVITE transactions | |
//! | 3581 | `rport` | |
//! | 3311, 6086 | UPDATE and INFO of the peer | our own UPDATE |
//! | 3326 | Reason, read and written | |
//! | 3323, 3325 | Privacy, P-Asserted-Identity from trusted trunks | |
//! | 7616, 8760, 2617 | digest with MD5, SHA-256 or both | auth-int, -sess |
//! | 5626 | keep-alives on TCP | outbound |
//! | 3262, 4028 | | 100rel, session timers |
//! | 8866, 3264 | SDP offer and answer for one audio stream | |
//! | 3550, 3551 | RTP, RTCP sender and receiver reports, G.711 | SRTP (3711), G.722, Opus |
//! | 4733 | telephone events, received and sent | |
//! | 5761 | RTP and RTCP on one port, where the peer offers it | |
//! | 4475, 5118 | every torture message: `tests/torture/` | |
//! | 2046, 5621 | SDP as a part of a multipart body | other parts |

pub mod bench;
pub mod call;
pub mod caller;
pub mod callers;
pub mod codec;
pub mod console;
pub mod diagnostic;
pub mod dialplan;
pub mod engine;
pub mod ids;
pub mod key;
pub mod media;
pub mod picture;
pub mod promise;
pub mod prompt;
pub mod queue;
pub mod rehearsal;
pub mod saying;
pub mod script;
pub mod server;
pub mod sip;
pub mod step;
pub mod target;
pub mod time;
pub mod variable;
