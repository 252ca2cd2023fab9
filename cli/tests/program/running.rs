//! The program, run as a script would.

use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
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
    command.env("XDG_STATE_HOME", folder.join("state"));
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

/// The data of a command that has to succeed.
pub fn json(arguments: &[&str], folder: &Path) -> Value {
    let output = weft(&[arguments, &["--json"]].concat(), folder);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {words}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A file of this mode.
pub fn secret(folder: &Path, name: &str, text: &str, mode: u32) {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

pub fn has(words: &str, parts: &[&str]) {
    for part in parts {
        assert!(words.contains(part), "{part:?} in {words:?}");
    }
}
