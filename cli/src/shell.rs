//! Completions and manual pages, made from the same description as the arguments.

use crate::Cli;
use crate::failure::Failure;
use clap::CommandFactory as _;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Completions {
    shell: clap_complete::Shell,
}

#[derive(clap::Args)]
pub struct Man {
    /// Folder for the pages, one for each command
    #[arg(long, default_value = "man")]
    dir: PathBuf,
}

pub fn completions(arguments: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "weft", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(())
}

pub fn man(arguments: &Man) -> Result<(), Failure> {
    std::fs::create_dir_all(&arguments.dir)?;
    clap_mangen::generate_to(Cli::command(), &arguments.dir)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_of_the_arguments_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_manual_page() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_owned();
        man(&Man { dir: dir.clone() }).unwrap();
        for page in ["weft.1", "weft-testnet-up.1", "weft-node-run.1"] {
            assert!(dir.join(page).is_file(), "{page}");
        }
    }
}
