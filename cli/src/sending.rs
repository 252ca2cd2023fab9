//! Signing operations with the user's key, sending them, and what came of it.

mod refused;

use self::refused::{Signer as Denied, explained, is_denied};
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::precheck;
use crate::values::{from_now, lines};
use crate::wallet::{self, Wallet};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;
use weft_client::{Client, ClientError, Draft, Options, Signer, Wait};
use weft_types::api::{TransactionState, TransactionStatus};
use weft_types::{
    Address, Amount, AssetId, CollectionId, CommitIndex, DealId, EditionId, Height, ItemId,
    ObjectId, Operation, Transaction, TransactionBody, TransactionId, UserKey, VoucherPoolId,
};

/// What every command that sends something takes.
#[derive(clap::Args, Debug, Clone)]
pub struct Sender {
    /// How far the transaction has to come before the command ends
    #[arg(long, value_enum, default_value_t = Until::Committed)]
    wait: Until,
    /// Members that are given the transaction at once, so that none of them can hold it up alone
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=128))]
    copies: u8,
    /// Account that the key signs for; without it that of the key's own address
    #[arg(long, value_name = "ADDRESS", help_heading = "Who signs")]
    account: Option<Address>,
    /// Key file of who pays the fee, and signs as well
    #[arg(long, value_name = "FILE", help_heading = "Who signs")]
    sponsor: Option<PathBuf>,
    /// Account that the sponsor's key signs for; without it that of the key's own address
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "sponsor",
        help_heading = "Who signs"
    )]
    sponsor_account: Option<Address>,
    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub wallet: Wallet,
}

/// A key, and the account that it signs for.
pub type Signatory = (UserKey, Address);

#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Taken by a node
    Submitted,
    /// Ordered and applied: final
    Committed,
    /// Under a certificate of the committee
    Certified,
}

/// A user at a network.
pub struct Session {
    pub client: Client,
    pub draft: Draft,
    pub key: UserKey,
    pub address: Address,
    /// Pays the fees.
    sponsor: Option<Signatory>,
    wait: Wait,
}

/// What a transaction costs at most.
pub struct Cost {
    pub payer: Address,
    pub fee: Amount,
    pub holds: Amount,
}

/// What came of a transaction.
#[derive(Debug, Serialize)]
pub struct Outcome {
    transaction: TransactionId,
    state: TransactionState,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<CommitIndex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<Height>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<Amount>,
    /// Created, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub collections: Vec<CollectionId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub editions: Vec<EditionId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deals: Vec<DealId>,
    /// Their places in the tree.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withdrawals: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub voucher_pools: Vec<VoucherPoolId>,
}

/// How long a transaction is waited for without a word.
const SILENT_MAX: Duration = Duration::from_secs(3);

impl Sender {
    pub async fn session(&self) -> Result<Session, Failure> {
        let options = Options {
            copies: self.copies.into(),
            ..Options::default()
        };
        let client = self.network.client_with(options)?;
        let mut session = Session::of(client, &self.wallet, self.account).await?;
        session.sponsor = signatory(self.sponsor.as_deref(), self.sponsor_account)?;
        session.wait = match self.wait {
            Until::Submitted => Wait::Submitted,
            Until::Committed => Wait::Committed,
            Until::Certified => Wait::Certified,
        };
        Ok(session)
    }

    /// Sends one operation and prints what came of it.
    pub async fn send(&self, operation: Operation, output: &Output) -> Result<(), Failure> {
        let outcome = self.session().await?.send(vec![operation], output).await?;
        output.data(&outcome, Outcome::text)
    }
}

impl Session {
    /// For an account. Waits until what it sends is committed.
    pub async fn open(
        network: &Network,
        wallet: &Wallet,
        account: Address,
    ) -> Result<Self, Failure> {
        Self::of(network.client()?, wallet, Some(account)).await
    }

    /// With a key for its own account. Waits until what it sends is committed.
    pub async fn by_key(client: Client, key: UserKey) -> Result<Self, Failure> {
        Self::with(client, key, None).await
    }

    async fn of(
        client: Client,
        wallet: &Wallet,
        account: Option<Address>,
    ) -> Result<Self, Failure> {
        Self::with(client, wallet.secret()?, account).await
    }

    async fn with(client: Client, key: UserKey, account: Option<Address>) -> Result<Self, Failure> {
        let address = account.unwrap_or(key.address());
        let draft = Draft::new(&client.genesis().await?).for_account(address);
        Ok(Self {
            client,
            draft,
            address,
            key,
            sponsor: None,
            wait: Wait::Committed,
        })
    }

    /// Sends operations in one transaction, unless no ledger could apply them, and waits as long as was
    /// asked for.
    pub async fn send(
        &self,
        operations: Vec<Operation>,
        output: &Output,
    ) -> Result<Outcome, Failure> {
        let entries = self.client.deal_entries(&operations).await?;
        let body = self.body_for(self.sponsor.as_ref(), operations, entries);
        self.send_body(body, output).await
    }

    /// What sending operations would cost, and what there is to pay it.
    pub async fn cost(&self, operations: Vec<Operation>) -> Result<Cost, Failure> {
        let entries = self.client.deal_entries(&operations).await?;
        let body = self.body_for(self.sponsor.as_ref(), operations, entries);
        let payer = body.sponsor.unwrap_or(body.sender);
        let account = self.client.account(&payer).await?;
        Ok(Cost {
            payer,
            fee: body.max_fee,
            holds: account.balance(AssetId::NATIVE),
        })
    }

    /// The same with a body of the session's.
    pub async fn send_body(
        &self,
        body: TransactionBody,
        output: &Output,
    ) -> Result<Outcome, Failure> {
        self.send_signed(&self.sign(body), output).await
    }

    /// What [`Self::sign`] signs, of operations that name no deal.
    pub fn body(&self, operations: Vec<Operation>) -> TransactionBody {
        self.body_for(self.sponsor.as_ref(), operations, 0)
    }

    pub fn sign(&self, body: TransactionBody) -> Transaction {
        body.sign_for(&self.keys(self.sponsor.as_ref()))
    }

    /// Signed and not sent, also by somebody who permits it and pays the fee. The operations name no deal.
    pub fn permitted(&self, operations: Vec<Operation>, permit: Option<&Signatory>) -> Transaction {
        let sponsor = permit.or(self.sponsor.as_ref());
        let body = self.body_for(sponsor, operations, 0);
        body.sign_for(&self.keys(sponsor))
    }

    fn body_for(
        &self,
        sponsor: Option<&Signatory>,
        operations: Vec<Operation>,
        deal_entries: u32,
    ) -> TransactionBody {
        let keys = self.keys(sponsor);
        let signers = keys.iter().map(|(key, account)| Signer {
            scheme: key.scheme(),
            for_another: *account != key.address(),
        });
        let signers: Vec<Signer> = signers.collect();
        let draft = self.draft.clone().reaching(deal_entries);
        let draft = match keys.get(1) {
            Some((_, account)) => draft.sponsored_by(*account),
            None => draft,
        };
        draft.body_signed_by(self.address, operations, &signers)
    }

    /// Who signs: an account pays for itself, whoever asks for it.
    fn keys<'a>(&'a self, sponsor: Option<&'a Signatory>) -> Vec<(&'a UserKey, Address)> {
        let own = (&self.key, self.address);
        let sponsor = sponsor.filter(|(_, account)| *account != self.address);
        let sponsor = sponsor.map(|(key, account)| (key, *account));
        std::iter::once(own).chain(sponsor).collect()
    }

    /// The same as [`Self::send`] with a transaction that is signed.
    pub async fn send_signed(
        &self,
        transaction: &Transaction,
        output: &Output,
    ) -> Result<Outcome, Failure> {
        precheck::check(transaction)?;
        let mut submit = pin!(self.client.submit(transaction, self.wait));
        let status = match tokio::time::timeout(SILENT_MAX, submit.as_mut()).await {
            Ok(status) => status,
            Err(_) => {
                let seconds = Options::default().outcome_timeout.as_secs();
                output.say(format_args!(
                    "No outcome yet; waiting for it, {seconds} s at most."
                ));
                submit.await
            }
        };
        let status = match status {
            Ok(status) => status,
            Err(error) => return Err(self.explained(error).await),
        };
        settled(&status, self.wait)?;
        Ok(Outcome::of(&status))
    }

    async fn explained(&self, error: ClientError) -> Failure {
        let signer = Denied {
            key: self.key.address(),
            account: self.address,
        };
        let account = match is_denied(&error) {
            true => self.client.account(&self.address).await.ok(),
            false => None,
        };
        let keys = account.and_then(|account| account.keys);
        explained(error, signer, keys.as_ref(), from_now(Duration::ZERO))
    }
}

/// A key file, if one is named, and the account that its key signs for.
pub fn signatory(
    key: Option<&Path>,
    account: Option<Address>,
) -> Result<Option<Signatory>, Failure> {
    let Some(path) = key else { return Ok(None) };
    let key = wallet::read(path)?;
    let account = account.unwrap_or(key.address());
    Ok(Some((key, account)))
}

/// Whether a transaction has come as far as it should.
pub fn settled(status: &TransactionStatus, wait: Wait) -> Result<(), Failure> {
    let id = status.id;
    let unfinished = |missing: &str| {
        Failure::new(
            Kind::Unreachable,
            format_args!("transaction {id} is not {missing} yet"),
        )
        .hint("it may still be: look at `weft account history`, and at `weft testnet status`")
    };
    match (status.state, wait) {
        (TransactionState::Rejected, _) => {
            let code = status.code_name.as_deref().unwrap_or("unknown");
            let detail = status
                .detail
                .as_deref()
                .unwrap_or("the node gives no detail");
            let failure = Failure::new(
                Kind::Refused,
                format_args!("transaction {id} was rejected: {detail} ({code})"),
            );
            Err(match &status.receipt {
                Some(receipt) => failure.hint(format_args!("its fee of {} is paid", receipt.fee)),
                None => failure,
            })
        }
        (TransactionState::Expired, _) => Err(Failure::new(
            Kind::Refused,
            format_args!("transaction {id} was not ordered in its time, and never will be"),
        )
        .hint("send it again; if it happens again, compare this machine's clock with the nodes'")),
        (TransactionState::Submitted, Wait::Committed | Wait::Certified) => {
            Err(unfinished("committed"))
        }
        (TransactionState::Committed, Wait::Certified) => Err(unfinished("certified")),
        _ => Ok(()),
    }
}

impl Outcome {
    pub fn of(status: &TransactionStatus) -> Self {
        let mut outcome = Self {
            transaction: status.id,
            state: status.state,
            commit: status.commit,
            height: status.height,
            fee: status.receipt.as_ref().map(|r| r.fee),
            collections: vec![],
            editions: vec![],
            items: vec![],
            deals: vec![],
            withdrawals: vec![],
            voucher_pools: vec![],
        };
        for id in status.receipt.iter().flat_map(|r| &r.created) {
            match id {
                ObjectId::Collection(id) => outcome.collections.push(*id),
                ObjectId::Edition(id) => outcome.editions.push(*id),
                ObjectId::Item(id) => outcome.items.push(*id),
                ObjectId::Deal(id) => outcome.deals.push(*id),
                ObjectId::Withdrawal(id) => outcome.withdrawals.extend(id.index()),
                ObjectId::VoucherPool(id) => outcome.voucher_pools.push(*id),
                ObjectId::Account(_)
                | ObjectId::Bridge(_)
                | ObjectId::Roster(_)
                | ObjectId::Offenders(_)
                | ObjectId::Work(_)
                | ObjectId::SpentVoucher(_)
                | ObjectId::Posted(_) => {}
            }
        }
        outcome
    }

    pub fn text(&self) -> String {
        let mut pairs = Vec::new();
        pairs.extend(
            self.collections
                .iter()
                .map(|id| ("collection", id.to_string())),
        );
        pairs.extend(self.editions.iter().map(|id| ("edition", id.to_string())));
        pairs.extend(self.items.iter().map(|id| ("item", id.to_string())));
        pairs.extend(self.deals.iter().map(|id| ("deal", id.to_string())));
        pairs.extend(
            self.withdrawals
                .iter()
                .map(|i| ("withdrawal", i.to_string())),
        );
        pairs.extend(
            self.voucher_pools
                .iter()
                .map(|id| ("voucher pool", id.to_string())),
        );
        pairs.push(("transaction", self.transaction.to_string()));
        pairs.push(("state", self.state.as_str().to_owned()));
        pairs.extend(self.commit.map(|c| ("commit", c.to_string())));
        pairs.extend(self.height.map(|h| ("height", h.to_string())));
        pairs.extend(self.fee.map(|f| ("fee", f.to_string())));
        lines(&pairs)
    }
}
