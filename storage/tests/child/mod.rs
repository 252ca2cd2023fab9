//! Runs one test of this program in a process of its own.

#![allow(dead_code, reason = "each test program uses a part")]

use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER: &str = "WEFT_TEST_FOLDER";

/// The folder that the parent gave; `None` when there is no parent.
pub fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// # Panics
/// When the child fails, or has not run the test.
pub fn run(test: &str, folder: &Path) {
    check(Command::new(program()).args(arguments(test)), folder);
}

/// With files of at most `blocks` times 512 bytes; writing more is an error, not a signal.
pub fn run_limited(test: &str, folder: &Path, blocks: u64) {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(program());
    check(command.args(arguments(test)), folder);
}

fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn arguments(test: &str) -> [&str; 4] {
    [test, "--exact", "--ignored", "--nocapture"]
}

fn check(command: &mut Command, folder: &Path) {
    let output = command.env(FOLDER, folder).output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let passed = output.status.success() && words.contains("1 passed");
    assert!(passed, "{}\n{words}\n{errors}", output.status);
}
