//! One story, told to two chains: from empty accounts to checkpoints, with everything that the
//! contracts refuse on the way. What each step gives is written down, with the gas it used, and the
//! two stories have to be the same, word for word.

use crate::support::{
    ETHER, committee, fund, operator, params, registration, rich, stated, told_alike,
};
use std::fmt::Write as _;
use weft_basechain::{At, BaseChain, ClientError, Contracts, Endpoint, SubmitOutcome};
use weft_types::testing::certify;
use weft_types::{
    Certificate, CommitDigest, Committee, CommitteeDigest, Epoch, GenesisDigest, Height,
    MemberIndex, MemberSet, Root, Statement,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_chain_and_anvil_tell_the_same_story() {
    told_alike(async |url| tell(&url).await).await;
}

/// What happened, line by line.
#[derive(Default)]
struct Story(String);

impl Story {
    fn add(&mut self, step: &str, what: impl std::fmt::Display) {
        writeln!(self.0, "{step}: {what}").unwrap();
    }

    /// A step that is refused, with the reason that is expected to begin so.
    fn refused<T: std::fmt::Debug>(
        &mut self,
        step: &str,
        result: Result<T, ClientError>,
        expected: &str,
    ) {
        let error = result.expect_err(step);
        let refusal = error.refusal().unwrap_or_else(|| panic!("{step}: {error}"));
        assert_eq!(refusal.to_string(), expected, "{step}");
        self.add(step, refusal);
    }
}

async fn tell(url: &str) -> String {
    let mut story = Story::default();
    let endpoint = Endpoint::connect(url).await.unwrap();
    fund(&endpoint).await;
    story.add("chain", endpoint.chain_id());
    let nowhere = Contracts {
        registry: [1; 20],
        manager: [2; 20],
        vault: [3; 20],
    };
    let error = BaseChain::connect(url, nowhere).await.unwrap_err();
    assert!(matches!(error, ClientError::NoContract { .. }), "{error}");

    let chain = deployment(&mut story, &endpoint).await;
    registrations(&mut story, &chain).await;
    refusals(&mut story, &chain).await;
    checkpoints(&mut story, &chain).await;
    story.0
}

async fn deployment(story: &mut Story, endpoint: &Endpoint) -> BaseChain {
    let mut impossible = params();
    impossible.bond_unit = 0;
    let refused = BaseChain::deploy(endpoint.clone(), &rich(), &impossible).await;
    story.refused("no bond unit", refused, "ZeroBondUnit()");
    impossible = params();
    impossible.operators[3] = impossible.operators[0];
    let refused = BaseChain::deploy(endpoint.clone(), &rich(), &impossible).await;
    let twice = format!("DuplicateOperator(operator: {}, id: 1)", shown(0));
    story.refused("an operator twice", refused, &twice);

    let chain = BaseChain::deploy(endpoint.clone(), &rich(), &params())
        .await
        .unwrap();
    story.add("contracts", format!("{:?}", chain.contracts()));
    let mixed = Contracts {
        registry: chain.contracts().manager,
        ..chain.contracts()
    };
    let error = BaseChain::new(endpoint.clone(), mixed).await.unwrap_err();
    assert!(
        matches!(error, ClientError::OtherContract { .. }),
        "{error}"
    );
    chain
}

/// An operator's address as the refusals show it.
fn shown(i: usize) -> String {
    alloy::primitives::Address::from(operator(i).address()).to_string()
}

async fn registrations(story: &mut Story, chain: &BaseChain) {
    let incomplete = chain.committee().await;
    let expected = "GenesisIncomplete(registered: 0, expected: 4)";
    story.refused("committee too early", incomplete, expected);
    let outsider = chain.register(&operator(4), &registration(4)).await;
    let expected = format!("NotGenesisOperator(sender: {})", shown(4));
    story.refused("an outsider", outsider, &expected);

    let mut wrong = registration(3);
    wrong.bond += 1;
    let refused = chain.register(&operator(3), &wrong).await;
    let expected = format!("BondNotWhole(bond: {}, bondUnit: {ETHER})", 30 * ETHER + 1);
    story.refused("a broken unit", refused, &expected);
    wrong.bond = 9 * ETHER;
    let refused = chain.register(&operator(3), &wrong).await;
    let expected = "WeightOutOfBounds(weight: 9, min: 10, max: 100)";
    story.refused("too small a bond", refused, expected);
    wrong = registration(3);
    wrong.addresses.clear();
    let refused = chain.register(&operator(3), &wrong).await;
    story.refused("no address", refused, "AddressesLength(given: 0, max: 512)");

    // The last first: the order is that of the operators named.
    for i in (0..4).rev() {
        let registered = chain
            .register(&operator(i), &registration(i))
            .await
            .unwrap();
        assert_eq!(registered.id, i as u64 + 1);
        story.add(
            "registered",
            format!("{} for {} gas", registered.id, registered.mined.gas_used),
        );
        if i == 3 {
            let again = chain.register(&operator(3), &registration(3)).await;
            let expected = format!("AlreadyRegistered(operator: {}, id: 4)", shown(3));
            story.refused("again", again, &expected);
            let mut copied = registration(2);
            copied.vertex_key = registration(3).vertex_key;
            let refused = chain.register(&operator(2), &copied).await;
            let expected = format!(
                "DuplicateVertexKey(vertexKey: 0x{}, id: 4)",
                copied.vertex_key
            );
            story.refused("another's vertex key", refused, &expected);
            copied = registration(2);
            copied.finality_secret = registration(3).finality_secret;
            let refused = chain.register(&operator(2), &copied).await;
            story.refused(
                "another's finality key",
                refused,
                "DuplicateFinalityKey(id: 4)",
            );
        }
    }
    let read = chain.committee().await.unwrap();
    assert_eq!(read, committee());
    assert_eq!(chain.committee_size().await.unwrap(), 4);
    story.add("committee", read.digest());
}

/// The same members, an epoch later.
fn next_epoch() -> Committee {
    Committee::new(Epoch(1), committee().members().to_vec()).unwrap()
}

fn bitmap(members: &[u32]) -> Vec<u8> {
    let set: MemberSet = members.iter().copied().map(MemberIndex).collect();
    set.to_bitmap(4)
}

async fn refusals(story: &mut Story, chain: &BaseChain) {
    let everybody = [0, 1, 2, 3];
    let good = certify(&stated(chain, 5), &everybody);
    let signed = |change: fn(&mut Statement)| {
        let mut statement = stated(chain, 5);
        change(&mut statement);
        certify(&statement, &everybody)
    };
    let changed = |change: fn(&mut Certificate)| {
        let mut certificate = good.clone();
        change(&mut certificate);
        certificate
    };
    let manager = chain.contracts().manager;
    let shown = alloy::primitives::Address::from;
    let not_signed = |certificate: &Certificate, signed: u64| {
        let digest = certificate.statement.digest();
        format!("SignatureRefused(statementDigest: 0x{digest}, signed: {signed})")
    };

    let wrong_root = changed(|c| c.statement.state_root = Root([0xbb; 32]));
    let outsider = {
        let mut shares = certify(&stated(chain, 5), &[0, 1, 2, 7]);
        shares.bitmap = bitmap(&[0, 1, 2, 3]).into();
        shares
    };
    let wrong_bitmap = changed(|c| c.bitmap = bitmap(&[0, 2, 3]).into());
    let cases = [
        (
            "wrong root",
            wrong_root.clone(),
            not_signed(&wrong_root, 90),
        ),
        (
            "an outsider's share",
            outsider.clone(),
            not_signed(&outsider, 90),
        ),
        (
            "wrong bitmap",
            wrong_bitmap.clone(),
            not_signed(&wrong_bitmap, 70),
        ),
        (
            "a bit beyond the committee",
            changed(|c| c.bitmap = vec![0x1f].into()),
            "BitmapStrayBits(members: 4)".to_owned(),
        ),
        (
            "a long bitmap",
            changed(|c| c.bitmap = vec![0x0f, 0].into()),
            "BitmapLength(given: 2, expected: 1)".to_owned(),
        ),
        (
            "exactly two thirds",
            certify(&stated(chain, 5), &[2, 3]),
            "QuorumNotReached(signed: 60, total: 90)".to_owned(),
        ),
        (
            "nobody",
            changed(|c| c.bitmap = vec![0].into()),
            "QuorumNotReached(signed: 0, total: 90)".to_owned(),
        ),
        (
            "another network",
            signed(|s| s.network.genesis = GenesisDigest([8; 32])),
            format!(
                "WrongNetwork(given: 0x{}, expected: 0x{})",
                "08".repeat(32),
                "09".repeat(32)
            ),
        ),
        (
            "another chain",
            signed(|s| s.network.chain_id = 1),
            "WrongChain(given: 1, expected: 31337)".to_owned(),
        ),
        (
            "another manager",
            signed(|s| s.network.manager = [7; 20]),
            format!(
                "WrongManager(given: {}, expected: {})",
                shown([7; 20]),
                shown(manager)
            ),
        ),
        (
            "another epoch",
            signed(|s| s.epoch = Epoch(1)),
            "WrongEpoch(given: 1, current: 0)".to_owned(),
        ),
        (
            "a next committee by another arithmetic",
            signed(|s| s.next_committee = CommitteeDigest([1; 32])),
            format!(
                "NextCommittee(given: 0x{}, expected: 0x{})",
                "01".repeat(32),
                next_epoch().digest()
            ),
        ),
        (
            "entries that are not there",
            signed(|s| {
                s.next_committee = CommitteeDigest([1; 32]);
                s.registry_cursor = 1;
            }),
            "CursorOutOfBounds(given: 1, least: 0, most: 0)".to_owned(),
        ),
    ];
    type Change = fn(&mut Statement);
    let zeros: [(&str, Change); 6] = [
        ("commitDigest", |s| s.commit_digest = CommitDigest::ZERO),
        ("stateRoot", |s| s.state_root = Root::ZERO),
        ("receiptsRoot", |s| s.receipts_root = Root::ZERO),
        ("offendersRoot", |s| s.offenders_root = Root::ZERO),
        ("withdrawalsRoot", |s| s.withdrawals_root = Root::ZERO),
        ("exitRoot", |s| s.exit_root = Root::ZERO),
    ];
    let zeros = zeros.map(|(field, change)| ("zero", signed(change), zero(field)));
    for (step, certificate, expected) in cases.into_iter().chain(zeros) {
        let outcome = chain.submit(&operator(0), &certificate).await;
        refused(story, step, outcome, &expected);
    }
    for (step, signature, expected) in [
        ("zero signature", vec![0; 256], "SignatureAtInfinity()"),
        (
            "short signature",
            vec![0; 255],
            "SignatureLength(given: 255, expected: 256)",
        ),
        (
            "no point",
            vec![1; 256],
            "PointRefused(precompile: 0x000000000000000000000000000000000000000F)",
        ),
    ] {
        let key = operator(0);
        let submitted = chain.submit_encoded(&key, &good.statement, &[0x0f], &signature);
        refused(story, step, submitted.await, expected);
    }
    let latest = chain.latest_checkpoint(At::Latest).await.unwrap();
    assert_eq!(latest, None, "nothing was posted");
}

fn zero(field: &str) -> String {
    format!("ZeroRoot(field: {field})")
}

fn refused(
    story: &mut Story,
    step: &str,
    outcome: Result<SubmitOutcome, ClientError>,
    expected: &str,
) {
    let SubmitOutcome::Refused(refusal) = outcome.expect(step) else {
        panic!("{step} is posted");
    };
    assert_eq!(refusal.to_string(), expected, "{step}");
    story.add(step, refusal);
}

async fn checkpoints(story: &mut Story, chain: &BaseChain) {
    let submit = async |i: usize, height: u64, signers: &[usize]| {
        let certificate = certify(&stated(chain, height), signers);
        chain.submit(&operator(i), &certificate).await.unwrap()
    };
    let SubmitOutcome::Posted(first) = submit(0, 5, &[0, 2, 3]).await else {
        panic!("more than two thirds are a quorum");
    };
    story.add("posted 5 by 3 of 4", format!("{} gas", first.gas_used));
    let read = chain.latest_checkpoint(At::Latest).await.unwrap().unwrap();
    let statement = stated(chain, 5);
    assert_eq!(
        (read.height, read.state_root),
        (Height(5), statement.state_root)
    );
    assert_eq!(
        (read.statement, read.base_block),
        (statement.digest(), first.block)
    );

    for (step, height) in [("a replay", 5), ("an earlier height", 4)] {
        let outcome = submit(1, height, &[0, 1, 2, 3]).await;
        assert_eq!(
            outcome,
            SubmitOutcome::Superseded { latest: Height(5) },
            "{step}"
        );
    }
    // Anyone may post.
    let SubmitOutcome::Posted(second) = submit(4, 9, &[0, 1, 2, 3]).await else {
        panic!("a later height is posted");
    };
    story.add("posted 9 by 4 of 4", format!("{} gas", second.gas_used));
    assert_eq!(chain.checkpoint_count().await.unwrap(), 2);
    let found = chain.checkpoint_in(first.block, Height(5)).await.unwrap();
    assert_eq!(found, Some(read));
    let posted = chain.posted_at(Height(5), At::Latest).await.unwrap();
    assert!(posted.is_some());
    let skipped = chain.posted_at(Height(6), At::Latest).await.unwrap();
    assert_eq!(skipped, None);
    let before = chain
        .latest_checkpoint(At::Block(second.block - 1))
        .await
        .unwrap();
    assert_eq!(before, Some(read), "an older state is read");
    let head = chain.endpoint().head().await.unwrap();
    let finalized = chain.endpoint().finalized().await.unwrap();
    assert!(finalized.number < head.number);
    for i in 0..5 {
        story.add(
            "left",
            chain
                .endpoint()
                .balance(operator(i).address())
                .await
                .unwrap()
                / ETHER,
        );
    }
}
