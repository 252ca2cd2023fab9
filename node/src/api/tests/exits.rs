//! X3: holdings are shown with what the vault pays them by, also while the ledger goes on.

use super::harness::{Node, signed};
use axum::http::StatusCode;
use weft_types::api::{ExitPlace, ExitTree, Exits, Holding, WithdrawalStatus, Withdrawals};
use weft_types::testing::user;
use weft_types::*;

const CARDS: BaseAddress = BaseAddress([0xca; 20]);

fn card(n: u8) -> BaseAsset {
    let id = TokenId([n; 32]);
    BaseAsset::Erc721 { token: CARDS, id }
}

fn item(n: u8) -> ItemId {
    ItemId::derive(&EditionId::erc721(CARDS, &TokenId([n; 32])), 1)
}

fn deposit(to: u64, asset: BaseAsset) -> Deposit {
    Deposit {
        asset,
        sender: BaseAddress([1; 20]),
        account: user(to),
    }
}

fn name(address: u8) -> Operation {
    Operation::ExitAddress {
        address: BaseAddress([address; 20]),
        items: vec![],
    }
}

fn send(to: u64, item: ItemId) -> Operation {
    Operation::Transfer {
        payments: vec![],
        items: vec![ItemTransfer { to: user(to), item }],
    }
}

async fn exits(node: &Node, of: u64) -> Exits {
    node.get(&format!("/v1/exits/{}", user(of))).await.json()
}

/// What the vault checks.
fn check(exits: &Exits, holding: &Holding) {
    let statement = exits.statement.as_ref().unwrap();
    let proof = holding.proof.clone().unwrap();
    let siblings: [Root; TREE_DEPTH] = proof.siblings.try_into().unwrap();
    let root = tree_root_of(proof.exit.leaf(), proof.exit.place, &siblings);
    assert_eq!(root, statement.exit_root);
    assert_eq!(Some(proof.exit.owner), holding.exit_address);
}

#[tokio::test]
async fn holdings_are_proven_by_the_newest_checkpoint_and_shown_as_they_are_now() {
    let node = Node::start();
    let none = exits(&node, 1).await;
    assert_eq!((none.exit_address, none.statement), (None, None));
    node.done(&signed(1, 1, vec![name(5)])).await;
    node.deposit(deposit(1, card(1)));
    node.commit();
    let unposted = exits(&node, 1).await;
    assert_eq!(unposted.exit_address, Some(BaseAddress([5; 20])));
    assert!(unposted.holdings.iter().all(|h| h.proof.is_none()));

    let height = node.checkpoint();
    // The ledger goes on, and other heights are certified and not posted.
    node.done(&signed(1, 2, vec![send(2, item(1))])).await;
    node.done(&signed(2, 3, vec![name(6)])).await;
    node.certify();
    let now = exits(&node, 1).await;
    assert_eq!(now.statement.as_ref().map(|s| s.height), Some(height));
    let [amount] = &now.holdings[..] else {
        panic!("the card is gone: {now:?}");
    };
    check(&now, amount);
    let then = amount.proof.as_ref().unwrap().exit.asset;
    assert_ne!(then, amount.asset, "a fee was paid since");
    let buyer = exits(&node, 2).await;
    let bought = buyer.holdings.iter().find(|h| h.item == Some(item(1)));
    assert_eq!(bought.unwrap().proof, None, "the checkpoint has the seller");

    let height = node.checkpoint();
    let buyer = exits(&node, 2).await;
    assert_eq!(buyer.statement.as_ref().map(|s| s.height), Some(height));
    let bought = buyer.holdings.iter().find(|h| h.item == Some(item(1)));
    // It came before its holder named an address.
    assert_eq!(bought.unwrap().exit_address, None);
}

#[tokio::test]
async fn after_a_restart_proofs_are_there_when_nothing_has_changed_since() {
    let node = Node::start();
    node.done(&signed(1, 1, vec![name(5)])).await;
    let height = node.checkpoint();
    node.forget();
    let same = exits(&node, 1).await;
    assert_eq!(same.statement.as_ref().map(|s| s.height), Some(height));
    check(&same, &same.holdings[0]);
    node.done(&signed(1, 2, vec![send(2, item(9))])).await;
    let changed = exits(&node, 1).await;
    assert_eq!(changed.statement, None, "a fee was paid");
    node.checkpoint();
    check(&exits(&node, 1).await, &exits(&node, 1).await.holdings[0]);
}

#[tokio::test]
async fn pages_have_amounts_then_cards_each_once() {
    let node = Node::start();
    node.done(&signed(1, 1, vec![name(5)])).await;
    for n in 1..=3 {
        node.deposit(deposit(1, card(n)));
        let (token, amount) = (BaseAddress([n; 20]), Amount(7));
        node.deposit(deposit(1, BaseAsset::Erc20 { token, amount }));
    }
    node.commit();
    node.checkpoint();
    let all = exits(&node, 1).await;
    assert_eq!((all.holdings.len(), all.next.as_ref()), (7, None));
    all.holdings.iter().for_each(|h| check(&all, h));
    for limit in [1, 3, 4, 5] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/exits/{}?limit={limit}&cursor={cursor}", user(1));
            let page: Exits = node.get(&path).await.json();
            assert!(page.holdings.len() <= limit);
            found.extend(page.holdings);
            let Some(next) = page.next else { break };
            cursor = next;
        }
        assert_eq!(found, all.holdings, "{limit} a page");
    }
}

#[tokio::test]
async fn a_place_is_proven_whether_something_is_there_or_not() {
    let node = Node::start();
    let answer = node.get("/v1/exits/places/0").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "no checkpoint");
    node.done(&signed(1, 1, vec![name(5)])).await;
    node.checkpoint();
    for (place, there) in [(0, true), (1, false), (70_000, false)] {
        let path = format!("/v1/exits/places/{place}");
        let found: ExitPlace = node.get(&path).await.json();
        assert_eq!(found.exit.is_some(), there);
        let leaf = found.exit.map_or([0; 32], |e| e.leaf());
        let siblings: [Root; TREE_DEPTH] = found.siblings.try_into().unwrap();
        let root = tree_root_of(leaf, place, &siblings);
        assert_eq!(root, found.statement.exit_root);
    }
    let beyond = format!("/v1/exits/places/{TREE_PLACES}");
    assert_eq!(node.get(&beyond).await.status, StatusCode::NOT_FOUND);
    for wrong in ["/v1/exits/places/-1", "/v1/exits/0x12"] {
        assert_eq!(node.get(wrong).await.status, StatusCode::BAD_REQUEST);
    }
    for cursor in ["x", "amount-x", "card-x", "card-", "coin-00"] {
        let path = format!("/v1/exits/{}?cursor={cursor}", user(1));
        let status = node.get(&path).await.status;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{cursor}");
    }
}

fn withdraw() -> Operation {
    Operation::Withdraw {
        recipient: BaseAddress([2; 20]),
        gives: Bundle {
            assets: vec![AssetAmount {
                asset: AssetId::NATIVE,
                amount: Amount(5),
            }],
            items: vec![],
        },
    }
}

#[tokio::test]
async fn a_withdrawal_is_proven_by_the_first_checkpoint_that_has_it_however_many_follow() {
    let node = Node::start();
    let mut posted = Vec::new();
    for n in 0..5 {
        let two = vec![withdraw(), withdraw()];
        node.done(&signed(1, n, two)).await;
        posted.push(node.checkpoint());
    }
    for index in 0..10 {
        let path = format!("/v1/withdrawals/{index}");
        let status: WithdrawalStatus = node.get(&path).await.json();
        let claim = status.claim.unwrap();
        assert_eq!(claim.height, posted[index as usize / 2]);
        assert_eq!(status.certified, Some(claim.height));
        let siblings: [Root; TREE_DEPTH] = claim.siblings.try_into().unwrap();
        let root = tree_root_of(status.withdrawal.leaf(), index, &siblings);
        assert_eq!(root, claim.statement.withdrawals_root);
    }
}

#[tokio::test]
async fn k5_withdrawals_are_listed_with_proofs_by_the_newest_checkpoint_page_by_page() {
    let node = Node::start();
    let answer = node.get("/v1/withdrawals").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "no checkpoint");
    for n in 0..4 {
        let (user, number) = (1 + n % 2, n / 2);
        node.done(&signed(user, number, vec![withdraw()])).await;
    }
    let height = node.checkpoint();
    // What comes later is not in it.
    node.done(&signed(1, 9, vec![withdraw()])).await;
    node.certify();
    let (of, limits) = (format!("account={}", user(2)), [1, 2, 500]);
    for (query, limit) in limits.iter().flat_map(|l| [("", l), (&of[..], l)]) {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/withdrawals?{query}&limit={limit}&cursor={cursor}");
            let page: Withdrawals = node.get(&path).await.json();
            assert_eq!((page.statement.height, page.count), (height, 4));
            for proven in &page.withdrawals {
                let index = proven.withdrawal.index;
                found.push((index, proven.withdrawal.account));
                if query.is_empty() {
                    assert!(proven.siblings.is_empty(), "who has all needs none");
                    continue;
                }
                let siblings = proven.siblings.clone().try_into().unwrap();
                let root = tree_root_of(proven.withdrawal.leaf(), index, &siblings);
                assert_eq!(root, page.statement.withdrawals_root);
            }
            let Some(next) = page.next else { break };
            cursor = next;
        }
        let all = (0..4).map(|n| (n, user(1 + n % 2)));
        let of_query: Vec<_> = all
            .filter(|(n, _)| query.is_empty() || n % 2 == 1)
            .collect();
        assert_eq!(found, of_query, "{limit} a page, {query}");
    }
    let none: Withdrawals = node
        .get(&format!("/v1/withdrawals?account={}", user(3)))
        .await
        .json();
    assert_eq!((none.withdrawals, none.next), (vec![], None));
}

#[tokio::test]
async fn the_whole_tree_is_read_in_pages_and_has_the_statements_root() {
    let node = Node::start();
    let answer = node.get("/v1/exits/places").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "no checkpoint");
    node.done(&signed(1, 1, vec![name(5)])).await;
    for n in 1..=5 {
        node.deposit(deposit(1, card(n)));
    }
    node.commit();
    // One goes to somebody without an address: its place is empty.
    node.done(&signed(1, 2, vec![send(2, item(3))])).await;
    node.checkpoint();
    // What comes later is not in it.
    node.done(&signed(3, 3, vec![name(7)])).await;
    for limit in [1, 2, 500] {
        let (mut leaves, mut cursor) = (Vec::new(), String::new());
        let statement = loop {
            let path = format!("/v1/exits/places?limit={limit}&cursor={cursor}");
            let page: ExitTree = node.get(&path).await.json();
            assert!(page.exits.len() <= limit && page.places == 7);
            leaves.resize(page.places as usize, [0; 32]);
            for exit in page.exits {
                leaves[exit.place as usize] = exit.leaf();
            }
            let Some(next) = page.next else {
                break page.statement;
            };
            cursor = next;
        };
        assert_eq!(leaves.iter().filter(|l| **l != [0; 32]).count(), 5);
        let siblings = tree_proof(&leaves, 0).unwrap();
        assert_eq!(tree_root_of(leaves[0], 0, &siblings), statement.exit_root);
    }
}
