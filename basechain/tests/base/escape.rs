//! X1 to X6 told to two chains: the latch, a claim by an old checkpoint that a newer one refutes, one that is paid, and a
//! deposit that comes back.

use crate::support::{CHAIN_ID, ETHER, enrolled_with, operator, params, stated, told_alike};
use std::time::Duration;
use weft_basechain::{
    BaseChain, ClaimState, ClientError, Counting, DeployParams, Endpoint, Latch, Mined,
    NATIVE_UNIT, NewestCounting, PostedAs, ProvenPlace, SubmitOutcome, Times,
};
use weft_types::testing::certify;
use weft_types::{
    Address, Amount, BaseAddress, BaseAsset, Deposit, Exit, Height, Root, Statement, tree_proof,
    tree_root_of,
};

const AFTER_S: u64 = 4;
const WINDOW_S: u64 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_out_is_the_same_on_the_embedded_chain_and_on_anvil() {
    told_alike(async |url| tell(&url).await).await;
}

fn coins(amount: u64) -> BaseAsset {
    let amount = Amount(amount);
    BaseAsset::Native { amount }
}

fn owned(place: u64, amount: u64, by: usize) -> Exit {
    Exit {
        place,
        asset: coins(amount),
        owner: BaseAddress(operator(by).address()),
    }
}

/// A checkpoint whose tree has this, each at its place, and that has credited nothing.
async fn post(chain: &BaseChain, height: u64, exits: &[Exit]) -> Vec<ProvenPlace> {
    post_with(chain, height, exits, Deposit::digest_start()).await
}

async fn post_with(
    chain: &BaseChain,
    height: u64,
    exits: &[Exit],
    deposits_digest: Root,
) -> Vec<ProvenPlace> {
    let leaves: Vec<[u8; 32]> = exits.iter().map(Exit::leaf).collect();
    let proofs: Vec<_> = (0..leaves.len())
        .map(|i| tree_proof(&leaves, i).unwrap())
        .collect();
    let statement = Statement {
        exit_root: tree_root_of(leaves[0], 0, &proofs[0]),
        deposits_digest,
        ..stated(chain, height)
    };
    let certificate = certify(&statement, &[0, 1, 2, 3]);
    let posted = chain.submit(&operator(0), &certificate).await.unwrap();
    assert!(matches!(posted, SubmitOutcome::Posted(_)), "{posted:?}");
    let places = exits
        .iter()
        .zip(proofs)
        .map(|(exit, siblings)| ProvenPlace {
            place: exit.place,
            exit: Some(*exit),
            siblings,
            statement: statement.clone(),
        });
    places.collect()
}

fn reason<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    let error = result.unwrap_err();
    error.refusal().expect("a refusal").name.clone()
}

/// This one is the newest that counts: one above it has deposits that nobody made, another came after the latch.
async fn counts(chain: &BaseChain, latch: &Latch, statement: &Statement) {
    let expected = NewestCounting::Statement(Box::new(statement.clone()));
    assert_eq!(chain.newest_counting(latch).await, Ok(expected));
}

/// Gas of each step.
async fn tell(url: &str) -> Vec<u64> {
    let endpoint = Endpoint::connect(url).await.unwrap();
    assert_eq!(endpoint.chain_id(), CHAIN_ID);
    let times = Times {
        escape_after_s: AFTER_S,
        escape_window_s: WINDOW_S,
        ..params().times
    };
    let params = DeployParams { times, ..params() };
    let chain = enrolled_with(endpoint, &params).await;
    let deposit = chain
        .deposit(&operator(2), &coins(7), Address([3; 32]))
        .await;
    let deposit = deposit.unwrap();
    let old = post(&chain, 1, &[owned(0, 50, 1), owned(1, 20, 3)]).await;
    let new = post(&chain, 2, &[owned(0, 30, 1), owned(1, 20, 3)]).await;
    let foreign = post_with(&chain, 3, &[owned(0, 9, 1)], Root([9; 32])).await;
    let latch = chain.latch().await.unwrap();
    assert_eq!((latch.tripped_at, latch.window_s), (None, WINDOW_S));
    let (old_one, new_one) = (&old[0].statement, &new[0].statement);
    assert!(matches!(chain.posted_as(old_one).await, Ok(PostedAs::This(at)) if at <= latch.now));
    let made_up = Statement {
        exit_root: Root([1; 32]),
        ..old_one.clone()
    };
    assert_eq!(chain.posted_as(&made_up).await, Ok(PostedAs::Another));
    let unposted = stated(&chain, 9);
    assert_eq!(chain.posted_as(&unposted).await, Ok(PostedAs::Nothing));
    counts(&chain, &latch, new_one).await;
    assert!(latch.opens_at > latch.now);
    assert_eq!(reason(chain.trip(&operator(4)).await), "TooEarly");
    assert_eq!(
        reason(chain.escape(&operator(1), &old[0]).await),
        "NotLatched"
    );

    tokio::time::sleep(Duration::from_secs(AFTER_S + 1)).await;
    let mut gas = vec![chain.trip(&operator(4)).await.unwrap()];
    assert_eq!(reason(chain.trip(&operator(4)).await), "Latched");
    let latch = chain.latch().await.unwrap();
    assert!(latch.tripped_at.is_some() && latch.height == Height(3));
    let late = post(&chain, 4, &[owned(0, 1, 1)]).await;
    let judged = [
        (&late[0].statement, Counting::AfterLatch),
        (&foreign[0].statement, Counting::ForeignDeposits),
        (new_one, Counting::Counts),
        (old_one, Counting::Counts),
        (&made_up, Counting::Another),
        (&unposted, Counting::NotPosted),
    ];
    for (statement, counting) in judged {
        assert_eq!(chain.counting(statement, &latch).await, Ok(counting));
    }
    counts(&chain, &latch, new_one).await;
    let late = chain
        .deposit(&operator(2), &coins(7), Address([3; 32]))
        .await;
    assert_eq!(reason(late), "Latched");

    assert_eq!(
        reason(chain.escape(&operator(3), &old[0]).await),
        "NotTheOwner"
    );
    assert_eq!(chain.exit_claim(0).await.unwrap(), None);
    gas.push(chain.escape(&operator(1), &old[0]).await.unwrap());
    let claim = chain.exit_claim(0).await.unwrap().unwrap();
    let expected = ClaimState {
        what: old[0].leaf(),
        claimant: BaseAddress(operator(1).address()),
        opened_at: claim.opened_at,
        height: Height(1),
        paid: false,
    };
    assert_eq!(claim, expected);
    assert_eq!(
        reason(chain.refute_escape(&operator(4), &old[0]).await),
        "NotRefuted"
    );
    gas.push(chain.refute_escape(&operator(4), &new[0]).await.unwrap());
    // The place remembers what has refuted, and this is no newer.
    assert_eq!(
        reason(chain.refute_escape(&operator(4), &new[0]).await),
        "NotRefuted"
    );
    assert_eq!(chain.refuted_exits(&latch).await.unwrap(), [(0, Height(2))]);
    gas.push(chain.escape(&operator(1), &new[0]).await.unwrap());
    assert_eq!(
        reason(chain.escape(&operator(1), &new[0]).await),
        "ClaimExists"
    );
    let exit = new[0].exit.unwrap();
    assert_eq!(
        reason(chain.finish_escape(&operator(4), &exit).await),
        "TooEarly"
    );

    gas.push(chain.reclaim_deposit(&operator(2), &deposit).await.unwrap());
    let refuted = chain
        .refute_reclaim(&operator(4), &new[0].statement, 1)
        .await;
    assert_eq!(reason(refuted), "NotRefuted");
    let claimed = chain.claimed_exits(&latch).await.unwrap();
    let reclaimed = chain.claimed_deposits(&latch).await.unwrap();
    assert_eq!(
        (
            claimed.into_iter().collect(),
            reclaimed.into_iter().collect()
        ),
        (vec![0], vec![1])
    );
    assert!(chain.refuted_deposits(&latch).await.unwrap().is_empty());
    let own = chain
        .deposits_of(BaseAddress(operator(2).address()), 0)
        .await
        .unwrap();
    assert_eq!(own, [deposit]);

    tokio::time::sleep(Duration::from_secs(WINDOW_S + 1)).await;
    gas.extend(paid(&chain, &exit, &deposit).await);
    gas.iter().map(|mined| mined.gas_used).collect()
}

/// Both claims are paid once, with their stakes, whoever asks.
async fn paid(chain: &BaseChain, exit: &Exit, deposit: &weft_basechain::Deposited) -> [Mined; 2] {
    let balance = async |i: usize| {
        let account = operator(i).address();
        chain.endpoint().balance(account).await.unwrap()
    };
    let before = [balance(1).await, balance(2).await];
    let exited = chain.finish_escape(&operator(4), exit).await.unwrap();
    let returned = chain.finish_reclaim(&operator(4), deposit).await.unwrap();
    let stake = ETHER / 100;
    assert_eq!(balance(1).await, before[0] + 30 * NATIVE_UNIT + stake);
    assert_eq!(balance(2).await, before[1] + 7 * NATIVE_UNIT + stake);
    assert_eq!(
        reason(chain.finish_escape(&operator(4), exit).await),
        "NoClaim"
    );
    assert!(chain.exit_claim(0).await.unwrap().unwrap().paid);
    assert!(chain.reclaim(1).await.unwrap().unwrap().paid);
    [exited, returned]
}
