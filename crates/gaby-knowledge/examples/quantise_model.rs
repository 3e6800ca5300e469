//! Quantises a sentence-transformer's folder to the file that Gaby runs:
//! `cargo run -p gaby-knowledge --example quantise_model -- FOLDER FILE`.
//! `tools/embedding-model/make.py` makes the model inside the program with it.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(folder), Some(file)) = (arguments.next(), arguments.next()) else {
        return failed("two paths are needed: the model's folder, and the file to write");
    };
    let bytes = match gaby_knowledge::embed::quantised(&folder) {
        Ok(bytes) => bytes,
        Err(error) => return failed(&error.to_string()),
    };
    match std::fs::write(&file, bytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("{} cannot be written: {error}", file.display())),
    }
}

#[allow(clippy::print_stderr)]
fn failed(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
