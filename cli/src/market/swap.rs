//! Deals of many for many: cards, money and other assets on either side.

use super::{Opening, bundle};
use crate::failure::Failure;
use crate::output::Output;
use crate::values::{Counted, CountedAsset};
use weft_types::{Bundle, ItemId, WantedFrom, WantedItems};

#[derive(clap::Args)]
pub struct Swap {
    /// A card that you give; repeat it for more
    #[arg(long, value_name = "ITEM", required_unless_present_any = ["give_amount", "give_asset"])]
    give: Vec<ItemId>,
    /// Money that you give
    #[arg(long, value_name = "AMOUNT", value_parser = clap::value_parser!(u64).range(1..))]
    give_amount: Option<u64>,
    /// What you give of another asset, which came over the bridge; repeat it for more
    #[arg(long, value_name = "ASSET:AMOUNT")]
    give_asset: Vec<CountedAsset>,
    /// A card that you want; repeat it for more
    #[arg(long, value_name = "ITEM", required_unless_present_any = ["want_amount", "want_asset", "want_edition"])]
    want: Vec<ItemId>,
    /// Money that you want
    #[arg(long, value_name = "AMOUNT", value_parser = clap::value_parser!(u64).range(1..))]
    want_amount: Option<u64>,
    /// What you want of another asset; repeat it for more
    #[arg(long, value_name = "ASSET:AMOUNT")]
    want_asset: Vec<CountedAsset>,
    /// Any card of this edition, or so many; repeat it for more
    #[arg(long, value_name = "ID[:COUNT]")]
    want_edition: Vec<Counted>,
    #[command(flatten)]
    opening: Opening,
}

/// With other assets too.
fn mixed(amount: Option<u64>, others: Vec<CountedAsset>, items: Vec<ItemId>) -> Bundle {
    let mut bundle = bundle(amount, items);
    bundle
        .assets
        .extend(others.into_iter().map(|other| other.0));
    bundle.assets.sort_unstable_by_key(|part| part.asset);
    bundle
}

pub async fn swap(arguments: Swap, output: &Output) -> Result<(), Failure> {
    let gives = mixed(arguments.give_amount, arguments.give_asset, arguments.give);
    let wants = mixed(arguments.want_amount, arguments.want_asset, arguments.want);
    let any = arguments.want_edition.iter().map(|wanted| WantedItems {
        from: WantedFrom::Edition(wanted.edition),
        count: wanted.count,
    });
    let any = any.collect();
    arguments.opening.open(gives, wants, any, output).await
}
