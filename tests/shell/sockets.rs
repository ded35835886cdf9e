//! SIP over real sockets: byte by byte, too slow, too many, gone, in use.

use onekey::engine::input::Input;
use onekey::server::inbox::{Arrival, Arrivals, Inbox, inbox};
use onekey::server::sip_socket::{self, SipSockets};
use onekey::server::sip_tcp::TcpLimits;
use onekey::sip::{Datagram, Flow, Transport};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;
use tokio::runtime::Runtime;

const OPTIONS: &str = "OPTIONS sip:5550100@127.0.0.1 SIP/2.0\r\nContent-Length: 4\r\n\r\nbody";
/// Longer than any test should take.
const SOON: Duration = Duration::from_secs(10);

struct Open {
    runtime: Runtime,
    sockets: SipSockets,
    tcp: SocketAddr,
    udp: SocketAddr,
    arrivals: Arrivals,
    _inbox: Inbox,
}

fn open(limits: TcpLimits) -> Open {
    let runtime = Runtime::new().unwrap();
    let (inbox, arrivals) = inbox();
    let udp = ["0.0.0.0:0".parse().unwrap()];
    let tcp = ["127.0.0.1:0".parse().unwrap()];
    let (sockets, tcp) = sip_socket::open(runtime.handle(), &udp, &tcp, limits, &inbox).unwrap();
    let udp = SocketAddr::new([127, 0, 0, 1].into(), sockets.udp_addresses()[0].port());
    Open { runtime, sockets, tcp: tcp[0], udp, arrivals, _inbox: inbox }
}

impl Open {
    fn next(&self) -> Input {
        match self.arrivals.next(Some(SOON)).expect("something should have arrived") {
            Arrival::Sip(input, _) | Arrival::Other(input) => input,
            other => panic!("{other:?}"),
        }
    }

    fn message(&self) -> Datagram {
        match self.next() {
            Input::Sip(datagram) => datagram,
            other => panic!("{other:?}"),
        }
    }

    fn closed(&self) -> u64 {
        match self.next() {
            Input::ConnectionClosed(id) => id,
            other => panic!("{other:?}"),
        }
    }
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn udp_knows_the_local_address_and_answers_by_it() {
    let open = open(TcpLimits::default());
    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    phone.set_read_timeout(Some(SOON)).unwrap();
    phone.send_to(b"\r\n\r\n", open.udp).unwrap(); // a keep-alive, not told
    phone.send_to(OPTIONS.as_bytes(), open.udp).unwrap();
    let message = open.message();
    assert_eq!(message.bytes, OPTIONS.as_bytes());
    assert_eq!(message.flow.local, open.udp, "0.0.0.0 must not be told to the engine");
    assert_eq!(message.flow.remote, phone.local_addr().unwrap());
    open.sockets.send(Datagram { flow: message.flow, bytes: b"SIP/2.0 200 OK\r\n\r\n".to_vec() });
    let mut buffer = [0; 100];
    let (length, from) = phone.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from), (b"SIP/2.0 200 OK\r\n\r\n".as_slice(), open.udp));
}

#[test]
fn a_dead_peer_stops_no_udp_socket() {
    let open = open(TcpLimits::default());
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let flow = Flow { transport: Transport::Udp, local: open.udp, remote: gone, connection: None };
    for _ in 0..20 {
        open.sockets.send(Datagram { flow, bytes: OPTIONS.into() });
    }
    // No route to such a peer from a loopback address: the kernel refuses, we count.
    let nowhere = Flow { remote: "[2001:db8::1]:5060".parse().unwrap(), ..flow };
    open.sockets.send(Datagram { flow: nowhere, bytes: OPTIONS.into() });
    assert!(open.sockets.sends_failed() >= 1);
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(OPTIONS.as_bytes(), open.udp).unwrap();
    assert_eq!(open.message().bytes, OPTIONS.as_bytes());
}

#[test]
fn tcp_messages_are_whole_however_the_bytes_come() {
    let open = open(TcpLimits::default());
    let mut phone = connect(open.tcp);
    for byte in OPTIONS.bytes() {
        phone.write_all(&[byte]).unwrap();
    }
    phone.write_all(format!("{OPTIONS}{OPTIONS}").as_bytes()).unwrap();
    let first = open.message();
    assert_eq!(first.flow.local, open.tcp);
    assert_eq!(first.flow.remote, phone.local_addr().unwrap());
    assert!(first.flow.connection.is_some());
    for message in [first.clone(), open.message(), open.message()] {
        assert_eq!((message.bytes.as_slice(), message.flow), (OPTIONS.as_bytes(), first.flow));
    }
    phone.write_all(b"\r\n\r\n").unwrap();
    assert_eq!(read(&mut phone, 2), b"\r\n", "a ping is answered");
    // By its number, and by its address alone: the same connection.
    open.sockets.send(Datagram { flow: first.flow, bytes: b"one".to_vec() });
    open.sockets.send(Datagram { flow: Flow { connection: None, ..first.flow }, bytes: b"two".to_vec() });
    assert_eq!(read(&mut phone, 6), b"onetwo");
    drop(phone);
    assert_eq!(Some(open.closed()), first.flow.connection);
    open.sockets.send(Datagram { flow: first.flow, bytes: b"late".to_vec() });
    assert_eq!(Some(open.closed()), first.flow.connection, "whoever writes to a closed connection is told");
}

#[test]
fn what_does_not_speak_sip_loses_only_its_own_connection() {
    let limits = TcpLimits { message_time: Duration::from_millis(200), ..TcpLimits::default() };
    let open = open(limits);
    let mut bad = connect(open.tcp);
    bad.write_all(b"INVITE sip:5550100@127.0.0.1 SIP/2.0\r\nContent-Length: many\r\n\r\n").unwrap();
    assert_eq!(bad.read(&mut [0; 10]).unwrap(), 0, "an unreadable length ends the connection");
    open.closed();
    let mut mute = connect(open.tcp);
    assert_eq!(mute.read(&mut [0; 10]).unwrap(), 0, "a connection that never speaks is closed");
    open.closed();
    let mut slow = connect(open.tcp);
    slow.write_all(format!("{OPTIONS}INVITE sip:").as_bytes()).unwrap();
    assert_eq!(open.message().bytes, OPTIONS.as_bytes());
    slow.write_all(b"55").unwrap();
    assert_eq!(slow.read(&mut [0; 10]).unwrap(), 0, "a message that is never whole is not awaited for ever");
    open.closed();
    let mut good = connect(open.tcp);
    good.write_all(OPTIONS.as_bytes()).unwrap();
    assert_eq!(open.message().bytes, OPTIONS.as_bytes());
}

#[test]
fn connections_are_bounded() {
    let open = open(TcpLimits { per_address_max: 2, ..TcpLimits::default() });
    let mut first = connect(open.tcp);
    first.write_all(OPTIONS.as_bytes()).unwrap();
    open.message();
    let mut second = connect(open.tcp);
    second.write_all(OPTIONS.as_bytes()).unwrap();
    open.message();
    let mut third = connect(open.tcp);
    assert!(matches!(third.read(&mut [0; 10]), Ok(0) | Err(_)), "the third of one address is refused");
    assert_eq!(open.sockets.connections(), 2);
    drop(first);
    open.closed();
    let mut next = connect(open.tcp);
    next.write_all(OPTIONS.as_bytes()).unwrap();
    open.message();
}

#[test]
fn a_peer_that_does_not_read_is_cut_off() {
    let open = open(TcpLimits { write_time: Duration::from_millis(200), ..TcpLimits::default() });
    let mut phone = connect(open.tcp);
    phone.write_all(OPTIONS.as_bytes()).unwrap();
    let flow = open.message().flow;
    for _ in 0..400 {
        open.sockets.send(Datagram { flow, bytes: vec![b'x'; 60_000] });
    }
    assert_eq!(Some(open.closed()), flow.connection);
    assert_eq!(open.sockets.connections(), 0);
}

#[test]
fn a_message_without_connection_makes_one() {
    let open = open(TcpLimits::default());
    let phone = TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = phone.local_addr().unwrap();
    let flow = Flow { transport: Transport::Tcp, local: open.tcp, remote, connection: None };
    open.sockets.send(Datagram { flow, bytes: b"one".to_vec() });
    open.sockets.send(Datagram { flow, bytes: b"two".to_vec() });
    let (mut stream, _) = phone.accept().unwrap();
    assert_eq!(read(&mut stream, 6), b"onetwo", "both by the one connection");
    stream.write_all(OPTIONS.as_bytes()).unwrap();
    let message = open.message();
    assert_eq!((message.flow.remote, message.bytes.as_slice()), (remote, OPTIONS.as_bytes()));
    drop((stream, phone));
    open.closed();
    open.sockets.send(Datagram { flow, bytes: b"three".to_vec() });
    open.closed(); // nobody answers there now
}

#[test]
fn a_port_in_use_is_said_with_what_to_do() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let open = open(TcpLimits::default());
    let (inbox, _arrivals) = inbox();
    let handle = open.runtime.handle();
    let error = sip_socket::open(handle, &[address], &[], TcpLimits::default(), &inbox).unwrap_err();
    let port = address.port();
    let expected = format!(
        "port {port} is in use: another program answers on udp {address}; stop it or set [sip] udp in onekey.toml"
    );
    assert_eq!(error.to_string(), expected);
    let error = sip_socket::open(handle, &[], &[open.tcp], TcpLimits::default(), &inbox).unwrap_err();
    assert!(error.to_string().contains("[sip] tcp"), "{error}");
}
