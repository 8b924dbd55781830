//! Holds the domain to its promise: no AWS, no HTTP, no clock, no environment.

use std::path::Path;

#[test]
fn the_domain_reaches_for_nothing_outside() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain");
    let forbidden = [
        "aws_",
        "axum",
        "reqwest",
        "http::",
        "tokio",
        "std::env",
        "std::fs",
        "std::net",
        "std::time",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "crate::psa",
        "crate::store",
        "crate::sync",
        "crate::api",
        "crate::clock",
        "f32",
        "f64",
    ];
    let mut files = 0;
    let mut folders = vec![folder];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { paths.push(path) }
        }
    }
    for path in paths {
        if path.file_name().is_some_and(|name| name == "purity_test.rs") {
            continue;
        }
        files += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        for word in forbidden {
            assert!(!text.contains(word), "{} mentions {word}", path.display());
        }
    }
    assert!(files > 10, "only {files} files were read");
}
