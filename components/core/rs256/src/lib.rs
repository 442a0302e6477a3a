//! RS256 verification (RFC 7518 section 3.3: RSASSA-PKCS1-v1_5 with SHA-256) in safe, portable Rust, written for WebAssembly.
//!
//! The crate owns the arithmetic of one question: was this message signed with the private half of this key? It supports the keys that
//! Microsoft Entra ID signs with and no others: moduli of 2048 to 4096 bits in whole bytes, and the exponent 65537. There is no
//! private-key code in it. Everything that it handles is public, so it is not constant-time and need not be.
//!
//! ```
//! use valet_core_rs256::{Failure, PublicKey, verify};
//!
//! let key = PublicKey { n: &[0xff; 256], e: &[1, 0, 1] };
//! assert_eq!(verify(&key, b"message", &[1; 256]), Err(Failure::Mismatch));
//! let small = PublicKey { n: &[0xff; 128], e: &[1, 0, 1] };
//! assert_eq!(verify(&small, b"message", &[1; 128]), Err(Failure::UnsupportedKey));
//! ```
//!
//! With the target feature `simd128` the products are made two at a time; elsewhere the same algorithm runs on plain integers, where
//! debug builds check that nothing overflows.
#![forbid(unsafe_code)]

mod encoding;
mod lanes;
mod montgomery;

#[cfg(test)]
mod tests;

use montgomery::Modulus;

/// Sizes of moduli in bytes. Below 2048 bits is breakable (NIST SP 800-131A), above 4096 only costs time.
pub const MODULUS_BYTES: core::ops::RangeInclusive<usize> = 256..=512;

/// 65537, big-endian: the only public exponent that Entra uses.
pub const EXPONENT: [u8; 3] = [1, 0, 1];

/// An RSA public key (RFC 7518 section 6.3.1): big-endian integers without leading zero bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey<'a> {
    /// The modulus.
    pub n: &'a [u8],
    /// The public exponent.
    pub e: &'a [u8],
}

impl PublicKey<'_> {
    fn modulus(&self) -> Result<Modulus, Failure> {
        // The first bit of the first byte: one size, one spelling. An even modulus is no product of two large primes, and Montgomery's
        // method needs an odd one.
        let is_supported = MODULUS_BYTES.contains(&self.n.len())
            && self.n.first().is_some_and(|first| first >> 7 == 1)
            && self.n.last().is_some_and(|last| last & 1 == 1)
            && self.e == EXPONENT;
        if is_supported { Ok(Modulus::new(self.n)) } else { Err(Failure::UnsupportedKey) }
    }
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The modulus is even or not of a supported size, or the exponent is not 65537. Says nothing about the signature.
    UnsupportedKey,
    /// The signature does not verify.
    Mismatch,
}

impl core::fmt::Display for Failure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::UnsupportedKey => "the key's size or exponent is not supported",
            Self::Mismatch => "the signature does not verify",
        })
    }
}

impl core::error::Error for Failure {}

/// RSASSA-PKCS1-v1_5 verification with SHA-256 (RFC 8017 section 8.2.2).
///
/// # Errors
/// [`Failure::UnsupportedKey`] whatever the signature is, [`Failure::Mismatch`] for every signature but the one that the
/// private key makes of `message`.
pub fn verify(key: &PublicKey<'_>, message: &[u8], signature: &[u8]) -> Result<(), Failure> {
    let encoded = recover(key, signature)?;
    // Step 4. The expected encoding is made and compared whole. Nothing of what was recovered is parsed, so there is nothing to be lenient in.
    if encoded == encoding::expected(message, key.n.len()) { Ok(()) } else { Err(Failure::Mismatch) }
}

/// RSAVP1 (RFC 8017 section 5.2.2): `signature` to the power of 65537 modulo `n`, big-endian and as long as `n`.
///
/// # Errors
/// [`Failure::Mismatch`] if `signature` is not exactly as long as the modulus (section 8.2.2 step 1), or not below it.
pub fn recover(key: &PublicKey<'_>, signature: &[u8]) -> Result<Vec<u8>, Failure> {
    let modulus = key.modulus()?;
    // Big-endian numbers of one length compare as their bytes do.
    if signature.len() != key.n.len() || signature >= key.n {
        return Err(Failure::Mismatch);
    }
    Ok(modulus.power_65537(signature))
}
