//! Overwrites what a fetch of credentials frees.
//!
//! The readers of HTTP, TLS, JSON, XML and files copy secrets to buffers of their own, which they free
//! as they are. Only the program's allocator can overwrite them. It does so only while a fetch runs, in
//! all threads: at other times it costs one read of a variable that rarely changes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::wipe::wipe;

/// The number of running fetches. A child that is forked during one keeps counting it, which costs
/// time but does no harm.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator. While credentials are fetched or a token is inspected, it overwrites each
/// block that is freed.
///
/// Without it, copies of the secret access key and the session token stay in freed memory after a fetch.
/// The libraries and programs of rdsign use it. To use it in a Rust program:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: rdsign::WipingAllocator = rdsign::WipingAllocator;
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct WipingAllocator;

/// Lets [`WipingAllocator`] overwrite what is freed, until this is dropped.
pub(crate) struct Wiping(());

impl Wiping {
    pub(crate) fn start() -> Self {
        UNDER_WAY.fetch_add(1, Relaxed);
        Self(())
    }
}

impl Drop for Wiping {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Relaxed);
    }
}

#[inline]
fn is_wiping() -> bool {
    UNDER_WAY.load(Relaxed) > 0
}

// SAFETY: passes every call to the system's allocator, unchanged or as the calls that make it up.
#[expect(unsafe_code, reason = "implements an allocator")]
unsafe impl GlobalAlloc for WipingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps alloc's contract.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps alloc_zeroed's contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_wiping() {
            // SAFETY: the block is still allocated, and nothing else uses it.
            unsafe { overwrite(block, layout.size()) };
        }
        // SAFETY: the caller keeps dealloc's contract.
        unsafe { System.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        match is_wiping() {
            // SAFETY: the caller keeps realloc's contract.
            true => unsafe { moved(block, layout, size) },
            // SAFETY: the same.
            false => unsafe { System.realloc(block, layout, size) },
        }
    }
}

/// Moves a block and overwrites the old one, which the system's allocator would free as it is.
///
/// # Safety
/// As [`GlobalAlloc::realloc`].
#[cold]
#[expect(unsafe_code, reason = "part of an allocator")]
unsafe fn moved(block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: the caller promises that the size is valid for this alignment, and not zero.
    let new = unsafe { System.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
    if !new.is_null() {
        // SAFETY: both blocks are allocated, are at least this large and do not overlap. Nothing else
        // uses the old one, which came from this allocator with this layout.
        unsafe {
            ptr::copy_nonoverlapping(block, new, layout.size().min(size));
            overwrite(block, layout.size());
            System.dealloc(block, layout);
        }
    }
    new
}

/// Overwrites a block with zeros.
///
/// # Safety
/// It is allocated, at least this large, and nothing else uses it.
#[cold]
#[expect(unsafe_code, reason = "part of an allocator")]
unsafe fn overwrite(block: *mut u8, size: usize) {
    // SAFETY: as the caller promises. A slice needs bytes that are initialised.
    unsafe {
        block.write_bytes(0, size);
        wipe(slice::from_raw_parts_mut(block, size));
    }
}
