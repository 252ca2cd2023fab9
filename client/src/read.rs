//! Readings. Each is no older than anything that this client has seen before.

use crate::client::{Client, Request};
use crate::error::ClientError;
use crate::query::{DealQuery, EditionQuery, trait_parameters};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use weft_types::api::{
    Account, Book, BridgeStatus, Checkpoint, Collection, Commit, Committee, Deal, Edition,
    EpochEnd, ExitPlace, ExitTree, Exits, History, Item, NodeStatus, OffenderStatus, Offenders,
    Page, Prices, ProofBundle, Receipt, Roster, Trade, Vertex, VoucherPool, WithdrawalStatus,
    Withdrawals,
};
use weft_types::{
    Address, CertificateJson, CollectionId, CommitIndex, DealId, EditionId, Epoch, Genesis, Height,
    ItemId, Operation, Round, VoucherPoolId,
};

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageQuery {
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Most entries, as many as the node gives when `None`.
    pub limit: Option<usize>,
}

impl PageQuery {
    pub fn limit(limit: usize) -> Self {
        Self {
            limit: Some(limit),
            cursor: None,
        }
    }

    fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        let cursor = self.cursor.clone().map(|c| ("cursor", c));
        let limit = self.limit.map(|l| ("limit", l.to_string()));
        cursor.into_iter().chain(limit)
    }
}

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident($id:ident: $key:ty) -> $answer:ty = $path:literal;)*) => {$(
        $(#[$doc])*
        pub async fn $name(&self, $id: &$key) -> Result<$answer, ClientError> {
            self.json(&Request::get(format!($path))).await
        }
    )*};
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident($($id:ident: $key:ty)?) -> $answer:ty = $path:literal;)*) => {$(
        $(#[$doc])*
        pub async fn $name(&self, $($id: &$key,)? page: &PageQuery) -> Result<Page<$answer>, ClientError> {
            self.list(format!($path), page.parameters()).await
        }
    )*};
}

impl Client {
    objects! {
        account(id: Address) -> Account = "v1/accounts/{id}";
        collection(id: CollectionId) -> Collection = "v1/collections/{id}";
        edition(id: EditionId) -> Edition = "v1/editions/{id}";
        item(id: ItemId) -> Item = "v1/items/{id}";
        deal(id: DealId) -> Deal = "v1/deals/{id}";
        commit(index: CommitIndex) -> Commit = "v1/commits/{index}";
        certificate(height: Height) -> CertificateJson = "v1/certificates/{height}";
        /// What has become of a withdrawal, and what the vault pays it by.
        withdrawal(index: u64) -> WithdrawalStatus = "v1/withdrawals/{index}";
        /// X5: what the newest checkpoint has at a place of the exit tree.
        exit_place(place: u64) -> ExitPlace = "v1/exits/places/{place}";
        /// A member that signed two vertices of one round, by its id in the registry, and what its bond is taken by.
        offender(id: u64) -> OffenderStatus = "v1/offenders/{id}";
        /// The item with a proof under the newest certificate, for [`crate::verify`].
        item_proof(id: ItemId) -> ProofBundle = "v1/items/{id}/proof";
        /// The account with a proof under the newest certificate, for [`crate::verify`].
        account_proof(id: Address) -> ProofBundle = "v1/accounts/{id}/proof";
        /// The deal with a proof under the newest certificate, for [`crate::verify`].
        deal_proof(id: DealId) -> ProofBundle = "v1/deals/{id}/proof";
        /// The collection with a proof under the newest certificate, for [`crate::verify`].
        collection_proof(id: CollectionId) -> ProofBundle = "v1/collections/{id}/proof";
        /// The edition with a proof under the newest certificate, for [`crate::verify`].
        edition_proof(id: EditionId) -> ProofBundle = "v1/editions/{id}/proof";
        /// The orders of the edition, by price.
        edition_book(id: EditionId) -> Book = "v1/editions/{id}/book";
        /// What an item of the edition costs.
        edition_prices(id: EditionId) -> Prices = "v1/editions/{id}/prices";
        /// What an item of the collection costs.
        collection_prices(id: CollectionId) -> Prices = "v1/collections/{id}/prices";
        voucher_pool(id: VoucherPoolId) -> VoucherPool = "v1/voucher-pools/{id}";
        /// The pool with a proof under the newest certificate, for [`crate::verify`].
        voucher_pool_proof(id: VoucherPoolId) -> ProofBundle = "v1/voucher-pools/{id}/proof";
    }

    lists! {
        account_items(id: Address) -> Item = "v1/accounts/{id}/items";
        /// Newest first.
        account_history(id: Address) -> History = "v1/accounts/{id}/history";
        collections() -> Collection = "v1/collections";
        /// In the order of creation.
        collection_editions(id: CollectionId) -> Edition = "v1/collections/{id}/editions";
        /// Newest first.
        item_history(id: ItemId) -> History = "v1/items/{id}/history";
        /// Newest first.
        edition_trades(id: EditionId) -> Trade = "v1/editions/{id}/trades";
        /// Newest first.
        collection_trades(id: CollectionId) -> Trade = "v1/collections/{id}/trades";
        /// Newest first.
        commits() -> Commit = "v1/commits";
        /// In the order of execution.
        commit_receipts(index: CommitIndex) -> Receipt = "v1/commits/{index}/receipts";
        /// Newest first.
        certificates() -> CertificateJson = "v1/certificates";
        /// Newest first.
        checkpoints() -> Checkpoint = "v1/checkpoints";
    }

    /// That an account's voucher of a pool is spent, or is not, with a proof under the newest certificate, for
    /// [`crate::verify`].
    pub async fn spent_voucher_proof(
        &self,
        pool: &VoucherPoolId,
        account: &Address,
    ) -> Result<ProofBundle, ClientError> {
        let path = format!("v1/voucher-pools/{pool}/spent/{account}");
        self.json(&Request::get(path)).await
    }

    /// Items of a collection, or of those of its editions that have all these traits, by edition and serial. Burned ones
    /// are left out.
    pub async fn collection_items(
        &self,
        id: &CollectionId,
        edition: Option<&EditionId>,
        traits: &[(String, String)],
        page: &PageQuery,
    ) -> Result<Page<Item>, ClientError> {
        let edition = edition.map(|e| ("edition", e.to_string()));
        let which = edition.into_iter().chain(trait_parameters(traits));
        let parameters = which.chain(page.parameters());
        let path = format!("v1/collections/{id}/items");
        self.list(path, parameters).await
    }

    /// X3: what an account holds, and what the vault pays of it if the network ends.
    pub async fn exits(
        &self,
        account: &Address,
        checkpoint: Option<Height>,
        page: &PageQuery,
    ) -> Result<Exits, ClientError> {
        let mut request = Request::get(format!("v1/exits/{account}"));
        request.query.extend(under(checkpoint));
        request.query.extend(page.parameters());
        self.json(&request).await
    }

    /// K5: withdrawals that the newest checkpoint has, or another one: an account's with their proofs, or everybody's.
    pub async fn withdrawals(
        &self,
        account: Option<&Address>,
        checkpoint: Option<Height>,
        page: &PageQuery,
    ) -> Result<Withdrawals, ClientError> {
        let mut request = Request::get("v1/withdrawals");
        request.query.extend(under(checkpoint));
        let account = account.map(|a| ("account", a.to_string()));
        request
            .query
            .extend(account.into_iter().chain(page.parameters()));
        self.json(&request).await
    }

    /// X3: the exit tree of the newest checkpoint, or of another one.
    pub async fn exit_tree(
        &self,
        checkpoint: Option<Height>,
        page: &PageQuery,
    ) -> Result<ExitTree, ClientError> {
        let mut request = Request::get("v1/exits/places");
        request.query.extend(under(checkpoint));
        request.query.extend(page.parameters());
        self.json(&request).await
    }

    /// The vertices of a round, the newest complete one when `None`.
    pub async fn vertices(&self, round: Option<Round>) -> Result<Page<Vertex>, ClientError> {
        let round = round.map(|r| ("round", r.to_string()));
        self.list("v1/vertices".to_owned(), round.into_iter()).await
    }

    /// Editions of a collection in the order of creation, or those found by words.
    pub async fn editions(
        &self,
        query: &EditionQuery,
        page: &PageQuery,
    ) -> Result<Page<Edition>, ClientError> {
        let parameters = query.parameters().chain(page.parameters());
        self.list("v1/editions".to_owned(), parameters).await
    }

    /// Collections whose names and descriptions have words that begin with all of these.
    pub async fn find_collections(
        &self,
        words: &str,
        page: &PageQuery,
    ) -> Result<Page<Collection>, ClientError> {
        let parameters = [("q", words.to_owned())].into_iter();
        let parameters = parameters.chain(page.parameters());
        self.list("v1/collections".to_owned(), parameters).await
    }

    pub async fn deals(
        &self,
        query: &DealQuery,
        page: &PageQuery,
    ) -> Result<Page<Deal>, ClientError> {
        let parameters = query.parameters().chain(page.parameters());
        self.list("v1/deals".to_owned(), parameters).await
    }

    /// L60: what operations reach of the deals that they name, for [`crate::Draft::reaching`].
    pub async fn deal_entries(&self, operations: &[Operation]) -> Result<u32, ClientError> {
        let (mut reached, mut deals) = (0, BTreeMap::new());
        for part in operations.iter().flat_map(Operation::parts) {
            let Some(id) = part.deal() else { continue };
            let entries = match deals.entry(*id) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => *place.insert(self.deal(id).await?.entries),
            };
            reached += part.reaches(entries);
        }
        Ok(u32::try_from(reached).unwrap_or(u32::MAX))
    }

    pub async fn committee(&self) -> Result<Committee, ClientError> {
        self.json(&Request::get("v1/committee")).await
    }

    /// How an epoch ended, as the node says; [`crate::verify::Committees`] checks it.
    pub async fn epoch_end(&self, epoch: Epoch) -> Result<EpochEnd, ClientError> {
        self.json(&Request::get(format!("v1/epochs/{epoch}/end")))
            .await
    }

    /// Where the epoch stands, and who comes and goes.
    pub async fn epoch(&self) -> Result<Roster, ClientError> {
        self.json(&Request::get("v1/epoch")).await
    }

    /// The members that signed two vertices of one round.
    pub async fn offenders(&self) -> Result<Offenders, ClientError> {
        self.json(&Request::get("v1/offenders")).await
    }

    /// The bridge to the base chain.
    pub async fn bridge(&self) -> Result<BridgeStatus, ClientError> {
        self.json(&Request::get("v1/bridge")).await
    }

    /// The status of the node that answers, however far behind it is.
    pub async fn status(&self) -> Result<NodeStatus, ClientError> {
        let request = Request {
            fresh: false,
            ..Request::get("v1/status")
        };
        self.json(&request).await
    }

    /// The genesis as the node has it, whole and consistent in itself. To check proofs, take the
    /// genesis from somewhere else than the node that gives the proofs.
    pub async fn genesis(&self) -> Result<Genesis, ClientError> {
        let request = Request {
            fresh: false,
            ..Request::get("v1/genesis")
        };
        let genesis: Genesis = self.json(&request).await?;
        genesis.validate().map_err(|e| ClientError::Malformed {
            node: self.node(),
            reason: e.to_string(),
        })?;
        Ok(genesis)
    }

    async fn list<T: DeserializeOwned>(
        &self,
        path: String,
        parameters: impl Iterator<Item = (&'static str, String)>,
    ) -> Result<Page<T>, ClientError> {
        let mut request = Request::get(path);
        request.query.extend(parameters);
        self.json(&request).await
    }
}

fn under(checkpoint: Option<Height>) -> Option<(&'static str, String)> {
    checkpoint.map(|height| ("checkpoint", height.to_string()))
}
