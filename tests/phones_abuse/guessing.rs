//! Guessing: passwords by REGISTER, agents' names, and the scanners of SIPVicious as they come and under a false name.

use crate::attack::{flood, request};
use crate::digest;
use crate::harness::{PASSWORD, alone};
use crate::net::Net;
use crate::phone::Phone;
use crate::process::{Folder, Running};
use crate::siege::{New, SOON, Siege};
use crate::text::Text;
use crate::tools;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Asks for `user` with this Authorization; the answer and how long it took.
fn ask(socket: &UdpSocket, server: SocketAddr, user: &str, n: u64, authorization: &str) -> Option<(Text, Duration)> {
    let own = socket.local_addr().expect("its address");
    let began = Instant::now();
    let text = request("REGISTER", own, server, user, n, authorization, "");
    socket.send_to(&text, server).expect("a datagram");
    let mut bytes = [0u8; 4096];
    let length = socket.recv(&mut bytes).ok()?;
    Some((Text::read(&bytes[..length])?, began.elapsed()))
}

fn asker(host: Ipv4Addr) -> UdpSocket {
    let socket = UdpSocket::bind((host, 0)).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a limit");
    socket
}

/// What an answer says but for what is new in each.
fn words(answer: &Text) -> Vec<String> {
    let kept = answer
        .headers
        .iter()
        .filter(|(name, _)| !["via", "from", "to", "call-id"].iter().any(|passed| name.eq_ignore_ascii_case(passed)));
    let shown = kept.map(|(name, value)| format!("{name}: {}", value.split("nonce=").next().unwrap_or("")));
    std::iter::once(answer.first.clone()).chain(shown).collect()
}

#[test]
fn guesses_find_no_password_and_no_name_and_disturb_nobody() {
    let _turn = alone();
    let net = Net::new();
    let siege = Siege::begin(&net);
    let server = siege.program.sip;
    let guesser = net.host();
    let (tried, _) = siege.endure("REGISTER guesses 1 000/s, one address", New::Everybody, || {
        flood(&[guesser], server, 1000, Duration::from_secs(if tools::long() { 20 } else { 3 }), |own, n| {
            let user = (2000 + n % 400).to_string();
            let wrong = digest::credentials(
                "Digest realm=\"onekey\", nonce=\"0\"",
                &user,
                &format!("guess{n}"),
                "REGISTER",
                "sip:x",
            );
            request("REGISTER", own, server, &user, n, &format!("Authorization: {wrong}\r\n"), "")
        })
    });
    assert!(tried.sent > 1000, "{tried:?}");
    let log = siege.program.whole_log();
    assert!(log.contains(&format!("offence=passwords address={guesser}")), "{}", siege.program.log());
    // Shut out is the guesser, with the right password too, and nobody else.
    assert_eq!(Phone::at(SocketAddr::from((guesser, 5062)), server).register("2001", PASSWORD, 300), 403);
    assert_eq!(Phone::new(&net, server).register("2001", PASSWORD, 300), 200);
    names_are_not_told(&net, &siege);
}

/// The same words for an agent's name and for one that is nobody's, asked in every way, and the same time to say them.
fn names_are_not_told(net: &Net, siege: &Siege) {
    let server = siege.program.sip;
    let socket = asker(net.host());
    let mut times: [Vec<Duration>; 2] = Default::default();
    for n in 0..200u64 {
        let mut said = Vec::new();
        for (which, user) in ["2007", "7007"].into_iter().enumerate() {
            let n = n * 4 + which as u64 * 2;
            let (plain, took) = ask(&socket, server, user, n, "").expect("a challenge");
            times[which].push(took);
            let challenge = plain.header("WWW-Authenticate");
            let wrong = digest::credentials(challenge, user, "wrong", "REGISTER", "sip:x");
            let (second, took) =
                ask(&socket, server, user, n + 1, &format!("Authorization: {wrong}\r\n")).expect("an answer");
            times[which].push(took);
            said.push((words(&plain), words(&second)));
        }
        assert_eq!(said[0], said[1], "question {n}");
    }
    let mut medians = times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    medians.sort();
    assert!(medians[1] < medians[0] * 2 + Duration::from_millis(1), "the time tells who is there: {medians:?}");
    for method in ["INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE"] {
        let answers = ["2007", "7007"].map(|user| {
            let own = socket.local_addr().expect("its address");
            let text = request(method, own, server, user, 9000, "", "");
            socket.send_to(&text, server).expect("a datagram");
            let mut bytes = [0u8; 4096];
            let length = socket.recv(&mut bytes).expect("an answer");
            words(&Text::read(&bytes[..length]).expect("a message"))
        });
        assert_eq!(answers[0], answers[1], "{method}");
    }
}

/// A tool of SIPVicious from a copy in which it goes by this name.
fn tool(folder: &Folder, name: &str, user_agent: &str, arguments: &[&str]) -> Running {
    let copy = folder.file(user_agent.split('/').next().unwrap_or("copy"));
    if !copy.exists() {
        copy_tree(Path::new("/usr/share/sipvicious/sipvicious"), &copy.join("sipvicious"), user_agent);
    }
    let code = format!("import sys; sys.argv[0] = '{name}'; from sipvicious.{name} import main; main()");
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", &copy).env("HOME", folder.path()).current_dir(folder.path());
    command.args(["-c", &code]).args(arguments);
    Running::start(name, command, folder.file(&format!("{name}-{}", user_agent.replace('/', "-"))), Stdio::null())
}

fn copy_tree(from: &Path, to: &Path, user_agent: &str) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("SIPVicious").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_tree(&path, &target, user_agent);
        } else if path.extension().is_some_and(|end| end == "py") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let text = text.replace("friendly-scanner", user_agent).replace("'sipvicious'", "'caller'");
            std::fs::write(target, text).expect("a copy");
        }
    }
}

#[test]
fn sipvicious_finds_nothing_whatever_it_calls_itself() {
    if !tools::present("sipvicious_finds_nothing_whatever_it_calls_itself", &["svmap", "python3"]) {
        return;
    }
    let _turn = alone();
    let net = Net::new();
    let siege = Siege::begin(&net);
    let folder = Folder::new("sipvicious");
    let guesses: String = (0..400).map(|n| format!("guess{n}\n")).collect();
    std::fs::write(folder.file("words"), format!("{guesses}{PASSWORD}\n")).expect("a dictionary");
    let server = siege.program.sip.ip().to_string();
    for user_agent in ["friendly-scanner", "Linphone/5.1"] {
        let scans = [
            ("svmap", vec!["-p", "5060"]),
            ("svwar", vec!["-m", "REGISTER", "-e", "1990-2050", "-p", "5060"]),
            ("svcrack", vec!["-u", "2001", "-d", "words", "-p", "5060"]),
        ];
        let name = format!("SIPVicious (svmap, svwar, svcrack) as {user_agent}");
        let ((), _) = siege.endure(&name, New::Everybody, || {
            let mut running: Vec<(&str, Running)> = scans
                .iter()
                .map(|(scanner, options)| {
                    let arguments = [options.clone(), vec![server.as_str()]].concat();
                    (*scanner, tool(&folder, scanner, user_agent, &arguments))
                })
                .collect();
            let end = Instant::now() + Duration::from_secs(if tools::long() { 40 } else { 4 });
            while Instant::now() < end && running.iter_mut().any(|(_, one)| one.is_running()) {
                std::thread::sleep(Duration::from_millis(50));
            }
            for (scanner, one) in &mut running {
                one.stop(Duration::from_millis(500));
                let said = one.log_text();
                assert!(!said.contains("Traceback"), "{scanner} is broken:\n{said}");
                assert!(!said.contains(PASSWORD), "{scanner} has found the password:\n{said}");
                assert!(*scanner != "svwar" || !said.contains("2001"), "svwar has found a name:\n{said}");
            }
        });
    }
    let log = siege.program.whole_log();
    assert!(log.contains("offence=scanner address=127."), "{}", siege.program.log());
    assert!(log.contains("offence=passwords address=127."), "{}", siege.program.log());
    assert!(siege.is_answered(false), "within {SOON:?}");
}
