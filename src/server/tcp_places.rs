//! The places for TCP connections: who has one, and who gives way when all are taken.
//!
//! A connection is proven once somebody has registered or called by it; before that it is a stranger's and may be closed
//! for a newcomer, the oldest of the address that has the most of them first. Sockets are `sip_tcp`'s affair.

use crate::sip::Trunk;
use crate::sip::identity::trunk_of;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use tokio::sync::mpsc::Sender;

/// Why there is no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    AddressHasMany,
    AllTaken,
}

#[derive(Debug)]
pub struct Places {
    most: usize,
    most_of_address: usize,
    trunks: Vec<Trunk>,
    last_id: u64,
    by_id: HashMap<u64, Place>,
    by_remote: HashMap<SocketAddr, u64>,
    of_address: HashMap<IpAddr, usize>,
    /// In order of age.
    unproven: BTreeMap<u64, IpAddr>,
}

#[derive(Debug)]
struct Place {
    remote: SocketAddr,
    writes: Sender<Vec<u8>>,
}

impl Places {
    pub fn new(most: usize, most_of_address: usize, trunks: Vec<Trunk>) -> Places {
        Places {
            most,
            most_of_address,
            trunks,
            last_id: 0,
            by_id: HashMap::new(),
            by_remote: HashMap::new(),
            of_address: HashMap::new(),
            unproven: BTreeMap::new(),
        }
    }

    /// A place for one more. A stranger's connection may lose its place, and with it its writer, for it: whose, is told.
    ///
    /// # Errors
    /// There is none.
    pub fn take(&mut self, remote: SocketAddr, writes: Sender<Vec<u8>>) -> Result<(u64, Option<IpAddr>), Refused> {
        let (address, is_trunk) = (remote.ip(), trunk_of(&self.trunks, remote.ip()).is_some());
        if !is_trunk && self.of_address.get(&address).is_some_and(|count| *count >= self.most_of_address) {
            return Err(Refused::AddressHasMany);
        }
        let mut evicted = None;
        if self.by_id.len() >= self.most {
            evicted = Some(self.give_way().ok_or(Refused::AllTaken)?);
        }
        self.last_id += 1;
        let id = self.last_id;
        self.by_id.insert(id, Place { remote, writes });
        self.by_remote.insert(remote, id);
        *self.of_address.entry(address).or_default() += 1;
        if !is_trunk {
            self.unproven.insert(id, address);
        }
        Ok((id, evicted))
    }

    /// Closes the oldest unproven connection of the address that has the most of them; `None`: there is none.
    pub fn give_way(&mut self) -> Option<IpAddr> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for address in self.unproven.values() {
            *counts.entry(*address).or_default() += 1;
        }
        let most = counts.values().max().copied().unwrap_or(0);
        let oldest = self.unproven.iter().find(|(_, address)| counts.get(address) == Some(&most));
        let (id, address) = oldest.map(|(id, address)| (*id, *address))?;
        self.remove(id);
        Some(address)
    }

    pub fn remove(&mut self, id: u64) {
        let Some(place) = self.by_id.remove(&id) else { return };
        self.unproven.remove(&id);
        if self.by_remote.get(&place.remote) == Some(&id) {
            self.by_remote.remove(&place.remote);
        }
        if let Some(count) = self.of_address.get_mut(&place.remote.ip()) {
            *count -= 1;
            if *count == 0 {
                self.of_address.remove(&place.remote.ip());
            }
        }
    }

    pub fn prove(&mut self, id: u64) {
        self.unproven.remove(&id);
    }

    pub fn is_proven(&self, id: u64) -> bool {
        !self.unproven.contains_key(&id)
    }

    pub fn writes(&self, id: u64) -> Option<&Sender<Vec<u8>>> {
        self.by_id.get(&id).map(|place| &place.writes)
    }

    pub fn of_remote(&self, remote: SocketAddr) -> Option<u64> {
        self.by_remote.get(&remote).copied()
    }

    /// How many have a place.
    pub fn taken(&self) -> usize {
        self.by_id.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::channel;

    fn take(places: &mut Places, host: u8, port: u16) -> Result<u64, Refused> {
        places.take(SocketAddr::from(([192, 0, 2, host], port)), channel(1).0).map(|(id, _)| id)
    }

    #[test]
    fn the_newcomer_gets_the_place_of_the_address_that_has_the_most_idle_ones() {
        let mut places = Places::new(4, 3, Vec::new());
        let lone = take(&mut places, 1, 1).unwrap();
        let greedy: Vec<u64> = (1..=3).map(|port| take(&mut places, 66, port).unwrap()).collect();
        assert_eq!(take(&mut places, 66, 4), Err(Refused::AddressHasMany));
        let newcomer = take(&mut places, 2, 1).unwrap();
        assert!(places.writes(greedy[0]).is_none(), "the oldest of the greedy one");
        assert!(places.writes(lone).is_some() && places.writes(newcomer).is_some());
        assert_eq!((places.taken(), take(&mut places, 66, 5).is_ok(), places.taken()), (4, true, 4));
    }

    #[test]
    fn who_has_registered_or_called_gives_way_to_nobody() {
        let mut places = Places::new(2, 2, Vec::new());
        for port in 1..=2 {
            let id = take(&mut places, 1, port).unwrap();
            places.prove(id);
        }
        assert_eq!(take(&mut places, 2, 1), Err(Refused::AllTaken));
        places.remove(1);
        assert!(take(&mut places, 2, 1).is_ok());
    }

    #[test]
    fn a_trunk_has_as_many_as_it_likes_and_keeps_them() {
        let addresses = vec![("192.0.2.9".parse().unwrap(), 32)];
        let trunk = Trunk { name: "carrier".into(), addresses, asserts_identity: false, dial: None };
        let mut places = Places::new(5, 1, vec![trunk]);
        let of_trunk: Vec<u64> = (1..=5).map(|port| take(&mut places, 9, port).unwrap()).collect();
        assert_eq!(take(&mut places, 1, 1), Err(Refused::AllTaken));
        assert!(of_trunk.iter().all(|id| places.writes(*id).is_some()));
    }
}
