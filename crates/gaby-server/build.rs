//! Makes the folder of the built console, so that the binary compiles without it and is built
//! again when it changes.

fn main() {
    let dist = std::path::Path::new("../../web/dist");
    // Without the folder the console is not there, and the server says how to build it.
    let _ = std::fs::create_dir_all(dist);
    println!("cargo:rerun-if-changed=../../web/dist");
    println!("cargo:rerun-if-changed=../../demo");
}
