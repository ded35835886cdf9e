//! One torture message: what it is called, what is peculiar, how it must be read, and what must be answered.
//!
//! How a message was read is written down as one line for each field, so that a case can state all of them and the table
//! can show them.

use onekey::sip::headers::{NameAddr, Via};
use onekey::sip::message::{Message, StartLine};
use onekey::sip::reader;

/// A message with its verdict.
pub struct Case {
    /// As in the RFC.
    pub name: &'static str,
    pub section: &'static str,
    pub peculiar: &'static str,
    pub bytes: Vec<u8>,
    pub read: Read,
    pub answer: Answer,
}

/// What the reader makes of it.
pub enum Read {
    /// All that is told of the message, line by line, and what else must hold of it.
    As(Vec<String>, fn(&Message)),
    /// Not at all: the status that it is refused with, and why.
    Refused(u16, &'static str),
}

/// What the engine does about it.
pub enum Answer {
    /// One final answer at once (an INVITE's after its 100), with these words in these headers.
    Final(u16, &'static [(&'static str, &'static str)]),
    /// 100 and then 200 with our SDP: the caller is on the line. `remote` is where the media goes to.
    Call { remote: &'static str },
    /// Nothing: a response that is nobody's, or one that cannot be read.
    Nothing,
}

/// Read so, and all of that is told here.
pub fn read_as(lines: &[&str]) -> Read {
    Read::As(lines.iter().map(|line| (*line).to_owned()).collect(), |_| {})
}

impl Read {
    /// And this must hold of it besides.
    pub fn and(self, also: fn(&Message)) -> Read {
        match self {
            Read::As(lines, _) => Read::As(lines, also),
            refused @ Read::Refused(..) => refused,
        }
    }
}

/// Lines end in CRLF; `{length}` stands for the length of what follows the first empty line.
pub fn wire(text: &str) -> Vec<u8> {
    let text = text.replace('\n', "\r\n");
    let length = text.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
    text.replace("{length}", &length.to_string()).into_bytes()
}

/// An offer of G.711 from this address, as it stands in `c=`.
pub fn offer(address: &str) -> String {
    format!(
        "v=0\no=- 20518 0 IN {address}\ns=-\nc=IN {address}\nt=0 0\nm=audio 30000 RTP/AVP 0 101\n\
         a=rtpmap:101 telephone-event/8000\n"
    )
}

/// How it was read: start line, top Via and how many there are, From, To, Call-ID, CSeq, contacts, body.
pub fn told(message: &Message) -> Vec<String> {
    let start = match message.start() {
        StartLine::Request { method, uri } => format!("{method} {uri}"),
        StartLine::Response { status, reason } => format!("{status} {reason}"),
    };
    let Via { transport, host, port, branch, .. } = message.via();
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let branch = branch.as_deref().unwrap_or("(no branch)");
    let more = match message.vias().len() {
        1 => String::new(),
        all => format!(", {all} in all"),
    };
    let mut lines = vec![
        start,
        format!("Via {transport} {host}{port} {branch}{more}"),
        format!("From {}", address(message.from())),
        format!("To {}", address(message.to())),
        format!("Call-ID {}", message.call_id()),
        format!("CSeq {} {}", message.cseq(), message.method()),
    ];
    lines.extend(message.contacts().iter().map(|contact| match contact {
        Ok(contact) => format!("Contact {}", address(contact)),
        Err(_) => "Contact unreadable".to_owned(),
    }));
    if !message.body().is_empty() {
        lines.push(format!("{} bytes of body", message.body().len()));
    }
    lines
}

/// `"display" uri ;name=value ;name`.
fn address(address: &NameAddr) -> String {
    let display = address.display.as_ref().map(|name| format!("{name:?} ")).unwrap_or_default();
    let params = address.params.iter().map(|(name, value)| match value {
        Some(value) => format!(" ;{name}={value}"),
        None => format!(" ;{name}"),
    });
    format!("{display}{}{}", address.uri, params.collect::<String>())
}

impl Case {
    /// Is it read as it must be?
    pub fn check_reading(&self) {
        match (&self.read, reader::read(self.bytes.clone())) {
            (Read::As(lines, also), Ok(message)) => {
                assert_eq!(&told(&message), lines, "{}", self.name);
                assert_eq!(message.bytes(), self.bytes, "{}", self.name);
                also(&message);
            }
            (Read::Refused(status, reason), Err(error)) => {
                assert_eq!((error.status, error.reason.as_str()), (*status, *reason), "{}", self.name);
            }
            (Read::As(..), Err(error)) => panic!("{} is not read: {error:?}", self.name),
            (Read::Refused(..), Ok(message)) => panic!("{} is read: {:?}", self.name, told(&message)),
        }
    }

    /// A row of the table.
    pub fn row(&self) -> String {
        let read = match &self.read {
            Read::As(lines, _) => lines.join(" | "),
            Read::Refused(_, reason) => format!("not read: {reason}"),
        };
        let answer = match &self.answer {
            Answer::Final(status, headers) => {
                let words = headers.iter().map(|(name, words)| format!(" {name}: {words}"));
                format!("{status}{}", words.collect::<String>())
            }
            Answer::Call { remote } => format!("200, a call; media to {remote}"),
            Answer::Nothing => "nothing".to_owned(),
        };
        let mut read: String = read.chars().map(|letter| if letter.is_control() { '.' } else { letter }).collect();
        if let Some((end, _)) = read.char_indices().nth(160) {
            read.truncate(end);
            read += "…";
        }
        format!(
            "{:<9} {:<30} {}\n{:>40} {read}\n{:>40} {answer}",
            self.section, self.name, self.peculiar, "read:", "answered:"
        )
    }
}
