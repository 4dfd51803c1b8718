//! Gives the shared library its soname, which a cdylib has none of by itself.
//!
//! The number is the ABI's and not the version's: it goes up when a program that was built against
//! an older header would no longer work, and then alone.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librdsign.so.0");
    }
}
