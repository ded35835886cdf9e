//! TCP connections by the thousand that bring nothing, or a byte now and then; an honest phone gets its place all the same.

use crate::harness::alone;
use crate::many_at_once::many_files;
use crate::net::Net;
use crate::siege::{New, SOON, Siege};
use crate::tools;
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// More than the program has places for (2000), from more addresses than may share them (200 each).
const ADDRESSES: usize = 12;
const EACH: usize = 230;
const SLOW: usize = 100;

fn connect(from: Ipv4Addr, to: SocketAddr) -> Option<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
    socket.bind(&SocketAddr::from((from, 0)).into()).ok()?;
    socket.connect_timeout(&to.into(), Duration::from_secs(2)).ok()?;
    Some(socket.into())
}

/// OPTIONS by TCP from an honest phone: is it answered?
fn is_served(net: &Net, server: SocketAddr) -> bool {
    let Some(mut stream) = connect(net.host(), server) else { return false };
    let own = stream.local_addr().expect("its address");
    let id = crate::phone::fresh("tcp");
    let text = format!(
        "OPTIONS sip:{server} SIP/2.0\r\nVia: SIP/2.0/TCP {own};branch=z9hG4bK{id};rport\r\nFrom: <sip:{id}@{own}>;tag={id}\r\n\
         To: <sip:{server}>\r\nCall-ID: {id}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
    let mut bytes = [0u8; 2048];
    let answered = stream.write_all(text.as_bytes()).and_then(|()| stream.read(&mut bytes));
    answered.is_ok_and(|length| bytes[..length].starts_with(b"SIP/2.0 200"))
}

#[test]
fn thousands_of_idle_and_slow_connections_keep_no_honest_phone_out() {
    let _turn = alone();
    many_files();
    let net = Net::new();
    let siege = Siege::begin(&net);
    let server = siege.program.sip;
    let hosts: Vec<Ipv4Addr> = (0..ADDRESSES).map(|_| net.host()).collect();
    let name = "2 760 TCP connections that bring nothing, 100 of them a byte now and then";
    let (held, _) = siege.endure(name, New::Everybody, || {
        let mut held: Vec<TcpStream> = Vec::new();
        for _ in 0..EACH {
            held.extend(hosts.iter().filter_map(|host| connect(*host, server)));
        }
        let began = Instant::now();
        let length = Duration::from_secs(if tools::long() { 25 } else { 3 });
        let (mut served, mut tried) = (0, 0);
        while began.elapsed() < length {
            for stream in held.iter_mut().rev().take(SLOW) {
                let _ = stream.write(b"I");
            }
            tried += 1;
            served += u32::from(is_served(&net, server));
            std::thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(served, tried, "honest phones that were answered by TCP, of those that asked");
        held
    });
    assert!(held.len() > 2000, "only {} connections were made", held.len());
    let open = siege.program.metric("onekey_sip_tcp_connections");
    assert!(open <= 2000.0, "{open} connections");
    if tools::long() {
        assert!(open < 100.0, "{open} connections are still open 16 s after their first and last byte");
    }
    assert!(siege.program.whole_log().contains("offence=connections address=127."), "{}", siege.program.log());
    drop(held);
    let end = Instant::now() + SOON;
    while siege.program.metric("onekey_sip_tcp_connections") > 0.0 {
        assert!(Instant::now() < end, "connections that nobody holds stay open");
        std::thread::sleep(Duration::from_millis(50));
    }
}
