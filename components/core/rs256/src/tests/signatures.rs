//! Signatures as they come, and injured ones.

use num_bigint::BigUint;

use super::inputs::Random;
use super::{KEYS, padded};
use crate::Failure;

#[test]
fn signatures_of_every_key_and_length_of_message_are_accepted() {
    let mut random = Random::new(2);
    for key in KEYS.iter() {
        // Around SHA-256's block of 64 bytes, and the size of a token.
        for length in [0, 1, 55, 56, 63, 64, 65, 119, 120, 1500, 9000] {
            let message = random.bytes(length);
            assert_eq!(key.verdict(&message, &key.sign(&message)), Ok(()), "{length}");
        }
    }
}

#[test]
fn a_changed_bit_anywhere_is_refused() {
    let mut random = Random::new(3);
    for key in KEYS.iter() {
        let message = random.bytes(300);
        let signature = key.sign(&message);
        for _ in 0..64 {
            let bit = random.below(8 * signature.len());
            let mut injured = signature.clone();
            injured[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.verdict(&message, &injured), Err(Failure::Mismatch), "bit {bit} of the signature");
            let bit = random.below(8 * message.len());
            let mut injured = message.clone();
            injured[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.verdict(&injured, &signature), Err(Failure::Mismatch), "bit {bit} of the message");
        }
        assert_eq!(key.verdict(&message, &signature), Ok(()));
    }
}

#[test]
fn random_signatures_are_refused() {
    let mut random = Random::new(4);
    for key in KEYS.iter() {
        for _ in 0..200 {
            let signature = random.bytes(key.n.len());
            assert_eq!(key.verdict(b"message", &signature), Err(Failure::Mismatch));
        }
    }
}

#[test]
fn another_keys_signature_is_refused() {
    for (key, other) in KEYS.iter().zip(KEYS.iter().skip(1)) {
        assert_eq!(key.verdict(b"message", &other.sign(b"message")), Err(Failure::Mismatch));
    }
}

#[test]
fn special_numbers_are_refused() {
    for key in KEYS.iter() {
        let (n, length) = (BigUint::from_bytes_be(&key.n), key.n.len());
        let good = BigUint::from_bytes_be(&key.sign(b"message"));
        let one = BigUint::from(1_u32);
        for number in
            [BigUint::ZERO, one.clone(), &n - &one, n.clone(), &n + &one, (&one << (8 * length)) - &one]
        {
            let signature = padded(&number.to_bytes_be(), length);
            assert_eq!(key.verdict(b"message", &signature), Err(Failure::Mismatch), "{number}");
        }
        // RFC 8017 section 5.2.2: s + n has the power of s, and is out of range. It has the modulus's length for half of all signatures.
        let above = (&good + &n).to_bytes_be();
        assert_eq!(key.verdict(b"message", &above), Err(Failure::Mismatch));
    }
}

#[test]
fn a_signature_above_the_modulus_is_refused_although_its_power_is_right() {
    let key = &KEYS[0];
    let n = BigUint::from_bytes_be(&key.n);
    // Signatures small enough that n can be added within the modulus's length; with the first bit of n set that is a few in a thousand at
    // worst, half at best.
    let found = (0_u32..4000).find_map(|number| {
        let message = number.to_be_bytes();
        let signature = key.sign(&message);
        let above = (BigUint::from_bytes_be(&signature) + &n).to_bytes_be();
        (above.len() == key.n.len()).then_some((message, signature, above))
    });
    let (message, signature, above) = found.expect("one of 4000 signatures is that small");
    assert_eq!(key.verdict(&message, &above), Err(Failure::Mismatch));
    assert_eq!(key.verdict(&message, &signature), Ok(()));
}

#[test]
fn a_signature_is_exactly_as_long_as_the_modulus() {
    for key in KEYS.iter() {
        let good = key.sign(b"message");
        let shorter = good[..good.len() - 1].to_vec();
        let (longer, zero_before) = ([&good[..], &[0]].concat(), [&[0], &good[..]].concat());
        for signature in [vec![], vec![0], shorter, longer, zero_before] {
            assert_eq!(key.verdict(b"message", &signature), Err(Failure::Mismatch), "{}", signature.len());
        }
    }
}

#[test]
fn a_leading_zero_byte_belongs_to_the_signature() {
    let key = &KEYS[0];
    let signed = |number: u32| (number.to_be_bytes(), key.sign(&number.to_be_bytes()));
    let (message, signature) =
        (0..10_000).map(signed).find(|(_, signature)| signature[0] == 0).expect("it is one in 256");
    assert_eq!(key.verdict(&message, &signature), Ok(()));
    assert_eq!(key.verdict(&message, &signature[1..]), Err(Failure::Mismatch));
}
