//! Attackers: datagrams at a steady rate from one address or many, and what came back for them. Everything stops by itself.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// What an attack sent and what it got.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo {
    pub sent: u64,
    pub bytes_sent: u64,
    pub answers: u64,
    pub bytes_answered: u64,
    pub longest: Duration,
}

/// Sends `rate` datagrams a second for so long, from each of `sources` in turn; `make` writes the n-th from a source.
pub fn flood(
    sources: &[Ipv4Addr],
    target: SocketAddr,
    rate: u64,
    length: Duration,
    mut make: impl FnMut(SocketAddr, u64) -> Vec<u8>,
) -> Echo {
    let open = |host: &Ipv4Addr| {
        let socket = UdpSocket::bind((*host, 0)).expect("an attacker's socket");
        socket.set_nonblocking(true).expect("a socket that does not block");
        let own = socket.local_addr().expect("its address");
        (socket, own)
    };
    let sockets: Vec<(UdpSocket, SocketAddr)> = sources.iter().map(open).collect();
    let (mut echo, began) = (Echo::default(), Instant::now());
    let mut bytes = [0u8; 4096];
    while began.elapsed() < length {
        // After a stall it does not make up for more than a tenth of a second: that would be another attack.
        let due = (began.elapsed().as_micros() as u64 * rate / 1_000_000).min(echo.sent + rate / 10);
        while echo.sent < due {
            let (socket, own) = &sockets[(echo.sent % sockets.len() as u64) as usize];
            let datagram = make(*own, echo.sent);
            let _ = socket.send_to(&datagram, target);
            echo.sent += 1;
            echo.bytes_sent += datagram.len() as u64;
        }
        let (socket, _) = &sockets[(echo.sent % sockets.len() as u64) as usize];
        while let Ok(length) = socket.recv(&mut bytes) {
            echo.answers += 1;
            echo.bytes_answered += length as u64;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(100));
    for (socket, _) in &sockets {
        while let Ok(length) = socket.recv(&mut bytes) {
            echo.answers += 1;
            echo.bytes_answered += length as u64;
        }
    }
    echo.longest = began.elapsed();
    echo
}

/// An INVITE like no other, for `number`.
pub fn invite(own: SocketAddr, server: SocketAddr, number: &str, n: u64) -> Vec<u8> {
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0\r\n",
        host = own.ip()
    );
    request("INVITE", own, server, number, n, "Content-Type: application/sdp\r\n", &body)
}

/// A request outside any dialog.
pub fn request(
    method: &str,
    own: SocketAddr,
    server: SocketAddr,
    user: &str,
    n: u64,
    more: &str,
    body: &str,
) -> Vec<u8> {
    let length = body.len();
    let port = own.port();
    format!(
        "{method} sip:{user}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKa{port}x{n};rport\r\n\
         From: <sip:{user}@{server}>;tag=a{port}x{n}\r\nTo: <sip:{user}@{server}>\r\nCall-ID: a{port}x{n}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:{user}@{own}>\r\nMax-Forwards: 70\r\n{more}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// An RTP packet of PCMU whose every byte pair is `pattern`.
pub fn rtp(ssrc: u32, sequence: u16, pattern: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(pattern.to_be_bytes().repeat(80));
    packet
}
