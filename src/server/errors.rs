//! What can keep the server from starting or going on, in words that say what to do about it (DESIGN §3: a failing machine).

use std::io;
use std::net::SocketAddr;

#[derive(thiserror::Error, Debug)]
pub enum ServeError {
    #[error(transparent)]
    Bind(#[from] BindError),
    /// What the dialplan's folder or the prompts hold cannot be used; already drawn.
    #[error("{0}")]
    Load(String),
    #[error(
        "the RTP ports {first} to {last} are too few for {workers} media threads: set [rtp] first_port and last_port wider apart in onekey.toml"
    )]
    TooFewPorts { first: u16, last: u16, workers: u16 },
    #[error("this system does not give what the server needs ({what}): {source}")]
    System { what: &'static str, source: io::Error },
    /// A bug of ours; nothing that was promised is lost.
    #[error(
        "the thread {thread} has failed and onekey stops; every request for a person is in the ledger: start onekey again \
         and see `onekey promises list`"
    )]
    Failed { thread: String },
}

/// An address on which we cannot listen.
#[derive(thiserror::Error, Debug)]
#[error("{}", self.in_words())]
pub struct BindError {
    /// `udp`, `tcp` or `http`.
    pub what: &'static str,
    pub address: SocketAddr,
    pub source: io::Error,
}

pub fn bind_error(what: &'static str, address: SocketAddr, source: io::Error) -> BindError {
    BindError { what, address, source }
}

impl BindError {
    fn in_words(&self) -> String {
        let BindError { what, address, source } = self;
        let (port, key) = (address.port(), self.key());
        match source.kind() {
            io::ErrorKind::AddrInUse => {
                format!(
                    "port {port} is in use: another program answers on {what} {address}; stop it or set {key} in onekey.toml"
                )
            }
            io::ErrorKind::AddrNotAvailable => {
                format!("{} is not an address of this machine; set {key} in onekey.toml", address.ip())
            }
            io::ErrorKind::PermissionDenied => format!(
                "port {port} may not be used by this user: ports below 1024 need CAP_NET_BIND_SERVICE; give it or set {key} \
                 in onekey.toml"
            ),
            _ => format!("cannot listen on {what} {address}: {source}; set {key} in onekey.toml"),
        }
    }

    fn key(&self) -> &'static str {
        match self.what {
            "udp" => "[sip] udp",
            "tcp" => "[sip] tcp",
            _ => "[http] listen",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bind_error;
    use std::io::ErrorKind;

    #[test]
    fn each_refusal_says_what_to_do() {
        let message = |kind: ErrorKind| bind_error("udp", "192.0.2.1:5060".parse().unwrap(), kind.into()).to_string();
        assert_eq!(
            message(ErrorKind::AddrInUse),
            "port 5060 is in use: another program answers on udp 192.0.2.1:5060; stop it or set [sip] udp in onekey.toml"
        );
        assert!(message(ErrorKind::AddrNotAvailable).starts_with("192.0.2.1 is not an address of this machine"));
        assert!(message(ErrorKind::PermissionDenied).contains("CAP_NET_BIND_SERVICE"));
    }
}
