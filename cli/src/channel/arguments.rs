//! What is said to `weft channel`.

use crate::network::Network;
use crate::sending::Sender;
use crate::time;
use std::path::PathBuf;
use std::time::Duration;
use weft_types::{Address, DealId, ItemId, Secret, SecretHash};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Lock money or cards in a channel with somebody, who locks nothing: what either has of it the other gets by messages
    Open(Open),
    /// Pay the other party, or give it cards that are in the channel: prints a message for it
    Pay(Pay),
    /// Settle a hash-locked part, by its secret or back to who would have paid: prints a message
    Settle(Settle),
    /// Take a message of the other party; prints the answer, if there is one to send
    Accept(Accept),
    /// Close the channel on the ledger, with the newest state that both have signed
    Close(Close),
    /// Answer an old state, or claim hash-locked parts, while the channel is closing
    Challenge(Challenge),
    /// Show what the file says of a channel, and what the ledger does
    Status(Status),
    /// Stay, and do what has to be done in time: answer an old state, claim what a secret opens, close before the end
    Guard(Guard),
}

/// Where files of channels are.
#[derive(clap::Args)]
pub struct Folder {
    /// Folder of the files `channel-ID-ADDRESS.json`: back them up, and never use an old copy
    #[arg(long, value_name = "FOLDER", default_value = ".weft/channels")]
    pub books: PathBuf,
    /// Begin a file where the folder has none, as if nothing had been signed in the channel: only where nothing was, or all
    /// of it is lost
    #[arg(long)]
    pub as_opened: bool,
    /// CH9: this is the first message, by which the taker's is begun.
    #[arg(skip)]
    pub taker_begins: bool,
}

#[derive(clap::Args)]
pub struct Open {
    /// The other party's account
    #[arg(long, value_name = "ADDRESS")]
    pub(super) with: Address,
    /// The address of the key by which it signs states, where that is not its account's
    #[arg(long, value_name = "ADDRESS")]
    pub(super) their_key: Option<Address>,
    /// What you lock of the native asset
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) amount: u64,
    /// Of that, what is the other party's from the beginning
    #[arg(long, default_value_t = 0)]
    pub(super) theirs: u64,
    /// A card that you lock; repeat it for more
    #[arg(long, value_name = "ITEM")]
    pub(super) give: Vec<ItemId>,
    /// How long either may answer a state that the other has shown: a day, or a tenth of the channel's time where that is
    /// less
    #[arg(long, value_name = "DURATION", value_parser = crate::market::some_time)]
    pub(super) window: Option<Duration>,
    /// When the channel has to be closed at the latest
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = crate::market::some_time)]
    pub(super) expires: Duration,
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    pub(super) sender: Sender,
}

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("locked").args(["hash", "behind"]).multiple(true)))]
pub struct Pay {
    /// What `weft channel open` has printed as `deal`
    pub(super) channel: DealId,
    /// Of the native asset
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), required_unless_present = "item")]
    pub(super) amount: Option<u64>,
    /// A card in the channel that is yours by the newest state; repeat it for more
    #[arg(long, value_name = "ITEM", conflicts_with_all = ["hash", "behind"])]
    pub(super) item: Vec<ItemId>,
    /// Only for the secret of this hash (SHA-256): the payee, or who comes behind it, has made it
    #[arg(long, value_name = "HASH")]
    pub(super) hash: Option<SecretHash>,
    /// One hop further: by the hash of what comes to you over this channel, or by this lock, and ending sooner than that
    #[arg(long, value_name = "DEAL")]
    pub(super) behind: Option<DealId>,
    /// How long such a payment waits for its secret: 12h, or half the time of what it is behind
    #[arg(long, value_name = "DURATION", requires = "locked", value_parser = time::parse)]
    pub(super) waits: Option<Duration>,
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    pub(super) sender: Sender,
}

#[derive(clap::Args)]
pub struct Settle {
    /// What `weft channel open` has printed as `deal`
    pub(super) channel: DealId,
    #[arg(long, value_name = "HASH")]
    pub(super) hash: SecretHash,
    /// What the hash is of, which the message brings to the other; without it the part goes back
    #[arg(long, value_name = "SECRET")]
    pub(super) secret: Option<Secret>,
    /// Give back also what still comes to you, where no secret is known
    #[arg(long)]
    pub(super) less: bool,
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    pub(super) sender: Sender,
}

#[derive(clap::Args)]
pub struct Accept {
    /// The message; without it, or as `-`, from stdin
    #[arg(value_name = "FILE")]
    pub(super) message: Option<PathBuf>,
    /// Sign also what leaves you less than before: a hash-locked payment of yours, or a part that comes to you and goes back
    #[arg(long)]
    pub(super) less: bool,
    /// A secret that you know by now; repeat it for more
    #[arg(long, value_name = "SECRET")]
    pub(super) secret: Vec<Secret>,
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    pub(super) sender: Sender,
}

#[derive(clap::Args)]
pub struct Close {
    /// What `weft channel open` has printed as `deal`
    pub(super) channel: DealId,
    /// Do not go to the ledger yet: print a message that offers to end the channel at once, as it stands
    #[arg(long)]
    pub(super) together: bool,
    /// A secret of a hash-locked part of yours; repeat it for more
    #[arg(long, value_name = "SECRET")]
    pub(super) secret: Vec<Secret>,
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    pub(super) sender: Sender,
}

#[derive(clap::Args)]
pub struct Challenge {
    /// What `weft channel open` has printed as `deal`
    pub(super) channel: DealId,
    /// A secret of a hash-locked part of yours; repeat it for more
    #[arg(long, value_name = "SECRET")]
    pub(super) secret: Vec<Secret>,
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    pub(super) sender: Sender,
}

#[derive(clap::Args)]
pub struct Status {
    /// What `weft channel open` has printed as `deal`
    pub(super) channel: DealId,
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    pub(super) network: Network,
}

#[derive(clap::Args)]
pub struct Guard {
    /// What `weft channel open` has printed as `deal`; without it all channels of the folder that are the key's account's
    pub(super) channel: Option<DealId>,
    #[command(flatten)]
    pub(super) folder: Folder,
    #[command(flatten)]
    pub(super) sender: Sender,
}
