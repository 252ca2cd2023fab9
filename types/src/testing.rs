//! Committees, keys and signed things for tests, made from fixed seeds. Behind the feature
//! `testing`; nothing here is for production.

use crate::authorisation::{Pass, PassBody, UserKey};
use crate::availability::{Availability, AvailabilityCertificate};
use crate::bls;
use crate::bridge::{BaseAsset, Bridge, Withdrawal};
use crate::channel::{ChannelPart, ChannelState, ChannelTerms, Showing, SignedState, Standing};
use crate::committee::{Committee, Member, MemberSet};
use crate::ed25519::{PublicKey, SecretKey};
use crate::feed::{Feed, FeedReport};
use crate::genesis::{Genesis, GenesisAccount, ProtocolParams, Template};
use crate::ids::{
    Address, Amount, AssetId, BaseAddress, CollectionId, CommitDigest, CommitIndex,
    CommitteeDigest, ContentHash, DealId, DrawSecret, EditionId, Entropy, Epoch, GenesisDigest,
    Height, ItemId, MemberIndex, Millis, Root, Round, Secret, SpentVoucherId, Stake, TokenId,
    VertexDigest,
};
use crate::list::{list_proof, list_root};
use crate::network::Network;
use crate::object::{
    Closing, Deal, DealState, Drawing, Keys, Lot, Order, Pack, Posted, Recovery, SpentVoucher,
    VoucherPool,
};
use crate::offence::{Offence, Offender, Offenders};
use crate::operation::{
    AllowList, AssetAmount, Auction, Bundle, Commission, DealRule, Guardian, KeyChange, ListPlace,
    NewDeal, NewVoucherPool, Operation, Policy, Purchase, Role, RoleHolder, Royalty, Sale, Series,
    Session, SessionKind,
};
use crate::roster::{MemberKeys, QueueEntry, Roster};
use crate::statement::{Certificate, FinalityShare, Statement};
use crate::transaction::{Transaction, TransactionBody};
use crate::vertex::{Observation, Vertex, VertexBody, VertexRef};
use crate::voucher::{Blinding, IssuerKey, VoucherPoint};
use crate::work::{FeeShare, Work};
use serde_json::Value;
use std::path::PathBuf;

/// Compares with a committed file of `docs/spec/vectors`, or writes it when `WEFT_WRITE_VECTORS` is set.
///
/// # Panics
/// When they differ.
pub fn check_vectors(name: &str, vectors: &Value) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec/vectors"));
    let path = folder.join(format!("{name}.json"));
    if std::env::var_os("WEFT_WRITE_VECTORS").is_some() {
        let text = format!("{vectors:#}\n");
        std::fs::create_dir_all(folder).expect("the folder of vectors");
        std::fs::write(&path, text).expect("a file of vectors");
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    // As values: the order of fields is not part of them.
    let committed: Value = serde_json::from_str(&text).unwrap_or_default();
    assert!(
        committed == *vectors,
        "{} differs from what the code makes; if the protocol was meant to change, `just vectors` \
         writes it anew",
        path.display()
    );
}

/// The vertex key of member `i`.
pub fn vertex_key(i: usize) -> SecretKey {
    SecretKey::from_seed([i as u8 + 1; 32])
}

/// The finality key of member `i`.
pub fn finality_key(i: usize) -> bls::SecretKey {
    bls::SecretKey::from_entropy(&[i as u8 + 1; 32])
}

/// A user's key.
pub fn user_key(i: u64) -> SecretKey {
    let mut seed = [0xaa; 32];
    seed[..8].copy_from_slice(&i.to_be_bytes());
    SecretKey::from_seed(seed)
}

/// A user's account.
pub fn user(i: u64) -> Address {
    Address::of_key(&user_key(i).public())
}

/// An account that nobody has the key of.
pub fn stranger(i: u64) -> Address {
    let mut bytes = [0x5a; 32];
    bytes[..8].copy_from_slice(&i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    Address(bytes)
}

/// `n` members with one unit of stake each and ids from 1.
pub fn members(n: usize) -> Vec<Member> {
    let member = |i| Member {
        id: i as u64 + 1,
        stake: Stake(1),
        vertex_key: vertex_key(i).public(),
        finality_key: finality_key(i).public(),
        addresses: format!("/ip4/127.0.0.1/tcp/{}", 9000 + i),
    };
    (0..n).map(member).collect()
}

/// A committee of epoch 0 with equal stakes.
pub fn committee(n: usize) -> Committee {
    Committee::new(Epoch::ZERO, members(n)).expect("test members make a committee")
}

/// The network of the tests.
pub fn network() -> Network {
    Network {
        genesis: GenesisDigest([9; 32]),
        chain_id: 31_337,
        manager: [0x11; 20],
    }
}

/// A genesis with `n` members and ten users of a million units each.
pub fn genesis(n: usize) -> Genesis {
    let account = |i| GenesisAccount {
        address: user(i),
        balance: Amount(1_000_000),
    };
    let template = Template {
        name: "test".to_owned(),
        timestamp_ms: Millis(1_000),
        params: ProtocolParams::default(),
        accounts: (0..10).map(account).collect(),
    };
    Genesis {
        network: Network {
            genesis: template.digest(),
            ..network()
        },
        template,
        registry: [0x22; 20],
        vault: [0x33; 20],
        committee: members(n),
    }
}

/// A statement of the given height.
pub fn statement(height: u64) -> Statement {
    Statement {
        network: network(),
        epoch: Epoch::ZERO,
        height: Height(height),
        timestamp: Millis(1_000 + height),
        commit: CommitIndex(height),
        commit_digest: CommitDigest([1; 32]),
        state_root: Root([2; 32]),
        receipts_root: Root([3; 32]),
        offenders_root: Root([4; 32]),
        withdrawals_root: Root([5; 32]),
        exit_root: Root([6; 32]),
        deposits_processed: 0,
        deposits_digest: Root([7; 32]),
        registry_cursor: 0,
        next_committee: CommitteeDigest::ZERO,
    }
}

/// A certificate of four-member committees by the given members, quorum or not.
pub fn certify(statement: &Statement, signers: &[usize]) -> Certificate {
    let shares: Vec<bls::Signature> = signers
        .iter()
        .map(|i| FinalityShare::sign(statement, &finality_key(*i)).signature)
        .collect();
    let set: MemberSet = signers.iter().map(|i| MemberIndex(*i as u32)).collect();
    Certificate {
        statement: statement.clone(),
        bitmap: set.to_bitmap(4).into(),
        signature: bls::Signature::sum(&shares).expect("at least one signer"),
    }
}

/// A body by user `i` with everything but the operations filled in.
pub fn body(i: u64, nonce: u64, operations: Vec<Operation>) -> TransactionBody {
    let mut idempotency = [0; 16];
    idempotency[..8].copy_from_slice(&nonce.to_be_bytes());
    let parts = operations.iter().flat_map(Operation::parts);
    let named = parts.filter(|part| part.deal().is_some()).count() as u32;
    TransactionBody {
        network: network().id(),
        sender: user(i),
        idempotency,
        valid_until: Millis(60_000),
        max_fee: Amount(10_000),
        sponsor: None,
        operations,
        // Enough for small deals.
        deal_entries: 8 * named,
    }
}

/// A transaction signed by user `i` alone.
pub fn transaction(i: u64, nonce: u64, operations: Vec<Operation>) -> Transaction {
    body(i, nonce, operations).sign(&[&user_key(i)])
}

/// The public key of user `i`.
pub fn user_public(i: u64) -> PublicKey {
    user_key(i).public()
}

/// A roster with something everywhere: a member that comes, one that goes, entries that wait.
pub fn roster() -> Roster {
    let mut roster = Roster::genesis(&committee(4), Millis(1_000));
    let join = QueueEntry {
        id: 5,
        weight: Stake(2),
        slashed: false,
        keys: Some(MemberKeys::of(&members(5)[4])),
    };
    let leave = QueueEntry {
        id: 1,
        weight: Stake::ZERO,
        slashed: true,
        keys: None,
    };
    roster.moving = vec![2, 3];
    roster.seats[1].target = Stake(3);
    (roster.seats[2].target, roster.seats[2].slashed) = (Stake::ZERO, true);
    roster.waiting = vec![join, leave];
    let report = |count| FeedReport {
        count,
        digest: Root([12; 32]),
    };
    roster.queue.processed = 4;
    roster.queue.agreed = Some(report(5));
    roster.queue.reports = vec![(1, report(5)), (3, report(6))];
    (roster.announced, roster.announced_at) = (Some(3), Millis(1_800_000_090_000));
    roster.ready = vec![2, 5];
    roster.closed = true;
    roster.shares = vec![FeeShare {
        member: 2,
        account: user(2),
        amount: Amount(17),
    }];
    roster
}

/// The proof that a member has signed two vertices of a round.
///
/// # Panics
/// Never: the two differ in their timestamps.
pub fn offence(author: usize, round: u64) -> Offence {
    let version = |timestamp| {
        let body = VertexBody {
            network: network().id(),
            epoch: Epoch::ZERO,
            round: Round(round),
            author: MemberIndex(author as u32),
            timestamp: Millis(timestamp),
            parents: Vec::new(),
            weak_links: Vec::new(),
            transactions: Vec::new(),
            shares: Vec::new(),
            observation: Observation::default(),
            offences: Vec::new(),
        };
        Vertex::sign(body, Vec::new(), &vertex_key(author))
    };
    Offence::of(&version(1), &version(2)).expect("two versions")
}

/// Three convictions, two of one member.
pub fn offenders() -> Offenders {
    let mut offenders = Offenders::default();
    for (id, epoch, round) in [(4, 0, 17), (2, 0, 9), (4, 1, 3)] {
        let (epoch, round, commit) = (Epoch(epoch), Round(round), CommitIndex(30 + epoch));
        offenders.convict(Offender {
            id,
            epoch,
            round,
            commit,
        });
    }
    offenders
}

/// Two members have worked, and one between them has not.
pub fn work() -> Work {
    let mut work = Work::default();
    let vertex = |author, round| VertexRef {
        round: Round(round),
        author: MemberIndex(author),
        digest: VertexDigest([4; 32]),
    };
    work.count(&[vertex(0, 1), vertex(2, 1), vertex(2, 300)]);
    work
}

/// A bridge that has seen everything, and its one withdrawal.
pub fn bridge() -> (Bridge, Withdrawal) {
    let withdrawal = Withdrawal {
        index: 0,
        asset: BaseAsset::Erc721 {
            token: BaseAddress([8; 20]),
            id: TokenId([9; 32]),
        },
        recipient: BaseAddress([10; 20]),
        account: Address([11; 32]),
        commit: CommitIndex(14),
    };
    let report = |count| FeedReport {
        count,
        digest: Root([12; 32]),
    };
    let mut bridge = Bridge {
        deposits: Feed {
            processed: 2,
            digest: Root([13; 32]),
            agreed: Some(report(3)),
            reports: vec![(1, report(3)), (4, report(5))],
        },
        ..Bridge::default()
    };
    bridge.withdrawals.push(withdrawal.leaf());
    (bridge, withdrawal)
}

/// A session with something everywhere.
pub fn session(key: u64) -> Session {
    Session {
        key: user(key),
        expires: Millis(90_000),
        kinds: [
            SessionKind::Transfer,
            SessionKind::DealTake,
            SessionKind::Sponsor,
        ]
        .into_iter()
        .collect(),
        collections: vec![CollectionId([1; 32]), CollectionId([2; 32])],
        limits: [(AssetId::NATIVE, 100), (AssetId([5; 32]), 7)]
            .map(|(asset, amount)| AssetAmount {
                asset,
                amount: Amount(amount),
            })
            .to_vec(),
    }
}

/// One change of keys of each kind.
pub fn key_changes() -> Vec<KeyChange> {
    let guardian = Guardian {
        account: user(2),
        delay: Millis(3_600_000),
    };
    vec![
        KeyChange::Owner { key: user(3) },
        KeyChange::Guardian(guardian),
        KeyChange::NoGuardian,
        KeyChange::Session(session(4)),
        KeyChange::EndSession { key: user(4) },
        KeyChange::RefuseRecovery,
    ]
}

/// Keys with something everywhere.
pub fn keys() -> Keys {
    let mut keys = Keys {
        owner: Some(user(3)),
        guardian: Some(Guardian {
            account: user(2),
            delay: Millis(3_600_000),
        }),
        recovery: Some(Recovery {
            owner: user(5),
            at: Millis(99_000),
        }),
        sessions: vec![],
    };
    keys.put_session(session(6));
    keys.put_session(session(4));
    keys
}

/// A policy that asks for everything there is.
pub fn policy() -> Policy {
    Policy {
        floor_price: Amount(100),
        cap_price: Amount(5_000),
        locked_until: Millis(60_000),
        cut_off: Millis(90_000),
        personal: true,
        royalty: Some(Royalty {
            to: user(2),
            parts: 250,
        }),
    }
}

/// Ascending by account.
pub fn role_holders() -> Vec<RoleHolder> {
    let holder = |i, roles: &[Role]| RoleHolder {
        account: user(i),
        roles: roles.iter().copied().collect(),
    };
    let mut holders = vec![
        holder(2, &[Role::Minter]),
        holder(3, &[Role::Gate, Role::Freezer]),
    ];
    holders.sort_unstable_by_key(|h| h.account);
    holders
}

/// The terms of an auction with every part.
pub fn auction() -> NewDeal {
    NewDeal {
        gives: Bundle {
            assets: vec![],
            items: vec![ItemId([3; 32]), ItemId([4; 32])],
        },
        wants: Bundle {
            assets: vec![AssetAmount {
                asset: AssetId::NATIVE,
                amount: Amount(250),
            }],
            items: vec![],
        },
        expires: Millis(90_000),
        reference: "A1-001".to_owned(),
        commission: Some(Commission {
            to: user(4),
            parts: 100,
        }),
        rule: DealRule::Auction(Auction {
            raise: 500,
            extend: Millis(10_000),
            last: Millis(100_000),
        }),
        ..NewDeal::default()
    }
}

/// Signed by a user for an item, in a slot.
pub fn pass(i: u64, item: ItemId, slot: u64, gate: Option<Address>) -> Pass {
    let network = network().id();
    let body = PassBody {
        network,
        item,
        slot,
        gate,
    };
    body.sign(&UserKey::from(&user_key(i)))
}

/// A list of users, each good for as many items as its place and one more, and its entries.
pub fn allow_list(edition: &EditionId, users: &[u64]) -> (AllowList, Vec<[u8; 32]>) {
    let places = users.iter().zip(1..);
    let entries = places.map(|(i, most)| AllowList::entry(edition, &user(*i), most));
    let entries: Vec<[u8; 32]> = entries.collect();
    let list = AllowList {
        root: list_root(entries.iter().map(|entry| &entry[..])),
        count: users.len() as u32,
    };
    (list, entries)
}

/// The place of a list's user.
///
/// # Panics
/// Beyond the list.
pub fn list_place(entries: &[[u8; 32]], place: u32) -> ListPlace {
    let siblings = list_proof(entries.iter().map(|entry| &entry[..]), place as usize);
    ListPlace {
        place,
        most: u64::from(place) + 1,
        siblings: siblings.expect("a place of the list"),
    }
}

/// A sale with something everywhere.
pub fn sale() -> Sale {
    Sale {
        price: Amount(250),
        from: Millis(60_000),
        until: Millis(90_000),
        by_permit: true,
        list: Some(allow_list(&EditionId([5; 32]), &[1, 2, 3, 4, 5]).0),
    }
}

/// One of each, with something everywhere: Redeem, Void, SetSale, Buy.
pub fn ticket_operations() -> Vec<Operation> {
    let (item, edition) = (ItemId([7; 32]), EditionId([5; 32]));
    let (_, entries) = allow_list(&edition, &[1, 2, 3, 4, 5]);
    vec![
        Operation::Redeem {
            item,
            pass: pass(2, item, 120_000_000, Some(user(3))),
        },
        Operation::Void {
            items: vec![item, ItemId([4; 32])],
            reason: "charged back".to_owned(),
        },
        Operation::SetSale {
            edition,
            sale: Some(sale()),
        },
        Operation::Buy(Purchase {
            edition,
            count: 2,
            price: Amount(250),
            listed: Some(list_place(&entries, 1)),
        }),
    ]
}

/// The secret of [`series`].
pub const DRAW_SECRET: DrawSecret = DrawSecret([0x5e; 32]);

/// A series by user 1: packs for 60 with a bond of 100 each.
pub fn series(packs: u32, cards: u32) -> NewDeal {
    let coin = |amount| {
        vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }]
    };
    let items = (0..packs * cards).map(|n| {
        let mut id = [0x7c; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        ItemId(id)
    });
    NewDeal {
        gives: Bundle {
            assets: coin(100 * u64::from(packs)),
            items: items.collect(),
        },
        wants: Bundle {
            assets: coin(60),
            items: vec![],
        },
        expires: Millis(90_000),
        rule: DealRule::Draw(Series {
            packs,
            commitment: crate::draw_commitment(&user(1), &DRAW_SECRET),
            reveal: Millis(600_000),
        }),
        ..NewDeal::default()
    }
}

/// A series that is sold out and drawn.
pub fn drawn(packs: u32, cards: u32) -> (DealId, Deal) {
    let sold = (0..packs).map(|n| Pack {
        holder: user(u64::from(2 + n % 3)),
        entropy: Entropy([n as u8; 32]),
    });
    let drawing = Drawing {
        packs: sold.collect(),
        closing: Some(Closing {
            at: Millis(80_000),
            epoch: Epoch(1),
            round: Round(41),
        }),
        lot: Some(Lot {
            at: Millis(80_300),
            commit: CommitIndex(37),
            digest: VertexDigest([0x17; 32]),
        }),
        reveal_from: Some(Millis(80_600)),
        secret: Some(DRAW_SECRET),
    };
    let deal = Deal {
        bid: None,
        standing: None,
        order: None,
        giver: user(1),
        terms: series(packs, cards),
        state: DealState::Taken { by: user(1) },
        drawing: Some(drawing),
    };
    (DealId([9; 32]), deal)
}

/// A channel of user 1's with user 2.
pub fn channel() -> NewDeal {
    let bundle = |amount, items: &[ItemId]| Bundle {
        assets: vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }],
        items: items.to_vec(),
    };
    let items = [ItemId([3; 32]), ItemId([4; 32])];
    NewDeal {
        gives: bundle(1_000, &items),
        taker: Some(user(2)),
        expires: Millis(90_000),
        rule: DealRule::CoSigned(ChannelTerms {
            challenge: Millis(5_000),
            to_taker: bundle(400, &items[1..]),
            giver_key: user(1),
            taker_key: user(2),
        }),
        ..NewDeal::default()
    }
}

/// A state of it with something everywhere, signed by both.
pub fn signed_state() -> SignedState {
    let mut parts = [(true, 9), (false, 8)].map(|(to_taker, n)| ChannelPart {
        to_taker,
        asset: AssetId::NATIVE,
        amount: Amount(50),
        hash: Secret([n; 32]).hash(),
        expires: Millis(80_000),
    });
    parts.sort_unstable_by_key(|p| p.hash);
    let to_taker = channel().channel().map(|c| c.to_taker.clone());
    let state = ChannelState {
        network: network().id(),
        deal: DealId([9; 32]),
        version: 7,
        to_taker: to_taker.expect("a channel"),
        parts: parts.to_vec(),
        last: false,
    };
    let signatures = [1, 2].map(|i| state.sign(&UserKey::from(&user_key(i))));
    SignedState { state, signatures }
}

/// It, and the secret of one of its parts.
pub fn showing() -> Showing {
    Showing {
        deal: DealId([9; 32]),
        state: Some(signed_state()),
        secrets: vec![Secret([9; 32])],
    }
}

/// What stands in a channel that was shown it.
pub fn standing() -> Standing {
    Standing {
        state: Some(signed_state().state),
        until: Millis(60_000),
        shown: [1, 2],
        secrets: vec![Secret([9; 32])],
    }
}

/// The key of the `i`th pool of vouchers.
pub fn issuer_key(i: u64) -> IssuerKey {
    let mut entropy = [0xbb; 32];
    entropy[..8].copy_from_slice(&i.to_be_bytes());
    IssuerKey::from_entropy(&entropy)
}

/// An account's voucher of the `i`th pool.
///
/// # Panics
/// Never: what is blinded is a point of the group.
pub fn voucher(i: u64, account: Address) -> VoucherPoint {
    // With the factor one nothing is to be undone.
    let mut one = [0; 32];
    one[31] = 1;
    let (key, one) = (issuer_key(i), Blinding::from_bytes(&one).expect("a factor"));
    let blinded = one.blind(network().id(), &key.public(), account);
    key.sign(&blinded).expect("a point of the group")
}

/// The first pool, of user 1's, from which something was spent.
pub fn voucher_pool() -> VoucherPool {
    let key = issuer_key(1).public();
    VoucherPool {
        issuer: user(1),
        key,
        asset: AssetId([5; 32]),
        denomination: Amount(5_000),
        ends: Millis(90_000),
        issued: 40,
        spent: 17,
        last: Some(SpentVoucherId::derive(&key.pool(), &user(2))),
        ended: false,
    }
}

/// The terms that it was opened with.
pub fn new_voucher_pool() -> NewVoucherPool {
    let (key, pool) = (issuer_key(1), voucher_pool());
    NewVoucherPool {
        key: key.public(),
        proof: key.prove(network().id(), pool.issuer),
        asset: pool.asset,
        denomination: pool.denomination,
        ends: pool.ends,
    }
}

/// Its last mark.
pub fn spent_voucher() -> SpentVoucher {
    let pool = issuer_key(1).public().pool();
    SpentVoucher {
        pool,
        before: Some(SpentVoucherId::derive(&pool, &user(3))),
    }
}

/// Data that members of epoch 0 have.
pub fn availability() -> Availability {
    let data = b"posted";
    Availability {
        epoch: Epoch::ZERO,
        hash: ContentHash::of(data),
        size: data.len() as u64,
        until: Millis(90_000_000),
        by: Millis(70_000),
    }
}

/// What these members have signed.
///
/// # Panics
/// When there are none.
pub fn availability_certificate(claim: Availability, signers: &[usize]) -> AvailabilityCertificate {
    let sign = |i: &usize| {
        let signature = claim.sign(network().id(), &finality_key(*i));
        (MemberIndex(*i as u32), signature)
    };
    let signed: Vec<_> = signers.iter().map(sign).collect();
    AvailabilityCertificate::gather(claim, &signed).expect("somebody has signed")
}

/// Its record, of user 1's.
pub fn posted() -> Posted {
    let claim = availability();
    Posted {
        size: claim.size,
        until: claim.until,
        poster: user(1),
    }
}

/// An order of user 1's that bids for five items, of which two were traded.
pub fn order() -> Deal {
    let edition = EditionId([7; 32]);
    let terms = NewDeal::bid(edition, Amount(40), 3, Millis(90_000));
    Deal {
        order: Some(Order {
            edition,
            entered: CommitIndex(12),
            traded: 2,
        }),
        ..Deal::open(user(1), terms.expect("it fits"))
    }
}
