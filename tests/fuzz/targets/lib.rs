//! What is fuzzed: each target is one function from bytes to nothing, which panics where a law is broken.
//!
//! Used twice: by `fuzz_targets/*` under libFuzzer, and by `tests/corpora.rs` of the main package, which needs no fuzzer.
//! A panic that the engine catches (DESIGN §3) counts too: both users turn every panic into a failure.

pub mod csv;
pub mod dialplan;
pub mod engine_stream;
pub mod keys;
mod phones;
mod plane;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sip_message;
mod take;
pub mod wav;
mod world;

use onekey::rehearsal::Stage;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A target takes any bytes.
pub type Target = fn(&[u8]);

/// By name: also that of its program and of its folder under `corpus/`.
pub const TARGETS: [(&str, Target); 9] = [
    ("csv", csv::run),
    ("dialplan", dialplan::run),
    ("engine_stream", engine_stream::run),
    ("keys", keys::run),
    ("rtcp", rtcp::run),
    ("rtp", rtp::run),
    ("sdp", sdp::run),
    ("sip_message", sip_message::run),
    ("wav", wav::run),
];

/// The root of the repository, from the package that is being built.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().find(|folder| folder.join("dialplans").is_dir());
    root.expect("both packages lie in the repository").to_owned()
}

/// The dialplan of the scenario tests, with all prompts: loaded once.
pub fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let root = root();
        onekey::server::rehearse::stage(&root.join("tests/calls"), &root.join("prompts"), &[60, 65])
            .expect("the scenarios' dialplan is right")
    })
}
