//! Lists the files of `playbooks/`, so that a new playbook is one new file.

use std::fmt::Write as _;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../playbooks");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = std::fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".yaml") {
            writeln!(
                list,
                "({name:?}, include_str!({:?})),",
                file.path().canonicalize()?
            )?;
        }
    }
    list.push(']');
    let out = Path::new(&std::env::var("OUT_DIR")?).join("built_in_playbooks.rs");
    std::fs::write(out, list)?;
    Ok(())
}
