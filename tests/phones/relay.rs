//! A relay on the line between one phone and the program, with weather in each direction: SIP and RTP both go through it.
//! It has an address that the phone takes for the program and one that the program takes for the phone (`rename` changes
//! the messages so), loses, delays, doubles and reorders what passes by `weather`, and writes down what became of it.
//! UDP only. It stops with the value.

use crate::net::Net;
use crate::rename::{Media, Name, renamed};
use crate::weather::Weather;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Where a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Way {
    ToProgram,
    ToPhone,
}

/// A packet that came to the relay.
#[derive(Clone, Debug)]
pub struct Seen {
    pub way: Way,
    pub what: What,
    /// How often it was sent on: 0, it was lost.
    pub copies: usize,
}

impl Seen {
    pub fn is_sip(&self) -> bool {
        matches!(self.what, What::Sip(_))
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The first line of a SIP message.
    Sip(String),
    Rtp(Packet),
    Rtcp,
}

/// An RTP packet, as far as tests look into it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    pub payload_type: u8,
    pub timestamp: u32,
    pub payload: Vec<u8>,
}

/// The relay. Dropped, it is silent.
#[derive(Debug)]
pub struct Relay {
    shared: Arc<Shared>,
    near: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    is_stopped: AtomicBool,
    is_cut: AtomicBool,
    /// By way.
    weather: Mutex<[Weather; 2]>,
    seen: Mutex<Vec<Seen>>,
}

impl Relay {
    /// Between `program` and the first phone that sends anything to [`Relay::address`].
    pub fn start(net: &Net, program: SocketAddr, to_program: Weather, to_phone: Weather) -> Relay {
        let (near, far) = (net.sip_host(), net.sip_host());
        let weather = Mutex::new([to_program, to_phone]);
        let (is_stopped, is_cut, seen) = (AtomicBool::new(false), AtomicBool::new(false), Mutex::default());
        let shared = Arc::new(Shared { is_stopped, is_cut, weather, seen });
        let mut line = Line {
            near,
            far,
            program,
            phone: None,
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("epoll"),
            doors: Vec::new(),
            paths: Vec::new(),
            calls: BTreeMap::new(),
            came: BTreeMap::new(),
            air: BinaryHeap::new(),
            taken_off: 0,
            shared: Arc::clone(&shared),
        };
        for (address, way) in [(near, Way::ToProgram), (far, Way::ToPhone)] {
            line.open(UdpSocket::bind(address).expect("a SIP socket of the relay"), way, Lane::Sip);
        }
        std::thread::spawn(move || line.run());
        Relay { shared, near }
    }

    /// What the phone takes for the program.
    pub fn address(&self) -> SocketAddr {
        self.near
    }

    /// From now on nothing passes, until it is mended.
    pub fn cut(&self) {
        self.shared.is_cut.store(true, Ordering::Relaxed);
    }

    pub fn mend(&self) {
        self.shared.is_cut.store(false, Ordering::Relaxed);
    }

    /// The weather on one way changes.
    pub fn weather(&self, way: Way, weather: Weather) {
        self.shared.weather.lock().expect("the weather")[way as usize] = weather;
    }

    /// All that came to it so far, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("what was seen").clone()
    }

    /// The RTP that came to it on this way, with the number of copies that were sent on.
    pub fn rtp(&self, way: Way) -> Vec<(Packet, usize)> {
        let rtp = |seen: Seen| match seen.what {
            What::Rtp(packet) if seen.way == way => Some((packet, seen.copies)),
            _ => None,
        };
        self.seen().into_iter().filter_map(rtp).collect()
    }

    /// How many SIP messages whose first line begins so came to it on this way: those sent on, and those lost.
    pub fn sip(&self, way: Way, begins: &str) -> (usize, usize) {
        let seen = self.seen();
        let ours = || {
            seen.iter()
                .filter(|seen| seen.way == way && matches!(&seen.what, What::Sip(line) if line.starts_with(begins)))
        };
        (ours().filter(|seen| seen.copies > 0).count(), ours().filter(|seen| seen.copies == 0).count())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
    }
}

/// What a socket of the relay carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Lane {
    Sip,
    Rtp(usize),
    Rtcp(usize),
}

/// A socket; what comes in by it goes `way`.
#[derive(Debug)]
struct Door {
    socket: UdpSocket,
    way: Way,
    lane: Lane,
}

/// The media of one call.
#[derive(Debug)]
struct Path {
    near: Media,
    far: Media,
    /// Where each side wants it, once its SDP has passed.
    phone: Option<Media>,
    program: Option<Media>,
    /// By which doors RTP and RTCP leave towards the program and towards the phone.
    exits: [[usize; 2]; 2],
}

/// A copy of a packet on its way: due time, order, door, destination, bytes.
type Flight = Reverse<(Instant, u64, usize, SocketAddr, Vec<u8>)>;

/// The thread's own: everything but what tests ask for.
struct Line {
    near: SocketAddr,
    far: SocketAddr,
    program: SocketAddr,
    phone: Option<SocketAddr>,
    epoll: Epoll,
    doors: Vec<Door>,
    paths: Vec<Path>,
    /// Paths by Call-ID, as the phone knows it.
    calls: BTreeMap<String, usize>,
    /// Packets that came so far.
    came: BTreeMap<(Way, Lane), u64>,
    air: BinaryHeap<Flight>,
    taken_off: u64,
    shared: Arc<Shared>,
}

impl Line {
    fn run(mut self) {
        let mut events = [EpollEvent::empty(); 16];
        while !self.shared.is_stopped.load(Ordering::Relaxed) {
            let due = self.air.peek().map_or(Duration::MAX, |flight| flight.0.0 - Instant::now());
            let millis = due.min(Duration::from_millis(20)).as_micros().div_ceil(1000) as u16;
            let count = self.epoll.wait(&mut events, EpollTimeout::from(millis)).unwrap_or(0);
            for event in &events[..count] {
                self.receive(event.data() as usize);
            }
            self.land();
        }
    }

    fn open(&mut self, socket: UdpSocket, way: Way, lane: Lane) -> usize {
        socket.set_nonblocking(true).expect("a socket that does not block");
        let number = self.doors.len();
        let event = EpollEvent::new(EpollFlags::EPOLLIN, number as u64);
        self.epoll.add(&socket, event).expect("a socket watched");
        self.doors.push(Door { socket, way, lane });
        number
    }

    fn receive(&mut self, door: usize) {
        let mut bytes = [0u8; 65_536];
        while let Ok((length, from)) = self.doors[door].socket.recv_from(&mut bytes) {
            let (way, lane) = (self.doors[door].way, self.doors[door].lane);
            match lane {
                Lane::Sip => self.sip(way, from, &bytes[..length]),
                Lane::Rtp(path) => self.media(way, lane, path, 0, &bytes[..length]),
                Lane::Rtcp(path) => self.media(way, lane, path, 1, &bytes[..length]),
            }
        }
    }

    fn sip(&mut self, way: Way, from: SocketAddr, bytes: &[u8]) {
        let phone = *self.phone.get_or_insert(from);
        let name = |old, new| Name { old, new };
        let (door, to, names) = match way {
            Way::ToProgram => (1, self.program, [name(phone, self.far), name(self.near, self.program)]),
            Way::ToPhone => (0, phone, [name(self.program, self.near), name(self.far, phone)]),
        };
        let first = bytes.split(|byte| *byte == b'\r').next().unwrap_or(&[]);
        let first = String::from_utf8_lossy(first).into_owned();
        let out = renamed(bytes, &names, |call, media| Some(self.describe(way, call, media)));
        self.send(way, Lane::Sip, door, to, out, What::Sip(first));
    }

    /// Notes where one side wants the media of a call; what the other side is to be told instead.
    fn describe(&mut self, way: Way, call: &str, media: Media) -> Media {
        // The phone's address may be part of the Call-ID; each side writes it in its own way.
        let phone = self.phone.map_or(self.far, |phone| phone).ip();
        let known_as = call.replace(&self.far.ip().to_string(), &phone.to_string());
        let path = match self.calls.get(&known_as) {
            Some(path) => *path,
            None => {
                let path = self.lay_path();
                self.calls.insert(known_as, path);
                path
            }
        };
        let path = &mut self.paths[path];
        match way {
            Way::ToProgram => {
                path.phone = Some(media);
                path.far
            }
            Way::ToPhone => {
                path.program = Some(media);
                path.near
            }
        }
    }

    fn lay_path(&mut self) -> usize {
        let number = self.paths.len();
        let (near, near_sockets) = pair(v4(self.near));
        let (far, far_sockets) = pair(v4(self.far));
        let lanes = [Lane::Rtp(number), Lane::Rtcp(number)];
        let doors = |line: &mut Line, sockets: [UdpSocket; 2], way| {
            let mut lanes = lanes.iter();
            sockets.map(|socket| line.open(socket, way, *lanes.next().expect("two lanes")))
        };
        // What comes in by the near doors leaves by the far ones.
        let near_doors = doors(self, near_sockets, Way::ToProgram);
        let far_doors = doors(self, far_sockets, Way::ToPhone);
        self.paths.push(Path { near, far, phone: None, program: None, exits: [far_doors, near_doors] });
        number
    }

    fn media(&mut self, way: Way, lane: Lane, path: usize, which: usize, bytes: &[u8]) {
        let path = &self.paths[path];
        let wanted = if way == Way::ToProgram { path.program } else { path.phone };
        let Some(wanted) = wanted else { return };
        let to = SocketAddr::from((wanted.host, if which == 0 { wanted.rtp } else { wanted.rtcp }));
        let door = path.exits[way as usize][which];
        let what = match bytes {
            // Version 2 without padding, extension or contributing sources, as the phones here send it.
            [0x80, kind, _, _, a, b, c, d, _, _, _, _, payload @ ..] if which == 0 => What::Rtp(Packet {
                payload_type: kind & 0x7f,
                timestamp: u32::from_be_bytes([*a, *b, *c, *d]),
                payload: payload.to_vec(),
            }),
            _ => What::Rtcp,
        };
        self.send(way, lane, door, to, bytes.to_vec(), what);
    }

    fn send(&mut self, way: Way, lane: Lane, door: usize, to: SocketAddr, bytes: Vec<u8>, what: What) {
        let number = self.came.entry((way, lane)).or_default();
        let path = match lane {
            Lane::Sip => 0,
            Lane::Rtp(path) => 1 + 2 * path as u64,
            Lane::Rtcp(path) => 2 + 2 * path as u64,
        };
        let weather = self.shared.weather.lock().expect("the weather")[way as usize];
        let mut fate = weather.fate(path * 2 + way as u64, *number);
        *number += 1;
        if self.shared.is_cut.load(Ordering::Relaxed) {
            fate.clear();
        }
        self.shared.seen.lock().expect("what was seen").push(Seen { way, what, copies: fate.len() });
        let now = Instant::now();
        for delay in fate {
            self.taken_off += 1;
            self.air.push(Reverse((now + delay, self.taken_off, door, to, bytes.clone())));
        }
    }

    /// Sends on what is due.
    fn land(&mut self) {
        let now = Instant::now();
        while self.air.peek().is_some_and(|flight| flight.0.0 <= now) {
            let Some(Reverse((_, _, door, to, bytes))) = self.air.pop() else { return };
            // Nobody there is what some tests are about.
            let _ = self.doors[door].socket.send_to(&bytes, to);
        }
    }
}

/// Two sockets with neighbouring ports, the first even, as RTP and RTCP have them (RFC 3550 §11).
fn pair(host: Ipv4Addr) -> (Media, [UdpSocket; 2]) {
    for _ in 0..200 {
        let rtp = UdpSocket::bind((host, 0)).expect("a socket of the relay");
        let port = rtp.local_addr().expect("its address").port();
        if port.is_multiple_of(2)
            && port < u16::MAX
            && let Ok(rtcp) = UdpSocket::bind((host, port + 1))
        {
            return (Media { host, rtp: port, rtcp: port + 1 }, [rtp, rtcp]);
        }
    }
    panic!("no two neighbouring ports on {host}");
}

fn v4(address: SocketAddr) -> Ipv4Addr {
    match address {
        SocketAddr::V4(address) => *address.ip(),
        SocketAddr::V6(_) => unreachable!("phones have IPv4 addresses"),
    }
}
