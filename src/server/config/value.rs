//! The types of values in `onekey.toml`, and what is said of a wrong one.

use super::parts::Priority;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// Why a value cannot be used; `message` goes on from the key's name.
pub(super) struct Wrong {
    pub(super) code: &'static str,
    pub(super) at: Range<usize>,
    pub(super) message: String,
}

/// Something that can stand behind a key.
pub(super) trait Value: Sized {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self, Wrong>;
}

fn kind(value: &Spanned<DeValue<'_>>, wanted: &str) -> Wrong {
    let found = match value.get_ref() {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Wrong { code: "C004", at: value.span(), message: format!("is {found}, and must be {wanted}") }
}

fn range(value: &Spanned<DeValue<'_>>, wanted: &str) -> Wrong {
    Wrong { code: "C005", at: value.span(), message: format!("must be {wanted}") }
}

fn text<'a>(value: &'a Spanned<DeValue<'_>>, wanted: &str) -> Result<&'a str, Wrong> {
    value.get_ref().as_str().ok_or_else(|| kind(value, wanted))
}

impl Value for String {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
        match text(value, "text in quotation marks")? {
            "" => Err(range(value, "more than an empty text")),
            text => Ok(text.to_owned()),
        }
    }
}

impl Value for PathBuf {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<PathBuf, Wrong> {
        String::read(value).map(PathBuf::from)
    }
}

impl Value for bool {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<bool, Wrong> {
        value.get_ref().as_bool().ok_or_else(|| kind(value, "true or false, without quotation marks"))
    }
}

macro_rules! whole_number {
    ($type:ty, $smallest:literal) => {
        impl Value for $type {
            fn read(value: &Spanned<DeValue<'_>>) -> Result<$type, Wrong> {
                let wanted = || format!("a whole number from {} to {}", $smallest, <$type>::MAX);
                let number = value.get_ref().as_integer().ok_or_else(|| kind(value, &wanted()))?;
                let number = <$type>::from_str_radix(number.as_str(), number.radix()).ok();
                number.filter(|number| *number >= $smallest).ok_or_else(|| range(value, &wanted()))
            }
        }
    };
}

whole_number!(u8, 1);
whole_number!(u16, 1);
whole_number!(u32, 1);

/// `"30s"`, `"500ms"`, `"5m"`
impl Value for Duration {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Duration, Wrong> {
        let wanted = "a duration such as \"30s\", \"500ms\" or \"5m\"";
        let text = text(value, wanted)?;
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: u32 = text[..digits].parse().map_err(|_| range(value, wanted))?;
        match text[digits..].trim() {
            "ms" => Ok(Duration::from_millis(number.into())),
            "s" => Ok(Duration::from_secs(number.into())),
            "m" => Ok(Duration::from_secs(u64::from(number) * 60)),
            _ => Err(range(value, wanted)),
        }
    }
}

impl Value for SocketAddr {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<SocketAddr, Wrong> {
        let wanted = "an address and a port such as \"0.0.0.0:5060\" or \"[::]:5060\"";
        text(value, wanted)?.parse().map_err(|_| range(value, wanted))
    }
}

/// `"auto"` is none.
impl Value for Option<IpAddr> {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Option<IpAddr>, Wrong> {
        let wanted = "\"auto\" or an IP address such as \"203.0.113.7\" (no name, no port)";
        match text(value, wanted)? {
            "auto" => Ok(None),
            address => address.parse().map(Some).map_err(|_| range(value, wanted)),
        }
    }
}

/// `"off"` is none.
impl Value for Option<SocketAddr> {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Option<SocketAddr>, Wrong> {
        let wanted = "\"off\" or an address and a port such as \"127.0.0.1:9060\"";
        match text(value, wanted)? {
            "off" => Ok(None),
            address => address.parse().map(Some).map_err(|_| range(value, wanted)),
        }
    }
}

/// `"auto"` is none.
impl Value for Option<u16> {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Option<u16>, Wrong> {
        match value.get_ref().as_str() {
            Some("auto") => Ok(None),
            Some(_) => Err(range(value, "\"auto\" or a whole number")),
            None => u16::read(value).map(Some),
        }
    }
}

/// A network: an address, or one with a prefix length.
impl Value for (IpAddr, u8) {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<(IpAddr, u8), Wrong> {
        let wanted = "an address such as \"192.0.2.10\" or a network such as \"192.0.2.0/24\"";
        let text = text(value, wanted)?;
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| range(value, wanted))?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(longest), |length| length.parse().ok().filter(|bits| *bits <= longest));
        Ok((address, length.ok_or_else(|| range(value, wanted))?))
    }
}

impl Value for Priority {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Priority, Wrong> {
        match text(value, "\"auto\" or \"normal\"")? {
            "auto" => Ok(Priority::Auto),
            "normal" => Ok(Priority::Normal),
            _ => Err(range(value, "\"auto\" or \"normal\"")),
        }
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Vec<T>, Wrong> {
        let array = value.get_ref().as_array().ok_or_else(|| kind(value, "a list in brackets, [ ]"))?;
        array.iter().map(T::read).collect()
    }
}
