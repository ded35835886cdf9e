//! The Reason header (RFC 3326): why a peer ended a call, and why we do.
//!
//! What follows from it for a call is the engine's affair.

use super::EndCause;
use super::headers::split;
use super::message::Message;
use super::stack::EndReason;

/// Causes of Q.850 by which a person, not the network, ended the call: clearing, busy, no answer (twice), normal unspecified.
const PERSONS_CAUSES: [u16; 5] = [16, 17, 18, 19, 31];

/// The first failure of the network that a BYE or CANCEL names, as it is written.
pub fn network_failure(request: &Message) -> Option<String> {
    request.list("Reason").into_iter().find(|reason| is_failure(reason)).map(str::to_owned)
}

/// Why the peer's BYE ended the dialog.
pub fn of_bye(request: &Message) -> EndCause {
    network_failure(request).map_or(EndCause::Hangup, EndCause::NetworkFailure)
}

fn is_failure(reason: &str) -> bool {
    let mut parts = split(reason, b';');
    let protocol = parts.next().unwrap_or("");
    let cause = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("cause") {
            value.trim().trim_matches('"').parse::<u16>().ok()
        } else {
            None
        }
    });
    match cause {
        Some(cause) if protocol.eq_ignore_ascii_case("Q.850") => !PERSONS_CAUSES.contains(&cause),
        Some(cause) if protocol.eq_ignore_ascii_case("SIP") => cause == 408 || (500..600).contains(&cause),
        _ => false,
    }
}

/// The value of our own Reason header in BYE and CANCEL.
pub fn header(reason: &EndReason) -> String {
    match reason {
        EndReason::Refuse { status, .. } => format!("SIP;cause={status}"),
        EndReason::Normal => "Q.850;cause=16;text=\"Normal call clearing\"".to_owned(),
        EndReason::AnsweredElsewhere => "SIP;cause=200;text=\"Call completed elsewhere\"".to_owned(),
        EndReason::Failure { cause } => format!("Q.850;cause={cause}"),
    }
}

/// Status, and seconds of Retry-After, with which an INVITE that nobody answered is refused.
pub fn refusal(reason: &EndReason) -> (u16, Option<u32>) {
    match reason {
        EndReason::Refuse { status, retry_after_seconds } => ((*status).clamp(300, 699), *retry_after_seconds),
        EndReason::Normal => (480, None),
        EndReason::AnsweredElsewhere => (486, None),
        EndReason::Failure { .. } => (500, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_of_the_network_count_as_such() {
        for person in [
            "Q.850;cause=16;text=\"Normal; clearing\"",
            "q.850 ; cause = 31",
            "SIP;cause=200",
            "SIP;cause=487",
            "X;cause=38",
            "Q.850",
        ] {
            assert!(!is_failure(person), "{person}");
        }
        for network in
            ["Q.850;cause=38", "Q.850 ;text=\"a;cause=16\" ;cause=41", "SIP;cause=408", "sip;cause=503;text=\"x\""]
        {
            assert!(is_failure(network), "{network}");
        }
    }
}
