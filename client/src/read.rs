//! Readings. Each is no older than anything that this client has seen before.

use crate::client::{Client, Request};
use crate::error::ClientError;
use serde::de::DeserializeOwned;
use weft_types::api::{
    Account, BridgeStatus, Checkpoint, Collection, Commit, Committee, Deal, DealState, Edition,
    ExitPlace, ExitTree, Exits, History, Item, NodeStatus, OffenderStatus, Offenders, Page,
    ProofBundle, Receipt, Roster, Vertex, WithdrawalStatus, Withdrawals,
};
use weft_types::{
    Address, CertificateJson, CollectionId, CommitIndex, DealId, EditionId, Genesis, Height,
    ItemId, Round,
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

/// Which deals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealQuery {
    /// Deals that give an item of this collection, or want any of it.
    pub collection: Option<CollectionId>,
    /// Name and value of a trait of the items given.
    pub with_trait: Option<(String, String)>,
    /// Open ones when `None`.
    pub state: Option<DealState>,
    pub giver: Option<Address>,
}

impl DealQuery {
    fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        let collection = self.collection.map(|c| ("collection", c.to_string()));
        let with_trait = self.with_trait.as_ref();
        let with_trait = with_trait.map(|(name, value)| ("trait", format!("{name}:{value}")));
        let state = self.state.map(|state| {
            let text = match state {
                DealState::Open => "open",
                DealState::Taken => "taken",
                DealState::Cancelled => "cancelled",
                DealState::Expired => "expired",
            };
            ("state", text.to_owned())
        });
        let giver = self.giver.map(|g| ("giver", g.to_string()));
        [collection, with_trait, state, giver].into_iter().flatten()
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
        commits() -> Commit = "v1/commits";
        /// In the order of execution.
        commit_receipts(index: CommitIndex) -> Receipt = "v1/commits/{index}/receipts";
        /// Newest first.
        certificates() -> CertificateJson = "v1/certificates";
        /// Newest first.
        checkpoints() -> Checkpoint = "v1/checkpoints";
    }

    /// Items of a collection, or of one of its editions, by edition and serial. Burned ones are left
    /// out.
    pub async fn collection_items(
        &self,
        id: &CollectionId,
        edition: Option<&EditionId>,
        page: &PageQuery,
    ) -> Result<Page<Item>, ClientError> {
        let edition = edition.map(|e| ("edition", e.to_string()));
        let parameters = edition.into_iter().chain(page.parameters());
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

    pub async fn deals(
        &self,
        query: &DealQuery,
        page: &PageQuery,
    ) -> Result<Page<Deal>, ClientError> {
        let parameters = query.parameters().chain(page.parameters());
        self.list("v1/deals".to_owned(), parameters).await
    }

    pub async fn committee(&self) -> Result<Committee, ClientError> {
        self.json(&Request::get("v1/committee")).await
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
