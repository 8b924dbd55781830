//! Which addresses are refused: each block's edges, its well-known addresses, and the neighbours that are public.

use super::address::is_public;

const REFUSED: [&str; 66] = [
    // IPv4: first and last of each block, and the well-known ones within
    "0.0.0.0",
    "0.1.2.3",
    "0.255.255.255",
    "10.0.0.0",
    "10.1.2.3",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.0.0.53",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.192",
    "192.0.0.255",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.1.1",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    // IPv6: unspecified, loopback, compatible, mapped
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    // NAT64: to refused addresses, and for local use
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b::1:8.8.8.8",
    // discard, Teredo, benchmarking, ORCHID, documentation, 6to4, segment routing
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:a00:1::",
    "2001:2::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "3fff:fff::1",
    "5f00::1",
    // unique-local (with AWS's metadata), link-local, site-local, multicast
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
];

const PUBLIC: [&str; 30] = [
    // the neighbours of each refused block
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "203.0.114.0",
    "223.255.255.255",
    // IPv6 as it is given out, and IPv4 carried in it
    "2001:200::1",
    "2001:db7::1",
    "2003::1",
    "2606:4700::1111",
    "2a05:d018::1",
    "3ffe::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
];

#[test]
fn addresses_that_are_not_of_the_public_internet_are_refused() {
    for address in REFUSED {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn the_neighbours_of_each_refused_block_are_public() {
    for address in PUBLIC {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}
