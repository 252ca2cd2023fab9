//! W2, W6, W7, W8: what a watcher tells, in its order.

use super::alarm::Alarm;
use serde::Serialize;
use std::fmt;
use weft_types::{CommitIndex, Height, StatementDigest};

/// What a watcher tells whoever runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Notice {
    /// W2: at once. What becomes of its evidence follows.
    False(Alarm),
    /// W3: the same alarm, with its evidence or why there is none.
    Evidence(Alarm),
    /// W6.
    Withheld(Withheld),
    /// W6 is withdrawn: the data came, and are what was posted.
    Shown(Shown),
    /// W7.
    Blind(Blind),
    /// W7 is withdrawn: the base chain answers.
    Sees,
    /// W8: the history was gone when this watcher began, and it has taken over a certified state. It has executed what comes
    /// after this commit.
    Believes { commit: CommitIndex },
}

/// W6: checkpoints were posted whose data have not been seen here: what they pay cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// The oldest of them.
    pub height: Height,
    pub statement: StatementDigest,
    /// Of the base chain, in which it was posted.
    pub block: u64,
    /// When something is paid by it, in Unix seconds.
    pub final_at: u64,
    /// Seconds until then; 0 when it is final.
    pub left_s: u64,
    /// Whether this was told before.
    pub again: bool,
    /// Posted heights that wait for their data.
    pub waiting: u64,
    /// Posted heights that are no longer remembered, since the last time: whatever comes, they are not compared.
    pub forgotten: u64,
    /// The newest height that was executed here.
    pub executed: Height,
    /// Members that this watcher is connected to.
    pub peers: u64,
}

/// W6: what was told missing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The newest of them.
    pub height: Height,
    /// Those that were told and are missing still.
    pub missing: u64,
}

/// W7: the base chain does not answer, and nothing that is posted is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blind {
    /// Whether it has not answered since the start.
    pub never: bool,
    /// Seconds without an answer.
    pub silent_s: u64,
    /// Seconds from a checkpoint's posting until something is paid by it.
    pub window_s: u64,
    /// What asking comes to.
    pub error: Option<String>,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (height, statement, block) = (self.height, self.statement, self.block);
        write!(
            f,
            "height {height}: posted, not available: statement {statement} was posted in block {block}, and its data have not been seen"
        )?;
        match self.left_s {
            0 => write!(f, "; it is final")?,
            left => write!(f, "; it is final in {left} s")?,
        }
        write!(
            f,
            "; executed up to height {}, connected to {} members, {} posted heights wait",
            self.executed, self.peers, self.waiting
        )?;
        if self.forgotten > 0 {
            write!(
                f,
                "; {} older ones are no longer remembered, and will not be compared",
                self.forgotten
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.never {
            true => write!(f, "the base chain has not answered since the start")?,
            false => write!(f, "the base chain does not answer")?,
        }
        write!(
            f,
            ", for {} s: checkpoints that are posted are not seen, and are final after {} s",
            self.silent_s, self.window_s
        )?;
        match &self.error {
            Some(error) => write!(f, ": {error}"),
            None => Ok(()),
        }
    }
}
