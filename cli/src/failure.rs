//! How a command fails: words for people on stderr, and an exit code for scripts.

use std::fmt;
use std::process::ExitCode;

/// Shown below `weft --help`.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong use or wrong configuration, 3 nothing answers,
4 refused by a node or by the ledger, 5 what should be equal or valid is not,
6 a quorum has certified what is false (`weft watch`).
`weft sim` has codes of its own: see `weft sim --help`.
Data go to stdout and words to stderr. NO_COLOR turns colours off. Tables shorten ids to fit a terminal; through
a pipe and with --json they are whole.";

/// What a script can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing of the below.
    Failed,
    /// Arguments, configuration, files or ports that do not fit.
    Usage,
    /// A node or a base chain does not answer.
    Unreachable,
    /// Understood, and refused with a reason.
    Refused,
    /// A proof that does not hold, nodes that differ.
    Invalid,
    /// A quorum has certified what is false.
    Alarm,
}

/// Why a command did not do what it was asked to, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    pub message: String,
    pub hint: Option<String>,
}

impl Failure {
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
            hint: None,
        }
    }

    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Unreachable => 3,
            Kind::Refused => 4,
            Kind::Invalid => 5,
            Kind::Alarm => 6,
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::Failed, error)
    }
}
