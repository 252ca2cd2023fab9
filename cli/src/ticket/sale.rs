//! `weft ticket sale` and `buy`: an edition that is sold to whoever asks, who is on its list, or has a permit.

use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::sending::{Outcome, Sender, signatory};
use crate::time;
use std::path::{Path, PathBuf};
use weft_types::api::Edition;
use weft_types::{
    ALLOW_LIST_MAX, Address, AllowList, Amount, EditionId, ListPlace, Millis, Operation, Purchase,
    Root, Sale, list_proof, list_root,
};

#[derive(clap::Args)]
pub struct SetSale {
    edition: EditionId,
    /// Price of a ticket, in the native asset
    #[arg(long, required_unless_present = "end")]
    price: Option<u64>,
    /// When it begins, as 2026-11-27T18:00:00Z; without it at once
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    from: Option<Millis>,
    /// When it is over; without it never
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    until: Option<Millis>,
    /// To nobody whose purchase no minter sponsors
    #[arg(long, conflicts_with = "list")]
    by_permit: bool,
    /// To who stands in this file alone, each once: an address and how many tickets, line by line
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// End the sale
    #[arg(long, conflicts_with_all = ["price", "from", "until", "by_permit", "list"])]
    end: bool,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Buy {
    edition: EditionId,
    /// How many
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// The price that you agree to; without it the one that is asked now
    #[arg(long)]
    price: Option<u64>,
    /// The sale's list, as its creator has published it
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Key of a minter that permits it, and pays the fee
    #[arg(long, value_name = "FILE", conflicts_with = "sponsor")]
    permit_key: Option<PathBuf>,
    /// The minter's account, where it is not that of the key's own address
    #[arg(long, value_name = "ADDRESS", requires = "permit_key")]
    permit_account: Option<Address>,
    /// Say what would come of it now, and buy nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    sender: Sender,
}

pub async fn set(arguments: SetSale, output: &Output) -> Result<(), Failure> {
    let edition = arguments.edition;
    let list = arguments.list.as_deref();
    let list = list.map(|path| Listed::read(path, &edition)).transpose()?;
    let sale = arguments
        .price
        .filter(|_| !arguments.end)
        .map(|price| Sale {
            price: Amount(price),
            from: arguments.from.unwrap_or_default(),
            until: arguments.until.unwrap_or_default(),
            by_permit: arguments.by_permit,
            list: list.map(|list| list.head()),
        });
    let set = Operation::SetSale { edition, sale };
    arguments.sender.send(set, output).await
}

pub async fn buy(arguments: Buy, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let id = arguments.edition;
    let edition = session.client.edition(&id).await?;
    let price = match arguments.price {
        Some(price) => Amount(price),
        None => asked(&edition)?,
    };
    let listed = match &arguments.list {
        None => None,
        Some(path) => Some(Listed::read(path, &id)?.place(&session.address)?),
    };
    let buy = Operation::Buy(Purchase {
        edition: id,
        count: arguments.count,
        price,
        listed,
    });
    let permit = signatory(arguments.permit_key.as_deref(), arguments.permit_account)?;
    let transaction = session.permitted(vec![buy], permit.as_ref());
    if arguments.dry_run {
        let outcome = session.client.dry_run(&transaction).await?;
        let receipt = &outcome.receipt;
        output.data(&outcome, |_| match receipt.code {
            0 => format!(
                "would be bought now, for {price} each and a fee of {}",
                receipt.fee
            ),
            _ => format!("would be refused now: {}", receipt.detail),
        })?;
        return match receipt.code {
            0 => Ok(()),
            _ => Err(Failure::new(Kind::Refused, "nothing would be bought")),
        };
    }
    let outcome = session.send_signed(&transaction, output).await?;
    output.data(&outcome, Outcome::text)
}

/// The price that the buyer sees here and now.
fn asked(edition: &Edition) -> Result<Amount, Failure> {
    let sale = edition.sale.as_ref().map(|sale| sale.price);
    sale.ok_or_else(|| {
        let words = format_args!("edition {} is not for sale", edition.id);
        Failure::new(Kind::Refused, words).hint("its creator puts it up with `weft ticket sale`")
    })
}

/// A list as it is published: an address and a count a line, in their order.
struct Listed {
    edition: EditionId,
    lines: Vec<(Address, u64)>,
    entries: Vec<[u8; 32]>,
}

impl Listed {
    fn read(path: &Path, edition: &EditionId) -> Result<Self, Failure> {
        let named =
            |e: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {e}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| named(&e))?;
        Self::parse(&text, edition).map_err(|e| named(&e))
    }

    fn parse(text: &str, edition: &EditionId) -> Result<Self, String> {
        let mut lines = Vec::new();
        let numbered = (1..).zip(text.lines().map(str::trim));
        for (number, line) in numbered.filter(|(_, line)| !line.is_empty()) {
            let wrong = |what: &str| format!("line {number}: {what}");
            let (address, count) = line.split_once(char::is_whitespace).unwrap_or((line, "1"));
            let address: Address = address.parse().map_err(|e| wrong(&format!("{e}")))?;
            let count = count.trim().parse().ok().filter(|count| *count > 0);
            lines.push((address, count.ok_or_else(|| wrong("no count of tickets"))?));
        }
        if lines.is_empty() || lines.len() > ALLOW_LIST_MAX as usize {
            let found = lines.len();
            return Err(format!(
                "it has {found} accounts, not 1 to {ALLOW_LIST_MAX}"
            ));
        }
        let entries = lines.iter();
        let entries = entries.map(|(account, most)| AllowList::entry(edition, account, *most));
        Ok(Self {
            edition: *edition,
            entries: entries.collect(),
            lines,
        })
    }

    fn head(&self) -> AllowList {
        AllowList {
            root: list_root(self.entries.iter().map(|entry| &entry[..])),
            count: self.lines.len() as u32,
        }
    }

    /// Where an account stands, if it stands there.
    fn place(&self, account: &Address) -> Result<ListPlace, Failure> {
        let place = self.lines.iter().position(|(listed, _)| listed == account);
        let Some(place) = place else {
            let words = format_args!("{account} is not on the list of edition {}", self.edition);
            return Err(Failure::usage(words));
        };
        let siblings = list_proof(self.entries.iter().map(|entry| &entry[..]), place);
        let siblings: Vec<Root> = siblings.unwrap_or_default();
        Ok(ListPlace {
            place: place as u32,
            most: self.lines[place].1,
            siblings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing::user;

    #[test]
    fn an_account_of_a_list_proves_its_place() {
        let edition = EditionId([5; 32]);
        let text = format!("{} 2\n\n{}\n {}  3 \n", user(1), user(2), user(3));
        let list = Listed::parse(&text, &edition).unwrap();
        for (i, most) in [(1, 2), (2, 1), (3, 3)] {
            let listed = list.place(&user(i)).unwrap();
            assert_eq!(listed.most, most);
            assert!(list.head().has(&edition, &user(i), &listed));
        }
        assert!(list.place(&user(4)).is_err());
    }

    #[test]
    fn what_is_no_list_names_its_line() {
        let edition = EditionId([5; 32]);
        for (text, words) in [
            (String::new(), "0 accounts"),
            (format!("{}\nnobody 2", user(1)), "line 2"),
            (format!("{} 0", user(1)), "no count"),
            (format!("{} many", user(1)), "no count"),
        ] {
            let refused = Listed::parse(&text, &edition).err().unwrap();
            assert!(refused.contains(words), "{words} in {refused}");
        }
    }
}
