//! What the kernel says of sockets and files: datagrams that it dropped because nobody took them, and how many files a
//! process has open. So what the program lost is told apart from what the test's own phones lost.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Datagrams dropped so far at UDP sockets of this network namespace whose local address is chosen.
pub fn udp_drops(chosen: impl Fn(SocketAddr) -> bool) -> u64 {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let rows = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = fields.get(1)?.split_once(':')?;
        let address = Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?.to_ne_bytes());
        let local = SocketAddr::new(IpAddr::V4(address), u16::from_str_radix(port, 16).ok()?);
        Some((local, fields.last()?.parse::<u64>().ok()?))
    });
    rows.filter(|(local, _)| chosen(*local)).map(|(_, drops)| drops).sum()
}

/// Descriptors that a process has open.
pub fn open_files(pid: u32) -> u64 {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |entries| entries.count() as u64)
}
