//! Keys that are not supported, each with a signature that is good otherwise.

use super::KEYS;
use crate::{EXPONENT, Failure, PublicKey, verify};

fn verdict(n: &[u8], e: &[u8], signature: &[u8]) -> Result<(), Failure> {
    verify(&PublicKey { n, e }, b"message", signature)
}

#[test]
fn the_exponent_is_65537_in_three_bytes() {
    let key = &KEYS[0];
    let good = key.sign(b"message");
    for e in [
        &[][..],
        &[0],
        &[1],
        &[3],
        &[17],
        &[1, 1],
        &[0, 1],
        &[1, 0, 0],
        &[1, 0, 2],
        &[1, 0, 3],
        &[0, 1, 0, 1],
        &[1, 0, 1, 0],
        &[1, 0, 0, 0, 1],
    ] {
        assert_eq!(verdict(&key.n, e, &good), Err(Failure::UnsupportedKey), "{e:?}");
    }
    assert_eq!(verdict(&key.n, &EXPONENT, &good), Ok(()));
}

#[test]
fn a_modulus_has_2048_to_4096_bits_in_whole_bytes() {
    for (bytes, first, is_supported) in [
        (0, 0, false),
        (1, 0xff, false),
        (255, 0xff, false),
        (256, 0x7f, false),
        (256, 0x80, true),
        (256, 0x00, false),
        (257, 0x00, false),
        // 2049 bits.
        (257, 0x01, false),
        (257, 0x80, true),
        (511, 0xff, true),
        (512, 0x7f, false),
        (512, 0x80, true),
        (512, 0xff, true),
        (513, 0x00, false),
        (513, 0x01, false),
        (513, 0x80, false),
        (1024, 0xff, false),
    ] {
        let mut n = vec![0xff; bytes];
        if let Some(byte) = n.first_mut() {
            *byte = first;
        }
        let failure = if is_supported { Failure::Mismatch } else { Failure::UnsupportedKey };
        assert_eq!(verdict(&n, &EXPONENT, &vec![1; bytes]), Err(failure), "{bytes} bytes from {first:x}");
    }
}

#[test]
fn a_modulus_is_odd() {
    let key = &KEYS[0];
    let mut even = key.n.clone();
    even[255] ^= 1;
    let good = key.sign(b"message");
    assert_eq!(verdict(&even, &EXPONENT, &good), Err(Failure::UnsupportedKey));
    assert_eq!(verdict(&key.n, &EXPONENT, &good), Ok(()));
}

#[test]
fn a_leading_zero_byte_is_another_spelling_of_a_key() {
    let key = &KEYS[0];
    let good = key.sign(b"message");
    let spelled = [&[0], &key.n[..]].concat();
    for signature in [good.clone(), [&[0], &good[..]].concat()] {
        assert_eq!(verdict(&spelled, &EXPONENT, &signature), Err(Failure::UnsupportedKey));
    }
    assert_eq!(verdict(&key.n, &EXPONENT, &good), Ok(()));
}

#[test]
fn an_unsupported_key_is_said_before_anything_about_the_signature() {
    assert_eq!(verdict(&KEYS[0].n, &[3], b""), Err(Failure::UnsupportedKey));
    assert_eq!(verdict(&[], &EXPONENT, b""), Err(Failure::UnsupportedKey));
}

#[test]
fn failures_say_what_they_are() {
    assert_eq!(Failure::UnsupportedKey.to_string(), "the key's size or exponent is not supported");
    assert_eq!(Failure::Mismatch.to_string(), "the signature does not verify");
}
