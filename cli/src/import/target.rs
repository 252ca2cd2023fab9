//! Which collection the editions go into.

use super::journal::Journal;
use super::{Catalogue, Import};
use crate::failure::{Failure, Kind};
use crate::sending::{Session, settled};
use std::path::Path;
use weft_client::Wait;
use weft_types::api::Collection;
use weft_types::hash::keccak;
use weft_types::{CollectionId, FailureCode, Operation};

/// The collection to add to: the state file's, the one named, or a new one. A new one's id follows
/// from its name and the catalogue's bytes, so that a crash after its creation leads back to it.
pub async fn target(
    arguments: &Import,
    session: &Session,
    journal: &mut Journal,
    state: &Path,
    catalogue: &Catalogue,
) -> Result<CollectionId, Failure> {
    let network = session.client.genesis().await?.network.id();
    let other = |what: &str| {
        Failure::usage(format_args!(
            "state file {} is of another {what}",
            state.display()
        ))
        .hint("name another with --state FILE, or remove it to begin anew")
    };
    if let Some(header) = journal.header() {
        if header.network != network {
            return Err(other("network"));
        }
        if arguments
            .collection
            .is_some_and(|id| id != header.collection)
        {
            return Err(other("collection"));
        }
        session.client.has_seen(journal.seen());
    }
    let known = journal
        .header()
        .map(|h| h.collection)
        .or(arguments.collection);
    let id = match (known, &arguments.name) {
        (Some(id), _) => {
            let collection = session.client.collection(&id).await?;
            mine(session, &collection)?;
            // What a state file leads back to need not be what is asked for now.
            let other = |asked: &str, is: &str| !asked.is_empty() && asked != is;
            if other(arguments.name.as_deref().unwrap_or(""), &collection.name)
                || other(&arguments.description, &collection.description)
            {
                return Err(Failure::usage(format_args!(
                    "state file {} is of collection {id}, {:?}, whose name and description never change",
                    state.display(),
                    collection.name
                ))
                .hint("name another with --state FILE to create a new collection"));
            }
            id
        }
        (None, Some(name)) => create(arguments, session, name, &catalogue.digest).await?,
        (None, None) => {
            let words = "which collection do the cards belong to?";
            return Err(Failure::usage(words)
                .hint("create one with --name NAME, or name yours with --collection ID"));
        }
    };
    journal.begin(network, id, &catalogue.mapping)?;
    Ok(id)
}

fn mine(session: &Session, collection: &Collection) -> Result<(), Failure> {
    if collection.creator == session.address {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Refused,
        format_args!(
            "collection {} was created by {}, and the key is of {}",
            collection.id, collection.creator, session.address
        ),
    )
    .hint("only its creator adds editions: name the creator's key with --key FILE"))
}

async fn create(
    arguments: &Import,
    session: &Session,
    name: &str,
    digest: &[u8; 32],
) -> Result<CollectionId, Failure> {
    let length = (name.len() as u64).to_be_bytes();
    let hash = keccak(&[b"weft/import/collection", &length, name.as_bytes(), digest]);
    let mut idempotency = [0; 16];
    idempotency.copy_from_slice(&hash[..16]);
    let id = CollectionId::derive(&session.address, &idempotency, 0);
    let create = Operation::CreateCollection {
        name: name.to_owned(),
        description: arguments.description.clone(),
        item_cap: 0,
    };
    match session.client.collection(&id).await {
        Ok(_) => return Ok(id),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    let mut body = session.body(vec![create]);
    body.idempotency = idempotency;
    let transaction = session.sign(body);
    let status = session.client.submit(&transaction, Wait::Committed).await?;
    if status.code != Some(FailureCode::AlreadyExists.number()) {
        settled(&status, Wait::Committed)?;
    }
    Ok(id)
}
