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

impl AddressPolicy {
    /// Whether `address` may be dialled. Cloud metadata services (link-local) may not under either policy.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
            v4 => v4,
        };
        if is_never_a_peer(address) {
            return false;
        }
        self == Self::PrivateToo || !is_private(address)
    }
}

fn is_never_a_peer(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local(),
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || embeds_v4(v6),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_documentation()
        || first == 0
        || first >= 240
        // RFC 6598, shared address space of carriers.
        || (first == 100 && (64..128).contains(&second))
        // RFC 2544, benchmarking.
        || (first == 198 && (18..20).contains(&second))
        // RFC 6890, protocol assignments.
        || address.octets()[..3] == [192, 0, 0]
}

/// NAT64 (RFC 6052), 6to4 (RFC 3056) and Teredo (RFC 4380) addresses carry an IPv4 address that may be private.
fn embeds_v4(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    segments[..2] == [0x64, 0xff9b] || segments[0] == 0x2002 || segments[..2] == [0x2001, 0]
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
        check(&["20.190.128.1", "2603:1006:2000::1", "198.20.0.1", "100.128.0.1"], true, true);
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
                "::1",
                "fd00::1",
                "::ffff:127.0.0.1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::",
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
                "0.0.0.0",
                "::",
                "224.0.0.1",
                "ff02::1",
                "::ffff:169.254.169.254",
            ],
            false,
            false,
        );
    }
}
