//! Compares include/rdsign.h with the header that cbindgen generates from the crate. If they differ,
//! the header promises something that the library does not keep.
//!
//! The same for include/rdsign.ffi.h, which has the declarations alone: the parsers of PHP's FFI and
//! LuaJIT's know no preprocessor.

use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config};

#[test]
fn the_committed_header_is_the_generated_one() {
    let mut config = config();
    config.after_includes = Some(version_macros());
    compare("rdsign.h", &generate(config));
}

#[test]
fn the_committed_header_for_ffi_is_the_generated_one() {
    let mut config = config();
    config.documentation = false;
    config.cpp_compat = false;
    config.include_guard = None;
    config.sys_includes.clear();
    config.header =
        Some("// rdsign.h without comments and preprocessor, for PHP and LuaJIT.".into());
    compare("rdsign.ffi.h", &preprocessed(&generate(config)));
}

fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).into()
}

fn config() -> Config {
    Config::from_file(root().join("cbindgen.toml")).expect("a configuration")
}

fn generate(config: Config) -> String {
    let builder = Builder::new()
        .with_config(config)
        .with_src(root().join("src/lib.rs"));
    let mut generated = Vec::new();
    let bindings = builder.generate().expect("a crate that parses");
    bindings.write(&mut generated);
    String::from_utf8(generated).expect("UTF-8")
}

/// The version of this header. rdsign_version() returns the version of the loaded library.
fn version_macros() -> String {
    format!(
        "\n/**\n * The version of this header. rdsign_version() returns that of the loaded library.\n */\n\
         #define RDSIGN_VERSION \"{}\"\n\
         #define RDSIGN_VERSION_MAJOR {}\n\
         #define RDSIGN_VERSION_MINOR {}\n\
         #define RDSIGN_VERSION_PATCH {}",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    )
}

/// Keeps what a C99 compiler would: every `#if` and `#ifdef` here asks for C++ or C23.
fn preprocessed(header: &str) -> String {
    let mut kept = Vec::new();
    let mut conditions = Vec::new();
    for line in header.lines() {
        match line.split_whitespace().next() {
            Some("#if" | "#ifdef") => conditions.push(false),
            Some("#ifndef") => conditions.push(true),
            Some("#else") => {
                let last = conditions.last_mut().expect("an #if");
                *last = !*last;
            }
            Some("#endif") => assert!(conditions.pop().is_some()),
            Some(word) if word.starts_with('#') => panic!("what is {line}"),
            _ if conditions.iter().all(|holds| *holds) => kept.push(line),
            _ => {}
        }
    }
    assert!(conditions.is_empty());
    kept.join("\n") + "\n"
}

fn compare(name: &str, generated: &str) {
    let header = root().join("include").join(name);
    if std::env::var_os("RDSIGN_WRITE_HEADER").is_some() {
        std::fs::write(&header, generated).expect("a file that can be written");
    }
    let committed = std::fs::read_to_string(&header).unwrap_or_default();
    assert!(
        committed == generated,
        "include/{name} differs from the crate; generate it again with:\n  \
         RDSIGN_WRITE_HEADER=1 cargo test -p rdsign-c-header"
    );
}
