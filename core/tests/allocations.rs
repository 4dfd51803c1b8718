//! Tests that a warm token needs one allocation: the returned text, with a byte of spare capacity.

#![expect(unsafe_code, reason = "implements an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: passes every call to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps alloc's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps dealloc's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_warm_token_needs_one_allocation() {
    for session_token in ["", &"x".repeat(900)] {
        let signer = rdsign::Signer::builder()
            .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
            .username("iam_user")
            .access_key_id("akid")
            .secret_access_key("secret")
            .session_token(session_token)
            .build()
            .unwrap();
        let cold = signer.token_at_unix_seconds(1_724_709_600).unwrap();
        let before = ALLOCATIONS.get();
        let warm = signer.token_at_unix_seconds(1_724_709_601).unwrap();
        assert_eq!(ALLOCATIONS.get() - before, 1);
        assert_ne!(cold.value(), warm.value());
        assert_eq!(warm.into_value().capacity(), cold.value().len() + 1);
    }
}
