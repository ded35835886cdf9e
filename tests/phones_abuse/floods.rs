//! Floods of INVITE: five thousand a second, from one address and from many, to numbers that are published and that are not.

use crate::attack::{Echo, flood, invite};
use crate::harness::{Setup, alone};
use crate::net::Net;
use crate::siege::{New, Siege, setup};
use crate::tools;
use std::net::Ipv4Addr;
use std::time::Duration;

const RATE: u64 = 5000;
/// A number of nobody, and the one that callers dial.
const UNPUBLISHED: &str = "5559999";
const PUBLISHED: &str = "5550100";

fn length() -> Duration {
    Duration::from_secs(if tools::long() { 20 } else { 3 })
}

/// So many addresses of a block that nobody else in this test has.
fn addresses(count: usize) -> Vec<Ipv4Addr> {
    let net = Net::new();
    (0..count).map(|_| net.host()).collect()
}

fn assault(siege: &Siege, sources: usize, number: &str) -> Echo {
    let target = siege.program.sip;
    let echo = flood(&addresses(sources), target, RATE, length(), |own, n| invite(own, target, number, n));
    let least = RATE * length().as_secs() / 2;
    assert!(echo.sent > least, "only {} datagrams were sent: that is no flood", echo.sent);
    assert!(echo.bytes_answered <= echo.bytes_sent, "more came back than was sent: {echo:?}");
    echo
}

#[test]
fn a_flood_of_invites_costs_the_calls_nothing_and_new_callers_are_answered() {
    let _turn = alone();
    let net = Net::new();
    let siege = Siege::begin(&net);
    let resident = siege.program.resident_kib();
    for (name, sources, number) in [
        ("INVITE 5 000/s, one address, unpublished number", 1, UNPUBLISHED),
        ("INVITE 5 000/s, 240 addresses, unpublished number", 240, UNPUBLISHED),
        ("INVITE 5 000/s, one address, published number", 1, PUBLISHED),
    ] {
        let (_, effect) = siege.endure(name, New::Everybody, || assault(&siege, sources, number));
        let grown = effect.peak_kib.saturating_sub(resident);
        assert!(grown < 64 * 1024, "{name}: {grown} KiB more");
    }
    let refused = siege.program.metric("onekey_strangers_refused_total");
    assert!(refused > 10_000.0, "{refused} are counted as refused");
    must_be_told_once(&siege, "requests", 2);
    must_be_told_once(&siege, "calls", 2);
    assert!(siege.program.whole_log().matches("offence=numbers").count() <= 400, "lines for each packet");
}

/// At least one line, at most `most`: not one for each packet.
fn must_be_told_once(siege: &Siege, offence: &str, most: usize) {
    let log = siege.program.whole_log();
    let lines = log.matches("security: ").count();
    let told = log.matches(&format!("offence={offence} address=127.")).count();
    let most = if tools::long() { most * 3 } else { most };
    assert!((1..=most).contains(&told), "{told} lines of {lines} tell of {offence}:\n{}", siege.program.log());
}

#[test]
fn a_flood_to_the_published_number_from_everywhere_leaves_the_trunk_its_share() {
    let _turn = alone();
    let net = Net::new();
    let (setup, trunk): (Setup, _) = setup(&net);
    let siege = Siege::around(&net, setup.setting("limits.calls = 240").start(), trunk);
    let name = "INVITE 5 000/s, 240 addresses, published number (at most 240 calls)";
    let (_, effect) = siege.endure(name, New::TrunkOnly, || assault(&siege, 240, PUBLISHED));
    assert!(effect.peak_kib < siege.program.resident_kib().max(effect.peak_kib / 2) + 128 * 1024, "{effect:?}");
    assert!(siege.program.metric("onekey_calls") <= 240.0, "more calls than there may be");
    assert!(siege.program.metric("onekey_refusals_total") > 1000.0, "the others were refused");
}
