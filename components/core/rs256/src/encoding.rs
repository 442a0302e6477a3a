//! EMSA-PKCS1-v1_5 (RFC 8017 section 9.2).

use sha2::{Digest as _, Sha256};

/// The DER of a `DigestInfo` for SHA-256, up to the digest (RFC 8017 section 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// What a signature of `message` has to hold: `00 01 ff … ff 00`, the `DigestInfo` and the digest, `length` bytes in all.
pub(crate) fn expected(message: &[u8], length: usize) -> Vec<u8> {
    let digest = Sha256::digest(message);
    let tail = [&[0][..], &DIGEST_INFO, &digest].concat();
    let mut encoded = vec![0xff; length - tail.len()];
    encoded[..2].copy_from_slice(&[0, 1]);
    encoded.extend(tail);
    encoded
}
