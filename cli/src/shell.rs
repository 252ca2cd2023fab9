//! Completions and manual pages, made from the same description as the arguments.

use crate::Cli;
use crate::failure::Failure;
use crate::output::Output;
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

pub fn completions(arguments: &Completions, output: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "weft", &mut script);
    output.raw(&script)
}

pub fn man(arguments: &Man, output: &Output) -> Result<(), Failure> {
    std::fs::create_dir_all(&arguments.dir)?;
    clap_mangen::generate_to(Cli::command(), &arguments.dir)?;
    let dir = arguments.dir.display();
    output.say(format_args!("the pages are in {dir}: man {dir}/weft.1"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What clap itself asserts in builds with debug assertions only.
    fn check(command: &clap::Command) {
        let ids = command.get_arguments().map(|a| a.get_id().to_string());
        let mut names: Vec<String> = ids.collect();
        let longs = command.get_arguments().filter_map(clap::Arg::get_long);
        names.extend(longs.map(|long| format!("--{long}")));
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None, "{}", command.get_name());
        command.get_subcommands().for_each(check);
    }

    #[test]
    fn no_command_has_two_arguments_of_one_name() {
        let mut command = Cli::command();
        command.build();
        check(&command);
    }

    #[test]
    fn every_command_has_a_manual_page() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_owned();
        man(&Man { dir: dir.clone() }, &Output::new(false)).unwrap();
        for page in ["weft.1", "weft-testnet-up.1", "weft-node-run.1"] {
            assert!(dir.join(page).is_file(), "{page}");
        }
    }
}
