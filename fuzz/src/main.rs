//! Writes what `tools/fuzz` needs, and runs single inputs on stable Rust.

#![expect(clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use rdsign_fuzz::{TARGETS, check, seeds};

const USAGE: &str = "accepted: `seeds FOLDER`, or `run TARGET FILE…`";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["seeds", folder] => write_seeds(Path::new(folder))?,
        ["run", target, ref files @ ..] if TARGETS.iter().any(|(name, _)| *name == target) => {
            for file in files {
                println!("{file}");
                check(target, &fs::read(file)?);
            }
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

/// Writes the seeds of each target to `FOLDER/TARGET/`, and the dictionary to `FOLDER/words`.
fn write_seeds(folder: &Path) -> Result<(), Box<dyn Error>> {
    for (target, _) in TARGETS {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds::of(target).into_iter().enumerate() {
            fs::write(folder.join(number.to_string()), seed)?;
        }
    }
    fs::write(folder.join("words"), seeds::words().1)?;
    Ok(())
}
