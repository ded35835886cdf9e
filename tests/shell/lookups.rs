//! Look-ups against a real HTTP server, written here byte by byte so that it can be slow, wrong, huge, endless or gone.

use onekey::call::event::Query;
use onekey::engine::input::{Answer, Input, Reply};
use onekey::engine::output::QuestionId;
use onekey::ids::StepName;
use onekey::server::inbox::{AnswerTo, Arrival, inbox};
use onekey::server::lookup::Lookups;
use onekey::step::lookup::Method;
use onekey::variable::LookupFailure;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const GOOD: &str =
    r#"{"account":{"balance":12.50,"status":"open","vip":true,"lines":[{"number":"5550100"}],"note":null}}"#;

/// A server on loopback that answers each path in its own way, and tells what it was asked. Ends with the test's process.
fn server() -> (SocketAddr, mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, asked) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tell = tell.clone();
            thread::spawn(move || serve(stream, &tell));
        }
    });
    (address, asked)
}

fn serve(mut stream: TcpStream, tell: &mpsc::Sender<(String, String)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = number.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let _ = tell.send((first.trim().to_owned(), String::from_utf8(body).unwrap()));
        let path = first.split(' ').nth(1).unwrap_or("").split('?').next().unwrap_or("").to_owned();
        if !answer(&mut stream, &path) {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// `false`: the connection ends here.
fn answer(stream: &mut TcpStream, path: &str) -> bool {
    let whole = |status: &str, more: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let text = match path {
        "/asks/refused" => whole("503 Service Unavailable", "", GOOD),
        "/asks/redirect" => whole("302 Found", "Location: /asks/good\r\n", ""),
        "/asks/nonsense" => whole("200 OK", "", "<html>"),
        "/asks/huge" => whole("200 OK", "", &format!("\"{}\"", "x".repeat(70_000))),
        "/asks/cut" => "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"account\"".to_owned(),
        "/asks/gibberish" => "SIP/2.0 200 OK\r\n\r\n".to_owned(),
        // Nothing at all, until the other side has had enough.
        "/asks/slow" => {
            let _ = stream.read(&mut [0; 1]);
            return false;
        }
        // An answer without an end: pieces as long as anybody takes them.
        "/asks/endless" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while stream
                .write_all(b"400\r\n")
                .and_then(|()| stream.write_all(&[b' '; 1024]))
                .and_then(|()| stream.write_all(b"\r\n"))
                .is_ok()
            {}
            return false;
        }
        _ => whole("200 OK", "", GOOD),
    };
    stream.write_all(text.as_bytes()).is_ok() && !matches!(path, "/asks/cut" | "/asks/gibberish")
}

/// What comes of one question.
fn ask(
    lookups: &Lookups,
    url: String,
    values: &[(&str, &str)],
    deadline: Duration,
) -> Result<BTreeMap<String, String>, LookupFailure> {
    let query = Query {
        lookup: StepName::new("account"),
        number: 1,
        url,
        method: Method::Get,
        body: Vec::new(),
        deadline,
        values: values.iter().map(|(name, pointer)| ((*name).to_owned(), (*pointer).to_owned())).collect(),
    };
    give(lookups, query)
}

fn give(lookups: &Lookups, query: Query) -> Result<BTreeMap<String, String>, LookupFailure> {
    let (inbox, arrivals) = inbox();
    lookups.ask(query, AnswerTo::new(QuestionId(7), inbox));
    match arrivals.next(Some(Duration::from_secs(20))) {
        Some(Arrival::Other(Input::Answered(Reply { id: QuestionId(7), answer: Answer::LookedUp(found) }))) => found,
        _ => panic!("no answer, or another"),
    }
}

const VALUES: [(&str, &str); 2] = [("balance", "/account/balance"), ("status", "/account/status")];
const LONG: Duration = Duration::from_secs(15);

#[test]
fn values_are_picked_and_every_failure_has_its_name() {
    let (address, _asked) = server();
    let lookups = Lookups::start(&[format!("http://{address}/asks/")]).unwrap();
    let url = |path: &str| format!("http://{address}/asks/{path}");
    let found = ask(&lookups, url("good"), &VALUES, LONG).unwrap();
    assert_eq!((found["balance"].as_str(), found["status"].as_str()), ("12.5", "open"));
    let deep =
        ask(&lookups, url("good"), &[("first", "/account/lines/0/number"), ("vip", "/account/vip")], LONG).unwrap();
    assert_eq!((deep["first"].as_str(), deep["vip"].as_str()), ("5550100", "true"));
    let failures = [
        ("refused", LookupFailure::Refused),
        ("redirect", LookupFailure::Refused),
        ("nonsense", LookupFailure::Unreadable),
        ("huge", LookupFailure::Unreadable),
        ("endless", LookupFailure::Unreadable),
        ("cut", LookupFailure::Unreadable),
        ("gibberish", LookupFailure::Unreachable),
    ];
    for (path, how) in failures {
        assert_eq!(ask(&lookups, url(path), &VALUES, LONG), Err(how), "{path}");
    }
    for pointer in ["/account/none", "/account/note", "/account/lines", "/account"] {
        assert_eq!(ask(&lookups, url("good"), &[("x", pointer)], LONG), Err(LookupFailure::Missing), "{pointer}");
    }
    assert_eq!(ask(&lookups, url("slow"), &VALUES, Duration::from_millis(200)), Err(LookupFailure::Late));
    assert!(ask(&lookups, url("good"), &VALUES, LONG).is_ok(), "after all that it still serves");
}

#[test]
fn a_closed_port_is_not_reached() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let lookups = Lookups::start(&[format!("http://{address}/")]).unwrap();
    assert_eq!(ask(&lookups, format!("http://{address}/x"), &VALUES, LONG), Err(LookupFailure::Unreachable));
}

#[test]
fn nothing_is_asked_that_the_settings_do_not_allow() {
    let (address, asked) = server();
    let lookups = Lookups::start(&[format!("http://{address}/asks")]).unwrap();
    let port = address.port();
    let outside = [
        format!("http://{address}/other/good"),
        format!("http://{address}/asks/../other/good"),
        format!("http://{address}/asks/%2e%2e/other/good"),
        format!("http://{address}/asksmore/good"),
        format!("http://user@{address}/asks/good"),
        format!("http://127.0.0.1.example:{port}/asks/good"),
        format!("https://{address}/asks/good"),
        "file:///etc/hostname".to_owned(),
        "no address".to_owned(),
    ];
    for url in outside {
        assert_eq!(ask(&lookups, url.clone(), &VALUES, LONG), Err(LookupFailure::Unreachable), "{url}");
    }
    assert!(asked.try_recv().is_err(), "the server has been asked");
    assert!(ask(&lookups, format!("http://{address}/asks/good"), &VALUES, LONG).is_ok());
    let none = Lookups::start(&[]).unwrap();
    assert_eq!(ask(&none, format!("http://{address}/asks/good"), &VALUES, LONG), Err(LookupFailure::Unreachable));
}

#[test]
fn a_post_sends_its_values_as_json_and_a_get_its_url_as_it_is() {
    let (address, asked) = server();
    let lookups = Lookups::start(&[format!("http://{address}/asks/")]).unwrap();
    let query = Query {
        lookup: StepName::new("account"),
        number: 1,
        url: format!("http://{address}/asks/good?number=%2B12025550123"),
        method: Method::Post,
        body: vec![("number".into(), "+12025550123".into()), ("quote".into(), "\"x\"".into())],
        deadline: LONG,
        values: BTreeMap::new(),
    };
    assert_eq!(give(&lookups, query), Ok(BTreeMap::new()));
    let (first, body) = asked.recv_timeout(LONG).unwrap();
    assert_eq!(first, "POST /asks/good?number=%2B12025550123 HTTP/1.1");
    assert_eq!(body, r#"{"number":"+12025550123","quote":"\"x\""}"#);
}
