//! Which addresses may be dialled. A name is not enough: whoever controls its DNS chooses the address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses a sender may dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Global unicast addresses only: what Entra and Graph have.
    PublicOnly,
    /// Also loopback and private addresses, for an emulator or a private endpoint.
    PrivateToo,
}

/// What an address is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Anybody can reach it.
    Public,
    /// This machine, or a network that is not everybody's.
    Private,
    /// Nothing that we have business with is there.
    Never,
}

impl AddressPolicy {
    /// Whether `address` may be dialled. Cloud metadata services (link-local) may not under either policy, in whatever address theirs is wrapped.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        let kind = match address {
            IpAddr::V4(v4) => kind_of_v4(v4),
            IpAddr::V6(v6) => kind_of_v6(v6),
        };
        match kind {
            Kind::Public => true,
            Kind::Private => self == Self::PrivateToo,
            Kind::Never => false,
        }
    }
}

fn kind_of_v4(address: Ipv4Addr) -> Kind {
    if address.is_unspecified() || address.is_multicast() || address.is_broadcast() || address.is_link_local()
    {
        return Kind::Never;
    }
    let [first, second, third, _] = address.octets();
    let private = address.is_loopback()
        || address.is_private()
        || address.is_documentation()
        || first == 0
        || first >= 240
        // RFC 6598, shared address space of carriers.
        || (first == 100 && (64..128).contains(&second))
        // RFC 2544, benchmarking.
        || (first == 198 && (18..20).contains(&second))
        // RFC 6890, protocol assignments.
        || [first, second, third] == [192, 0, 0]
        // RFC 7526, the relays of 6to4, which are gone.
        || [first, second, third] == [192, 88, 99];
    if private { Kind::Private } else { Kind::Public }
}

/// By the prefixes of the IANA registry of special-purpose addresses. What carries an IPv4 address is judged by that where packets still go there, and refused where the
/// way of carrying it has been given up.
fn kind_of_v6(address: Ipv6Addr) -> Kind {
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Private,
        // RFC 4291 section 2.5.5.2, mapped: a way to write an IPv4 address.
        [0, 0, 0, 0, 0, 0xffff, ..] => kind_of_v4(last_32_bits(address)),
        // The unspecified address, and section 2.5.5.1, IPv4-compatible: given up.
        [0, 0, 0, 0, 0, 0, ..] => Kind::Never,
        // RFC 6052, NAT64: what a network without IPv4 reaches IPv4 by, so Entra as well.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => kind_of_v4(last_32_bits(address)),
        // RFC 8215, NAT64 of one network: where in it the IPv4 address is, only that network knows. With it the rest of RFC 6052's neighbourhood.
        [0x64, 0xff9b, ..] => Kind::Never,
        // RFC 4380, Teredo; RFC 3056 and 7526, 6to4: given up, and both lead to an IPv4 address.
        [0x2001, 0, ..] | [0x2002, ..] => Kind::Never,
        // RFC 4291 sections 2.5.6 and 2.7.
        [0xfe80..=0xfebf, ..] | [0xff00..=0xffff, ..] => Kind::Never,
        // RFC 2928, protocol assignments; RFC 3849 and 9637, documentation.
        [0x2001, 0x1..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Kind::Private,
        // RFC 4291 section 2.4: what is global is in here, so far.
        [0x2000..=0x3fff, ..] => Kind::Public,
        // Unique-local (RFC 4193) and site-local addresses (RFC 3879: given up, and in use), and what is not given out.
        _ => Kind::Private,
    }
}

fn last_32_bits(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &[&str], public_only: bool, private_too: bool) {
        for text in addresses {
            let address = text.parse().unwrap();
            assert_eq!(AddressPolicy::PublicOnly.allows(address), public_only, "{text}");
            assert_eq!(AddressPolicy::PrivateToo.allows(address), private_too, "{text}");
        }
    }

    #[test]
    fn public_addresses_are_dialled() {
        check(
            &[
                "20.190.128.1",
                "2603:1006:2000::1",
                "198.20.0.1",
                "100.128.0.1",
                "2001:200::1",
                "2003::1",
                "3fff:1000::1",
                "::ffff:20.190.128.1",
                "64:ff9b::20.190.128.1",
            ],
            true,
            true,
        );
    }

    #[test]
    fn private_addresses_need_the_setting() {
        check(
            &[
                "127.0.0.1",
                "10.0.0.1",
                "172.16.0.1",
                "192.168.1.1",
                "100.64.0.1",
                "192.88.99.1",
                "::1",
                "fd00::1",
                "fec0::1",
                "feff::1",
                "100::1",
                "4000::1",
                "2001:db8::1",
                "2001:10::1",
                "3fff::1",
                "::ffff:127.0.0.1",
                "64:ff9b::127.0.0.1",
                "64:ff9b::10.0.0.1",
                "0.1.2.3",
                "255.1.1.1",
            ],
            false,
            true,
        );
    }

    #[test]
    fn metadata_services_and_groups_are_never_dialled() {
        check(
            &[
                "169.254.169.254",
                "fe80::1",
                "febf::1",
                "0.0.0.0",
                "::",
                "224.0.0.1",
                "ff02::1",
                "::ffff:169.254.169.254",
                "::ffff:0.0.0.0",
                "64:ff9b::169.254.169.254",
                "64:ff9b::0.0.0.0",
            ],
            false,
            false,
        );
    }

    /// What an attacker's DNS could answer with to reach an IPv4 address by another way.
    #[test]
    fn ways_to_ipv4_that_were_given_up_are_never_dialled() {
        check(
            &[
                // IPv4-compatible.
                "::127.0.0.1",
                "::169.254.169.254",
                "::20.190.128.1",
                "::2",
                // NAT64 of one network.
                "64:ff9b:1::1",
                "64:ff9b:1:a9fe:a9:fe00::",
                "64:ff9b:1::169.254.169.254",
                // 6to4.
                "2002:7f00:1::",
                "2002:a9fe:a9fe::",
                "2002:14be:8001::1",
                // Teredo: server 20.190.128.1, client 127.0.0.1.
                "2001:0:14be:8001:0:0:80ff:fffe",
                "2001::1",
            ],
            false,
            false,
        );
    }
}
