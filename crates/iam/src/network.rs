//! Network ranges of the `IpAddress` operators.

use std::net::IpAddr;

/// Says whether an address is in a range (`203.0.113.0/24`, `2001:DB8::/32`, or a single address); `None` if either text
/// is not what it should be.
pub(crate) fn contains(range: &str, address: &str) -> Option<bool> {
    let (base, length) = match range.split_once('/') {
        Some((base, length)) => (base, Some(length)),
        None => (range, None),
    };
    let base: IpAddr = base.trim().parse().ok()?;
    let address: IpAddr = address.trim().parse().ok()?;
    let (base, base_width) = bits(base);
    let (address, address_width) = bits(address);
    let length = match length {
        Some(text) => text.trim().parse::<u32>().ok().filter(|length| *length <= base_width)?,
        None => base_width,
    };
    if base_width != address_width {
        return Some(false);
    }
    let ignored = base_width.saturating_sub(length);
    // A shift by the whole width ignores every bit.
    Some(base.checked_shr(ignored).unwrap_or(0) == address.checked_shr(ignored).unwrap_or(0))
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(contains("203.0.113.0/24", "203.0.113.9"), Some(true));
        assert_eq!(contains("203.0.113.0/24", "203.0.114.9"), Some(false));
        assert_eq!(contains("203.0.113.7", "203.0.113.7"), Some(true));
        assert_eq!(contains("0.0.0.0/0", "255.255.255.255"), Some(true));
        assert_eq!(contains("::/0", "2001:db8::1"), Some(true));
        assert_eq!(contains("2001:DB8:1234:5678::/64", "2001:db8:1234:5678::9"), Some(true));
        assert_eq!(contains("0.0.0.0/0", "::1"), Some(false));
        assert_eq!(contains("10.0.0.0/33", "10.0.0.1"), None);
        assert_eq!(contains("10.0.0.0/8", "ten"), None);
    }
}
