//! With plain 64-bit integers. Debug builds panic if a sum overflows.

/// Four sums of products.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums([u64; 4]);

impl Sums {
    pub(crate) const ZERO: Self = Self([0; 4]);

    #[inline]
    pub(crate) fn get(self) -> [u64; 4] {
        self.0
    }

    #[inline]
    pub(crate) fn doubled(self) -> Self {
        Self(self.0.map(|sum| 2 * sum))
    }

    #[inline]
    pub(crate) fn plus_products(self, x: &[u32; 4], y: &[u32; 4]) -> Self {
        Self(core::array::from_fn(|lane| self.0[lane] + u64::from(x[lane]) * u64::from(y[lane])))
    }
}
