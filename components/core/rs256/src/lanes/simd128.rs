//! With the instructions of `simd128`. All of these intrinsics are safe functions: none takes a pointer.

use core::arch::wasm32::{
    u32x4, u64x2, u64x2_add, u64x2_extmul_high_u32x4, u64x2_extmul_low_u32x4, u64x2_extract_lane, v128,
};

/// Four sums of products: 0 and 1, 2 and 3.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums(v128, v128);

impl Sums {
    pub(crate) const ZERO: Self = Self(u64x2(0, 0), u64x2(0, 0));

    #[inline]
    pub(crate) fn get(self) -> [u64; 4] {
        [
            u64x2_extract_lane::<0>(self.0),
            u64x2_extract_lane::<1>(self.0),
            u64x2_extract_lane::<0>(self.1),
            u64x2_extract_lane::<1>(self.1),
        ]
    }

    #[inline]
    pub(crate) fn doubled(self) -> Self {
        Self(u64x2_add(self.0, self.0), u64x2_add(self.1, self.1))
    }

    #[inline]
    pub(crate) fn plus_products(self, x: &[u32; 4], y: &[u32; 4]) -> Self {
        let (x, y) = (vector(x), vector(y));
        Self(
            u64x2_add(self.0, u64x2_extmul_low_u32x4(x, y)),
            u64x2_add(self.1, u64x2_extmul_high_u32x4(x, y)),
        )
    }
}

/// One `v128.load` once it is compiled.
#[inline]
fn vector(&[a, b, c, d]: &[u32; 4]) -> v128 {
    u32x4(a, b, c, d)
}
