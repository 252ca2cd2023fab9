//! A node that lies about the registry.

use super::*;
use crate::client::{Contracts, Endpoint};
use alloy::primitives::{Bytes, U256};
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::Block;
use alloy::transports::mock::Asserter;
use weft_types::testing::committee;

/// What a node answers about the committee of four.
struct Answers {
    ids: Vec<u64>,
    weights: Vec<u64>,
    digest: B256,
    members: Vec<Registry::Member>,
}

fn honest() -> Answers {
    let committee = committee(4);
    let answer = |member: &Member| Registry::Member {
        operator: Address::repeat_byte(member.id as u8),
        bond: U256::from(member.stake.0),
        weight: member.stake.0,
        effective: member.stake.0,
        vertexKey: B256::from(member.vertex_key.0),
        finalityKey: member.finality_key.to_eip2537().into(),
        addresses: member.addresses.clone(),
        status: 3,
        entryIndex: 0,
        freeAt: 0,
    };
    Answers {
        ids: vec![1, 2, 3, 4],
        weights: committee.members().iter().map(|m| m.stake.0).collect(),
        digest: B256::from(committee.digest().0),
        members: committee.members().iter().map(answer).collect(),
    }
}

async fn read(change: impl FnOnce(&mut Answers)) -> Result<Committee, ClientError> {
    let mut answers = honest();
    change(&mut answers);
    let asserter = Asserter::new();
    asserter.push_success(&Some(Block::<()>::default()));
    let committee = Registry::committeeReturn {
        epoch_: 0,
        ids: answers.ids,
        weights: answers.weights,
        digest: answers.digest,
    };
    asserter.push_success(&Bytes::from(Registry::committeeCall::abi_encode_returns(
        &committee,
    )));
    for member in &answers.members {
        let member = Registry::memberCall::abi_encode_returns(member);
        asserter.push_success(&Bytes::from(member));
    }
    let endpoint = Endpoint::of_client("http://liar", RpcClient::mocked(asserter));
    let contracts = Contracts {
        registry: [1; 20],
        manager: [2; 20],
        vault: [3; 20],
    };
    let chain = BaseChain {
        endpoint,
        contracts,
    };
    chain.committee().await
}

async fn refused(change: impl FnOnce(&mut Answers)) -> String {
    read(change).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_committee_is_read_as_it_is_registered() {
    assert_eq!(read(|_| ()).await, Ok(committee(4)));
}

#[tokio::test]
async fn a_committee_with_another_digest_is_refused() {
    for change in [
        |a: &mut Answers| a.weights[1] = 2,
        |a: &mut Answers| a.members[2].addresses.push('0'),
        |a: &mut Answers| a.members.swap(0, 3),
        |a: &mut Answers| a.digest = B256::ZERO,
    ] {
        let error = read(change).await.unwrap_err();
        assert!(
            matches!(error, ClientError::CommitteeDigest { .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_no_key_is_refused_with_its_member() {
    let no_point = refused(|a| a.members[1].vertexKey = B256::repeat_byte(2)).await;
    assert!(
        no_point.contains("member 2: ") && no_point.contains("no Ed25519 key"),
        "{no_point}"
    );
    for (key, reason) in [
        (vec![0; 128], "not a point"),
        (vec![1; 128], "not a point"),
        (vec![0; 127], "127 bytes"),
    ] {
        let error = refused(|a| a.members[3].finalityKey = key.into()).await;
        assert!(
            error.contains("member 4: ") && error.contains(reason),
            "{error}"
        );
    }
}

#[tokio::test]
async fn members_that_make_no_committee_are_refused() {
    let error = refused(|a| a.weights.truncate(3)).await;
    assert!(error.contains("4 members with 3 weights"), "{error}");
    let error = refused(|a| a.ids = vec![1, 2, 4, 3]).await;
    assert!(error.contains("ids must ascend"), "{error}");
    let error = refused(|a| a.weights[0] = 0).await;
    assert!(error.contains("member 1 has no stake"), "{error}");
    let error = refused(|a| {
        a.ids = (1..=129).collect();
        a.weights = vec![1; 129];
    })
    .await;
    assert!(
        error.contains("129 members with 129 weights, more than 128"),
        "{error}"
    );
    let error = refused(|a| {
        a.ids.clear();
        a.weights.clear();
    })
    .await;
    assert!(error.contains("not 0"), "{error}");
}
