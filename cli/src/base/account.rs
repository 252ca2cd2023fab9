//! Who sends on the base chain.

use super::{BaseUrl, Payer, Terms, of_network};
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::prompt;
use std::path::{Path, PathBuf};
use weft_basechain::{AccountKey, BaseChain, Contracts, Signer};
use weft_client::Client;
use weft_keystore::{KEYSTORE_BYTES_MAX, files, is_keystore, web3};
use weft_types::{BaseAddress, NetworkId};
use zeroize::Zeroizing;

/// The network, its base chain, and who pays there: what every command takes that sends there.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "The base chain")]
pub struct Base {
    #[command(flatten)]
    url: BaseUrl,
    /// File with the key of the account there: the keystore of a wallet (Web3, version 3) or 64 hexadecimal digits.
    /// Without it and --signer the key is asked for
    #[arg(long, value_name = "FILE", conflicts_with = "signer")]
    base_key: Option<PathBuf>,
    /// File with the keystore's password, which is asked for without it
    #[arg(long, value_name = "FILE", requires = "base_key")]
    base_password_file: Option<PathBuf>,
    /// URL of a signer that has the account's key: clef, Web3Signer, a wallet
    #[arg(long, value_name = "URL")]
    signer: Option<String>,
    /// Which account of the signer, if it has several
    #[arg(long, value_name = "ADDRESS", requires = "signer")]
    from: Option<BaseAddress>,
    #[command(flatten)]
    pub network: Network,
}

/// An account on the base chain of a network that a node tells of.
pub struct Account {
    pub client: Client,
    pub chain: BaseChain,
    pub key: AccountKey,
    network: NetworkId,
}

impl Account {
    pub fn address(&self) -> BaseAddress {
        BaseAddress(self.key.address())
    }

    pub fn payer<'a>(&'a self, terms: &'a Terms, output: &'a Output) -> Result<Payer<'a>, Failure> {
        let account = (self.chain.endpoint(), &self.key);
        Payer::of(account, self.network, terms, output)
    }
}

impl Base {
    pub async fn connect(&self) -> Result<Account, Failure> {
        let client = self.network.client()?;
        Ok(Account {
            chain: self.url.chain(&self.network, &client).await?,
            network: client.genesis().await?.network.id(),
            key: self.key().await?,
            client,
        })
    }

    /// The same by what a file says, where no node has to answer.
    pub async fn reach(
        &self,
        chain_id: u64,
        contracts: Contracts,
    ) -> Result<(BaseChain, AccountKey), Failure> {
        let place = (chain_id, contracts);
        let endpoint = self.url.endpoint(&self.network).await?;
        let chain = of_network(endpoint, place).await;
        let chain = chain.map_err(|failure| file_of_another(failure, place))?;
        Ok((chain, self.key().await?))
    }

    async fn key(&self) -> Result<AccountKey, Failure> {
        if let Some(url) = &self.signer {
            let signer = Signer::connect(url, self.from.map(|address| address.0)).await?;
            return Ok(signer.into());
        }
        match &self.base_key {
            Some(path) => self.read(path),
            None => ask(),
        }
    }

    fn read(&self, path: &Path) -> Result<AccountKey, Failure> {
        let text = files::read_private(path, KEYSTORE_BYTES_MAX).map_err(Failure::usage)?;
        if !is_keystore(&text) {
            let secret = weft_node::read_secret(path).map_err(Failure::usage)?;
            return AccountKey::from_bytes(&secret).map_err(Failure::usage);
        }
        let what = format!("keystore {}", path.display());
        let file = self.base_password_file.as_deref();
        let password = prompt::password(file, &what, "--base-password-file")?;
        let secret = web3::open(&text, &password)
            .map_err(|error| Failure::usage(format!("{what} cannot be opened: {error}")))?;
        AccountKey::from_bytes(&secret).map_err(Failure::usage)
    }
}

/// A base chain that has not the contracts that a file names.
fn file_of_another(failure: Failure, (chain_id, contracts): (u64, Contracts)) -> Failure {
    if !matches!(failure.kind, Kind::Usage | Kind::Invalid) {
        return failure;
    }
    let words = format!(
        "the file is of another network than this base chain: {}",
        failure.message
    );
    let vault = BaseAddress(contracts.vault);
    Failure::new(failure.kind, words).hint(format_args!(
        "nothing was sent; it is of chain {chain_id}, with the vault {vault}: name a JSON-RPC of that one with --base-rpc, or a file of \
         this network"
    ))
}

/// A key that is typed, or pasted, and never stored.
fn ask() -> Result<AccountKey, Failure> {
    let question = "key of the account on the base chain, 64 hexadecimal digits";
    let instead = "--base-key FILE names a file with it, --signer URL a signer that has it";
    let typed = Zeroizing::new(prompt::hidden(question, instead)?);
    let digits = typed.trim();
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(digits.strip_prefix("0x").unwrap_or(digits), secret.as_mut())
        .map_err(|_| Failure::usage("that is no key of 64 hexadecimal digits"))?;
    AccountKey::from_bytes(&secret).map_err(Failure::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_network_is_told_with_where_it_belongs() {
        let contracts = Contracts {
            registry: [1; 20],
            manager: [2; 20],
            vault: [3; 20],
        };
        let of = |kind| file_of_another(Failure::new(kind, "no contract"), (31_337, contracts));
        for kind in [Kind::Usage, Kind::Invalid] {
            let failure = of(kind);
            assert_eq!(failure.kind, kind);
            assert!(
                failure.message.contains("of another network"),
                "{failure:?}"
            );
            let hint = failure.hint.unwrap();
            let vault = BaseAddress([3; 20]).to_string();
            for part in ["31337", vault.as_str(), "--base-rpc"] {
                assert!(hint.contains(part), "{hint}");
            }
        }
        assert_eq!(of(Kind::Unreachable).message, "no contract");
    }
}
