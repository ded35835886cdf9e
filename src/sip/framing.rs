//! Messages out of a byte stream (RFC 3261 §18.3), with its keep-alives (RFC 5626 §3.5.1).
//!
//! Only Content-Length tells where a message ends, so anything doubtful about it ends the connection: a second reading
//! would let a peer smuggle a request past us. What a message says is left to [`super::reader`].

use super::headers::{number, same_name, trim};

/// Most bytes of start line and headers.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of a body.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// What the stream held next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// One whole message for [`super::reader::read`].
    Message(Vec<u8>),
    /// A double CRLF between messages: answer with [`PONG`].
    Ping,
    /// A single CRLF between messages: the answer to a ping of ours, or an idle line.
    Pong,
}

/// The answer to [`Frame::Ping`].
pub const PONG: &[u8] = b"\r\n";

/// Why the connection must be closed: the end of a message cannot be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FramingError {
    #[error("more than {HEADER_BYTES_MAX} bytes of headers")]
    HeaderTooLong,
    #[error("a body of more than {BODY_BYTES_MAX} bytes")]
    BodyTooLong,
    /// RFC 3261 §20.14: it must be used over streams.
    #[error("no Content-Length")]
    NoLength,
    #[error("an unreadable Content-Length, or two different ones")]
    BadLength,
}

/// The bytes of one connection that are not yet a message.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that have been handed out.
    taken: usize,
    /// Bytes after `taken` that were searched for the end of the headers already.
    searched: usize,
    /// Lengths of headers and body of the message that begins at `taken`, once its headers are whole.
    lengths: Option<(usize, usize)>,
    failed: Option<FramingError>,
}

impl Framer {
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Adds what the connection gave. Call [`Framer::next`] until it gives `None` before adding more: then no more than one
    /// message's bounds and this addition are ever held.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next frame, if it is whole. After an error there is nothing but this error.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Result<Frame, FramingError>> {
        if let Some(error) = self.failed {
            return Some(Err(error));
        }
        let frame = self.frame();
        if let Err(error) = frame {
            self.failed = Some(error);
            self.buffer = Vec::new();
            self.taken = 0;
        }
        frame.transpose()
    }

    fn frame(&mut self) -> Result<Option<Frame>, FramingError> {
        let rest = &self.buffer[self.taken..];
        if self.lengths.is_none() {
            if rest.starts_with(b"\r\n\r\n") {
                return Ok(Some(self.take(4, Frame::Ping)));
            }
            // A lone CRLF is not held back for a second one that may never come: idle lines would stall behind it.
            if rest.starts_with(b"\r\n") && rest != b"\r\n\r" {
                return Ok(Some(self.take(2, Frame::Pong)));
            }
            if rest.starts_with(b"\n") {
                return Ok(Some(self.take(1, Frame::Pong)));
            }
            if rest == b"\r" || rest == b"\r\n\r" {
                return Ok(None);
            }
        }
        let Some((header, body)) = self.lengths()? else { return Ok(None) };
        let whole = header + body;
        let rest = &self.buffer[self.taken..];
        if rest.len() < whole {
            return Ok(None);
        }
        let message = rest[..whole].to_vec();
        Ok(Some(self.take(whole, Frame::Message(message))))
    }

    fn take(&mut self, length: usize, frame: Frame) -> Frame {
        self.taken += length;
        self.searched = 0;
        self.lengths = None;
        frame
    }

    fn lengths(&mut self) -> Result<Option<(usize, usize)>, FramingError> {
        if self.lengths.is_some() {
            return Ok(self.lengths);
        }
        let rest = &self.buffer[self.taken..];
        match head_end(rest, self.searched) {
            Some(header) if header <= HEADER_BYTES_MAX => {
                self.lengths = Some((header, content_length(&rest[..header])?))
            }
            None if rest.len() <= HEADER_BYTES_MAX => self.searched = rest.len(),
            _ => return Err(FramingError::HeaderTooLong),
        }
        Ok(self.lengths)
    }
}

/// Where the body begins. Lines end as in the reader: by CRLF or a bare LF.
fn head_end(bytes: &[u8], searched: usize) -> Option<usize> {
    // An end may lie across the old and the new bytes: "\n\r" and "\n".
    let from = searched.saturating_sub(2);
    (from..bytes.len()).find_map(|at| match &bytes[at..] {
        [b'\n', b'\n', ..] => Some(at + 2),
        [b'\n', b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// The value of Content-Length or `l`, folded or with space before the colon.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let text = String::from_utf8_lossy(head);
    let mut length = None;
    let mut lines = text.split('\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if line.starts_with([' ', '\t']) || !same_name(trim(name), "Content-Length") {
            continue;
        }
        let mut value = trim(value).to_owned();
        while let Some(fold) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
            value.push(' ');
            value.push_str(trim(fold));
        }
        let digits: usize = number(trim(&value)).ok_or(FramingError::BadLength)?;
        if *length.get_or_insert(digits) != digits {
            return Err(FramingError::BadLength);
        }
    }
    match length {
        None => Err(FramingError::NoLength),
        Some(length) if length > BODY_BYTES_MAX => Err(FramingError::BodyTooLong),
        Some(length) => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(framer: &mut Framer) -> Vec<Result<Frame, FramingError>> {
        let mut frames = Vec::new();
        while let Some(frame) = framer.next() {
            let failed = frame.is_err();
            frames.push(frame);
            if failed {
                break;
            }
        }
        frames
    }

    fn message(text: &str) -> Result<Frame, FramingError> {
        Ok(Frame::Message(text.as_bytes().to_vec()))
    }

    const SPELLINGS: [&str; 5] = [
        "OPTIONS sip:a SIP/2.0\r\nl: 4\r\n\r\nbody",
        "OPTIONS sip:a SIP/2.0\r\nContent-Length : 4\r\nX: y\r\n\r\nbody",
        "OPTIONS sip:a SIP/2.0\r\ncontent-length:\r\n 4\r\n\r\nbody",
        "OPTIONS sip:a SIP/2.0\nL:004\n\nbody",
        "OPTIONS sip:a SIP/2.0\r\nX: \r\n l: 9\r\nl:4\r\nl: 4\r\n\r\nbody",
    ];

    #[test]
    fn messages_are_cut_alike_however_the_bytes_arrive() {
        let stream = SPELLINGS.concat();
        for size in [1, 2, 3, 7, 50, stream.len()] {
            let mut framer = Framer::new();
            let mut got = Vec::new();
            for piece in stream.as_bytes().chunks(size) {
                framer.push(piece);
                got.extend(frames(&mut framer));
            }
            assert_eq!(got, SPELLINGS.map(message), "pieces of {size}");
        }
    }

    #[test]
    fn a_double_empty_line_is_a_ping() {
        let mut framer = Framer::new();
        framer.push(format!("\r\n\r\n{}\r\n", SPELLINGS[0]).as_bytes());
        assert_eq!(frames(&mut framer), [Ok(Frame::Ping), message(SPELLINGS[0]), Ok(Frame::Pong)]);
        framer.push(b"\r");
        assert_eq!(frames(&mut framer), []);
        framer.push(b"\n\r\n");
        assert_eq!(frames(&mut framer), [Ok(Frame::Ping)]);
    }

    #[test]
    fn a_doubtful_length_ends_the_connection() {
        for (headers, error) in [
            ("", FramingError::NoLength),
            ("l: 4\r\nContent-Length: 5\r\n", FramingError::BadLength),
            ("l: -1\r\n", FramingError::BadLength),
            ("l: +4\r\n", FramingError::BadLength),
            ("l: 4, 4\r\n", FramingError::BadLength),
            ("l: 1\r\n 2\r\n", FramingError::BadLength),
            ("l: 99999999999999999999999\r\n", FramingError::BadLength),
            ("l: 65537\r\n", FramingError::BodyTooLong),
        ] {
            let mut framer = Framer::new();
            framer.push(format!("OPTIONS sip:a SIP/2.0\r\n{headers}\r\n{}", SPELLINGS[0]).as_bytes());
            assert_eq!(frames(&mut framer), [Err(error)], "{headers:?}");
            framer.push(SPELLINGS[0].as_bytes());
            assert_eq!(framer.next(), Some(Err(error)));
        }
    }

    #[test]
    fn headers_without_end_are_not_collected() {
        let mut framer = Framer::new();
        framer.push(&vec![b'x'; HEADER_BYTES_MAX]);
        assert_eq!(framer.next(), None);
        framer.push(b"x");
        assert_eq!(framer.next(), Some(Err(FramingError::HeaderTooLong)));
        framer.push(&vec![b'x'; 1000]);
        assert!(framer.buffer.is_empty());
    }
}
