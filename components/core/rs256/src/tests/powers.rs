//! The exponentiation alone, bit by bit.

use super::inputs::{Judge, inputs};
use crate::{EXPONENT, PublicKey, recover};

#[test]
fn powers_are_those_of_num_bigint() {
    let (count, inputs) = inputs();
    let mut judge = Judge::default();
    for input in inputs {
        let key = PublicKey { n: &input.n, e: &EXPONENT };
        let powers: Vec<_> = input.bases.iter().map(|base| recover(&key, base).unwrap()).collect();
        judge.compare(&input, &powers);
    }
    assert!(judge.judged() >= count);
}

#[test]
fn every_size_of_modulus_is_right() {
    // The largest bases of the largest and the smallest moduli of each size: where a bound would break first.
    for length in 256..=512 {
        let mut smallest = vec![0; length];
        (smallest[0], smallest[length - 1]) = (0x80, 1);
        for n in [vec![0xff; length], smallest] {
            let mut base = n.clone();
            base[length - 1] -= 1;
            // (n - 1)^65537 = (-1)^65537 = n - 1.
            assert_eq!(recover(&PublicKey { n: &n, e: &EXPONENT }, &base), Ok(base));
        }
    }
}
