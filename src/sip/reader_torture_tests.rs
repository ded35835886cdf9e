//! The torture messages of RFC 4475: the thirteen valid ones of §3.1.1 must be read whole; of the invalid ones (§3.1.2
//! and §3.3) each is refused, or read in the liberal way that the RFC allows, which its test then names.
//!
//! Written after the RFC's descriptions; bodies and rows of equal headers are shortened where their length is not the point.

use super::super::message::StartLine;
use super::super::uri::Uri;
use super::*;

fn wire(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn read_text(text: &str) -> Message {
    read(wire(text)).unwrap()
}

/// The refusal's status, and whether it can be answered.
fn refused(text: &str) -> (u16, bool) {
    let error = read(wire(text)).unwrap_err();
    (error.status, error.respondable.is_some())
}

/// A request with one line in place of its usual one.
fn with(start: &str, name: &str, line: &str) -> String {
    let mut text = format!("{start}\n");
    for usual in [
        "Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKx",
        "From: <sip:caller@example.net>;tag=1",
        "To: <sip:user@example.com>",
        "Call-ID: torture@example.com",
        "CSeq: 9 OPTIONS",
    ] {
        text += if usual.starts_with(name) { line } else { usual };
        text += "\n";
    }
    text + "\n"
}

const OPTIONS: &str = "OPTIONS sip:user@example.com SIP/2.0";

#[test]
fn wsinv_a_short_tortuous_invite() {
    let body = "v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n\
        m=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n";
    let head = "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\nTO :\n \
        sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\n\
        from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\n  ;\n  tag = 98asjd8\n\
        MaX-fOrWaRdS: 0068\nCall-ID: wsinv.ndaksdj@192.0.2.1\nContent-Length   : 150\ncseq: 0009\n  INVITE\n\
        Via  : SIP  /   2.0\n /UDP\n    192.0.2.2;branch=390skdjuw\ns :\n\
        NewFangledHeader:   newfangled value\n continued newfangled value\n\
        UnknownHeaderWithUnusualValue: ;;,,;;,;\nContent-Type: application/sdp\nRoute:\n \
        <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\n\
        v:  SIP  / 2.0  / TCP     spindle.example.com   ;\n  branch  =   z9hG4bK9ikj8  ,\n \
        SIP  /    2.0   / UDP  192.168.255.111   ; branch=\n z9hG4bK30239\n\
        m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\n      newvalue ;\n  secondparam ; q = 0.33\n\n";
    let mut bytes = wire(head);
    bytes.extend_from_slice(body.as_bytes());
    let message = read(bytes).unwrap();
    assert_eq!((message.method(), message.cseq()), (&Method::Invite, 9));
    assert_eq!(message.request_uri(), Some("sip:vivekg@chair-dnrc.example.com;unknownparam"));
    assert_eq!(
        (message.to().uri.as_str(), message.to_tag()),
        ("sip:vivekg@chair-dnrc.example.com", Some("1918181833n"))
    );
    assert_eq!(message.from().display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!((message.from_tag(), message.header("Max-Forwards")), (Some("98asjd8"), Some("0068")));
    assert_eq!((message.via().transport.as_str(), message.via().branch.as_deref()), ("UDP", Some("390skdjuw")));
    let vias: Vec<Via> = message.vias().into_iter().map(|via| Via::parse(via).unwrap()).collect();
    assert_eq!((vias.len(), vias[1].transport.as_str(), vias[1].host.as_str()), (3, "TCP", "spindle.example.com"));
    assert_eq!(vias[2].branch.as_deref(), Some("z9hG4bK30239"));
    assert_eq!((message.header("Subject"), message.list("Route").len()), (Some(""), 1));
    let contact = message.contacts().remove(0).unwrap();
    assert_eq!(contact.display.as_deref(), Some("Quoted string \"\""));
    assert_eq!((contact.param("newparam"), contact.param("secondparam")), (Some(Some("newvalue")), Some(None)));
    assert_eq!((contact.param("q"), message.body()), (Some(Some("0.33")), body.as_bytes()));
}

#[test]
fn intmeth_a_wide_range_of_valid_characters() {
    let method = "!interesting-Method0123456789_*+`.%indeed'~";
    let uri =
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com";
    let tag = "_token~1'+`*%!-.";
    let message = read_text(&format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\n\
         To: \"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7F\" <{uri}>\n\
         From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\
         \"\u{440}\u{430}\u{431}\u{43e}\u{442}\u{430}\u{44e}\u{449}\u{438}\u{439}\";tag={tag}\n\
         Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}}{{\nCSeq: 139122385 {method}\nMax-Forwards: 255\n\
         extensionHeader-!.%*+_`'~:\u{fe3d}\nContent-Length: 0\n\n"
    ));
    assert_eq!((message.method().as_str(), message.request_uri()), (method, Some(uri)));
    assert_eq!((message.to().uri.as_str(), message.to().display.as_deref()), (uri, Some("BEL:\x07 NUL:\0 DEL:\x7f")));
    assert_eq!((message.from_tag(), message.cseq()), (Some(tag), 139122385));
    assert_eq!(message.call_id(), "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    assert_eq!(message.header("extensionheader-!.%*+_`'~"), Some("\u{fe3d}"));
    let uri = Uri::parse(uri).unwrap();
    assert_eq!(
        (uri.host.as_str(), uri.user.as_deref()),
        ("example.com", Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"))
    );
}

#[test]
fn esc01_esc02_escnull_escapes_are_kept_until_asked_for() {
    let esc01 = with("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0", "CSeq", "CSeq: 1 INVITE")
        .replace("<sip:user@example.com>", "sip:%75se%72@example.com");
    let message = read_text(&esc01);
    assert_eq!(Uri::parse(message.request_uri().unwrap()).unwrap().user.as_deref(), Some("sips:user@example.com"));
    assert_eq!(Uri::parse(&message.to().uri).unwrap().user.as_deref(), Some("user"));

    let esc02 = "RE%47IST%45R sip:registrar.example.com SIP/2.0\nTo: \"%Z%45\" <sip:resource@example.com>\n\
        From: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23\nCall-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf\n\
        Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234\nCSeq: 29344 RE%47IST%45R\nMax-Forwards: 70\n\
        Contact: <sip:alias1@host1.example.com>\nC%6Fntact: <sip:alias2@host2.example.com>\n\
        Contact: <sip:alias3@host3.example.com>\nl: 0\n\n";
    let message = read_text(esc02);
    assert_eq!(message.method().as_str(), "RE%47IST%45R", "no REGISTER: escapes mean nothing in a method");
    assert_eq!((message.contacts().len(), message.to().display.as_deref()), (2, Some("%Z%45")));
    assert_eq!(message.via().branch.as_deref(), Some("z9hG4bK209%fzsnel234"));

    let escnull = "REGISTER sip:example.com SIP/2.0\nTo: sip:null-%00-null@example.com\n\
        From: sip:null-%00-null@example.com;tag=839923423\nMax-Forwards: 70\nCall-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd\n\
        CSeq: 14398234 REGISTER\nVia: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw\n\
        Contact: <sip:%00@host5.example.com>\nContact: <sip:%00%00@host5.example.com>\nL:0\n\n";
    let message = read_text(escnull);
    let users: Vec<_> =
        message.contacts().into_iter().map(|c| Uri::parse(&c.unwrap().uri).unwrap().user.unwrap()).collect();
    assert_eq!((users, message.from_tag()), (vec!["\0".to_owned(), "\0\0".to_owned()], Some("839923423")));
}

#[test]
fn lwsdisp_semiuri_transports() {
    let message = read_text(&with(OPTIONS, "From", "From: caller<sip:caller@example.com>;tag=323"));
    assert_eq!((message.from().display.as_deref(), message.from_tag()), (Some("caller"), Some("323")));

    let message = read_text(&with(
        "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0",
        "To",
        "To: sip:j_user@example.com",
    ));
    let uri = Uri::parse(message.request_uri().unwrap()).unwrap();
    assert_eq!((uri.user.as_deref(), uri.params.len()), (Some("user;par=u@example.net"), 0));

    let vias = ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]
        .map(|name| format!("Via: SIP/2.0/{name} t{name}.example.com;branch=z9hG4bK{name}"));
    let message = read_text(&with(OPTIONS, "Via", &vias.join("\n")));
    let names: Vec<String> = message.vias().into_iter().map(|via| Via::parse(via).unwrap().transport).collect();
    assert_eq!(names, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}

#[test]
fn longreq_long_values_in_every_field() {
    let long = |part: &str| part.repeat(200);
    let vias: Vec<String> = (0..34).map(|n| format!("v: SIP/2.0/TCP sip{n}.example.com")).collect();
    let text = format!(
        "INVITE sip:user@example.com SIP/2.0\nTo: \"{name}\" <sip:user@example.com:6000;unknownparam1={value};{flag}>\n\
         F: sip:{user}@example.net;tag=12{tag}424;unknownheaderparam{value}={value};{flag}\n\
         Call-ID: longreq.one{really}longcallid\nCSeq: 3882340 INVITE\nUnknown-{header}: {value};param=value\n{vias}\n\
         Contact: <sip:{user}@host5.example.net>\nl: 2\n\nv=",
        name = long("I have a user name of extreme proportion "),
        value = long("verylong"),
        flag = long("veryLongParam"),
        user = long("amazinglylong"),
        tag = long("982424"),
        really = long("really"),
        header = long("Long"),
        vias = vias.join("\n"),
    );
    let message = read_text(&text);
    assert_eq!((message.vias().len(), message.body()), (34, &b"v="[..]));
    assert_eq!(message.from_tag().map(str::len), Some(1205));
    assert_eq!(message.contacts()[0].as_ref().unwrap().uri.len(), 4 + 2600 + 18);
}

#[test]
fn dblreq_what_follows_the_message_is_not_part_of_it() {
    let first = "REGISTER sip:example.com SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:j.user@example.com;tag=43251j3j324\n\
        Max-Forwards: 8\nI: dblreq.0ha0isndaksdj99sdfafnl3lk233412\nContact: sip:j.user@host.example.com\nCSeq: 8 REGISTER\n\
        Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492\nContent-Length: 0\n\n";
    let message = read_text(&format!("{first}\nINVITE sip:joe@example.com SIP/2.0\nt: sip:joe@example.com\n\n"));
    assert_eq!((message.method(), message.body()), (&Method::Register, &b""[..]));
    assert_eq!(message.call_id(), "dblreq.0ha0isndaksdj99sdfafnl3lk233412");
}

#[test]
fn mpart01_a_body_of_bytes() {
    let body = b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9cbec02ceef655\r\n\r\n0\x82\x01R\x06\x09*\x86H\r\n\r\n\0\xff--";
    let mut bytes = wire(&with("MESSAGE sip:kumiko@example.org SIP/2.0", "CSeq", "CSeq: 1 MESSAGE"));
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(b"Content-Type: multipart/mixed;boundary=7a9cbec02ceef655\r\nContent-Length: ");
    bytes.extend_from_slice(format!("{}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    let message = read(bytes).unwrap();
    assert_eq!((message.body(), message.method()), (&body[..], &Method::Message));
}

#[test]
fn unreason_and_noreason() {
    let reason = "= 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e} \u{434}\u{435}\u{432}\u{44f}\u{43d}\u{43e}\u{441}\u{442}\u{43e}";
    let message = read_text(&with(&format!("SIP/2.0 200 {reason}"), "CSeq", "CSeq: 35 INVITE"));
    assert_eq!(message.start(), StartLine::Response { status: 200, reason });
    for start in ["SIP/2.0 100 ", "SIP/2.0 100"] {
        let message = read_text(&with(start, "CSeq", "CSeq: 35 INVITE"));
        assert_eq!(
            (message.start(), message.method()),
            (StartLine::Response { status: 100, reason: "" }, &Method::Invite)
        );
    }
}

#[test]
fn refused_with_400() {
    let invite = |line| with("INVITE sip:user@example.com SIP/2.0", "CSeq", line);
    for (name, text) in [
        ("badinv01", with(OPTIONS, "Via", "Via: SIP/2.0/UDP 192.0.2.15;;,;,,")),
        ("clerr", with(OPTIONS, "Call-ID", "Call-ID: 1\nContent-Length: 9999")),
        ("ncl", with(OPTIONS, "Call-ID", "Call-ID: 1\nContent-Length: -999")),
        ("scalar02", with(OPTIONS, "CSeq", "CSeq: 36893488147419103232 OPTIONS")),
        ("quotbal", with(OPTIONS, "To", "To: \"Mr. J. User <sip:j.user@example.com>")),
        ("ltgtruri", with("OPTIONS <sip:user@example.com> SIP/2.0", "-", "")),
        ("lwsruri", with("OPTIONS sip:user@example.com; lr SIP/2.0", "-", "")),
        ("lwsstart", with("OPTIONS  sip:user@example.com  SIP/2.0", "-", "")),
        ("trws", with("OPTIONS sip:remote-target@example.com SIP/2.0  ", "-", "")),
        ("mismatch01", invite("CSeq: 8 OPTIONS")),
        ("mismatch02", with("NEWMETHOD sip:user@example.com SIP/2.0", "CSeq", "CSeq: 8 INVITE")),
        ("insuf", with(OPTIONS, "Call-ID", "X: y")),
        ("multi01", with(OPTIONS, "From", "From: <sip:a@example.com>;tag=1\nf: <sip:b@example.com>;tag=2")),
        ("mcl01", with(OPTIONS, "Call-ID", "Call-ID: 1\nl: 0\nContent-Length: 5")),
    ] {
        assert_eq!(refused(&text), (400, true), "{name}");
    }
}

#[test]
fn badvers_bigcode_scalarlg() {
    assert_eq!(refused(&with("OPTIONS sip:t.watson@example.org SIP/7.0", "-", "")), (505, true));
    for start in [
        "SIP/2.0 4294967301 better not break the receiver",
        "SIP/2.0 99 x",
        "SIP/2.0 700 x",
        "SIP/2.0 +20 x",
        "SIP/3.0 200 OK",
    ] {
        assert!(!refused(&with(start, "-", "")).1, "{start}: a response is dropped");
    }
    let scalarlg = with("SIP/2.0 503 Service Unavailable", "CSeq", "CSeq: 9292394834772304023312 OPTIONS");
    assert!(!refused(&scalarlg).1);
}

/// Where the RFC allows to be liberal, and being so loses no call and opens no hole.
#[test]
fn read_liberally() {
    // escruri: headers in a Request-URI are forbidden (RFC 3261 §19.1.1); they are there as text and nobody acts on them.
    let message = read_text(&with("OPTIONS sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0", "-", ""));
    assert_eq!(
        (message.list("Route").len(), Uri::parse(message.request_uri().unwrap()).unwrap().headers.len()),
        (0, 1)
    );
    // baddate: Date is not ours to use.
    read_text(&with(OPTIONS, "Call-ID", "Call-ID: 1\nDate: Fri, 01 Jan 2010 16:00:00 EST"));
    // badaspec: white space inside the brackets.
    let message = read_text(&with(OPTIONS, "To", "To: \"Watson, Thomas\" < sip:t.watson@example.org >"));
    assert_eq!(message.to().uri, "sip:t.watson@example.org");
    // baddn: an unquoted comma in a display name of a header that is no list.
    let message = read_text(&with(OPTIONS, "From", "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"));
    assert_eq!((message.from().display.as_deref(), message.from_tag()), (Some("Bell, Alexander"), Some("43")));
    // regbadct: the message is read, its contact is not: a `?` needs brackets (RFC 3261 §20.10).
    let message = read_text(&with(
        OPTIONS,
        "Call-ID",
        "Call-ID: 1\nContact: sip:user@example.com?Route=%3Csip:sip.example.com%3E",
    ));
    assert!(message.contacts()[0].is_err());
    // unkscm, novelsc: an unknown scheme is for the core to answer (416).
    let message = read_text(&with("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", "-", ""));
    assert_eq!(Uri::parse(message.request_uri().unwrap()).unwrap().scheme, "soap.beep");
}
