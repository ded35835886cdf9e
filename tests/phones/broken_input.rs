//! What nobody should send or write: a right answer or a clear message each time, and a call in progress that goes on
//! undisturbed (issue point 8).

use crate::call::{Call, What};
use crate::harness::{Program, Setup, answers_options, dialplan, onekey, rtp_ports, said, shared};
use crate::net::Net;
use crate::process::Folder;
use crate::rtp::Sound;
use crate::wav;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// Runs `disturb` while a call with an agent is up; both still hear each other afterwards and nobody has hung up.
fn undisturbed(setup: Setup, net: &Net, disturb: impl FnOnce(&Program, &Call)) {
    let mut program = setup.agents(["1001"]).start();
    let agent = program.agent(net, "1001");
    agent.sound(Sound::Pattern(0x1717));
    let caller = program.caller(net);
    caller.sound(Sound::Pattern(0x2a2a));
    let call = caller.dial("+12025550123", program.number());
    call.must(&What::Answered, SOON);
    call.press('0');
    let taken = agent.take_call(SOON).expect("the agent's phone rings");
    taken.must_hear_pattern(0x2a2a, SOON);
    call.must_hear_pattern(0x1717, SOON);
    disturb(&program, &call);
    assert!(program.is_running(), "the program has ended:\n{}", program.log());
    assert!(answers_options(program.sip), "no answer to OPTIONS afterwards:\n{}", program.log());
    call.stream.forget();
    taken.stream.forget();
    call.must_hear_pattern(0x1717, SOON);
    taken.must_hear_pattern(0x2a2a, SOON);
    assert!(call.is_up() && taken.is_up());
    assert!(!program.whole_log().contains("panicked"), "a panic:\n{}", program.log());
}

/// A request with everything that RFC 3261 §8.1.1 wants, but for what `change` does to it.
fn request(own: SocketAddr, server: SocketAddr, change: &[(&str, &str)]) -> String {
    let id = crate::phone::fresh("odd");
    let text = format!(
        "INVITE sip:5550100@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{id};rport\r\n\
         From: <sip:+12025550199@{own}>;tag={id}\r\nTo: <sip:5550100@{server}>\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:odd@{own}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    change.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "no {old:?} in the request");
        text.replace(old, new)
    })
}

/// The first final answer to `text`, if one comes within a second.
fn answer_to(net: &Net, server: SocketAddr, change: &[(&str, &str)]) -> Option<u16> {
    let socket = UdpSocket::bind(net.sip_host()).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a limit");
    let own = socket.local_addr().expect("its address");
    socket.send_to(request(own, server, change).as_bytes(), server).expect("a datagram");
    let mut bytes = [0u8; 8192];
    loop {
        let length = socket.recv(&mut bytes).ok()?;
        let status: u16 = std::str::from_utf8(&bytes[8..length.min(11)]).ok()?.parse().ok()?;
        if status >= 200 {
            return Some(status);
        }
    }
}

/// What is wrong, what of a good INVITE is replaced by what, and the answers that are right.
type Malformed = (&'static str, &'static [(&'static str, &'static str)], &'static [u16]);

#[test]
fn malformed_requests_over_udp_get_the_right_answer() {
    let _turn = shared();
    let net = Net::new();
    undisturbed(Setup::new(&net), &net, |program, _| {
        let server = program.sip;
        let table: [Malformed; 9] = [
            ("a number that nobody has", &[("INVITE sip:5550100@", "INVITE sip:5559999@")], &[404]),
            ("no CSeq", &[("CSeq: 1 INVITE\r\n", "")], &[400]),
            ("another method in CSeq", &[("CSeq: 1 INVITE", "CSeq: 1 OPTIONS")], &[400]),
            ("a CSeq beyond 2^31", &[("CSeq: 1 ", "CSeq: 99999999999 ")], &[400]),
            ("an unknown method", &[("INVITE", "JUMP")], &[501, 405]),
            ("a version that nobody speaks", &[(" SIP/2.0\r\nVia", " SIP/7.0\r\nVia")], &[505]),
            ("a body that is no SDP", &[("Content-Length: 0\r\n\r\n", SDP_RUBBISH)], &[400, 488]),
            ("a codec that nobody has", &[("Content-Length: 0\r\n\r\n", SDP_STRANGE)], &[488]),
            ("a body of a kind that is not served", &[("Content-Length: 0\r\n\r\n", TEXT_BODY)], &[415]),
        ];
        for (what, change, wanted) in table {
            let answer = answer_to(&net, server, change);
            assert!(answer.is_some_and(|status| wanted.contains(&status)), "{what}: {answer:?}, {wanted:?} wanted");
        }
        // Large, but nothing is wrong with it: it is the number that nobody has.
        let vias: String = (0..60).map(|hop| format!("v: SIP/2.0/TCP hop{hop}.example.com\r\n")).collect();
        let large = format!("{vias}X-Trace: {}\r\nMax-Forwards:", "x".repeat(40_000));
        let change = [("INVITE sip:5550100@", "INVITE sip:5559999@"), ("Max-Forwards:", &*large)];
        assert_eq!(answer_to(&net, server, &change), Some(404), "60 Vias and 40 000 bytes in a header");
    });
}

const SDP_RUBBISH: &str = "Content-Type: application/sdp\r\nContent-Length: 12\r\n\r\nhello=world\n";
const SDP_STRANGE: &str = "Content-Type: application/sdp\r\nContent-Length: 101\r\n\r\nv=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n\
     s=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 3\r\na=rtpmap:3 GSM/8000\r\n";
const TEXT_BODY: &str = "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

#[test]
fn rubbish_over_udp_disturbs_nobody() {
    let _turn = shared();
    let net = Net::new();
    undisturbed(Setup::new(&net), &net, |program, _| {
        let socket = UdpSocket::bind(net.sip_host()).expect("a socket");
        let own = socket.local_addr().expect("its address");
        let whole = request(own, program.sip, &[]);
        let mut rubbish: Vec<Vec<u8>> = vec![
            Vec::new(),
            b"\r\n\r\n".to_vec(),
            b"\0\0\0\0".to_vec(),
            vec![0xff; 1400],
            b"SIP/2.0 200 OK\r\n\r\n".to_vec(),
            b"SIP/2.0 999 \r\nVia: ;;;\r\nCSeq: x\r\n\r\n".to_vec(),
            b"INVITE\r\n\r\n".to_vec(),
            b"INVITE sip: SIP/2.0\r\nVia: SIP/2.0/UDP\r\n\r\n".to_vec(),
            format!("INVITE sip:{} SIP/2.0\r\n{}\r\n", program.sip, "X: y\r\n".repeat(9000)).into_bytes(),
            request(own, program.sip, &[("Content-Length: 0", "Content-Length: 70000")]).into_bytes(),
            request(own, program.sip, &[("Content-Length: 0", "Content-Length: -1")]).into_bytes(),
            request(own, program.sip, &[(";branch=z9hG4bK", ";branch=\"\\")]).into_bytes(),
            request(own, program.sip, &[("From: <sip:", "From: \"\u{1F4DE}<<<<sip:")]).into_bytes(),
        ];
        // Cut anywhere, and with one byte changed anywhere.
        rubbish.extend((0..whole.len()).step_by(7).map(|end| whole.as_bytes()[..end].to_vec()));
        rubbish.extend((0..whole.len()).step_by(5).map(|at| {
            let mut bytes = whole.replace("INVITE", "OPTIONS").into_bytes();
            bytes[at] ^= 0x55;
            bytes
        }));
        for bytes in rubbish {
            let _ = socket.send_to(&bytes, program.sip);
        }
    });
}

#[test]
fn rubbish_over_tcp_disturbs_nobody_and_whole_messages_are_answered() {
    let _turn = shared();
    let net = Net::new();
    undisturbed(Setup::new(&net), &net, |program, _| {
        let own = net.sip_host();
        let whole = request(own, program.sip, &[("INVITE", "OPTIONS"), ("SIP/2.0/UDP", "SIP/2.0/TCP")]);
        for rubbish in
            [&b"\0\xff\0\xff"[..], b"GET / HTTP/1.1\r\n\r\n", b"INVITE sip:x SIP/2.0\r\nContent-Length: x\r\n\r\n"]
        {
            let mut stream = TcpStream::connect(program.sip).expect("TCP");
            let _ = stream.write_all(rubbish);
        }
        let mut endless = TcpStream::connect(program.sip).expect("TCP");
        for _ in 0..64 {
            let _ = endless.write_all(&[b'x'; 16_384]);
        }
        assert!(is_closed(&mut endless), "64 KiB of nothing are too many headers");
        for length in ["", "Content-Length: -1\r\n", "Content-Length: 0\r\nl: 5\r\n", "Content-Length: 70000\r\n"] {
            let mut stream = TcpStream::connect(program.sip).expect("TCP");
            stream.write_all(whole.replace("Content-Length: 0\r\n", length).as_bytes()).expect("a message");
            assert!(is_closed(&mut stream), "nobody knows where the message ends: {length:?}");
        }
        // Byte by byte, with keep-alives before it, and two in one write.
        let mut stream = TcpStream::connect(program.sip).expect("TCP");
        stream.set_nodelay(true).expect("no delay");
        stream.write_all(b"\r\n\r\n").expect("a keep-alive");
        for byte in whole.as_bytes() {
            stream.write_all(&[*byte]).expect("a byte");
        }
        let second = request(own, program.sip, &[("INVITE", "OPTIONS"), ("SIP/2.0/UDP", "SIP/2.0/TCP")]);
        let third = request(own, program.sip, &[("INVITE", "OPTIONS"), ("SIP/2.0/UDP", "SIP/2.0/TCP")]);
        stream.write_all(format!("{second}{third}").as_bytes()).expect("two at once");
        stream.set_read_timeout(Some(SOON)).expect("a limit");
        let (mut text, mut bytes) = (String::new(), [0u8; 4096]);
        while text.matches("SIP/2.0 200").count() < 3 {
            let length = stream.read(&mut bytes).unwrap_or_else(|error| panic!("{error} after {text:?}"));
            assert!(length > 0, "closed after {text:?}");
            text += &String::from_utf8_lossy(&bytes[..length]);
        }
    });
}

/// Has the program ended this connection, without an answer?
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(SOON)).expect("a limit");
    match stream.read(&mut [0u8; 64]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn rubbish_on_an_rtp_port_disturbs_nobody() {
    let _turn = shared();
    let net = Net::new();
    undisturbed(Setup::new(&net), &net, |_, call| {
        let door = call.stream.remote().expect("where the program takes RTP");
        let control = SocketAddr::from((door.ip(), door.port() + 1));
        let socket = UdpSocket::bind((net.host(), 0)).expect("a socket");
        let mut junk: Vec<Vec<u8>> = vec![Vec::new(), vec![0x80], vec![0x80; 11], vec![0xff; 1500], vec![0; 172]];
        junk.push([&[0x8f, 0x00][..], &[0; 10]].concat());
        junk.push([&[0x90, 0x00][..], &[0; 10], &[0xbe, 0xde, 0xff, 0xff]].concat());
        junk.push([&[0xa0, 0x00][..], &[0; 10], &[0xff; 4]].concat());
        junk.push([&[0x80, 0xe5][..], &[0; 10], &[0xff; 3]].concat());
        junk.extend((0..200u8).map(|pt| [&[0x80, pt][..], &[7; 10], &[0x55; 160]].concat()));
        for bytes in &junk {
            for target in [door, control] {
                socket.send_to(bytes, target).expect("a datagram");
            }
        }
    });
}

#[test]
fn with_every_rtp_port_taken_a_new_call_is_refused_and_the_others_go_on() {
    let _turn = shared();
    let net = Net::new();
    // One call with an agent takes two pairs of ports.
    let setup = Setup::new(&net).setting("media.workers = 1").ports(rtp_ports(4));
    undisturbed(setup, &net, |program, _| {
        let caller = program.caller(&net);
        let refused = caller.dial("+12025550124", program.number());
        refused.must(&What::Refused(503), SOON);
    });
}

#[test]
fn a_port_in_use_is_named() {
    let _turn = shared();
    let net = Net::new();
    let setup = Setup::new(&net);
    let taken = UdpSocket::bind((setup.host(), 5060)).expect("the port");
    let (status, text) = setup.start_in_vain();
    drop(taken);
    assert!(status.is_some_and(|status| !status.success()), "{status:?}: {text}");
    assert!(text.contains("5060") && text.contains("in use"), "{text}");
}

#[test]
fn all_errors_of_a_dialplan_are_told_in_one_run() {
    let _turn = shared();
    let net = Net::new();
    let text = dialplan(&[
        ("1   = \"menu bills\"", "1   = \"menu bils\""),
        ("2   = \"play balance\"", "0   = \"play balance\""),
        ("finished = true", "finishd = true"),
        ("to             = \"queue care\"", "to = \"queue car\""),
    ]);
    let setup = Setup::new(&net).dialplan(&text);
    setup.prepare();
    let output = onekey(setup.folder(), &["check"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for words in ["bils", "human key", "finishd", "queue car"] {
        assert!(told.contains(words), "{words:?} is not told:\n{told}");
    }
}

#[test]
fn broken_toml_and_unknown_settings_are_told_with_their_place() {
    let _turn = shared();
    let net = Net::new();
    let setup = Setup::new(&net).dialplan("[line.care\nnumbers = [\"5550100\"]\n");
    setup.prepare();
    let output = onekey(setup.folder(), &["check"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("care.toml:1"), "{}", said(&output));

    let (status, text) = Setup::new(&net).setting("sip.upd = []\nrtp.frist_port = 1").start_in_vain();
    assert!(status.is_some_and(|status| !status.success()), "{text}");
    assert!(text.contains("upd") && text.contains("frist_port") && text.contains("onekey.toml:"), "{text}");
}

#[test]
fn bad_rows_of_a_csv_are_listed_and_the_others_imported() {
    let _turn = shared();
    let net = Net::new();
    let setup = Setup::new(&net);
    setup.prepare();
    let rows = "number,birth_date,flags,language\n+12025550170,1950-05-05,,\nnonsense,1950-05-05,,\n\
                +12025550171,1950-13-45,,\n\n+12025550172,,assist,\n+12025550173\n";
    std::fs::write(setup.file("people.csv"), rows).expect("the CSV");
    let output = onekey(setup.folder(), &["registry", "import", "people.csv"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for line in ["3", "4"] {
        assert!(told.contains(&format!(":{line}")) || told.contains(&format!("line {line}")), "line {line}:\n{told}");
    }
    for number in ["+12025550170", "+12025550172"] {
        let found = onekey(setup.folder(), &["registry", "find", number]);
        assert!(found.status.success(), "{number}: {}", said(&found));
    }
}

/// A folder of prompts as the project's, with `welcome` in another form.
fn prompts_with(folder: &Folder, welcome: impl FnOnce(&Path)) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
    for language in std::fs::read_dir(&own).expect("the prompts").flatten() {
        let to = folder.path().join(language.file_name());
        std::fs::create_dir_all(&to).expect("a folder");
        for file in std::fs::read_dir(language.path()).expect("a language").flatten() {
            std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
        }
    }
    welcome(&folder.path().join("en/welcome.wav"));
}

#[test]
fn prompts_of_24_bits_and_of_two_channels_are_heard() {
    let _turn = shared();
    let sound = wav::voice(21, 4.0);
    let both: Vec<i16> = sound.iter().flat_map(|sample| [*sample, *sample]).collect();
    for (name, samples, channels, bits) in [("24 bits", &sound, 1, 24), ("stereo", &both, 2, 16)] {
        let net = Net::new();
        let folder = Folder::new("prompts");
        prompts_with(&folder, |file| wav::write_with(file, samples, channels, bits, 8000));
        let program = Setup::new(&net).prompts(folder.path()).start();
        let caller = program.caller(&net);
        let call = caller.dial("+12025550123", program.number());
        let heard = call.must_hear(150, SOON);
        let share = wav::heard(&heard.samples(), &sound[..16_000]);
        assert!(share > 0.6, "{name}: {share} of the prompt is heard\n{}", program.log());
    }
}

#[test]
fn a_truncated_prompt_is_named_and_not_served() {
    let _turn = shared();
    let net = Net::new();
    let folder = Folder::new("prompts");
    prompts_with(&folder, |file| {
        let bytes = std::fs::read(file).expect("the prompt");
        std::fs::write(file, &bytes[..30]).expect("a part of it");
    });
    let setup = Setup::new(&net).prompts(folder.path());
    setup.prepare();
    let told = said(&onekey(setup.folder(), &["check"]));
    assert!(told.contains("welcome.wav"), "{told}");
    let (status, text) = setup.start_in_vain();
    assert!(status.is_some_and(|status| !status.success()), "{status:?}\n{text}");
    assert!(text.contains("welcome.wav"), "{text}");
}
