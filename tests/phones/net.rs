//! Addresses for one test: a block of loopback addresses of its own (all of 127/8 is local), so that every program and
//! phone can use the ports that it always uses and tests never meet, in one process or several.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU8, Ordering};

/// One test's block: 127.A.B.1 to 127.A.B.250.
#[derive(Debug)]
pub struct Net {
    block: [u8; 2],
    next: AtomicU8,
}

impl Net {
    /// A block that no other test of this process has, and (as far as a bind can tell) no other process.
    pub fn new() -> Net {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let first = 1 + (std::process::id() % 250) as u8;
        for turn in 0..250u8 {
            let block = [first.wrapping_add(turn).max(1), NEXT.fetch_add(1, Ordering::Relaxed)];
            let mark = SocketAddr::from((Ipv4Addr::new(127, block[0], block[1], 1), 5060));
            if UdpSocket::bind(mark).is_ok() {
                return Net { block, next: AtomicU8::new(1) };
            }
        }
        panic!("no free block of loopback addresses");
    }

    /// An address that nobody else in this test has.
    pub fn host(&self) -> Ipv4Addr {
        let last = self.next.fetch_add(1, Ordering::Relaxed);
        assert!(last < 250, "a test uses more than 249 addresses");
        Ipv4Addr::new(127, self.block[0], self.block[1], last)
    }

    /// A fresh address with the SIP port.
    pub fn sip_host(&self) -> SocketAddr {
        SocketAddr::from((self.host(), 5060))
    }
}

/// A UDP port that is free at this moment on an address that others use too (for phones that cannot be told theirs).
pub fn free_port(host: Ipv4Addr) -> u16 {
    UdpSocket::bind((host, 0)).and_then(|socket| socket.local_addr()).expect("a free UDP port").port()
}
