//! Which room may know which: the arrows of the engine, held against the manifests.

use std::fs;
use std::path::Path;

/// Each room, and the crates of this project that it may use.
const ARROWS: [(&str, &[&str]); 7] = [
    ("pipeline", &[]),
    ("store", &["mllp-pipeline"]),
    ("disk", &[]),
    ("io", &["ack-gen", "hl7-peek", "mllp-core", "mllp-link"]),
    ("engine", &["hl7-peek", "mllp-io", "mllp-pipeline", "mllp-store"]),
    ("python", &["hl7-edit", "hl7-peek", "mllp-engine"]),
    ("torture", &["mllp-disk", "mllp-engine", "mllp-io", "mllp-pipeline", "mllp-store"]),
];

const OURS: [&str; 11] = [
    "ack-gen",
    "hl7-edit",
    "hl7-peek",
    "mllp-core",
    "mllp-disk",
    "mllp-engine",
    "mllp-io",
    "mllp-link",
    "mllp-pipeline",
    "mllp-store",
    "fastmllp-torture",
];

/// The crates of this project that a manifest names as dependencies, for tests left out.
fn used(manifest: &str) -> Vec<&str> {
    let section = manifest.split_once("\n[dependencies]").map_or("", |(_, rest)| rest);
    let section = section.split("\n[").next().unwrap_or_default();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| OURS.contains(name)).collect()
}

#[test]
fn no_room_knows_more_than_it_may() {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (room, allowed) in ARROWS {
        let manifest = fs::read_to_string(engine.join(room).join("Cargo.toml")).unwrap();
        for name in used(&manifest) {
            assert!(allowed.contains(&name), "{room} knows {name}");
        }
    }
}

#[test]
fn no_core_knows_the_engine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    for core in [
        "mllp-core",
        "hl7-peek",
        "hl7-edit",
        "ack-gen",
        "mllp-link",
        "bindings-c",
        "bindings-python",
    ] {
        let manifest = fs::read_to_string(root.join(core).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("engine"), "{core} knows the engine");
        for room in ["mllp-pipeline", "mllp-store", "mllp-io", "mllp-disk"] {
            assert!(!manifest.contains(room), "{core} knows {room}");
        }
    }
}

#[test]
fn the_arrows_are_read_from_the_manifests() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\nmllp-store.workspace = true\n\
                    tokio = \"1\"\nmllp-io = { path = \"../io\" }\n\n[dev-dependencies]\nmllp-disk.workspace = true\n";
    assert_eq!(used(manifest), ["mllp-store", "mllp-io"]);
}
