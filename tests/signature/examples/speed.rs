//! Microseconds of CPU for one check, side by side: `cargo run --package valet-signature-tests --example speed`. It measures and judges nothing.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people to look at")]

use std::hint::black_box;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents,
};
use rustix::time::{ClockId, clock_gettime};
use valet_core_rs256::{EXPONENT, PublicKey, verify};
use valet_signature_tests::{Form, Guests};

/// Bytes of the message: a token's header and payload.
const MESSAGE: usize = 1150;

/// Rounds in which all rows take turns, and checks of a row in a round.
const ROUNDS: usize = 31;
const CHECKS: u32 = 30;

fn main() {
    let target = std::env::current_exe().unwrap();
    // …/target/debug/examples/speed
    let target: &Path = target.ancestors().nth(3).unwrap();
    let [simd128, plain] = [Form::Simd128, Form::Plain].map(|form| Guests::new(target, form));
    for (bits, size) in [(2048, KeySize::Rsa2048), (3072, KeySize::Rsa3072), (4096, KeySize::Rsa4096)] {
        let pair = KeyPair::generate(size).unwrap();
        let message = [b'x'; MESSAGE];
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature).unwrap();
        let n: Vec<u8> = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let key = PublicKey { n: &n, e: &EXPONENT };
        let parsed = RsaPublicKeyComponents { n: &n[..], e: &EXPONENT[..] }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .unwrap();
        let rows: [(&str, &dyn Fn() -> bool); 7] = [
            ("aws-lc, native, key parsed once", &|| parsed.verify_sig(&message, &signature).is_ok()),
            ("aws-lc, native", &|| {
                RsaPublicKeyComponents { n: &n[..], e: &EXPONENT[..] }
                    .verify(&RSA_PKCS1_2048_8192_SHA256, &message, &signature)
                    .is_ok()
            }),
            ("valet-core-rs256, native, with debug assertions", &|| {
                verify(&key, &message, &signature).is_ok()
            }),
            ("valet-signature", &|| simd128.verify(&key, &message, &signature).is_ok()),
            ("valet-signature, arithmetic alone", &|| simd128.recover(&n, &signature).is_ok()),
            ("valet-signature, without simd128", &|| plain.verify(&key, &message, &signature).is_ok()),
            ("library rsa in WebAssembly", &|| simd128.verify_by_library(&n, &message, &signature)),
        ];
        println!("{bits} bits: µs a check, median and minimum of {ROUNDS} rounds");
        for (name, [median, least]) in
            rows.iter().map(|(name, _)| name).zip(measure(rows.map(|(_, check)| check)))
        {
            println!("{name:50} {median:8.1} {least:8.1}");
        }
    }
}

fn measure<const ROWS: usize>(rows: [&dyn Fn() -> bool; ROWS]) -> [[f64; 2]; ROWS] {
    let mut times = [const { Vec::new() }; ROWS];
    for _ in 0..ROUNDS {
        for (check, times) in rows.iter().zip(&mut times) {
            let before = cpu();
            for _ in 0..CHECKS {
                assert!(black_box(check()), "the signature is good");
            }
            times.push((cpu() - before) / f64::from(CHECKS));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        [times[ROUNDS / 2], times[0]]
    })
}

/// CPU time of this thread, in microseconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
