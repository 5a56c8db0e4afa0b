//! Address ranges: IPv4 and IPv6 in the notation `10.0.0.0/8`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use terrane_model::{Type, Value};

use super::{Fault, Given, Outcome};

/// An address and how many of its bits name the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Prefix {
    address: u128,
    /// 32 or 128.
    width: u32,
    length: u32,
}

/// Ones in the places of the hosts.
fn host_mask(width: u32, length: u32) -> u128 {
    match width.saturating_sub(length) {
        128 => u128::MAX,
        bits => (1 << bits) - 1,
    }
}

/// IPv4 with leading zeros allowed, or IPv6.
fn parse_address(text: &str) -> Option<(u128, u32)> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(|a| (u128::from(a), 128));
    }
    let mut address: u32 = 0;
    let mut parts = 0;
    for part in text.split('.') {
        if part.is_empty() || part.len() > 10 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        address = (address << 8) | u32::from(part.parse::<u8>().ok()?);
        parts += 1;
    }
    (parts == 4).then_some((address.into(), 32))
}

fn print_address(address: u128, width: u32) -> String {
    match u32::try_from(address) {
        Ok(address) if width == 32 => Ipv4Addr::from(address).to_string(),
        _ => Ipv6Addr::from(address).to_string(),
    }
}

impl Prefix {
    /// Reads a range. Bits of the host are set to zero.
    fn parse(text: &str) -> Option<Prefix> {
        let (address, length) = text.split_once('/')?;
        let (address, width) = parse_address(address)?;
        let digits = !length.is_empty() && length.len() <= 3 && length.bytes().all(|b| b.is_ascii_digit());
        let length = digits.then(|| length.parse::<u32>().ok())?.filter(|length| *length <= width)?;
        Some(Prefix { address: address & !host_mask(width, length), width, length })
    }

    fn last(self) -> u128 {
        self.address | host_mask(self.width, self.length)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", print_address(self.address, self.width), self.length)
    }
}

fn prefix(given: &Given<'_>) -> Result<Prefix, Fault> {
    let text = given.text(0)?;
    Prefix::parse(text).ok_or_else(|| {
        Fault::at(0, format!("`{text}` is no range of addresses such as `10.0.0.0/8` or `fd00::/48`"))
    })
}

/// A whole number of any size up to 128 bits.
fn big(given: &Given<'_>, place: usize) -> Result<i128, Fault> {
    let number = given.number(place)?;
    let text = number
        .to_radix(10)
        .ok_or_else(|| Fault::at(place, format!("a whole number is needed, and `{number}` is none")))?;
    text.parse().map_err(|_| Fault::at(place, "the number is too large"))
}

/// A negative number counts from the end.
pub(super) fn cidr_host(given: &Given<'_>) -> Outcome {
    let prefix = prefix(given)?;
    let number = big(given, 1)?;
    let most = host_mask(prefix.width, prefix.length);
    let refused =
        || Fault::new(format!("a prefix of {} bits has no room for a host numbered {number}", prefix.length));
    let host = match number < 0 {
        false => Some(number.unsigned_abs()).filter(|n| *n <= most),
        true => most.checked_sub(number.unsigned_abs() - 1),
    };
    let host = host.ok_or_else(refused)?;
    Ok(Value::from(print_address(prefix.address | host, prefix.width)))
}

pub(super) fn cidr_netmask(given: &Given<'_>) -> Outcome {
    let prefix = prefix(given)?;
    if prefix.width != 32 {
        return Err(Fault::at(0, "only ranges of IPv4 have a netmask"));
    }
    let mask = !host_mask(32, prefix.length) & u128::from(u32::MAX);
    Ok(Value::from(print_address(mask, 32)))
}

/// One range inside another: more bits, and the number of the range. Fewer bits widen it.
pub(super) fn cidr_subnet(given: &Given<'_>) -> Outcome {
    let prefix = prefix(given)?;
    let (more, number) = (given.whole(1)?, big(given, 2)?);
    let length = i64::from(prefix.length)
        .checked_add(more)
        .and_then(|length| u32::try_from(length).ok())
        .filter(|length| *length <= prefix.width)
        .ok_or_else(|| {
            Fault::new(format!("a prefix of {} bits can't be extended by {more}", prefix.length))
        })?;
    let refused = || Fault::new(format!("{more} more bits have no room for a range numbered {number}"));
    let room = u32::try_from(more).ok().filter(|more| *more < 128);
    if room.is_some_and(|more| number.unsigned_abs() >> more != 0) {
        return Err(refused());
    }
    let shift = prefix.width - length;
    let shifted = match shift {
        _ if number == 0 => Some(0),
        0..128 => number.checked_mul(1i128.checked_shl(shift).unwrap_or(0)).filter(|s| s >> shift == number),
        _ => None,
    };
    let whole = shifted.ok_or_else(refused)?.cast_unsigned() | prefix.address;
    // A negative number sets all bits before it; what is left is read without its sign.
    let address = if number < 0 { whole.wrapping_neg() } else { whole };
    if address > host_mask(prefix.width, 0) {
        return Err(refused());
    }
    Ok(Value::from(Prefix { address, length, ..prefix }.to_string()))
}

/// Consecutive ranges, one for each number of added bits.
pub(super) fn cidr_subnets(given: &Given<'_>) -> Outcome {
    let prefix = prefix(given)?;
    // The first address that is still free; nothing behind the very last one.
    let mut free = Some(prefix.address);
    let mut ranges = Vec::new();
    for place in 1..given.values.len() {
        let more = given.whole(place)?;
        if more < 1 {
            return Err(Fault::at(place, "at least one bit must be added"));
        }
        if more > 32 {
            return Err(Fault::at(place, "at most 32 bits can be added"));
        }
        let length = prefix.length + u32::try_from(more).unwrap_or(u32::MAX);
        if length > prefix.width {
            return Err(Fault::at(
                place,
                format!("a prefix of {length} bits is too long for such an address"),
            ));
        }
        let mask = host_mask(prefix.width, length);
        // Up to the next multiple of the range's size.
        let start = free.and_then(|free| free.checked_add(mask)).map(|a| a & !mask);
        let Some(start) = start.filter(|start| *start <= prefix.last()) else {
            return Err(Fault::at(place, format!("there is no room left for a prefix of {length} bits")));
        };
        let range = Prefix { address: start, length, ..prefix };
        free = range.last().checked_add(1);
        ranges.push(Value::from(range.to_string()));
    }
    Ok(Value::list(Type::String, ranges))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read_strictly() {
        assert_eq!(Prefix::parse("10.1.2.3/8").map(|p| p.to_string()).as_deref(), Some("10.0.0.0/8"));
        assert_eq!(Prefix::parse("010.001.0.0/16").map(|p| p.to_string()).as_deref(), Some("10.1.0.0/16"));
        assert_eq!(Prefix::parse("fd00:1::/0").map(|p| p.to_string()).as_deref(), Some("::/0"));
        for text in
            ["10.0.0.0", "10.0.0/8", "10.0.0.0/33", "10.0.0.256/8", "fd00::/129", "a/8", "10.0.0.0/+8", "/"]
        {
            assert_eq!(Prefix::parse(text), None, "{text}");
        }
    }
}
