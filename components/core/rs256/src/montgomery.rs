//! Powers modulo an odd number, by Montgomery's method on limbs of 27 bits.
//!
//! **Representation.** A number is `L` limbs of 27 bits, least significant first; `L` is a multiple of four, and `R = 2^(27 L)`. For a
//! modulus of `k` bits `L` is chosen so that `R >= 2^(k + 2) > 4 n`. Between multiplications numbers are below `2 n`, not below `n`.
//!
//! **Why 27.** Products are summed in columns of 64 bits, and carries are taken once, at the end. A product of two limbs is below
//! `2^54`. A column of `x y + m n` has at most `L` products from each half, and `L <= 152`, so a column is below
//! `2 * 152 * 2^54 + 2^36 < 2^63` (the `2^36` is the carry from the column below). With 28 bits it would be
//! `2 * 148 * 2^56 > 2^64`, and for 2048 bits there would be as many limbs, 76, since they come in fours.
//!
//! **Why below `2 n` is enough.** For `x, y < 2 n`, reduction gives `(x y + m n) / R` with `m < R`. That is below
//! `(4 n^2 + R n) / R = n (4 n / R + 1) < 2 n`, so nothing is subtracted in between.

use core::ops::Range;

use crate::lanes::Sums;

/// Bits of a limb.
const BITS: usize = 27;

const MASK: u32 = (1 << BITS) - 1;

/// Columns that are summed at once, and limbs of a block.
const BLOCK: usize = 4;

/// Zero limbs before a number. The four columns from `4 k` on take from row `i` the limbs from `4 k - i` on, and may begin before the first.
const BEFORE: usize = BLOCK - 1;

/// Zero limbs behind a number, for columns that end behind the last.
const BEHIND: usize = BLOCK;

/// A number between zero limbs.
struct Number(Vec<u32>);

impl Number {
    fn zero(blocks: usize) -> Self {
        Self(vec![0; BEFORE + BLOCK * blocks + BEHIND])
    }

    /// Reads big-endian bytes.
    fn read(bytes: &[u8], blocks: usize) -> Self {
        let mut number = Self::zero(blocks);
        let (mut window, mut bits) = (0_u64, 0);
        let mut bytes = bytes.iter().rev();
        for limb in number.limbs_mut() {
            while bits < BITS {
                // Behind the last byte come zeros.
                window |= u64::from(bytes.next().copied().unwrap_or(0)) << bits;
                bits += 8;
            }
            *limb = window as u32 & MASK;
            window >>= BITS;
            bits -= BITS;
        }
        number
    }

    /// Writes the number as `length` big-endian bytes.
    fn write(&self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let (mut window, mut bits) = (0_u64, 0);
        let mut limbs = self.limbs().iter();
        for byte in bytes.iter_mut().rev() {
            if bits < 8 {
                window |= u64::from(limbs.next().copied().unwrap_or(0)) << bits;
                bits += BITS;
            }
            *byte = window as u8;
            window >>= 8;
            bits -= 8;
        }
        bytes
    }

    fn limbs(&self) -> &[u32] {
        &self.0[BEFORE..self.0.len() - BEHIND]
    }

    fn limbs_mut(&mut self) -> &mut [u32] {
        let end = self.0.len() - BEHIND;
        &mut self.0[BEFORE..end]
    }

    /// Each limb four times, as what a row is multiplied with.
    fn factors(&self) -> Vec<[u32; BLOCK]> {
        self.limbs().iter().map(|limb| [*limb; BLOCK]).collect()
    }
}

/// An odd number of whole bytes whose first bit is set.
pub(crate) struct Modulus {
    n: Number,
    /// `-1 / n` modulo `2^27`.
    inverse: u32,
    /// The length of `n` in bytes.
    length: usize,
    /// `L / 4`.
    blocks: usize,
}

impl Modulus {
    /// `n` is big-endian and odd, its first bit is set, and it has at most 512 bytes.
    pub(crate) fn new(n: &[u8]) -> Self {
        let blocks = (n.len() * 8 + 2).div_ceil(BITS).div_ceil(BLOCK);
        debug_assert!(BLOCK * blocks <= 152, "columns would overflow");
        let length = n.len();
        let n = Number::read(n, blocks);
        // Newton's iteration doubles the number of right bits. An odd number is its own inverse modulo 8, so 3, 6, 12, 24, 48.
        let low = n.limbs()[0];
        let inverse =
            (0..4).fold(low, |x, _| x.wrapping_mul(2_u32.wrapping_sub(low.wrapping_mul(x)))).wrapping_neg();
        Self { n, inverse, length, blocks }
    }

    /// `base^65537 mod n` for a base below `n`, both big-endian and of one length.
    pub(crate) fn power_65537(&self, base: &[u8]) -> Vec<u8> {
        let base = Number::read(base, self.blocks);
        let mut power = self.times_r(&base);
        for _ in 0..16 {
            power = self.square(&power);
        }
        // The power still has a factor R and the base has none, so the last reduction takes it out.
        let power = self.below_n(self.multiply(&power, &base));
        power.write(self.length)
    }

    /// `x y / R mod n`, below `2 n` for `x` and `y` below `2 n`.
    fn multiply(&self, x: &Number, y: &Number) -> Number {
        let factors = x.factors();
        self.reduce(|at| add_rows(Sums::ZERO, &factors, y, at, self.rows(at)))
    }

    /// `x x / R mod n`, with each product of two different limbs made once and counted twice.
    fn square(&self, x: &Number) -> Number {
        let factors = x.factors();
        self.reduce(|at| {
            // Rows i below 2 k: in all four columns from 4 k on, they meet limbs above i.
            let rows = self.rows(at).start..2 * at;
            let twice = add_rows(Sums::ZERO, &factors, x, at, rows).doubled();
            // And what is left of these columns, in the middle of the number.
            let [a, b, c, d] = core::array::from_fn(|limb| x.0[BEFORE + 2 * at + limb]);
            twice
                .plus_products(&[a, 2 * a, 2 * a, 2 * a], &[a, b, c, d])
                .plus_products(&[0, 0, b, 2 * b], &[0, 0, b, c])
        })
    }

    /// The rows of a product that reach into the four columns of block `at`.
    fn rows(&self, at: usize) -> Range<usize> {
        let limbs = BLOCK * self.blocks;
        (BLOCK * at + 1).saturating_sub(limbs)..(BLOCK * (at + 1)).min(limbs)
    }

    /// `x R mod n`, by long division with a digit of the quotient a step. For `x` below `2 n`, and below `2 n` again.
    fn times_r(&self, x: &Number) -> Number {
        let mut x = Number(x.0.clone());
        let divisor = self.top(&self.n) + 1;
        for _ in 0..BLOCK * self.blocks {
            // The quotient is never too large. It is too small by less than 2: by less than 1 for being rounded down, by 2^27 / 2^31 for the bits
            // below top(x), by 2^28 / 2^31 for the bits below top(n), so what remains is below 2 n again.
            let quotient = ((self.top(&x) << BITS) / divisor) as i64;
            let (mut below, mut carry) = (0, 0_i64);
            for (x, n) in x.limbs_mut().iter_mut().zip(self.n.limbs()) {
                // Below 2^28 * 2^27 in size, and a little.
                let difference = i64::from(below) + carry - quotient * i64::from(*n);
                below = *x;
                *x = difference as u32 & MASK;
                carry = difference >> BITS;
            }
            debug_assert_eq!(i64::from(below) + carry, 0, "below 2 n");
        }
        x
    }

    /// `x / 2^(k - 32)` rounded down, where `n` has `k` bits: 32 bits for `n`, 33 for `x` below `2 n`.
    fn top(&self, x: &Number) -> u64 {
        let (limb, shift) = ((self.length * 8 - 32) / BITS, (self.length * 8 - 32) % BITS);
        let at = |at: usize| u64::from(x.0[BEFORE + limb + at]);
        // At most 33 + 26 bits: what would not fit is zero.
        (at(0) | at(1) << BITS | at(2) << (2 * BITS)) >> shift
    }

    /// A product divided by `R`, modulo `n`, below `2 n`. `product` gives the sums of four columns.
    fn reduce(&self, product: impl Fn(usize) -> Sums) -> Number {
        let n = self.n.limbs();
        // m, limb by limb: the multiples of n that make the lower half of the product zero.
        let mut multiples = Vec::with_capacity(BLOCK * self.blocks);
        let mut carry = 0;
        for at in 0..self.blocks {
            let sums = add_rows(product(at), &multiples, &self.n, at, 0..BLOCK * at).get();
            let mut chosen = [0; BLOCK];
            for (row, sum) in sums.into_iter().enumerate() {
                let mut column = sum + carry;
                for above in 0..row {
                    column += u64::from(chosen[above]) * u64::from(n[row - above]);
                }
                chosen[row] = (column as u32).wrapping_mul(self.inverse) & MASK;
                carry = (column + u64::from(chosen[row]) * u64::from(n[0])) >> BITS;
            }
            multiples.extend(chosen.map(|multiple| [multiple; BLOCK]));
        }
        let mut x = Number::zero(self.blocks);
        let (blocks, _) = x.limbs_mut().as_chunks_mut::<BLOCK>();
        for (at, limbs) in (self.blocks..).zip(blocks) {
            let sums = add_rows(product(at), &multiples, &self.n, at, self.rows(at));
            for (limb, column) in limbs.iter_mut().zip(sums.get()) {
                carry += column;
                *limb = carry as u32 & MASK;
                carry >>= BITS;
            }
        }
        debug_assert_eq!(carry, 0, "below 2 n");
        x
    }

    /// `x` below `2 n` to `x` below `n`.
    fn below_n(&self, x: Number) -> Number {
        let mut difference = Number::zero(self.blocks);
        let mut borrow = 0_i32;
        for ((to, x), n) in difference.limbs_mut().iter_mut().zip(x.limbs()).zip(self.n.limbs()) {
            let limb = *x as i32 - *n as i32 + borrow;
            *to = limb as u32 & MASK;
            borrow = limb >> BITS;
        }
        if borrow == 0 { difference } else { x }
    }
}

/// Adds to four columns, those of block `at`, the rows `rows` of a product: row `i` is `y` times `factors[i]`, `i` columns up.
#[inline]
fn add_rows(sums: Sums, factors: &[[u32; BLOCK]], y: &Number, at: usize, rows: Range<usize>) -> Sums {
    let first = BEFORE + BLOCK * at;
    let limbs = &y.0[first + 1 - rows.end..first + BLOCK - rows.start];
    let limbs = limbs.array_windows::<BLOCK>().rev();
    factors[rows].iter().zip(limbs).fold(sums, |sums, (factor, limbs)| sums.plus_products(factor, limbs))
}
