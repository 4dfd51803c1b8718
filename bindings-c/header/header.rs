//! Compares include/rdsign.h with the header that cbindgen generates from the crate. If they differ,
//! the header promises something that the library does not keep.

use std::path::Path;

#[test]
fn the_committed_header_is_the_generated_one() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let builder = cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("src/lib.rs"));
    let mut generated = Vec::new();
    builder.generate().unwrap().write(&mut generated);
    let generated = String::from_utf8(generated).unwrap();

    let header = root.join("include/rdsign.h");
    if std::env::var_os("RDSIGN_WRITE_HEADER").is_some() {
        std::fs::write(&header, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&header).unwrap_or_default();
    assert!(
        committed == generated,
        "include/rdsign.h differs from the crate; generate it again with:\n  \
         RDSIGN_WRITE_HEADER=1 cargo test -p rdsign-c-header"
    );
}
