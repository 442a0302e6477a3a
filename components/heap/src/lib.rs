//! The allocator of our components: dlmalloc over the heap that the linker sets aside, before it asks for more memory.
//!
//! std's own allocator starts by growing the memory, whatever is free. In the pooling allocator each growth is an `mprotect`, undone before the
//! slot's next use, which cost a third of a fresh call (decision 0001). With `--initial-heap` in `.cargo/config.toml` an ordinary request never
//! grows. A component takes it in with `use valet_heap as _;`.
//!
//! This crate owns the hand-over of memory and nothing else; it is unsafe because allocators are.
#![cfg(target_arch = "wasm32")]
#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;

use dlmalloc::{Allocator, Dlmalloc};

const PAGE: usize = 64 * 1024;

unsafe extern "C" {
    /// Where the linker's data ends and the heap begins.
    static __heap_base: u8;
    /// Where the heap that `--initial-heap` asked for ends.
    static __heap_end: u8;
}

/// Memory below dlmalloc: first the initial heap, once, then pages of the machine.
struct Memory(UnsafeCell<bool>);

// SAFETY: a component's instance has one thread.
unsafe impl Send for Memory {}

impl Memory {
    fn initial_heap(&self, size: usize) -> Option<(*mut u8, usize, u32)> {
        let start = (&raw const __heap_base as usize).next_multiple_of(16);
        let length = (&raw const __heap_end as usize).saturating_sub(start);
        // SAFETY: one thread, and no reference to the flag outlives a statement.
        let given = unsafe { self.0.get().replace(true) };
        (!given && length >= size).then_some((start as *mut u8, length, 0))
    }
}

// SAFETY: each range is given out once and is ours to give: the initial heap lies after all data, grown pages are new.
unsafe impl Allocator for Memory {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        if let Some(heap) = self.initial_heap(size) {
            return heap;
        }
        let pages = size.div_ceil(PAGE);
        match core::arch::wasm32::memory_grow(0, pages) {
            usize::MAX => (core::ptr::null_mut(), 0, 0),
            before => ((before * PAGE) as *mut u8, pages * PAGE, 0),
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        core::ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}

struct Heap(UnsafeCell<Dlmalloc<Memory>>);

// SAFETY: a component's instance has one thread.
unsafe impl Sync for Heap {}

// SAFETY: every call goes to dlmalloc, which keeps the contract; one thread means one call at a time.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { (*self.0.get()).malloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { (*self.0.get()).free(pointer, layout.size(), layout.align()) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe { (*self.0.get()).realloc(pointer, layout.size(), layout.align(), size) }
    }
}

#[global_allocator]
static HEAP: Heap = Heap(UnsafeCell::new(Dlmalloc::new_with_allocator(Memory(UnsafeCell::new(false)))));
