//! Which addresses are out on the internet. Everything else (this machine, this network, documentation,
//! tunnels that lead to another address) is no place that a provider's file may come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Is this an ordinary public address? By the special-purpose registries of both families.
pub fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => public_v6(v6),
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224.., ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Only 2000::/3 is given out. In it, 2001::/23 is for protocols (Teredo among them), 2002::/16 is 6to4,
/// and two blocks are for documentation. Mapped, translated (64:ff9b::), local and multicast addresses
/// lie outside of it.
fn public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let given_out = segments[0] & 0xe000 == 0x2000;
    let special = matches!(
        segments,
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..]
    );
    given_out && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_internet_are_public() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.255.255",
            "100.128.0.1",
            "157.240.1.35",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "198.17.1.1",
            "223.255.255.255",
            "2a03:2880:f12f:83:face:b00c:0:25de",
            "2606:4700::1111",
            "2001:200::1",
            "2001:4860:4860::8888",
        ] {
            assert!(public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn every_other_address_is_not() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:0a00:0001::1",
            "2002:101:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(address.parse().unwrap()), "{address}");
        }
    }
}
