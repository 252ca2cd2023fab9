//! The program, run as a script would.

use std::path::Path;
use std::process::{Command, Output};

pub fn weft(arguments: &[&str], folder: &Path) -> Output {
    weft_with(&[], arguments, folder)
}

/// With variables in its environment.
pub fn weft_with(variables: &[(&str, &str)], arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
    command.args(arguments).current_dir(folder);
    command.env_remove("WEFT_TESTNET_DIR");
    command.envs(variables.iter().copied());
    command.output().unwrap()
}

/// The words of a command that has to fail with this exit code, and without data.
pub fn fails(code: i32, arguments: &[&str], folder: &Path) -> String {
    fails_with(&[], code, arguments, folder)
}

pub fn fails_with(
    variables: &[(&str, &str)],
    code: i32,
    arguments: &[&str],
    folder: &Path,
) -> String {
    let output = weft_with(variables, arguments, folder);
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {words}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "",
        "{arguments:?}"
    );
    assert!(
        !words.contains('\u{1b}'),
        "no colours off a terminal: {words}"
    );
    words
}

pub fn has(words: &str, parts: &[&str]) {
    for part in parts {
        assert!(words.contains(part), "{part:?} in {words:?}");
    }
}
