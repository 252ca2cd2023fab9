//! What is sent to the base chain after it was shown and asked for.

use super::{Base, Payer, Terms};
use crate::failure::Failure;
use crate::output::Output;
use crate::prompt;
use weft_basechain::{Mined, Order};

/// Who sends, and whether it is meant.
#[derive(clap::Args)]
pub struct Asking {
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Send without a question
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    pub terms: Terms,
    #[command(flatten)]
    pub base: Base,
}

impl Asking {
    /// What came of the same order, if an earlier command signed it and did not hear of it. A dry run does not ask.
    pub async fn earlier(
        &self,
        payer: &mut Payer<'_>,
        order: &Order,
    ) -> Result<Option<Mined>, Failure> {
        if self.dry_run {
            payer.mention();
            return Ok(None);
        }
        payer.earlier(order).await
    }

    /// Says what is about to be sent, and asks. `false` for a dry run, which does neither.
    pub fn confirmed(
        &self,
        words: impl FnOnce() -> String,
        output: &Output,
    ) -> Result<bool, Failure> {
        if self.dry_run {
            return Ok(false);
        }
        output.say(words());
        prompt::confirm("Send it?", self.yes)?;
        Ok(true)
    }
}
