//! Showing the contracts who has broken the rules.

use super::BaseChain;
use super::abi::manager::{CheckpointManager as Manager, Epochs::Seat};
use super::checkpoints::encode;
use super::error::ClientError;
use super::key::AccountKey;
use super::order::Order;
use super::send::Mined;
use alloy::primitives::{Address, B256, TxKind};
use alloy::sol_types::SolCall;
use weft_types::{Certificate, Committee, Member, Root, Statement, TREE_DEPTH};

/// A member that the ledger has convicted, with the proof for the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offender {
    /// A final checkpoint, whose offenders the member is among.
    pub statement: Statement,
    /// In the registry.
    pub id: u64,
    /// Of the offence.
    pub epoch: u64,
    pub round: u64,
    /// Its place in the tree, in the order of convictions from 0.
    pub index: u64,
    pub siblings: [Root; TREE_DEPTH],
}

impl BaseChain {
    /// Takes the bonds of those who signed two statements for one height, and freezes the bridge. `committee` is that
    /// of the certificates' epoch. A tenth of what is taken goes to `reporter`.
    pub async fn challenge_conflict(
        &self,
        key: &AccountKey,
        certificates: [&Certificate; 2],
        committee: &Committee,
        reporter: [u8; 20],
    ) -> Result<Mined, ClientError> {
        let seat = |member: &Member| Seat {
            id: member.id,
            weight: member.stake.0,
        };
        let [one, other] = certificates.map(|certificate| Manager::Certificate {
            statement: encode(&certificate.statement).into(),
            bitmap: certificate.bitmap.to_vec().into(),
            signature: certificate.signature.to_eip2537().into(),
        });
        let call = Manager::challengeConflictCall {
            one,
            other,
            seats: committee.members().iter().map(seat).collect(),
            reporter: reporter.into(),
        };
        self.call_manager(key, "challenge", call).await
    }

    /// Takes the bond of a member that the ledger has convicted.
    pub async fn slash_offender(
        &self,
        key: &AccountKey,
        offender: &Offender,
        reporter: [u8; 20],
    ) -> Result<Mined, ClientError> {
        let call = Manager::slashOffenderCall {
            statement: encode(&offender.statement).into(),
            offence: Manager::Offence {
                id: offender.id,
                epoch: offender.epoch,
                round: offender.round,
            },
            index: offender.index,
            siblings: offender.siblings.map(|s| B256::from(s.0)),
            reporter: Address::from(reporter),
        };
        self.call_manager(key, "slash", call).await
    }

    async fn call_manager(
        &self,
        key: &AccountKey,
        what: &'static str,
        call: impl SolCall,
    ) -> Result<Mined, ClientError> {
        let order = Order {
            what,
            to: TxKind::Call(self.contracts.manager.into()),
            value: 0,
            input: call.abi_encode().into(),
        };
        self.endpoint.post(key, order).await
    }
}
