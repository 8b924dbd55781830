//! Which addresses lie in the public internet, and which must never be called for a user.
//!
//! Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries and the IPv6 address space registry, as of 2026.
//! Where a refused block holds a few addresses that the registry calls globally reachable (anycast helpers, relays), the
//! whole block is refused: no vendor's API lives there. IPv6 is turned round: only 2000::/3 is given out at all, so that
//! everything outside it is refused without being listed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block: its first address and the length of its prefix.
type Block4 = (Ipv4Addr, u32);
type Block6 = (Ipv6Addr, u32);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u32) -> Block4 {
    (Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, prefix: u32) -> Block6 {
    (Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

const REFUSED_V4: [Block4; 16] = [
    v4(0, 0, 0, 0, 8),        // this network (RFC 791)
    v4(10, 0, 0, 0, 8),       // private (RFC 1918)
    v4(100, 64, 0, 0, 10),    // shared by carriers (RFC 6598); a cloud's metadata at 100.100.100.200
    v4(127, 0, 0, 0, 8),      // loopback (RFC 1122)
    v4(168, 63, 129, 16, 32), // Azure's platform, inside each of its networks (Microsoft: "What is IP address 168.63.129.16")
    v4(169, 254, 0, 0, 16),   // link-local (RFC 3927); metadata of AWS, Google and Azure at 169.254.169.254
    v4(172, 16, 0, 0, 12),    // private (RFC 1918)
    v4(192, 0, 0, 0, 24),     // protocol assignments (RFC 6890); a cloud's metadata at 192.0.0.192
    v4(192, 0, 2, 0, 24),     // documentation (RFC 5737)
    v4(192, 88, 99, 0, 24),   // 6to4 relays, withdrawn (RFC 7526)
    v4(192, 168, 0, 0, 16),   // private (RFC 1918)
    v4(198, 18, 0, 0, 15),    // benchmarking (RFC 2544)
    v4(198, 51, 100, 0, 24),  // documentation (RFC 5737)
    v4(203, 0, 113, 0, 24),   // documentation (RFC 5737)
    v4(224, 0, 0, 0, 4),      // multicast (RFC 5771)
    v4(240, 0, 0, 0, 4),      // reserved, and the broadcast address (RFC 1112, RFC 8190)
];

/// What is given out at all (RFC 4291, IANA's IPv6 address space registry).
const GLOBAL_UNICAST: Block6 = v6(0x2000, 0, 3);

/// Within [`GLOBAL_UNICAST`].
const REFUSED_V6: [Block6; 4] = [
    v6(0x2001, 0, 23), // protocol assignments (RFC 2928), with Teredo (RFC 4380) and benchmarking (RFC 5180)
    v6(0x2001, 0xdb8, 32), // documentation (RFC 3849)
    v6(0x2002, 0, 16), // 6to4, which embeds any IPv4 address; withdrawn (RFC 7526)
    v6(0x3fff, 0, 20), // documentation (RFC 9637)
];

/// Whether `address` is one of the public internet. An address that carries an IPv4 address within it, and is led to
/// that one, is as public as what it carries: `::ffff:0:0/96` (RFC 4291) and NAT64's `64:ff9b::/96` (RFC 6052), which a
/// network with IPv6 only gives for every host that has none. A NAT64 prefix of a network's own can't be told.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match carried(address) {
            Some(inner) => is_public_v4(inner),
            None => in_v6(address, GLOBAL_UNICAST) && !REFUSED_V6.iter().any(|block| in_v6(address, *block)),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !REFUSED_V4.iter().any(|block| in_v4(address, *block))
}

fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    let is_nat64 = address.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    is_nat64.then(|| Ipv4Addr::new(a, b, c, d)).or_else(|| address.to_ipv4_mapped())
}

fn in_v4(address: Ipv4Addr, (first, prefix): Block4) -> bool {
    (address.to_bits() ^ first.to_bits()).leading_zeros() >= prefix
}

fn in_v6(address: Ipv6Addr, (first, prefix): Block6) -> bool {
    (address.to_bits() ^ first.to_bits()).leading_zeros() >= prefix
}
