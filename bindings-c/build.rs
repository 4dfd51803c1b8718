//! Gives the shared library the name that programs look for; cargo gives a cdylib none, or on macOS the
//! path of the machine that built it.
//!
//! The number is the version of the ABI, not of the package. Increase it only when programs that were
//! built against an older header would no longer work.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let option = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => "-soname,librdsign.so.0",
        Ok("macos") => "-install_name,@rpath/librdsign.0.dylib",
        _ => return, // Windows looks for a DLL by its file's name
    };
    println!("cargo:rustc-cdylib-link-arg=-Wl,{option}");
}
