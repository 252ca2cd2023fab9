//! Questions to the person at the terminal. Off a terminal nothing is asked, so that no script hangs.

use crate::failure::Failure;
use crate::output::Output;
use console::Term;
use std::io::{IsTerminal as _, stdin};
use std::path::Path;
use weft_keystore::Password;

/// How often a new password may be mistyped.
const ATTEMPTS: u32 = 3;

/// The terminal, if there is a person on both ends of it.
fn terminal() -> Option<Term> {
    let term = Term::stderr();
    (stdin().is_terminal() && term.is_term()).then_some(term)
}

/// Reads a line that is not shown.
///
/// # Errors
/// Off a terminal; `instead` says what else can be done.
pub fn hidden(question: &str, instead: &str) -> Result<String, Failure> {
    let Some(term) = terminal() else {
        let words = format!("{question} cannot be asked for: this is no terminal");
        return Err(Failure::usage(words).hint(instead));
    };
    term.write_str(&format!("{question}: "))?;
    Ok(term.read_secure_line()?)
}

/// The password in a file, else the one that is typed.
pub fn password(file: Option<&Path>, what: &str, flag: &str) -> Result<Password, Failure> {
    if let Some(file) = file {
        return Password::read(file).map_err(Failure::usage);
    }
    let instead = format!("{flag} FILE names a file with it, which only its owner can read");
    let typed = hidden(&format!("password of {what}"), &instead)?;
    Password::new(typed).map_err(Failure::usage)
}

/// The same for a password that is to be made up: long enough, and typed twice.
pub fn new_password(file: Option<&Path>, what: &str, flag: &str) -> Result<Password, Failure> {
    let output = Output::new(false);
    for _ in 0..ATTEMPTS {
        let password = password(file, what, flag)?;
        if let Err(error) = password.check_new() {
            if file.is_some() {
                return Err(Failure::usage(error));
            }
            output.say(error);
            continue;
        }
        if file.is_some() || password == self::password(None, "the same, again", flag)? {
            return Ok(password);
        }
        output.say("these are two passwords");
    }
    Err(Failure::usage("no password was chosen").hint("nothing was made"))
}

/// Asks before something that cannot be taken back. `yes` answers without asking.
///
/// # Errors
/// When the answer is no, or nobody can be asked.
pub fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let Some(term) = terminal() else {
        let words = "this is no terminal, so that nobody can be asked";
        return Err(Failure::usage(words).hint(
            "nothing was sent; --yes sends without a question, --dry-run shows what would be sent",
        ));
    };
    term.write_str(&format!("{question} [y/N] "))?;
    match term.read_line()?.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::usage("not confirmed").hint("nothing was sent")),
    }
}
