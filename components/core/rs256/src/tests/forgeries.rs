//! Encodings that are nearly right, signed with the private key itself: only the comparison stands between them and acceptance.

use rsa::sha2::{Digest as _, Sha256};

use super::inputs::Random;
use super::{KEYS, Key};
use crate::Failure;

const MESSAGE: &[u8] = b"message";

/// `00 01 ff … ff 00` and `content`, as long as the modulus.
fn encoded(key: &Key, content: &[u8]) -> Vec<u8> {
    let padding = vec![0xff; key.n.len() - 3 - content.len()];
    [&[0, 1], &padding[..], &[0], content].concat()
}

/// The DER of `SEQUENCE { SEQUENCE { OBJECT IDENTIFIER sha256, NULL }, OCTET STRING }` and the digest in it.
fn digest_info(message: &[u8]) -> Vec<u8> {
    let head = [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    [&head, &[0x05, 0x00, 0x04, 0x20][..], &Sha256::digest(message)].concat()
}

#[test]
fn the_right_encoding_is_accepted() {
    for key in KEYS.iter() {
        assert_eq!(key.sign_encoding(&encoded(key, &digest_info(MESSAGE))), key.sign(MESSAGE));
        assert_eq!(key.verdict(MESSAGE, &key.sign(MESSAGE)), Ok(()));
    }
}

#[test]
fn other_digest_infos_are_refused() {
    let digest = Sha256::digest(MESSAGE);
    let with = |prefix: &[u8]| [prefix, &digest].concat();
    let oid = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    let info = |head: &[u8], hash: u8, tail: &[u8]| with(&[head, &oid, &[hash], tail].concat());
    let cases = [
        ("no DigestInfo", digest.to_vec()),
        ("no NULL", info(&[0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09], 1, &[0x04, 0x20])),
        ("NULL of one byte", info(&[0x30, 0x32, 0x30, 0x0e, 0x06, 0x09], 1, &[0x05, 0x01, 0x00, 0x04, 0x20])),
        ("SHA-384's identifier", info(&[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09], 2, &[0x05, 0x00, 0x04, 0x20])),
        ("SHA-512's identifier", info(&[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09], 3, &[0x05, 0x00, 0x04, 0x20])),
        ("SHA-224's identifier", info(&[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09], 4, &[0x05, 0x00, 0x04, 0x20])),
        (
            "long length outside",
            info(&[0x30, 0x81, 0x31, 0x30, 0x0d, 0x06, 0x09], 1, &[0x05, 0x00, 0x04, 0x20]),
        ),
        (
            "long length inside",
            info(&[0x30, 0x32, 0x30, 0x81, 0x0d, 0x06, 0x09], 1, &[0x05, 0x00, 0x04, 0x20]),
        ),
        (
            "long length of NULL",
            info(&[0x30, 0x32, 0x30, 0x0e, 0x06, 0x09], 1, &[0x05, 0x81, 0x00, 0x04, 0x20]),
        ),
        (
            "long length of the digest",
            info(&[0x30, 0x32, 0x30, 0x0d, 0x06, 0x09], 1, &[0x05, 0x00, 0x04, 0x81, 0x20]),
        ),
        (
            "padded length",
            info(&[0x30, 0x82, 0x00, 0x31, 0x30, 0x0d, 0x06, 0x09], 1, &[0x05, 0x00, 0x04, 0x20]),
        ),
        (
            "indefinite length",
            [info(&[0x30, 0x80, 0x30, 0x0d, 0x06, 0x09], 1, &[0x05, 0x00, 0x04, 0x20]), vec![0, 0]].concat(),
        ),
        ("not OCTET STRING", info(&[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09], 1, &[0x05, 0x00, 0x05, 0x20])),
        ("SET", info(&[0x31, 0x31, 0x30, 0x0d, 0x06, 0x09], 1, &[0x05, 0x00, 0x04, 0x20])),
        ("another digest", digest_info(b"other")),
        (
            "digest reversed",
            [&digest_info(MESSAGE)[..19], &digest.iter().rev().copied().collect::<Vec<_>>()].concat(),
        ),
        ("one byte behind", [&digest_info(MESSAGE)[..], &[0]].concat()),
        ("twice", [digest_info(MESSAGE), digest_info(MESSAGE)].concat()),
    ];
    for key in KEYS.iter() {
        for (name, content) in &cases {
            let signature = key.sign_encoding(&encoded(key, content));
            assert_eq!(key.verdict(MESSAGE, &signature), Err(Failure::Mismatch), "{name}");
        }
    }
}

#[test]
fn other_paddings_are_refused() {
    let info = digest_info(MESSAGE);
    for key in KEYS.iter() {
        let right = encoded(key, &info);
        let (length, separator) = (right.len(), right.len() - info.len() - 1);
        let changed = |at: usize, to: u8| {
            let mut changed = right.clone();
            changed[at] = to;
            changed
        };
        let mut random = Random::new(5);
        // As much of the encoding as a small exponent would let anybody forge: short padding first, then what it is about, then anything.
        let garbage = |padding: usize, random: &mut Random| {
            let head = [&[0, 1], &vec![0xff; padding][..], &[0], &info].concat();
            let rest = random.bytes(length - head.len());
            [head, rest].concat()
        };
        let nonzero: Vec<u8> = random.bytes(separator - 2).into_iter().map(|byte| byte | 1).collect();
        let cases = [
            ("padding of 8 and garbage behind", garbage(8, &mut random)),
            ("no padding and garbage behind", garbage(0, &mut random)),
            ("padding one short, garbage behind", garbage(separator - 3, &mut random)),
            ("zeros before", [vec![0; 8], right[..2].to_vec(), right[10..].to_vec()].concat()),
            ("no leading zero", [&[1], &vec![0xff; separator - 1][..], &[0], &info].concat()),
            ("block type 0", changed(1, 0)),
            ("block type 2", changed(1, 2)),
            ("block type 2 with its padding", [&[0, 2], &nonzero[..], &[0], &info].concat()),
            ("first byte 1", changed(0, 1)),
            ("padding ends early", changed(separator - 1, 0)),
            ("padding begins late", changed(2, 0)),
            ("hole in the padding", changed(separator / 2, 0xfe)),
            ("no separator", changed(separator, 0xff)),
            ("separator 1", changed(separator, 1)),
        ];
        for (name, encoding) in cases {
            assert_eq!(encoding.len(), length, "{name}");
            let signature = key.sign_encoding(&encoding);
            assert_eq!(key.verdict(MESSAGE, &signature), Err(Failure::Mismatch), "{name}");
        }
    }
}

#[test]
fn every_byte_of_the_encoding_counts() {
    let key = &KEYS[0];
    let right = encoded(key, &digest_info(MESSAGE));
    let mut random = Random::new(6);
    for at in 0..right.len() {
        let mut changed = right.clone();
        // In the first byte only the lowest bit, or the encoding could be above the modulus.
        changed[at] ^= if at == 0 { 1 } else { 1 << random.below(8) };
        assert_eq!(key.verdict(MESSAGE, &key.sign_encoding(&changed)), Err(Failure::Mismatch), "byte {at}");
    }
    assert_eq!(key.verdict(MESSAGE, &key.sign_encoding(&right)), Ok(()));
}
