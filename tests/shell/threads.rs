//! The shell's threads: recordings that outlive a crash, reloads that keep what works, pages that ask the control loop.

use super::Folder;
use onekey::dialplan::Dialplan;
use onekey::engine::input::Input;
use onekey::engine::snapshot::Snapshot;
use onekey::ids::{LegId, WorkerId};
use onekey::media::command::RecordChannels;
use onekey::server::files::read_wav;
use onekey::server::inbox::{Arrival, View, inbox};
use onekey::server::recording_file::{self, Recording};
use onekey::server::reload::{self, Loaded};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_recording_is_readable_before_it_ends() {
    let folder = Folder::new("recording");
    let (tell, told) = mpsc::channel();
    let (recorder, thread) = recording_file::start(move |worker, news| tell.send((worker, news)).unwrap()).unwrap();
    let (worker, leg) = (WorkerId(1), LegId(7));
    let file = folder.join("today/call-1.wav");
    recorder.open(worker, leg, file.clone(), RecordChannels::Two);
    assert!(recorder.samples(leg, vec![1000; 16_000]));
    // A second recording that fails tells so after the first block is on disk: one thread, in order.
    folder.write("flat", "a file, not a folder");
    recorder.open(worker, LegId(8), folder.join("flat/call-2.wav"), RecordChannels::One);
    match told.recv_timeout(SOON).unwrap() {
        (WorkerId(1), Recording::Failed { leg: LegId(8), reason }) => {
            assert!(reason.contains("call-2.wav"), "{reason}")
        }
        other => panic!("{other:?}"),
    }
    let read = read_wav(&file).unwrap();
    assert_eq!((read.samples.len(), read.warnings.len()), (8000, 0), "a crash now would leave a second of sound");
    assert!(recorder.samples(leg, vec![1000; 160]));
    recorder.close(leg);
    assert_eq!(told.recv_timeout(SOON).unwrap(), (worker, Recording::Closed { leg }));
    assert_eq!(read_wav(&file).unwrap().samples.len(), 8080);
    recorder.stop();
    thread.join().unwrap();
}

fn empty() -> Loaded {
    let dialplan = Dialplan {
        lines: BTreeMap::new(),
        numbers: BTreeMap::new(),
        steps: BTreeMap::new(),
        bounds: BTreeMap::new(),
        judged: BTreeMap::new(),
    };
    Loaded { dialplan: Arc::new(dialplan), prompts: Arc::default(), warnings: Vec::new() }
}

#[test]
fn changed_files_are_loaded_and_bad_ones_are_not() {
    let folder = Folder::new("reload");
    folder.write("care.toml", "good");
    let (inbox, arrivals) = inbox();
    let file = folder.join("care.toml");
    let (tried, tries) = mpsc::channel();
    let load = Box::new(move || {
        let text = std::fs::read_to_string(&file).unwrap();
        tried.send(text.clone()).unwrap();
        if text == "bad" { Err("error[D010]: drawn".to_string()) } else { Ok(empty()) }
    });
    let reloads = reload::start(&[folder.to_path_buf()], load, inbox.clone()).unwrap();
    let reloaded = || match arrivals.next(Some(SOON)) {
        Some(Arrival::Other(Input::Reload(..))) => {}
        other => panic!("{other:?}"),
    };
    folder.write("care.toml", "better");
    assert_eq!(tries.recv_timeout(SOON).unwrap(), "better");
    reloaded();
    folder.write("care.toml", "bad");
    assert_eq!(tries.recv_timeout(SOON).unwrap(), "bad");
    folder.write("care.toml", "mended");
    // The bad one may be seen once more by a late notice; it never reaches the engine.
    while tries.recv_timeout(SOON).unwrap() != "mended" {}
    reloaded();
    folder.write("notes.txt", "no dialplan");
    reloads.now();
    assert_eq!(tries.recv_timeout(SOON).unwrap(), "mended");
    reloaded();
    let again = tries.recv_timeout(Duration::from_millis(700));
    assert!(again.is_err(), "reading the files must not look like a change of them");
    reloads.stop();
}

#[test]
fn too_many_sip_messages_are_dropped_and_counted_but_nothing_else() {
    use onekey::server::inbox::SIP_WAITING_MAX;
    let (inbox, arrivals) = inbox();
    let accepted = (0..SIP_WAITING_MAX + 10).filter(|_| inbox.offer_sip(Input::Tick)).count();
    assert_eq!((accepted, inbox.sip_overflow()), (SIP_WAITING_MAX, 10));
    inbox.give(Input::ConnectionClosed(1));
    assert!(matches!(arrivals.next(None), Some(Arrival::Sip(..))));
    assert!(inbox.offer_sip(Input::Tick), "one place is free again");
}

#[test]
fn pages_ask_the_control_loop() {
    use onekey::console::metrics;
    use onekey::server::{pages, sip_socket, sip_tcp::TcpLimits};
    use std::io::{Read, Write};
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (inbox, arrivals) = inbox();
    let (sip, _) = sip_socket::open(runtime.handle(), &[], &[], TcpLimits::default(), &inbox).unwrap();
    let listener = pages::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    assert!(pages::bind(address).unwrap_err().to_string().contains("[http] listen"));
    runtime.spawn(metrics::pages()(listener, pages::Shown { inbox: inbox.clone(), workers: vec![], sip }));
    let control = std::thread::spawn(move || {
        let mut troubles = [None, None, Some("the ledger cannot be written".to_string())].into_iter();
        while let Some(Arrival::View(answer)) = arrivals.next(Some(SOON)) {
            let snapshot = Snapshot { promises_open: 4, ..Snapshot::default() };
            answer.send(View { snapshot, trouble: troubles.next().flatten() }).unwrap();
        }
    });
    let get = |path: &str| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    };
    let page = get("/metrics");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("\nonekey_promises_open 4\n"), "{page}");
    assert!(page.contains("\nonekey_packets_late_total 0\n"), "{page}");
    assert!(get("/healthz").starts_with("HTTP/1.1 200"));
    let ill = get("/healthz");
    assert!(ill.starts_with("HTTP/1.1 503") && ill.ends_with("the ledger cannot be written\n"), "{ill}");
    inbox.stop();
    control.join().unwrap();
}
