//! The life of a bond, told to two chains: a fifth masternode bonds, an edge takes it in, one tops up and one leaves,
//! unbonds and has its bond back. What the committee comes to is computed by the ledger's own arithmetic, from nothing
//! but the registry's queue.

use crate::support::{
    CHAIN_ID, ETHER, UNBONDING_S, committee, enrolled, operator, registration, stated, told_alike,
};
use std::time::Duration;
use weft_basechain::{
    At, BaseChain, BondChange, ClientError, Endpoint, MemberStatus, SubmitOutcome,
};
use weft_types::testing::finality_key;
use weft_types::{
    Certificate, Chained as _, CommitIndex, Committee, CommitteeDigest, Epoch, FinalityShare,
    MemberIndex, MemberSet, Millis, Roster, Stake, Statement, bls,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_committee_changes_alike_on_the_embedded_chain_and_on_anvil() {
    told_alike(async |url| tell(&url).await).await;
}

/// The registry, and the ledger's side of it.
pub struct Story {
    pub chain: BaseChain,
    pub roster: Roster,
    /// The newest height that was posted, and the newest block whose entries are taken up.
    height: u64,
    block: u64,
    /// Gas that each step used.
    pub gas: Vec<u64>,
}

async fn tell(url: &str) -> Vec<u64> {
    let mut story = Story::begin(url).await;
    story.fifth_joins().await;
    story.another_committee_is_refused().await;
    story.one_leaves().await;
    story.bond_comes_back().await;
    story.two_quorums_freeze().await;
    story.all_is_told_again().await;
    story.gas
}

impl Story {
    pub async fn begin(url: &str) -> Self {
        let endpoint = Endpoint::connect(url).await.unwrap();
        assert_eq!(endpoint.chain_id(), CHAIN_ID);
        Self {
            roster: Roster::genesis(&committee(), Millis(0)),
            chain: enrolled(endpoint).await,
            height: 0,
            block: 0,
            gas: Vec::new(),
        }
    }

    async fn fifth_joins(&mut self) {
        let registered = self.chain.register(&operator(4), &registration(4)).await;
        let registered = registered.unwrap();
        assert_eq!((registered.id, registered.weight), (5, 10));
        self.gas.push(registered.mined.gas_used);
        self.expect(5, MemberStatus::Queued, 0).await;
        let topped = self.chain.top_up(&operator(0), 2 * ETHER).await.unwrap();
        self.gas.push(topped.gas_used);

        assert_eq!(self.close(&[0, 1, 2, 3]).await.members().len(), 5);
        self.expect(5, MemberStatus::Active, 10).await;
        self.expect(1, MemberStatus::Active, 12).await;
        assert_eq!(self.chain.epoch(At::Latest).await.unwrap(), Epoch(1));
        assert_eq!(self.chain.committee_size().await.unwrap(), 5);
    }

    async fn another_committee_is_refused(&mut self) {
        let mut statement = self.stated();
        statement.next_committee = CommitteeDigest([7; 32]);
        statement.registry_cursor = 2;
        let certificate = self.certify(statement, &[0, 1, 2, 3, 4]);
        let outcome = self.chain.submit(&operator(0), &certificate).await.unwrap();
        let SubmitOutcome::Refused(refusal) = outcome else {
            panic!("the contract takes any committee: {outcome:?}");
        };
        assert_eq!(refusal.name, "NextCommittee");
        self.height -= 1;

        let old = self.chain.committee_digest(Epoch::ZERO).await.unwrap();
        assert_eq!(old, Some(committee().digest()));
        let mut late = self.stated();
        late.epoch = Epoch::ZERO;
        let late = self.certify(late, &[0, 1, 2, 3, 4]);
        let outcome = self.chain.submit(&operator(0), &late).await.unwrap();
        assert!(
            matches!(&outcome, SubmitOutcome::Refused(r) if r.name == "WrongEpoch"),
            "{outcome:?}"
        );
        self.height -= 1;
    }

    async fn one_leaves(&mut self) {
        let asked = self.chain.request_exit(&operator(1)).await.unwrap();
        self.gas.push(asked.gas_used);
        self.expect(2, MemberStatus::Leaving, 20).await;
        let again = self.chain.request_exit(&operator(1)).await;
        assert_eq!(reason(again), "AlreadyLeaving(id: 2)");
        let early = self.chain.withdraw_bond(&operator(1)).await;
        assert_eq!(reason(early), "BondNotFree(id: 2, status: 4, freeAt: 0)");

        let next = self.close(&[0, 1, 2, 3, 4]).await;
        let ids: Vec<u64> = next.members().iter().map(|m| m.id).collect();
        assert_eq!(ids, [1, 3, 4, 5]);
        self.expect(2, MemberStatus::Unbonding, 0).await;
        let early = reason(self.chain.withdraw_bond(&operator(1)).await);
        assert!(early.starts_with("BondNotFree(id: 2, status: 5"), "{early}");
    }

    async fn bond_comes_back(&mut self) {
        tokio::time::sleep(Duration::from_secs(UNBONDING_S)).await;
        // A checkpoint, so that the network has not stopped, and the time has come on a chain that rests.
        self.post(&[0, 2, 3, 4]).await;
        self.expect(2, MemberStatus::Free, 0).await;
        let before = self.balance(1).await;
        let mined = self.chain.withdraw_bond(&operator(1)).await.unwrap();
        let paid = self.balance(1).await - before + u128::from(mined.gas_used) * mined.gas_price;
        assert_eq!(paid, 20 * ETHER);
        self.gas.push(mined.gas_used);
        self.expect(2, MemberStatus::Withdrawn, 0).await;
        let outsider = self.chain.id_of([9; 20]).await.unwrap();
        assert_eq!(outsider, None);
        assert_eq!(
            self.chain.id_of(operator(1).address()).await.unwrap(),
            Some(2)
        );
    }

    async fn two_quorums_freeze(&mut self) {
        let statement = self.stated();
        let mut other = statement.clone();
        other.timestamp = Millis(other.timestamp.0 + 1);
        let one = self.certify(statement, &[0, 2, 3]);
        let other = self.certify(other, &[2, 3, 4]);
        let committee = self.roster.committee().unwrap();
        let pair = [&one, &other];
        let before = self.balance(0).await;
        let mined = self
            .chain
            .challenge_conflict(&operator(0), pair, &committee, operator(0).address())
            .await
            .unwrap();
        let earned = self.balance(0).await - before + u128::from(mined.gas_used) * mined.gas_price;
        assert_eq!(earned, 6 * ETHER);
        self.gas.push(mined.gas_used);
        assert!(self.chain.frozen_at().await.unwrap().is_some());
        self.expect(3, MemberStatus::Slashed, 30).await;
        self.expect(4, MemberStatus::Slashed, 30).await;
        self.expect(5, MemberStatus::Active, 10).await;
        let refused = self.chain.submit(&operator(0), &one).await.unwrap();
        assert!(
            matches!(&refused, SubmitOutcome::Refused(r) if r.name == "Frozen"),
            "{refused:?}"
        );
    }

    async fn all_is_told_again(&self) {
        use BondChange::{AskedToLeave, Bonded, PaidOut, Rewarded, Slashed, ToppedUp};
        let reporter = operator(0).address();
        let (lost, reward) = (30 * ETHER, 3 * ETHER);
        let bonded = |units| Bonded { wei: units * ETHER };
        let slashed = Slashed {
            wei: lost,
            reporter,
        };
        let rewarded = |of| Rewarded { wei: reward, of };
        for (id, expected) in [
            (
                1,
                vec![
                    bonded(10),
                    ToppedUp { bond: 12 * ETHER },
                    rewarded(3),
                    rewarded(4),
                ],
            ),
            (
                2,
                vec![bonded(20), AskedToLeave, PaidOut { wei: 20 * ETHER }],
            ),
            (3, vec![bonded(30), slashed]),
            (5, vec![bonded(10)]),
        ] {
            let member = self.chain.member(id, At::Latest).await.unwrap();
            let history = self.chain.bond_history(&member).await.unwrap();
            let told: Vec<_> = history.iter().map(|event| event.what).collect();
            assert_eq!(told, expected, "of masternode {id}");
            assert!(history.is_sorted_by_key(|event| (event.block, event.at)));
        }
    }

    /// Closes the epoch by a certificate of these people, with all that is queued; the next committee.
    pub async fn close(&mut self, people: &[usize]) -> Committee {
        self.take_up().await;
        let next = self.roster.announce(Millis(7)).unwrap();
        let mut statement = self.stated();
        statement.next_committee = next.digest();
        statement.registry_cursor = self.roster.cursor();
        let certificate = self.certify(statement, people);
        self.submit(&certificate).await;
        self.roster.open_next(CommitIndex::ZERO, Millis(0));
        assert_eq!(self.chain.committee().await.unwrap(), next);
        next
    }

    async fn post(&mut self, people: &[usize]) {
        let statement = self.stated();
        let certificate = self.certify(statement, people);
        self.submit(&certificate).await;
    }

    pub async fn submit(&mut self, certificate: &Certificate) {
        let outcome = self.chain.submit(&operator(0), certificate).await.unwrap();
        let SubmitOutcome::Posted(mined) = outcome else {
            panic!("not posted: {outcome:?}");
        };
        self.gas.push(mined.gas_used);
    }

    /// The entries since the last time, each proven by the digest.
    async fn take_up(&mut self) {
        let head = self.chain.endpoint().head().await.unwrap().number;
        for queued in self.chain.queued_between(self.block, head).await.unwrap() {
            let queue = &mut self.roster.queue;
            queue.processed += 1;
            queue.digest = queued.event.extend(&queue.digest, queue.processed);
            assert_eq!(
                (queued.index, queued.digest),
                (queue.processed, queue.digest)
            );
            self.roster.waiting.push(queued.event);
        }
        self.block = head + 1;
        let queue = self.chain.queue(At::Latest).await.unwrap();
        assert_eq!(queue, self.roster.queue.taken());
        let digest = self.chain.queue_digest(queue.count, At::Latest).await;
        assert_eq!(digest.unwrap(), Some(queue.digest));
        let beyond = self.chain.queue_digest(queue.count + 1, At::Latest).await;
        assert_eq!(beyond.unwrap(), None);
    }

    /// The next height's statement, of the epoch that the ledger is in.
    pub fn stated(&mut self) -> Statement {
        self.height += 1;
        Statement {
            epoch: self.roster.epoch,
            ..stated(&self.chain, self.height)
        }
    }

    /// Signed by these people, who are in the committee.
    pub fn certify(&self, statement: Statement, people: &[usize]) -> Certificate {
        let committee = self.roster.committee().unwrap();
        let mut shares = Vec::new();
        let mut places = Vec::new();
        for (place, member) in committee.members().iter().enumerate() {
            let person = member.id as usize - 1;
            if people.contains(&person) {
                shares.push(FinalityShare::sign(&statement, &finality_key(person)).signature);
                places.push(MemberIndex(place as u32));
            }
        }
        let set: MemberSet = places.into_iter().collect();
        Certificate {
            statement,
            bitmap: set.to_bitmap(committee.members().len()).into(),
            signature: bls::Signature::sum(&shares).unwrap(),
        }
    }

    pub async fn expect(&self, id: u64, status: MemberStatus, effective: u64) {
        let member = self.chain.member(id, At::Latest).await.unwrap();
        assert_eq!(
            (member.status, member.effective),
            (status, Stake(effective)),
            "{member:?}"
        );
    }

    async fn balance(&self, i: usize) -> u128 {
        let account = operator(i).address();
        self.chain.endpoint().balance(account).await.unwrap()
    }
}

pub fn reason<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    let error = result.unwrap_err();
    error.refusal().expect("a refusal").to_string()
}
