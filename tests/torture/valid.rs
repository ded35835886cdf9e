//! RFC 4475 §3.1.1: thirteen messages that look wrong and are right. All are read whole.
//!
//! Written after the RFC's descriptions, with names, numbers and addresses of our own.

use crate::case::{Answer, Case, offer, read_as, wire};
use onekey::sip::headers::Via;
use onekey::sip::message::Method;
use onekey::sip::uri::Uri;

pub fn cases() -> Vec<Case> {
    vec![
        wsinv(),
        intmeth(),
        esc01(),
        escnull(),
        esc02(),
        lwsdisp(),
        longreq(),
        dblreq(),
        semiuri(),
        transports(),
        mpart01(),
        unreason(),
        noreason(),
    ]
}

fn wsinv() -> Case {
    let head = r#"INVITE sip:5550100@onekey.example;own-param SIP/2.0
TO :
 sip:5550100@onekey.example ;   tag    = 73fa0091n
from   : "A. Dialler \\\""       <sip:+12025550123@phones.example>
  ;
  tag = 41kq7x
MaX-fOrWaRdS: 0068
Call-ID: wsinv.1f7c@192.0.2.21
Content-Length   : {length}
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.21;branch=77fjq0wz
s :
Of-Our-Days:   one line
 and another
Only-Signs: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:edge.example;lr;own=word;no-word>
v:  SIP  / 2.0  / TCP     relay.example   ;
  branch  =   z9hG4bK5qk2x  ,
 SIP  /    2.0   / UDP  198.51.100.111   ; branch=
 z9hG4bK88120
m:"In quotes \"\"" <sip:+12025550123@192.0.2.21> ; fresh =
      word ;
  bare ; q = 0.33

"#;
    Case {
        name: "wsinv",
        section: "3.1.1.1",
        peculiar: "white space and folds wherever the grammar allows them, compact names, old and new branches",
        bytes: wire(&format!("{head}{}", offer("IP4 192.0.2.21"))),
        read: read_as(&[
            "INVITE sip:5550100@onekey.example;own-param",
            "Via UDP 192.0.2.21 77fjq0wz, 3 in all",
            r#"From "A. Dialler \\\"" sip:+12025550123@phones.example ;tag=41kq7x"#,
            "To sip:5550100@onekey.example ;tag=73fa0091n",
            "Call-ID wsinv.1f7c@192.0.2.21",
            "CSeq 9 INVITE",
            r#"Contact "In quotes \"\"" sip:+12025550123@192.0.2.21 ;fresh=word ;bare ;q=0.33"#,
            "133 bytes of body",
        ])
        .and(|message| {
            let vias: Vec<Via> = message.vias().into_iter().map(|via| Via::parse(via).unwrap()).collect();
            assert_eq!((vias[1].transport.as_str(), vias[1].host.as_str()), ("TCP", "relay.example"));
            assert_eq!(vias[2].branch.as_deref(), Some("z9hG4bK88120"));
            assert_eq!((message.header("Max-Forwards"), message.header("Subject")), (Some("0068"), Some("")));
            let words: Vec<&str> = message.header("of-our-days").unwrap().split_whitespace().collect();
            assert_eq!(words, ["one", "line", "and", "another"]);
            assert_eq!(message.list("Only-Signs"), [";;", ";;", ";"]);
            assert_eq!(message.list("Route"), ["<sip:edge.example;lr;own=word;no-word>"]);
        }),
        // To has a tag, and no dialog of ours has it.
        answer: Answer::Final(481, &[]),
    }
}

fn intmeth() -> Case {
    let method = "!odd-Method9876543210_*+`.%truly'~";
    let uri =
        "sip:7_odd.URI~(but-still!fine)&isn't+it$/queer?,/;;*:&it+has=1,odd!pass*wo~rd_too.(isn't-it)@example.com";
    let text = format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/TCP host1.example.com;branch=z9hG4bK.-!%41*_+`'~\n\
         To: \"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7F\" <{uri}>\n\
         From: tok1~` tok2'+_ tok3*%!.- <sip:plain@example.com>;own-param''~+*_!.%=\
         \"\u{437}\u{432}\u{43e}\u{43d}\u{43e}\u{43a}\";tag=_tag~9'+`*%!-.\n\
         Call-ID: intmeth.odd%XY-!.*_+'@signs`~)(><:\\/\"][?}}{{\nCSeq: 104729 {method}\nMax-Forwards: 255\n\
         x-header-!.%*+_`'~:\u{fe3d}\u{fe3d}\nContent-Length: 0\n\n"
    );
    Case {
        name: "intmeth",
        section: "3.1.1.2",
        peculiar: "every character that a method, a user, a token, a Call-ID and a quoted string may hold",
        bytes: wire(&text),
        read: read_as(&[
                "!odd-Method9876543210_*+`.%truly'~ sip:7_odd.URI~(but-still!fine)&isn't+it$/queer?,/;;*:&it+has=1,odd!pass*wo~rd_too.(isn't-it)@example.com",
                "Via TCP host1.example.com z9hG4bK.-!%41*_+`'~",
                "From \"tok1~` tok2'+_ tok3*%!.-\" sip:plain@example.com ;own-param''~+*_!.%=\u{437}\u{432}\u{43e}\u{43d}\u{43e}\u{43a} ;tag=_tag~9'+`*%!-.",
                "To \"BEL:\\u{7} NUL:\\0 DEL:\\u{7f}\" sip:7_odd.URI~(but-still!fine)&isn't+it$/queer?,/;;*:&it+has=1,odd!pass*wo~rd_too.(isn't-it)@example.com",
                "Call-ID intmeth.odd%XY-!.*_+'@signs`~)(><:\\/\"][?}{",
                "CSeq 104729 !odd-Method9876543210_*+`.%truly'~",
            ]).and(|message| {
                assert_eq!(message.header("X-HEADER-!.%*+_`'~"), Some("\u{fe3d}\u{fe3d}"));
                let uri = Uri::parse(message.request_uri().unwrap()).unwrap();
                assert_eq!(uri.user.as_deref(), Some("7_odd.URI~(but-still!fine)&isn't+it$/queer?,/;;*"));
                assert_eq!((uri.host.as_str(), uri.params.len(), uri.headers.len()), ("example.com", 0, 0));
            }),
        answer: Answer::Final(501, &[("Allow", "INVITE")]),
    }
}

fn user_of(uri: &str) -> Option<String> {
    Uri::parse(uri).unwrap().user
}

fn esc01() -> Case {
    let text = "INVITE sip:sips%3A5550100%40example.com@example.net SIP/2.0\nTo: sip:%35%35%350100@example.com\n\
        From: <sip:%2B12025550123@example.com>;tag=e1\nMax-Forwards: 87\nCall-ID: esc01.c0ffee77@phones\n\
        CSeq: 4711 INVITE\nVia: SIP/2.0/UDP host5.example.net;branch=z9hG4bKq7w1\nC: application/sdp\n\
        Contact:\n  <sip:cal%6Cer@host5.example.net;%6C%72;k%65y=w%6Frd%25%34%32>\nContent-Length: {length}\n\n";
    Case {
        name: "esc01",
        section: "3.1.1.3",
        peculiar: "escapes in users and parameters; one user is itself a whole URI",
        bytes: wire(&format!("{text}{}", offer("IP4 192.0.2.21"))),
        read: read_as(&[
            "INVITE sip:sips%3A5550100%40example.com@example.net",
            "Via UDP host5.example.net z9hG4bKq7w1",
            "From sip:%2B12025550123@example.com ;tag=e1",
            "To sip:%35%35%350100@example.com",
            "Call-ID esc01.c0ffee77@phones",
            "CSeq 4711 INVITE",
            "Contact sip:cal%6Cer@host5.example.net;%6C%72;k%65y=w%6Frd%25%34%32",
            "133 bytes of body",
        ])
        .and(|message| {
            let user = user_of(message.request_uri().unwrap());
            assert_eq!(user.as_deref(), Some("sips:5550100@example.com"), "no number that is published");
            assert_eq!(user_of(&message.to().uri).as_deref(), Some("5550100"));
            assert_eq!(user_of(&message.from().uri).as_deref(), Some("+12025550123"));
        }),
        answer: Answer::Final(404, &[]),
    }
}

fn escnull() -> Case {
    let text = "REGISTER sip:example.com SIP/2.0\nTo: sip:nul-%00-nul@example.com\n\
        From: sip:nul-%00-nul@example.com;tag=en77\nMax-Forwards: 70\nCall-ID: escnull.77a1\n\
        CSeq: 31337 REGISTER\nVia: SIP/2.0/UDP host5.example.com;branch=z9hG4bKq7w1\n\
        Contact: <sip:%00@host5.example.com>\nContact: <sip:%00%00@host5.example.com>\nL:0\n\n";
    Case {
        name: "escnull",
        section: "3.1.1.4",
        peculiar: "escaped NULs in users: two contacts that a C string would take for one",
        bytes: wire(text),
        read: read_as(&[
            "REGISTER sip:example.com",
            "Via UDP host5.example.com z9hG4bKq7w1",
            "From sip:nul-%00-nul@example.com ;tag=en77",
            "To sip:nul-%00-nul@example.com",
            "Call-ID escnull.77a1",
            "CSeq 31337 REGISTER",
            "Contact sip:%00@host5.example.com",
            "Contact sip:%00%00@host5.example.com",
        ])
        .and(|message| {
            let contacts = message.contacts().into_iter().map(|contact| user_of(&contact.unwrap().uri).unwrap());
            assert_eq!(contacts.collect::<Vec<_>>(), ["\0", "\0\0"]);
            assert_eq!(user_of(&message.to().uri).as_deref(), Some("nul-\0-nul"));
        }),
        answer: Answer::Final(401, &[("WWW-Authenticate", "Digest realm=\"onekey\"")]),
    }
}

fn esc02() -> Case {
    let text = "RE%47IST%45R sip:registrar.example.com SIP/2.0\nTo: \"%Q%46\" <sip:1001@example.com>\n\
        From: \"%Q%46\" <sip:1001@example.com>;tag=es2\nCall-ID: esc02.b81d@registrar\n\
        Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK7%gq%4\nCSeq: 271 RE%47IST%45R\nMax-Forwards: 70\n\
        Contact: <sip:desk1@host1.example.com>\nC%6Fntact: <sip:desk2@host2.example.com>\n\
        Contact: <sip:desk3@host3.example.com>\nl: 0\n\n";
    Case {
        name: "esc02",
        section: "3.1.1.5",
        peculiar: "percent signs where they escape nothing: method, branch, header name, display name",
        bytes: wire(text),
        read: read_as(&[
            "RE%47IST%45R sip:registrar.example.com",
            "Via TCP host.example.com z9hG4bK7%gq%4",
            "From \"%Q%46\" sip:1001@example.com ;tag=es2",
            "To \"%Q%46\" sip:1001@example.com",
            "Call-ID esc02.b81d@registrar",
            "CSeq 271 RE%47IST%45R",
            "Contact sip:desk1@host1.example.com",
            "Contact sip:desk3@host3.example.com",
        ])
        .and(|message| {
            assert_eq!(message.header("C%6Fntact"), Some("<sip:desk2@host2.example.com>"), "another header");
            assert!(matches!(message.method(), Method::Other(_)), "no REGISTER");
        }),
        answer: Answer::Final(501, &[("Allow", "REGISTER")]),
    }
}

fn lwsdisp() -> Case {
    let text = "OPTIONS sip:5550100@example.com SIP/2.0\nTo: sip:5550100@example.com\n\
        From: dialler<sip:+12025550123@example.com>;tag=l9\nMax-Forwards: 70\nCall-ID: lwsdisp.90ff@lab.example.com\n\
        CSeq: 60 OPTIONS\nVia: SIP/2.0/UDP lab.example.com;branch=z9hG4bKq7w1\nl: 0\n\n";
    Case {
        name: "lwsdisp",
        section: "3.1.1.6",
        peculiar: "no space between display name and `<`",
        bytes: wire(text),
        read: read_as(&[
            "OPTIONS sip:5550100@example.com",
            "Via UDP lab.example.com z9hG4bKq7w1",
            "From \"dialler\" sip:+12025550123@example.com ;tag=l9",
            "To sip:5550100@example.com",
            "Call-ID lwsdisp.90ff@lab.example.com",
            "CSeq 60 OPTIONS",
        ]),
        answer: Answer::Final(200, &[("Allow", "OPTIONS"), ("Accept", "application/sdp")]),
    }
}

fn longreq() -> Case {
    let (value, user, tag, really) = ("long".repeat(120), "dialler".repeat(20), "61".repeat(400), "really".repeat(40));
    let name = " extreme proportions and".repeat(30);
    let vias: String = (1..34).map(|hop| format!("Via: SIP/2.0/TCP hop{hop}.example.com\n")).collect();
    let to = format!("sip:5550100@example.com:6000;param1={value};param{value}={value};flag{value}");
    let text = format!(
        "INVITE sip:5550100@example.com SIP/2.0\nTo: \"A name of{name}\" <{to}>\nF:\n sip:{user}@example.net;tag=12{tag};\
         unknown{value}={value};flag{value}\nCall-ID: longreq.a{really}wordyid\nCSeq: 17\n INVITE\n\
         Unknown-{header}-Name: unknown-{value}-value; unknown-{value}-param = unknown-{value}-content\n\
         Via: SIP/2.0/TCP first.example.com:5080;branch=z9hG4bK{value}\n{vias}Max-Forwards: 70\n\
         Contact: <sip:{user}@host5.example.net>\nContent-Type: application/sdp\nl: {{length}}\n\n{}",
        offer("IP4 192.0.2.21"),
        header = "Long".repeat(60),
    );
    let read = read_as(&[
        "INVITE sip:5550100@example.com",
        &format!("Via TCP first.example.com:5080 z9hG4bK{value}, 34 in all"),
        &format!("From sip:{user}@example.net ;tag=12{tag} ;unknown{value}={value} ;flag{value}"),
        &format!("To \"A name of{name}\" {to}"),
        &format!("Call-ID longreq.a{really}wordyid"),
        "CSeq 17 INVITE",
        &format!("Contact sip:{user}@host5.example.net"),
        "133 bytes of body",
    ]);
    Case {
        name: "longreq",
        section: "3.1.1.7",
        peculiar: "long values in every field, 34 Vias",
        bytes: wire(&text),
        read: read.and(|message| {
            assert_eq!(message.header(&format!("unknown-{}-name", "long".repeat(60))).map(str::len), Some(1489));
            let last = Via::parse(message.vias()[33]).unwrap();
            assert_eq!((last.host.as_str(), last.branch), ("hop33.example.com", None));
        }),
        answer: Answer::Call { remote: "192.0.2.21:30000" },
    }
}

fn dblreq() -> Case {
    let first = "REGISTER sip:example.com SIP/2.0\nTo: sip:1001@example.com\nFrom: sip:1001@example.com;tag=dr1\n\
        Max-Forwards: 8\nI: dblreq.first.5d3\nContact: sip:1001@host.example.com\nCSeq: 8 REGISTER\n\
        Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKdr1\nContent-Length: 0\n\n\n";
    let second = "INVITE sip:5550100@example.com SIP/2.0\nt: sip:5550100@example.com\n\
        From: sip:+12025550123@example.net;tag=dr2\nMax-Forwards: 8\nCall-ID: dblreq.second.5d4@192.0.2.15\n\
        CSeq: 8 INVITE\nVia: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKdr2\nContent-Type: application/sdp\n\
        Content-Length: {length}\n\n";
    let second = wire(&format!("{second}{}", offer("IP4 192.0.2.15")));
    Case {
        name: "dblreq",
        section: "3.1.1.8",
        peculiar: "a second request behind the first in one datagram: it is no part of anything",
        bytes: [wire(first), second].concat(),
        read: read_as(&[
            "REGISTER sip:example.com",
            "Via UDP 192.0.2.125 z9hG4bKdr1",
            "From sip:1001@example.com ;tag=dr1",
            "To sip:1001@example.com",
            "Call-ID dblreq.first.5d3",
            "CSeq 8 REGISTER",
            "Contact sip:1001@host.example.com",
        ]),
        answer: Answer::Final(401, &[]),
    }
}

fn semiuri() -> Case {
    let text = "OPTIONS sip:5550100;par=u%40example.net@example.com SIP/2.0\nTo: sip:j_dialler@example.com\n\
        From: sip:+12025550123@example.org;tag=sm1\nMax-Forwards: 3\nCall-ID: semiuri.1c9\nCSeq: 8 OPTIONS\n\
        Accept: application/sdp, application/pkcs7-mime,\n        multipart/mixed, multipart/signed,\n        \
        message/sip, message/sipfrag\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKq7w1\nl: 0\n\n";
    Case {
        name: "semiuri",
        section: "3.1.1.9",
        peculiar: "a semicolon and an escaped `@` in the user part: no parameter, no host",
        bytes: wire(text),
        read: read_as(&[
            "OPTIONS sip:5550100;par=u%40example.net@example.com",
            "Via UDP 192.0.2.1 z9hG4bKq7w1",
            "From sip:+12025550123@example.org ;tag=sm1",
            "To sip:j_dialler@example.com",
            "Call-ID semiuri.1c9",
            "CSeq 8 OPTIONS",
        ])
        .and(|message| {
            let uri = Uri::parse(message.request_uri().unwrap()).unwrap();
            assert_eq!((uri.user.as_deref(), uri.params.len()), (Some("5550100;par=u@example.net"), 0));
            assert_eq!((uri.host.as_str(), message.list("Accept").len()), ("example.com", 6));
        }),
        answer: Answer::Final(200, &[]),
    }
}

fn transports() -> Case {
    let vias = ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]
        .map(|name| format!("Via: SIP/2.0/{name} t{}.example.com;branch=z9hG4bKs{name}\n", name.len()));
    let text = format!(
        "OPTIONS sip:5550100@example.com SIP/2.0\nTo: sip:5550100@example.com\n\
         From: <sip:+12025550123@example.com>;tag=l9\nMax-Forwards: 70\nCall-ID: transports.2b7\n\
         Accept: application/sdp\nCSeq: 60 OPTIONS\n{}l: 0\n\n",
        vias.concat()
    );
    Case {
        name: "transports",
        section: "3.1.1.10",
        peculiar: "Vias with transports that we do not speak, one that nobody knows",
        bytes: wire(&text),
        read: read_as(&[
            "OPTIONS sip:5550100@example.com",
            "Via UDP t3.example.com z9hG4bKsUDP, 5 in all",
            "From sip:+12025550123@example.com ;tag=l9",
            "To sip:5550100@example.com",
            "Call-ID transports.2b7",
            "CSeq 60 OPTIONS",
        ])
        .and(|message| {
            let names = message.vias().into_iter().map(|via| Via::parse(via).unwrap().transport);
            assert_eq!(names.collect::<Vec<_>>(), ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
        }),
        answer: Answer::Final(200, &[]),
    }
}

fn mpart01() -> Case {
    let mut body =
        wire("--7f3a91\nContent-Type: text/plain\nContent-Transfer-Encoding: binary\n\nGood morning\n--7f3a91\n");
    body.extend(wire("Content-Type: application/octet-stream\nContent-Transfer-Encoding: binary\n\n"));
    body.extend([
        0x30, 0x82, 0x01, 0x52, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x0d, 0x0a, 0x0d, 0x0a, 0, 0, 0xff, 0xfe, b'\n', 0x80,
    ]);
    body.extend(wire("\n--7f3a91--"));
    let head = format!(
        "MESSAGE sip:5550100@example.org SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-mp-1f;\n  rport\n\
         Max-Forwards: 70\nRoute: <sip:127.0.0.1:5080>\nTo: <sip:5550100@example.org>\n\
         From: <sip:+12025550123@example.com>;tag=mp1\nCall-ID: mpart01.61aa@phone\nCSeq: 1 MESSAGE\n\
         Content-Transfer-Encoding: binary\nContent-Type: multipart/mixed;boundary=7f3a91\nContent-Length: {}\n\n",
        body.len()
    );
    Case {
        name: "mpart01",
        section: "3.1.1.11",
        peculiar: "a multipart body with bytes that are no text, among them NULs and empty lines",
        bytes: [wire(&head), body].concat(),
        read: read_as(&[
            "MESSAGE sip:5550100@example.org",
            "Via UDP 127.0.0.1:5070 z9hG4bK-mp-1f",
            "From sip:+12025550123@example.com ;tag=mp1",
            "To sip:5550100@example.org",
            "Call-ID mpart01.61aa@phone",
            "CSeq 1 MESSAGE",
            "205 bytes of body",
        ])
        .and(|message| {
            assert!(message.body().ends_with(b"\0\0\xff\xfe\n\x80\r\n--7f3a91--"));
            assert_eq!((message.via().rport, message.list("Route").len()), (Some(None), 1));
        }),
        answer: Answer::Final(405, &[("Allow", "INVITE")]),
    }
}

fn unreason() -> Case {
    let text = "SIP/2.0 200 = 4**2 * 5 \u{432}\u{43e}\u{441}\u{435}\u{43c}\u{44c}\u{434}\u{435}\u{441}\u{44f}\u{442}\n\
        Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bKur1\nCall-ID: unreason.4e2\nCSeq: 35 INVITE\n\
        From: sip:+12025550123@example.com;tag=ur1\nTo: sip:5550100@example.edu;tag=ur2\nContent-Length: {length}\n\
        Content-Type: application/sdp\nContact: <sip:5550100@host198.example.com>\n\n";
    Case {
        name: "unreason",
        section: "3.1.1.12",
        peculiar: "a reason phrase in UTF-8, with signs of arithmetic",
        bytes: wire(&format!("{text}{}", offer("IP4 192.0.2.198"))),
        read: read_as(&[
            "200 = 4**2 * 5 \u{432}\u{43e}\u{441}\u{435}\u{43c}\u{44c}\u{434}\u{435}\u{441}\u{44f}\u{442}",
            "Via UDP 192.0.2.198 z9hG4bKur1",
            "From sip:+12025550123@example.com ;tag=ur1",
            "To sip:5550100@example.edu ;tag=ur2",
            "Call-ID unreason.4e2",
            "CSeq 35 INVITE",
            "Contact sip:5550100@host198.example.com",
            "135 bytes of body",
        ]),
        answer: Answer::Nothing,
    }
}

fn noreason() -> Case {
    let text = "SIP/2.0 100 \nVia: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bKnr1\nCall-ID: noreason.8a0\n\
        CSeq: 35 INVITE\nFrom: <sip:+12025550123@example.com>;tag=nr1\nTo: <sip:5550100@example.edu>;tag=nr2\n\
        Content-Length: 0\nContact: <sip:5550100@host105.example.com>\n\n";
    Case {
        name: "noreason",
        section: "3.1.1.13",
        peculiar: "an empty reason phrase",
        bytes: wire(text),
        read: read_as(&[
            "100 ",
            "Via UDP 192.0.2.105 z9hG4bKnr1",
            "From sip:+12025550123@example.com ;tag=nr1",
            "To sip:5550100@example.edu ;tag=nr2",
            "Call-ID noreason.8a0",
            "CSeq 35 INVITE",
            "Contact sip:5550100@host105.example.com",
        ]),
        answer: Answer::Nothing,
    }
}
