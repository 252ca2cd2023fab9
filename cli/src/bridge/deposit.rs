//! `weft bridge deposit`: assets of the base chain go to the vault, for an account of the ledger.

mod crediting;
mod missing;
mod naming;
mod planned;

use self::crediting::until_credited;
use self::naming::Naming;
use self::planned::Planned;
use super::hand_over::{hand_over, quoted};
use super::standing_still::{Still, refuse};
use crate::account::or_none;
use crate::base::{Account, Base, Cost, Terms};
use crate::failure::Failure;
use crate::output::Output;
use crate::values::{lines, recipient};
use crate::wallet::Wallet;
use serde::Serialize;
use weft_client::Client;
use weft_types::{Address, Amount, BaseAddress, BaseAsset, EditionId, ItemId, TokenId};

#[derive(clap::Args)]
pub struct Deposit {
    /// How much: gwei of the coin, or units of the token
    #[arg(long, required_unless_present = "erc721", value_parser = clap::value_parser!(u64).range(1..))]
    amount: Option<u64>,
    /// Contract of an ERC-20 that the vault lists; without it the coin
    #[arg(long, value_name = "ADDRESS", requires = "amount")]
    erc20: Option<BaseAddress>,
    /// Contract of an ERC-721 that the vault lists
    #[arg(long, value_name = "ADDRESS", requires = "token", conflicts_with_all = ["amount", "erc20"])]
    erc721: Option<BaseAddress>,
    /// Which card of the ERC-721
    #[arg(long, value_name = "NUMBER", value_parser = token_id, requires = "erc721")]
    token: Option<TokenId>,
    /// Who has it in the ledger; without it the key file's account
    #[arg(long, value_name = "ADDRESS")]
    account: Option<Address>,
    /// End once it is in a block, and do not wait until it is credited
    #[arg(long)]
    no_wait: bool,
    /// Name who has the account's assets on the base chain if the network ends: an address there, or `self` for the
    /// account that deposits. It is signed with the key file's key, whose account --account has to be
    #[arg(long, value_name = "ADDRESS|self", value_parser = owner, conflicts_with = "no_wait")]
    exit_address: Option<Owner>,
    /// Also while the node says that the bridge is halted: it may be wrong. If the base chain has taken a
    /// deposit back, send that one again and no other: another one in its place makes it lost for good, and is refused
    /// where the digests show it
    #[arg(long)]
    while_halted: bool,
    /// The number that the deposit had, as it was printed then: where the base chain has taken several back, only the first
    /// of them can be sent again, by who knows which it was
    #[arg(long, value_name = "NUMBER", requires = "while_halted")]
    missing: Option<u64>,
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with = "no_wait")]
    dry_run: bool,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    wallet: Wallet,
}

#[derive(Serialize)]
struct Outcome {
    index: u64,
    account: Address,
    /// The base chain's block that it is in.
    base_block: u64,
    credited: bool,
    /// What a card is in the ledger, once it is credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<ItemId>,
    /// Of the account; absent while it has named none.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_address: Option<BaseAddress>,
}

impl Deposit {
    fn asset(&self) -> BaseAsset {
        let amount = Amount(self.amount.unwrap_or_default());
        match (self.erc20, self.erc721, self.token) {
            (_, Some(token), Some(id)) => BaseAsset::Erc721 { token, id },
            (Some(token), ..) => BaseAsset::Erc20 { token, amount },
            _ => BaseAsset::Native { amount },
        }
    }
}

pub async fn deposit(arguments: &Deposit, output: &Output) -> Result<(), Failure> {
    let account = arguments.wallet.address_or_own(arguments.account)?;
    let from = arguments.base.connect().await?;
    let Account { client, chain, .. } = &from;
    let still = Still::of(client, chain).await?;
    let stands_still = still.is_some();
    refuse(still, arguments.while_halted, "deposit")?;
    let asset = arguments.asset();
    let made = weft_types::Deposit {
        asset,
        sender: from.address(),
        account,
    };
    let halted = (stands_still, arguments.missing);
    let in_place = missing::compare(&from, &made, halted).await?;
    if let BaseAsset::Erc20 { token, .. } | BaseAsset::Erc721 { token, .. } = asset
        && chain.unit_of(token).await? == 0
    {
        let words = format!("the vault does not list token {token}, and would refuse it");
        return Err(
            Failure::usage(words).hint("nothing was sent; the vault's curator lists tokens")
        );
    }
    let before = client.account(&account).await?;
    let naming = Naming::of(arguments, &before, &from.key).await?;
    if arguments.dry_run {
        let (what, quote) = quoted(&from, (&asset, account), &arguments.terms, output).await?;
        let vault = BaseAddress(chain.contracts().vault);
        let owner = naming.as_ref().map(Naming::address).or(before.exit_address);
        let planned = Planned::new(&made, (vault, in_place), (what, Cost::from(&quote)), owner);
        output.data(&planned, Planned::text)?;
        if owner.is_none() {
            warn(&account, output);
        }
        return Ok(());
    }
    match &naming {
        Some(naming) if naming.first => naming.name(output).await?,
        None if before.exit_address.is_none() => warn(&account, output),
        _ => {}
    }
    let mined = hand_over(&from, (&asset, account), &arguments.terms, output).await?;
    let deposited = chain.deposit_of(&mined)?;
    let mut outcome = Outcome {
        index: deposited.index,
        account,
        base_block: deposited.block,
        credited: false,
        item: None,
        exit_address: before.exit_address,
    };
    if let Some(index) = in_place {
        output.say(format_args!(
            "The vault has deposit {index} again, which the ledger has credited before: this brings no more there. `weft bridge status` \
             says what is left to do."
        ));
        outcome.credited = true;
    } else if !arguments.no_wait {
        output.say(format_args!(
            "Deposit {} is in block {} of the base chain; waiting until it is credited.",
            outcome.index, outcome.base_block
        ));
        until_credited((client, chain), &deposited).await?;
        outcome.credited = true;
        if let Some(naming) = naming.as_ref().filter(|n| !n.first) {
            let named = naming.name(output).await;
            named.map_err(|failure| {
                failure
                    .hint("the deposit is credited; `weft bridge exit-address` names the address")
            })?;
        }
        outcome.exit_address = client.account(&account).await?.exit_address;
        outcome.item = item(client, &asset).await?;
    }
    output.data(&outcome, text)?;
    if outcome.exit_address.is_none() {
        warn(&account, output);
    }
    Ok(())
}

/// A card gets the next serial of its own edition each time it comes in.
async fn item(client: &Client, asset: &BaseAsset) -> Result<Option<ItemId>, Failure> {
    let BaseAsset::Erc721 { token, id } = asset else {
        return Ok(None);
    };
    let edition = EditionId::erc721(*token, id);
    let issued = client.edition(&edition).await?.issued;
    Ok(Some(ItemId::derive(&edition, issued)))
}

fn text(outcome: &Outcome) -> String {
    let credited = if outcome.credited { "yes" } else { "not yet" };
    lines(&[
        ("deposit", outcome.index.to_string()),
        ("account", outcome.account.to_string()),
        ("base block", outcome.base_block.to_string()),
        ("credited", credited.to_owned()),
        (
            "item",
            outcome.item.map_or_else(String::new, |id| id.to_string()),
        ),
        ("exit address", or_none(outcome.exit_address)),
    ])
}

fn warn(account: &Address, output: &Output) {
    output.say(format_args!(
        "{account} has named no exit address: if the network ends, nobody can take out what it holds. Its key names \
         one by `weft bridge exit-address ADDRESS`, or along with a deposit by `--exit-address self`."
    ));
}

/// Whose the account's assets are to be on the base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Depositor,
    Named(BaseAddress),
}

fn owner(text: &str) -> Result<Owner, String> {
    match text {
        "self" => Ok(Owner::Depositor),
        address => match recipient(address) {
            Ok(address) => Ok(Owner::Named(address)),
            Err(error) => Err(format!("{error}; or `self`")),
        },
    }
}

/// A token's number, decimal or hexadecimal after `0x`.
pub fn token_id(text: &str) -> Result<TokenId, String> {
    let mut bytes = [0; 32];
    if let Some(digits) = text.strip_prefix("0x") {
        let digits = format!("{digits:0>64}");
        hex::decode_to_slice(&digits, &mut bytes).map_err(|e| e.to_string())?;
        return Ok(TokenId(bytes));
    }
    let number: u128 = text
        .parse()
        .map_err(|_| "a number below 2^128, or up to 64 hexadecimal digits after 0x".to_owned())?;
    bytes[16..].copy_from_slice(&number.to_be_bytes());
    Ok(TokenId(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokens_number_is_decimal_or_hexadecimal() {
        let id = |text| token_id(text).map(|id| id.0[31]);
        assert_eq!((id("42"), id("0x2a")), (Ok(42), Ok(42)));
        assert_eq!(
            token_id(&format!("0x{}", "f".repeat(64))),
            Ok(TokenId([0xff; 32]))
        );
        for wrong in ["", "-1", "0xg", &format!("0x{}", "f".repeat(65))] {
            assert!(token_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_exit_address_is_an_address_or_the_depositors() {
        let address = BaseAddress([7; 20]);
        assert_eq!(owner("self"), Ok(Owner::Depositor));
        assert_eq!(owner(&address.to_string()), Ok(Owner::Named(address)));
        for wrong in ["", "me", &BaseAddress::ZERO.to_string()] {
            assert!(owner(wrong).is_err(), "{wrong}");
        }
    }
}
