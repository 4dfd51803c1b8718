//! Sets the linker options of a Node addon.

fn main() {
    // For MinGW they name a libnode.dll, which no one has. The addon does not need it there.
    let is = |name, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if !(is("CARGO_CFG_TARGET_OS", "windows") && is("CARGO_CFG_TARGET_ENV", "gnu")) {
        napi_build::setup();
    }
}
