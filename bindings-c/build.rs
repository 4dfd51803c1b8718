//! Sets the shared library's soname; cargo gives a cdylib none.
//!
//! The number is the version of the ABI, not of the package. Increase it only when programs that were
//! built against an older header would no longer work.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librdsign.so.0");
    }
}
