//! `/metrics` in Prometheus' text format (version 0.0.4) and `/healthz`, on loopback unless configured otherwise.
//!
//! Each request asks the control loop for a view of the engine, which costs it one snapshot; the media workers' live
//! counts are read beside that.

use crate::engine::snapshot::Snapshot;
use crate::server::inbox::{Inbox, View};
use crate::server::media_worker::WorkerCounts;
use crate::server::pages::{Pages, Shown};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The control loop answers in microseconds; one that has not by now is stuck.
const VIEW_WITHIN: Duration = Duration::from_secs(2);

/// The pages, for `server::start` to serve.
pub fn pages() -> Pages {
    Box::new(|listener, shown| Box::pin(serve(listener, shown)))
}

async fn serve(listener: TcpListener, shown: Shown) {
    let router = Router::new().route("/metrics", get(metrics)).route("/healthz", get(health)).with_state(shown);
    let served = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => axum::serve(listener, router).await,
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::error!("/metrics and /healthz are no longer served: {error}");
    }
}

async fn metrics(State(shown): State<Shown>) -> impl IntoResponse {
    match view(&shown.inbox).await {
        Some(view) => {
            let mut page = of_engine(&view.snapshot);
            of_shell(&mut page, &shown);
            (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.text)
        }
        None => {
            let type_ = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (StatusCode::SERVICE_UNAVAILABLE, type_, "the control loop does not answer\n".to_string())
        }
    }
}

async fn health(State(shown): State<Shown>) -> impl IntoResponse {
    match verdict(view(&shown.inbox).await.as_ref()) {
        Ok(()) => (StatusCode::OK, "ok\n".to_string()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn view(inbox: &Inbox) -> Option<View> {
    tokio::time::timeout(VIEW_WITHIN, inbox.view()).await.ok().flatten()
}

/// The reason why no new calls should be sent here.
fn verdict(view: Option<&View>) -> Result<(), String> {
    match view {
        None => Err("the control loop does not answer".into()),
        Some(view) if view.snapshot.draining => Err("stopping: new calls are refused".into()),
        Some(View { trouble: Some(trouble), .. }) => Err(trouble.clone()),
        Some(_) => Ok(()),
    }
}

/// A page that grows metric by metric.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        let _ = writeln!(self.text, "{name} {value}");
    }

    /// One sample for each value of one label. Values may be names that an administrator wrote.
    fn each<V: std::fmt::Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (String, V)>,
    ) {
        self.head(name, kind, help);
        for (key, value) in values {
            let key = key.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(self.text, "{name}{{{label}=\"{key}\"}} {value}");
        }
    }
}

fn of_engine(snapshot: &Snapshot) -> Page {
    let mut page = Page::default();
    let (gauge, counter) = ("gauge", "counter");
    page.one("onekey_calls", gauge, "Calls in progress.", snapshot.calls.len());
    page.one("onekey_calls_total", counter, "Calls since the start.", snapshot.calls_total);
    let by_person = snapshot.answered_by_person_total;
    page.one("onekey_answered_by_person_total", counter, "Calls that reached a person.", by_person);
    page.one("onekey_promises_open", gauge, "Requests for a person that are not kept yet.", snapshot.promises_open);
    page.one("onekey_promises_due", gauge, "Open requests whose caller is to be called back.", snapshot.promises_due);
    let troubles = snapshot.ledger_troubles;
    page.one("onekey_ledger_troubles_total", counter, "Ledger entries written late or not at all.", troubles);
    let refused = snapshot.packets_refused_total;
    let help = "RTP packets of strangers, or that make no sense, on calls that have ended.";
    page.one("onekey_packets_refused_total", counter, help, refused);
    page.one(
        "onekey_sip_dropped_total",
        counter,
        "SIP messages unreadable or out of place.",
        snapshot.sip_dropped_total,
    );
    page.one("onekey_draining", gauge, "1 while new calls are refused before a stop.", u8::from(snapshot.draining));
    let keys = snapshot.keys_total.iter().map(|(key, count)| (key.to_string(), *count));
    page.each("onekey_keys_total", counter, "Keys pressed by callers.", "key", keys);
    let refusals = snapshot.refusals_total.iter().map(|(reason, count)| (reason.to_string(), *count));
    page.each("onekey_refusals_total", counter, "INVITEs refused, by reason.", "reason", refusals);
    let strangers = snapshot.strangers_refused_total.iter().map(|(reason, count)| (reason.to_string(), *count));
    let help = "Requests of strangers that were refused before anything was made for them, by reason.";
    page.each("onekey_strangers_refused_total", counter, help, "reason", strangers);
    let mut states: BTreeMap<&str, u64> =
        ["offline", "available", "ringing", "on_call", "wrap_up", "away"].into_iter().map(|state| (state, 0)).collect();
    for agent in snapshot.agents.values() {
        *states.entry(agent.state).or_default() += 1;
    }
    let states = states.into_iter().map(|(state, count)| (state.to_string(), count));
    page.each("onekey_agents", gauge, "Agents, by state.", "state", states);
    of_queues(&mut page, snapshot);
    page
}

fn of_queues(page: &mut Page, snapshot: &Snapshot) {
    let (gauge, counter) = ("gauge", "counter");
    let queues = || snapshot.queues.iter().map(|(name, queue)| (name.to_string(), queue));
    let longest = queues().map(|(_, queue)| queue.longest_wait_seconds).fold(0.0, f64::max);
    page.one(
        "onekey_queue_longest_wait_seconds",
        gauge,
        "Longest wait of a caller now waiting, over all queues.",
        longest,
    );
    let waiting = queues().map(|(name, queue)| (name, queue.waiting));
    page.each("onekey_queue_waiting", gauge, "Callers waiting.", "queue", waiting);
    let expected = queues().map(|(name, queue)| (name, queue.expected_wait_seconds));
    page.each("onekey_queue_expected_wait_seconds", gauge, "Wait that a new caller would be told.", "queue", expected);
    let offered = queues().map(|(name, queue)| (name, queue.offered_total));
    page.each("onekey_queue_offered_total", counter, "Callers who came into the queue.", "queue", offered);
    let answered = queues().map(|(name, queue)| (name, queue.answered_total));
    page.each("onekey_queue_answered_total", counter, "Callers whom an agent answered.", "queue", answered);
    let abandoned = queues().map(|(name, queue)| (name, queue.abandoned_total));
    page.each("onekey_queue_abandoned_total", counter, "Callers who hung up while waiting.", "queue", abandoned);
}

/// What the shell counts: live media and sockets.
fn of_shell(page: &mut Page, shown: &Shown) {
    let (gauge, counter) = ("gauge", "counter");
    let sum = |which: fn(&WorkerCounts) -> &AtomicU64| -> u64 {
        shown.workers.iter().map(|door| which(door.counts()).load(Ordering::Relaxed)).sum()
    };
    page.one("onekey_legs", gauge, "Legs with RTP ports.", sum(|counts| &counts.legs));
    page.one("onekey_packets_sent_total", counter, "RTP packets sent.", sum(|counts| &counts.packets_sent));
    let received = sum(|counts| &counts.packets_received);
    page.one("onekey_packets_received_total", counter, "RTP and RTCP packets received.", received);
    let late = sum(|counts| &counts.packets_late);
    page.one("onekey_packets_late_total", counter, "RTP packets sent over 5 ms after they were due.", late);
    let failed = sum(|counts| &counts.sends_failed);
    page.one("onekey_packets_unsent_total", counter, "RTP packets that the system did not take.", failed);
    let overflow = shown.inbox.sip_overflow();
    page.one("onekey_sip_overflow_total", counter, "SIP messages dropped because too many waited.", overflow);
    page.one(
        "onekey_sip_unsent_total",
        counter,
        "SIP messages that the system did not take.",
        shown.sip.sends_failed(),
    );
    page.one("onekey_sip_tcp_connections", gauge, "TCP connections open.", shown.sip.connections());
}

#[cfg(test)]
mod tests {
    use super::{of_engine, verdict};
    use crate::engine::snapshot::{QueueView, Snapshot};
    use crate::ids::QueueName;
    use crate::server::inbox::View;

    #[test]
    fn every_metric_has_its_type_and_labels_are_quoted() {
        let mut snapshot = Snapshot { promises_due: 2, ..Snapshot::default() };
        snapshot.keys_total.insert('0', 7);
        let queue = QueueView { waiting: 3, longest_wait_seconds: 12.5, ..QueueView::default() };
        snapshot.queues.insert(QueueName::new("ca\"re"), queue);
        let page = of_engine(&snapshot).text;
        for line in [
            "onekey_promises_due 2",
            "onekey_keys_total{key=\"0\"} 7",
            "onekey_queue_waiting{queue=\"ca\\\"re\"} 3",
            "onekey_queue_longest_wait_seconds 12.5",
            "onekey_agents{state=\"available\"} 0",
        ] {
            assert!(page.lines().any(|other| other == line), "{line} is missing in\n{page}");
        }
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(page.contains(&format!("# TYPE {name} ")), "{name} has no type");
        }
    }

    #[test]
    fn health_gives_the_reason() {
        let well = View { snapshot: Snapshot::default(), trouble: None };
        assert_eq!(verdict(Some(&well)), Ok(()));
        let draining = View { snapshot: Snapshot { draining: true, ..Snapshot::default() }, trouble: None };
        assert!(verdict(Some(&draining)).unwrap_err().contains("refused"));
        let failing = View { trouble: Some("the ledger is on a full disk".into()), ..well };
        assert_eq!(verdict(Some(&failing)), Err("the ledger is on a full disk".into()));
        assert!(verdict(None).is_err());
    }
}
