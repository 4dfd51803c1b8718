//! Tests that the allocator overwrites what is freed while credentials are fetched. This is one test, because
//! another thread could use a block that was freed.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rdsign::{Credentials, Signer, WipingAllocator};

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

const SIZE: usize = 4096;
const MARK: u8 = 0x5e;

static FREED: AtomicUsize = AtomicUsize::new(0);
static OUTGROWN: AtomicUsize = AtomicUsize::new(0);

fn marks() -> Vec<u8> {
    black_box(vec![MARK; SIZE])
}

/// Frees a block of marks. Returns where it was.
fn free() -> usize {
    let marks = marks();
    marks.as_ptr().addr()
}

/// Lets a block of marks grow. Returns where it was.
fn outgrow() -> usize {
    let mut marks = marks();
    let before = marks.as_ptr().addr();
    marks.reserve(4 * SIZE);
    assert_ne!(black_box(&marks).as_ptr().addr(), before);
    before
}

#[test]
fn what_is_freed_during_a_fetch_is_overwritten() {
    // No reference may point to freed memory.
    let memory = File::open("/proc/self/mem").unwrap();
    let left = |at: usize| {
        let mut block = [0; SIZE];
        memory.read_exact_at(&mut block, at as u64).unwrap();
        block.iter().filter(|byte| **byte == MARK).count()
    };
    // The system's allocator writes to the start of what is freed.
    assert!(left(free()) > SIZE / 2, "only during a fetch");

    let signer = Signer::builder()
        .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
        .username("iam_user")
        .credentials_provider(|| {
            FREED.store(free(), Relaxed);
            OUTGROWN.store(outgrow(), Relaxed);
            Ok(Credentials::new("akid", "secret", None, None, "test"))
        })
        .build()
        .unwrap();
    signer.token().unwrap();
    for at in [&FREED, &OUTGROWN] {
        // Freed memory may have another use by now.
        assert!(left(at.load(Relaxed)) < 64);
    }
    assert!(left(free()) > SIZE / 2, "the fetch is over");
}
