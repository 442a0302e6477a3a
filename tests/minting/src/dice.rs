//! Injuries with a fixed seed, so that a failure comes again.

/// xorshift64*, which is enough to spread injuries.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // Zero is the one state that xorshift cannot leave.
        Self(seed.max(1))
    }

    /// A number below `limit`, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    /// `bytes`, of which there is at least one, with one byte replaced, removed, doubled or put in, or with two exchanged.
    pub fn injure(&mut self, bytes: &[u8]) -> Vec<u8> {
        const LIKELY: &[u8] = b"\"{}[]:,.-_=+/ \0eE019nulltruefalse\\u\xff\xc3";
        let mut bytes = bytes.to_vec();
        let at = self.below(bytes.len());
        let new = if self.below(2) == 0 { LIKELY[self.below(LIKELY.len())] } else { self.below(256) as u8 };
        match self.below(6) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, bytes[at]),
            2 => bytes.insert(at, new),
            3 => bytes.swap(at, at.saturating_sub(1)),
            4 => bytes[at] ^= 1 << self.below(8),
            _ => bytes[at] = new,
        }
        bytes
    }
}
