use super::*;
use crate::Times;
use weft_types::testing::{certify, finality_key, statement, vertex_key};
use weft_types::{GenesisDigest, Network};

const ETHER: u128 = 1_000_000_000_000_000_000;
const START: u64 = 1_700_000_000;

fn operator(i: usize) -> AccountKey {
    AccountKey::from_bytes(&[i as u8 + 0x41; 32]).unwrap()
}

/// Four members, finality three blocks deep.
fn enrolled() -> LocalChain {
    let config = ChainConfig {
        chain_id: 31_337,
        seed: 1,
        genesis_timestamp: START,
        balances: (0..4)
            .map(|i| (operator(i).address(), 100 * ETHER))
            .collect(),
        finality_depth: 3,
    };
    let params = DeployParams {
        network: GenesisDigest([9; 32]),
        bond_unit: ETHER,
        weight_min: 1,
        weight_max: 10,
        times: Times::testnet(0),
        backing: 0,
        curator: [0; 20],
        operators: (0..4).map(|i| operator(i).address()).collect(),
    };
    let member = |i| {
        let registration = Registration {
            vertex_key: vertex_key(i).public(),
            finality_secret: finality_key(i),
            bond: ETHER,
            addresses: format!("/ip4/127.0.0.1/tcp/{}", 9000 + i),
        };
        (operator(i), registration)
    };
    let members: Vec<_> = (0..4).map(member).collect();
    LocalChain::enrolled(config, &params, &members).unwrap()
}

fn posting(local: &LocalChain, height: u64) -> Posting {
    let mut stated = statement(height);
    stated.network = Network {
        genesis: GenesisDigest([9; 32]),
        chain_id: 31_337,
        manager: local.contracts().manager,
    };
    let certificate = certify(&stated, &[0, 1, 3]);
    Posting {
        statement: certificate.statement,
        bitmap: certificate.bitmap,
        signature: certificate.signature.to_eip2537().to_vec(),
    }
}

/// Empty blocks, one a second.
fn idle(local: &mut LocalChain, seconds: std::ops::Range<u64>) {
    for second in seconds {
        local.seal(START + second);
    }
}

fn posted(local: &LocalChain, at: At) -> u64 {
    local.latest_checkpoint(at).map_or(0, |c| c.height.0)
}

fn post(local: &mut LocalChain, by: usize, height: u64, now: u64) -> Included {
    let hash = local
        .submit(&operator(by), &posting(local, height))
        .unwrap();
    local.seal(now);
    local.included(&hash).unwrap()
}

#[test]
fn a_committee_that_registers_is_the_one_of_its_members() {
    let local = enrolled();
    let expected = weft_types::testing::committee(4).digest();
    assert_eq!(local.committee_digest(), Some(expected));
}

#[test]
fn postings_are_verified_and_become_final_with_depth() {
    let mut local = enrolled();
    assert_eq!(local.judge(&posting(&local, 5)), Ok(Verdict::Accepted));
    assert!(post(&mut local, 0, 5, START + 1).success);
    assert_eq!(
        (posted(&local, At::Latest), posted(&local, At::Finalized)),
        (5, 0)
    );
    let again = local.judge(&posting(&local, 5));
    assert_eq!(again, Ok(Verdict::Superseded(Height(5))));
    assert!(
        !post(&mut local, 1, 4, START + 2).success,
        "it costs gas, and no more"
    );
    let mut forged = posting(&local, 6);
    forged.statement.state_root = weft_types::Root([0xee; 32]);
    let Ok(Verdict::Refused(refusal)) = local.judge(&forged) else {
        panic!("a forged statement is taken");
    };
    assert_eq!(refusal.name, "SignatureRefused");
    idle(&mut local, 3..5);
    assert_eq!(posted(&local, At::Finalized), 5);
}

#[test]
fn a_reorganisation_takes_postings_away_until_they_are_final() {
    let mut local = enrolled();
    post(&mut local, 0, 5, START + 1);
    idle(&mut local, 2..5);
    post(&mut local, 1, 6, START + 5);
    let (head, finalized) = (local.chain().head().number(), local.chain().finalized());
    let too_deep = local.rewind(4).unwrap_err();
    assert_eq!((too_deep.head, too_deep.finalized), (head, finalized));
    let taken = local.rewind(3).unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        (posted(&local, At::Latest), posted(&local, At::Finalized)),
        (5, 5)
    );
    assert_eq!(
        local.chain().finalized(),
        finalized,
        "what is final stays so"
    );
    local.submit_again(&taken[0]);
    local.seal(START + 6);
    assert_eq!(posted(&local, At::Latest), 6);
}

/// Two chains that differ by a reorganisation of empty blocks alone have the same state.
#[test]
fn what_a_reorganisation_takes_away_leaves_no_trace_in_the_state() {
    let (mut with, mut without) = (enrolled(), enrolled());
    post(&mut with, 1, 5, START + 1);
    with.rewind(1).unwrap();
    post(&mut with, 0, 7, START + 2);
    post(&mut without, 0, 7, START + 2);
    // Nonce, fee and time are the same, so the blocks are.
    assert_eq!(with.chain().head().hash(), without.chain().head().hash());
}

#[test]
fn a_transaction_that_is_forgotten_is_replaced_by_the_next_one_of_its_account() {
    let mut local = enrolled();
    let lost = local.submit(&operator(0), &posting(&local, 5)).unwrap();
    local.forget_waiting();
    local.seal(START + 1);
    assert_eq!(local.included(&lost), None);
    assert!(post(&mut local, 0, 6, START + 2).success);
    // One that still waits is outbid: only one of the two gets into a block.
    let stuck = local.submit(&operator(1), &posting(&local, 7)).unwrap();
    let outbid = local.submit(&operator(1), &posting(&local, 8)).unwrap();
    local.seal(START + 3);
    assert_eq!(local.included(&stuck), None);
    assert!(local.included(&outbid).unwrap().success);
}
