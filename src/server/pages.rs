//! The door between the server and whoever shows it over HTTP: `server` binds and starts, `console` draws, neither knows
//! the other's insides.

use super::errors::{BindError, bind_error};
use super::inbox::Inbox;
use super::media_worker::WorkerDoor;
use super::sip_socket::SipSockets;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;

/// What pages are made of.
#[derive(Clone, Debug)]
pub struct Shown {
    pub inbox: Inbox,
    pub workers: Vec<WorkerDoor>,
    pub sip: SipSockets,
}

/// Serves pages on a bound socket for as long as the server runs; called inside the server's runtime.
pub type Pages = Box<dyn FnOnce(TcpListener, Shown) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A socket that is ready to be served without blocking.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    open().map_err(|source| bind_error("http", address, source))
}
