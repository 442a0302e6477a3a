//! Inputs of the exponentiation, random and adversarial, from a seed; and `num-bigint` as its judge.

use num_bigint::BigUint;
use num_integer::Integer as _;

/// How many inputs there are unless `VALET_RS256_INPUTS` says otherwise.
const INPUTS: usize = 4000;

/// Inputs that are compared one by one. Those behind them are compared as products, which costs a tenth.
const ONE_BY_ONE: usize = 20_000;

/// Longest factor, in bits, that a product may share with its modulus and still speak for each of its powers. A wrong power hides behind it only
/// by differing from the right one by a multiple of the rest of the modulus.
const SHARED_BITS: u64 = 64;

/// Splitmix64. Good enough to be everywhere, and the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(length);
        bytes
    }
}

/// A modulus and some bases below it, big-endian and of one length.
pub(crate) struct Input {
    pub(crate) n: Vec<u8>,
    pub(crate) bases: Vec<Vec<u8>>,
}

/// Bases of one modulus.
const BASES: usize = 32;

/// All inputs of a run, a modulus at a time, and how many bases that are.
pub(crate) fn inputs() -> (usize, impl Iterator<Item = Input>) {
    #[expect(clippy::allow_attributes, reason = "only the cores have the list of disallowed methods")]
    #[allow(
        clippy::disallowed_methods,
        reason = "a test may be told how long to run; the core itself does no I/O"
    )]
    let count = std::env::var("VALET_RS256_INPUTS").map_or(INPUTS, |count| count.parse().expect("a number"));
    let mut random = Random::new(0x5a256);
    (count, (0..count.div_ceil(BASES)).map(move |_| input(&mut random)))
}

fn input(random: &mut Random) -> Input {
    // Three of four have the size that Entra uses; the others any size that is supported.
    let length = if random.below(4) > 0 { 256 } else { 256 + random.below(257) };
    let mut n = pattern(random, length);
    n[0] |= 0x80;
    n[length - 1] |= 1;
    let modulus = BigUint::from_bytes_be(&n);
    let bases = (0..BASES)
        .map(|_| {
            let base = match random.below(8) {
                // Next to the modulus, and next to zero.
                0 => &modulus - 1_u32 - random.below(3) as u32,
                1 => BigUint::from(random.below(4)),
                2 => BigUint::from(1_u32) << random.below(8 * length - 1),
                _ => BigUint::from_bytes_be(&pattern(random, length)) % &modulus,
            };
            let base = base.to_bytes_be();
            [vec![0; length - base.len()], base].concat()
        })
        .collect();
    Input { n, bases }
}

/// Random bytes half of the time, otherwise what carries like least.
fn pattern(random: &mut Random, length: usize) -> Vec<u8> {
    match random.below(10) {
        0 => vec![0xff; length],
        1 => vec![0; length],
        2 => vec![0xaa; length],
        // Runs of ones and zeros.
        3 => {
            let mut bytes = vec![];
            while bytes.len() < length {
                let byte = if random.below(2) == 0 { 0 } else { 0xff };
                bytes.resize(bytes.len() + 1 + random.below(64), byte);
            }
            bytes.truncate(length);
            bytes
        }
        // Limbs of ones between limbs of zeros, for limbs of 27 bits.
        4 => {
            let ones = BigUint::from((1_u32 << 27) - 1);
            let number = (0..length / 7).fold(BigUint::ZERO, |number, _| (number << 54) + &ones);
            let bytes = number.to_bytes_be();
            let mut padded = vec![0; length];
            let from = length.saturating_sub(bytes.len());
            padded[from..].copy_from_slice(&bytes[..length - from]);
            padded
        }
        _ => random.bytes(length),
    }
}

/// Compares powers with those of `num-bigint`.
#[derive(Default)]
pub(crate) struct Judge {
    judged: usize,
}

impl Judge {
    /// Fails unless `powers` are those of `input`.
    pub(crate) fn compare(&mut self, input: &Input, powers: &[Vec<u8>]) {
        let n = BigUint::from_bytes_be(&input.n);
        let exponent = BigUint::from(65537_u32);
        let [bases, powers]: [Vec<BigUint>; 2] = [input.bases.as_slice(), powers]
            .map(|list| list.iter().map(|number| BigUint::from_bytes_be(number)).collect());
        assert_eq!(bases.len(), powers.len());
        assert!(powers.iter().all(|power| power < &n), "a power is not reduced");
        self.judged += bases.len();
        // The product of the powers is the power of the product. A base that is zero would make every product right, so it stays out.
        let mut product = [BigUint::from(1_u32), BigUint::from(1_u32)];
        for (base, power) in bases.iter().zip(&powers) {
            if *base == BigUint::ZERO {
                assert_eq!(*power, BigUint::ZERO);
                continue;
            }
            let [bases, powers] = product;
            product = [bases * base % &n, powers * power % &n];
        }
        let [product, product_of_powers] = product;
        assert_eq!(product.modpow(&exponent, &n), product_of_powers, "one of {:?} modulo {n:x}", input.bases);
        // Patterns meet their like: what a modulus of ones shares with other patterns would hide a wrong power of its other bases.
        if self.judged <= ONE_BY_ONE || product.gcd(&n).bits() > SHARED_BITS {
            for (at, (base, power)) in bases.iter().zip(&powers).enumerate() {
                assert_eq!(&base.modpow(&exponent, &n), power, "base {at} of modulus {n:x}");
            }
        }
    }

    /// How many powers were compared.
    pub(crate) fn judged(&self) -> usize {
        self.judged
    }
}
