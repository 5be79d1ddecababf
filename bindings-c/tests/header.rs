//! The committed header is what cbindgen makes of the sources.
//!
//! `make header` sets `MLLP_WRITE_HEADER`, and the test writes it instead.

use std::path::Path;
use std::{env, fs};

#[test]
fn header_is_what_the_sources_say() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(crate_dir.join("cbindgen.toml")).unwrap();
    let mut made = Vec::new();
    cbindgen::Builder::new()
        .with_crate(crate_dir)
        .with_config(config)
        .generate()
        .unwrap()
        .write(&mut made);
    let made = String::from_utf8(made).unwrap();
    assert!(made.contains("mllp_decoder_decode("), "functions are missing");

    let path = crate_dir.join("include/mllp.h");
    if env::var_os("MLLP_WRITE_HEADER").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "include/mllp.h is out of date: run `make header`");
}
