//! Values that arguments and printed data share.

use crate::failure::Failure;
use crate::output::Output;
use std::time::{Duration, SystemTime};
use weft_client::PageQuery;
use weft_types::api::{Kept, PAGE_DEFAULT, PAGE_MAX, Page, ProofBundle};
use weft_types::hash::keccak;
use weft_types::{Amount, AssetAmount, BaseAddress, EditionId, Genesis, Millis};

/// So long from now, by this machine's clock.
pub fn from_now(after: Duration) -> Millis {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let then = now.unwrap_or_default().saturating_add(after);
    Millis(u64::try_from(then.as_millis()).unwrap_or(u64::MAX))
}

/// An edition and how many of its items, as `ID` or `ID:COUNT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub edition: EditionId,
    pub count: u64,
}

impl std::str::FromStr for Counted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, count) = text.split_once(':').unwrap_or((text, "1"));
        let count: u64 = count
            .parse()
            .map_err(|_| format!("{count:?} is no count of items"))?;
        if count == 0 {
            return Err("the count of items must not be zero".to_owned());
        }
        let edition = id.parse().map_err(|e| format!("{e}"))?;
        Ok(Self { edition, count })
    }
}

/// So much of an asset: `ASSET:AMOUNT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedAsset(pub AssetAmount);

impl std::str::FromStr for CountedAsset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':');
        let (asset, amount) = parts.ok_or_else(|| format!("{text:?} is not ASSET:AMOUNT"))?;
        let amount: u64 = amount
            .parse()
            .map_err(|_| format!("{amount:?} is no amount"))?;
        if amount == 0 {
            return Err("the amount must not be zero".to_owned());
        }
        let asset = asset.parse().map_err(|e| format!("{asset:?}: {e}"))?;
        let amount = Amount(amount);
        Ok(Self(AssetAmount { asset, amount }))
    }
}

/// An address on the base chain that something is to be somebody's at, for good: not zero, and with the right upper and lower
/// case where it has both (EIP-55).
pub fn recipient(text: &str) -> Result<BaseAddress, String> {
    let address: BaseAddress = text.parse().map_err(|e| format!("{e}"))?;
    if address == BaseAddress::ZERO {
        return Err("the zero address is nobody's".to_owned());
    }
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let has = |case: fn(&char) -> bool| digits.chars().any(|c| case(&c));
    let is_mixed = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
    if is_mixed && digits != checksummed(&address) {
        return Err(format!(
            "its checksum is wrong, so that a digit may be too: compare it with where it comes from (0x{} would be right)",
            checksummed(&address)
        ));
    }
    Ok(address)
}

/// The digits in EIP-55's upper and lower case.
fn checksummed(address: &BaseAddress) -> String {
    let digits = hex::encode(address.0);
    let hash = hex::encode(keccak(&[digits.as_bytes()]));
    let raised = digits
        .chars()
        .zip(hash.chars())
        .map(|(digit, by)| match by {
            '8'..='9' | 'a'..='f' => digit.to_ascii_uppercase(),
            _ => digit,
        });
    raised.collect()
}

/// L17: whether an address is nobody's because it is a contract of the network.
///
/// # Errors
/// When it is.
pub fn nobodys(genesis: &Genesis, address: BaseAddress) -> Result<(), Failure> {
    let names = ["registry", "checkpoint manager", "vault"];
    let contracts = genesis.contracts();
    let found = contracts.iter().zip(names).find(|(c, _)| **c == address);
    found.map_or(Ok(()), |(_, name)| {
        let words =
            format!("{address} is the network's {name}, which could never give it away again");
        Err(Failure::usage(words).hint("nothing was sent; name an address whose key is somebody's"))
    })
}

/// Which part of a list.
#[derive(clap::Args, Debug, Clone)]
pub struct Paging {
    /// Most entries
    #[arg(long, default_value_t = PAGE_DEFAULT, value_parser = limit)]
    limit: usize,
    /// Where to go on: `next` of the part before
    #[arg(long)]
    cursor: Option<String>,
}

fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        _ => Err(format!("a page has 1 to {PAGE_MAX} entries")),
    }
}

impl Paging {
    pub fn query(&self) -> PageQuery {
        PageQuery {
            cursor: self.cursor.clone(),
            limit: Some(self.limit),
        }
    }
}

/// What to say below a list that goes on.
pub fn more<T>(page: &Page<T>) -> String {
    let next = page.next.as_ref();
    next.map_or_else(String::new, |next| format!("\nmore with --cursor {next}"))
}

/// Prints a proof as a node writes it, on one line; nobody needs a table of hashes.
pub fn proof(bundle: &ProofBundle, what: &str, output: &Output) -> Result<(), Failure> {
    let text = serde_json::to_string(bundle).map_err(std::io::Error::from)?;
    output.data(bundle, |_| text)?;
    let height = bundle.certificate.statement.height;
    if bundle.value.is_none() {
        output.say(format_args!(
            "The proof is one of absence: at height {height} there is no such {what}."
        ));
    }
    if bundle.kept == Some(Kept::Past) {
        output.say(format_args!(
            "The node has kept it, of height {height}: in the newest state there is no such {what} any more."
        ));
    }
    Ok(())
}

/// Lines of a name and a value each.
pub fn lines(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let shown = pairs.iter().filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> = shown
        .map(|(name, value)| format!("{name:width$}  {value}"))
        .collect();
    lines.join("\n")
}

/// Wei as coins.
pub fn coins(wei: u128) -> String {
    decimal(wei, 18)
}

/// A number of units of which 10 to the power of `places` are one, without zeros at the end.
pub fn decimal(units: u128, places: u32) -> String {
    let one = 10_u128.pow(places);
    let (whole, part) = (units / one, units % one);
    let text = format!("{whole}.{part:0width$}", width = places as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use weft_types::AssetId;

    #[test]
    fn an_amount_of_an_asset_names_both() {
        let asset = AssetId([5; 32]);
        let read = |text: &str| text.parse::<CountedAsset>();
        let found = read(&format!("{asset}:7")).unwrap().0;
        assert_eq!((found.asset, found.amount), (asset, Amount(7)));
        for wrong in [
            "7".to_owned(),
            format!("{asset}:0"),
            format!("{asset}:x"),
            "x:1".to_owned(),
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }

    /// The examples of EIP-55.
    #[test]
    fn an_address_in_mixed_case_has_the_right_one_and_is_not_zero() {
        let good = [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ];
        for text in good {
            let address = recipient(text).unwrap();
            assert_eq!(format!("0x{}", checksummed(&address)), text);
            let digits = &text[2..];
            for same in [text.to_lowercase(), format!("0x{}", digits.to_uppercase())] {
                assert_eq!(recipient(&same), Ok(address), "no case, nothing to check");
            }
            let swapped = text.replacen('B', "b", 1);
            assert!(
                recipient(&swapped).unwrap_err().contains("checksum"),
                "{swapped}"
            );
        }
        let zero = BaseAddress::ZERO.to_string();
        assert!(recipient(&zero).unwrap_err().contains("zero"));
        assert!(recipient("0x12").is_err());
    }

    #[test]
    fn the_networks_contracts_are_nobodys() {
        let genesis = weft_types::testing::genesis(4);
        for contract in genesis.contracts() {
            assert_eq!(nobodys(&genesis, contract).unwrap_err().kind, Kind::Usage);
        }
        assert!(nobodys(&genesis, BaseAddress([9; 20])).is_ok());
    }

    #[test]
    fn an_edition_may_carry_a_count() {
        let id = "11".repeat(32);
        assert_eq!(id.parse::<Counted>().unwrap().count, 1);
        assert_eq!(format!("{id}:3").parse::<Counted>().unwrap().count, 3);
        for wrong in [format!("{id}:0"), format!("{id}:x"), "12:1".to_owned()] {
            assert!(wrong.parse::<Counted>().is_err(), "{wrong}");
        }
    }

    const COIN: u128 = 1_000_000_000_000_000_000;

    #[test]
    fn coins_are_shown_to_the_last_wei() {
        for (wei, shown) in [
            (0, "0"),
            (1, "0.000000000000000001"),
            (COIN, "1"),
            (COIN * 3 / 2, "1.5"),
            (120 * COIN, "120"),
        ] {
            assert_eq!(coins(wei), shown);
        }
        assert_eq!(decimal(1_500_000_007, 9), "1.500000007");
    }
}
