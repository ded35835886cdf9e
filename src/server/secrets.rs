//! Keys that must stay the same over restarts, in `secrets/` of the data directory (mode 0600), made at the first start.
//!
//! Without `registry.key` no number of the registry can be found again; without `ledger.key` no number to call back
//! can be read. Both belong into the operator's backup, apart from the database.

use std::fmt;
use std::fmt::Write as _;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Letters and digits that nobody takes for one another when reading aloud.
const READABLE: &[u8; 31] = b"abcdefghijkmnpqrstuvwxyz2345678";
const PASSWORD_GROUPS: usize = 4;
const GROUP_LETTERS: usize = 4;

#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("{path}: not 64 hexadecimal digits; put the file back from your backup (a new key cannot read old rows)")]
    Damaged { path: PathBuf },
    #[error("the system's random source cannot be read: {0}")]
    Random(io::Error),
}

/// The keys of this installation.
#[derive(Clone)]
pub struct Secrets {
    pub registry_key: [u8; 32],
    pub ledger_key: [u8; 32],
    /// New at each start: tags, Call-IDs and nonces of one run must not come again in the next.
    pub seed: [u8; 32],
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// Reads the keys in `data/secrets`, and makes those that are not there.
    ///
    /// # Errors
    /// A file cannot be read or made, or holds no key.
    pub fn load(data: &Path) -> Result<Secrets, SecretsError> {
        let directory = data.join("secrets");
        let failed = |error| SecretsError::File { path: directory.clone(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
        Ok(Secrets {
            registry_key: load_or_make(&directory.join("registry.key"))?,
            ledger_key: load_or_make(&directory.join("ledger.key"))?,
            seed: random_bytes()?,
        })
    }
}

/// From the system's random source.
///
/// # Errors
/// There is none.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], SecretsError> {
    let mut bytes = [0; N];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).map_err(SecretsError::Random)?;
    Ok(bytes)
}

/// A new password that can be read aloud, such as `kq3m-x7ha-pd5w-u2rt`: 79 bits.
///
/// # Errors
/// The system's random source cannot be read.
pub fn readable_password() -> Result<String, SecretsError> {
    let mut letters = Vec::new();
    while letters.len() < PASSWORD_GROUPS * GROUP_LETTERS {
        // Five bits a letter; the one value too many is thrown away, so that all are equally likely.
        let byte = random_bytes::<1>()?[0] & 31;
        letters.extend(READABLE.get(usize::from(byte)).map(|letter| char::from(*letter)));
    }
    let groups: Vec<String> = letters.chunks(GROUP_LETTERS).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

fn load_or_make(path: &Path) -> Result<[u8; 32], SecretsError> {
    let failed = |error| SecretsError::File { path: path.to_owned(), error };
    match std::fs::read_to_string(path) {
        Ok(text) => parse_key(text.trim()).ok_or_else(|| SecretsError::Damaged { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path, &random_bytes()?).map_err(failed)?;
            // Read back: two processes may have started at once, and the first one's key counts.
            let text = std::fs::read_to_string(path).map_err(failed)?;
            parse_key(text.trim()).ok_or_else(|| SecretsError::Damaged { path: path.to_owned() })
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(SecretsError::Damaged { path: path.to_owned() })
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes beside, flushes, then links into place: the file is never seen half written, nor another's overwritten.
fn make(path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let draft = path.with_extension(format!("draft{}", std::process::id()));
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    let mut text = String::new();
    for byte in key {
        let _ = write!(text, "{byte:02x}");
    }
    writeln!(file, "{text}")?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all()),
    }
}

fn parse_key(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_four_groups_of_readable_letters() {
        let (one, other) = (readable_password().unwrap(), readable_password().unwrap());
        assert_ne!(one, other);
        let groups: Vec<&str> = one.split('-').collect();
        assert_eq!(groups.len(), 4);
        assert!(groups.iter().all(|group| group.len() == 4 && group.bytes().all(|byte| READABLE.contains(&byte))));
    }

    #[test]
    fn only_sixty_four_digits_are_a_key() {
        assert_eq!(parse_key(&"ab".repeat(32)), Some([0xab; 32]));
        for text in ["", &"ab".repeat(31), &"zz".repeat(32), &"é".repeat(32)] {
            assert_eq!(parse_key(text), None, "{text}");
        }
    }
}
