//! BC20, E1: an offender's bond is taken, and its weight goes at the next edges before anybody else's; told to two chains, and
//! computed by the ledger's own arithmetic.

use crate::epochs::{Story, reason};
use crate::support::{ETHER, operator, registration, told_alike};
use weft_basechain::{At, MemberStatus, Offender};
use weft_types::{CommitIndex, Epoch, Round, tree_proof, tree_root_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offender_goes_at_the_edges_first_alike_on_the_embedded_chain_on_anvil_and_in_the_ledger()
 {
    told_alike(async |url| tell(&url).await).await;
}

async fn tell(url: &str) -> Vec<u64> {
    let mut story = Story::begin(url).await;
    // Before it one comes and one leaves.
    let joined = story.chain.register(&operator(4), &registration(4)).await;
    story.gas.push(joined.unwrap().mined.gas_used);
    let asked = story.chain.request_exit(&operator(0)).await.unwrap();
    story.gas.push(asked.gas_used);
    story.convict(4).await;
    story.expect(4, MemberStatus::Slashed, 30).await;

    // F of 90 is 29, all of it the offender's.
    let left = [(1, 10), (2, 20), (3, 30), (4, 1)];
    assert_eq!(story.edge(&[0, 1, 2, 3]).await, left);
    story.expect(4, MemberStatus::Slashed, 1).await;
    story.expect(1, MemberStatus::Leaving, 10).await;
    // F of 61 is 20: its last one, then half of the rest goes, and ten come.
    let left = [(1, 1), (2, 20), (3, 30), (5, 10)];
    assert_eq!(story.edge(&[1, 2]).await, left);
    story.expect(4, MemberStatus::Slashed, 0).await;
    let left = [(2, 20), (3, 30), (5, 10)];
    assert_eq!(story.edge(&[1, 2]).await, left);
    story.expect(1, MemberStatus::Unbonding, 0).await;
    assert!(story.roster.moving.is_empty());
    story.gas
}

impl Story {
    /// A checkpoint names the member an offender, and its bond is taken; once.
    async fn convict(&mut self, id: u64) {
        let (epoch, round) = (Epoch::ZERO, Round(9));
        let convicted = weft_types::Offender {
            id,
            epoch,
            round,
            commit: CommitIndex(1),
        };
        let siblings = tree_proof(&[convicted.leaf()], 0).unwrap();
        let mut statement = self.stated();
        statement.offenders_root = tree_root_of(convicted.leaf(), 0, &siblings);
        let certificate = self.certify(statement.clone(), &[0, 1, 2, 3]);
        self.submit(&certificate).await;
        let proof = Offender {
            statement,
            id,
            epoch: epoch.0,
            round: round.0,
            index: 0,
            siblings,
        };
        let (key, reporter) = (operator(1), operator(2).address());
        let before = self.chain.endpoint().balance(reporter).await.unwrap();
        let taken = self.chain.slash_offender(&key, &proof, reporter).await;
        self.gas.push(taken.unwrap().gas_used);
        let after = self.chain.endpoint().balance(reporter).await.unwrap();
        assert_eq!(after - before, 3 * ETHER, "a tenth of its bond");
        assert_eq!(self.chain.member(id, At::Latest).await.unwrap().bond, 0);
        let again = self.chain.slash_offender(&key, &proof, reporter).await;
        assert_eq!(reason(again), "NothingToSlash()");
    }

    /// The weights of the next committee, which the registry and the ledger agree on.
    async fn edge(&mut self, people: &[usize]) -> Vec<(u64, u64)> {
        let next = self.close(people).await;
        let members = next.members().iter();
        members.map(|m| (m.id, m.stake.0)).collect()
    }
}
