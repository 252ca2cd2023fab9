//! Coin and tokens that a secret opens, in a contract that is no part of any network: the base chain's half of a swap
//! with the ledger (H1 to H8, docs/spec/swaps.md).

use super::abi::hash_lock::HashLock;
use super::abi::vault::IERC20;
use super::endpoint::{At, Endpoint};
use super::error::ClientError;
use super::escape::LOG_BLOCKS_MAX;
use super::key::AccountKey;
use super::order::Order;
use super::send::Mined;
use super::signed::Signed;
use alloy::primitives::{Address, B256, TxKind, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::{SolCall as _, SolEvent as _};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use weft_types::{BaseAddress, Secret, SecretHash};

/// What a lock is known by (H1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockId(pub [u8; 32]);

impl fmt::Display for LockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl FromStr for LockId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut id = [0; 32];
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let read = hex::decode_to_slice(digits, &mut id);
        read.map_err(|_| "a lock's id has 64 hexadecimal digits".to_owned())?;
        Ok(Self(id))
    }
}

impl Serialize for LockId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is locked, for whom, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockTerms {
    pub hash: SecretHash,
    pub recipient: BaseAddress,
    /// Unix seconds.
    pub expiry: u64,
    /// `None` for the coin.
    pub token: Option<BaseAddress>,
    /// In wei, or a token's smallest parts.
    pub amount: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    Open,
    /// The secret is public.
    Claimed(Secret),
    Refunded,
}

/// A lock as the contract has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashLocked {
    pub terms: LockTerms,
    pub locker: BaseAddress,
    pub state: LockState,
}

/// A contract of locks.
#[derive(Debug, Clone)]
pub struct HashLocks {
    endpoint: Endpoint,
    contract: [u8; 20],
}

/// What a chain has of the contract once it is created. No part of it depends on where, by whom or with what that was.
fn runtime_code() -> &'static [u8] {
    /// What code from this compiler begins with: first the part that creates, then the part that stays.
    const START: [u8; 5] = [0x60, 0x80, 0x60, 0x40, 0x52];
    let code: &[u8] = &HashLock::BYTECODE;
    let mut later = code.windows(START.len()).enumerate().skip(1);
    let second = later.find(|(_, bytes)| *bytes == START);
    second.map_or(&[], |(place, _)| &code[place..])
}

impl HashLocks {
    /// Checks that the contract is this one, byte for byte: who is told an address by somebody whom he does not trust need
    /// not trust what is there either.
    pub async fn connect(endpoint: Endpoint, contract: [u8; 20]) -> Result<Self, ClientError> {
        let address = Address::from(contract);
        let (code, url) = (endpoint.code(address).await?, endpoint.url().to_owned());
        if code.is_empty() {
            return Err(ClientError::NoContract { url, address });
        }
        if *code != *runtime_code() {
            return Err(ClientError::ForeignCode { url, address });
        }
        Ok(Self { endpoint, contract })
    }

    /// Puts the contract on a chain.
    pub async fn deploy(endpoint: Endpoint, key: &AccountKey) -> Result<Self, ClientError> {
        let what = Self::deploy_order().what;
        let created = endpoint.create(key, what, 0, HashLock::BYTECODE.to_vec());
        let contract = created.await?;
        Self::connect(endpoint, contract).await
    }

    /// What [`deploy`](Self::deploy) sends.
    pub fn deploy_order() -> Order {
        Order {
            what: "deploying the hash locks",
            to: TxKind::Create,
            value: 0,
            input: HashLock::BYTECODE.clone(),
        }
    }

    pub fn address(&self) -> BaseAddress {
        BaseAddress(self.contract)
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub fn lock_order(&self, terms: &LockTerms) -> Order {
        let (hash, recipient) = (B256::from(terms.hash.0), terms.recipient.0.into());
        let expiry = terms.expiry;
        let (value, input) = match terms.token {
            None => {
                let call = HashLock::lockNativeCall {
                    hash,
                    recipient,
                    expiry,
                };
                (terms.amount, call.abi_encode())
            }
            Some(token) => {
                let call = HashLock::lockERC20Call {
                    hash,
                    recipient,
                    expiry,
                    token: token.0.into(),
                    amount: U256::from(terms.amount),
                };
                (0, call.abi_encode())
            }
        };
        self.order("lock", value, input)
    }

    /// Lets the contract take what is to be locked, unless it may already. The coin needs no leave.
    pub async fn approval_order(
        &self,
        locker: BaseAddress,
        terms: &LockTerms,
    ) -> Result<Option<Order>, ClientError> {
        let Some(token) = terms.token else {
            return Ok(None);
        };
        let (spender, amount) = (Address::from(self.contract), U256::from(terms.amount));
        let call = IERC20::allowanceCall {
            owner: locker.0.into(),
            spender,
        };
        let allowed = self.endpoint.read("allowance", token.0, call, At::Latest);
        if allowed.await? >= amount {
            return Ok(None);
        }
        let call = IERC20::approveCall { spender, amount };
        Ok(Some(Order {
            what: "approval",
            to: TxKind::Call(token.0.into()),
            value: 0,
            input: call.abi_encode().into(),
        }))
    }

    pub fn claim_order(&self, id: LockId, secret: Secret) -> Order {
        let call = HashLock::claimCall {
            id: id.0.into(),
            secret: secret.0.into(),
        };
        self.order("claim", 0, call.abi_encode())
    }

    pub fn refund_order(&self, id: LockId) -> Order {
        let call = HashLock::refundCall { id: id.0.into() };
        self.order("refund", 0, call.abi_encode())
    }

    fn order(&self, what: &'static str, value: u128, input: Vec<u8>) -> Order {
        Order {
            what,
            to: TxKind::Call(self.contract.into()),
            value,
            input: input.into(),
        }
    }

    /// The terms with the expiry of a lock that is signed already, if that is the same but for the expiry: who gives a
    /// command again means the lock of before, and not a second one.
    pub fn signed_before(&self, signed: &Signed, terms: &LockTerms) -> Option<LockTerms> {
        let input = &signed.transaction().input;
        let expiry = match terms.token {
            None => HashLock::lockNativeCall::abi_decode(input).ok()?.expiry,
            Some(_) => HashLock::lockERC20Call::abi_decode(input).ok()?.expiry,
        };
        let earlier = LockTerms { expiry, ..*terms };
        signed.does(&self.lock_order(&earlier)).then_some(earlier)
    }

    /// The lock that a transaction made.
    ///
    /// # Errors
    /// When it made none.
    pub fn made(&self, mined: &Mined) -> Result<LockId, ClientError> {
        let own = Address::from(self.contract);
        let mut logs = mined.logs.iter().filter(|log| log.address == own);
        let event = logs.find_map(|log| HashLock::Locked::decode_log(log).ok());
        let event = event.ok_or_else(|| self.malformed("the receipt has no Locked event"))?;
        Ok(LockId(event.id.0))
    }

    /// `None` for an id that nobody has locked.
    pub async fn find(&self, id: LockId, at: At) -> Result<Option<HashLocked>, ClientError> {
        let call = HashLock::lockOfCall { id: id.0.into() };
        let found = self.endpoint.read("lock", self.contract, call, at).await?;
        let state = match found.status {
            0 => return Ok(None),
            1 => LockState::Open,
            2 => LockState::Claimed(Secret(found.secret.0)),
            3 => LockState::Refunded,
            _ => return Err(self.malformed("the status is none that is known")),
        };
        let token = BaseAddress(found.token.into_array());
        let amount = u128::try_from(found.amount);
        Ok(Some(HashLocked {
            terms: LockTerms {
                hash: SecretHash(found.hash.0),
                recipient: BaseAddress(found.recipient.into_array()),
                expiry: found.expiry,
                token: (token != BaseAddress::ZERO).then_some(token),
                amount: amount.map_err(|_| self.malformed("the amount has more than 128 bits"))?,
            },
            locker: BaseAddress(found.locker.into_array()),
            state,
        }))
    }

    /// Locks that an account has made, or is the recipient of, in blocks that are not earlier than `since` (Unix seconds);
    /// in their order.
    pub async fn of(&self, account: BaseAddress, since: u64) -> Result<Vec<LockId>, ClientError> {
        let topic = Address::from(account.0).into_word();
        let any = Filter::new();
        let filters = [any.clone().topic2(topic), any.topic3(topic)];
        self.events(&filters, since).await
    }

    /// Those that an account has made by a hash.
    pub async fn made_by(
        &self,
        locker: BaseAddress,
        hash: SecretHash,
        since: u64,
    ) -> Result<Vec<LockId>, ClientError> {
        let filter = Filter::new().topic1(B256::from(hash.0));
        let filter = filter.topic2(Address::from(locker.0).into_word());
        self.events(&[filter], since).await
    }

    async fn events(&self, filters: &[Filter], since: u64) -> Result<Vec<LockId>, ClientError> {
        let head = self.endpoint.head().await?;
        if head.timestamp < since {
            return Ok(vec![]);
        }
        let mut from = self.endpoint.first_block_at(since, head.number).await?;
        let mut found = BTreeMap::new();
        while from <= head.number {
            let to = head.number.min(from.saturating_add(LOG_BLOCKS_MAX - 1));
            for filter in filters {
                let filter = filter
                    .clone()
                    .address(Address::from(self.contract))
                    .event_signature(HashLock::Locked::SIGNATURE_HASH)
                    .from_block(from)
                    .to_block(to);
                let logs = || self.endpoint.provider.get_logs(&filter);
                for log in self.endpoint.ask("locks", logs).await? {
                    let event = HashLock::Locked::decode_log(&log.inner);
                    let event = event.map_err(|e| self.malformed(&e.to_string()))?;
                    found.insert((log.block_number, log.log_index), LockId(event.id.0));
                }
            }
            from = to.saturating_add(1);
        }
        Ok(found.into_values().collect())
    }

    /// Whether so many blocks are on top of the one that a lock was made in.
    pub async fn is_deep(&self, id: LockId, confirmations: u64) -> Result<bool, ClientError> {
        let head = self.endpoint.head().await?.number;
        let Some(block) = head.checked_sub(confirmations) else {
            return Ok(false);
        };
        match self.find(id, At::Block(block)).await {
            Ok(found) => Ok(found.is_some()),
            // The contract was not there yet.
            Err(ClientError::Malformed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn malformed(&self, reason: &str) -> ClientError {
        ClientError::Malformed {
            url: self.endpoint.url().to_owned(),
            what: "lock",
            reason: reason.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = LockId([0xa5; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("a5".repeat(32).parse(), Ok(id));
        for wrong in ["", "0x", "0xa5", &"zz".repeat(32)] {
            assert!(wrong.parse::<LockId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_stays_of_the_code_is_all_but_the_part_that_creates() {
        let (all, stays) = (HashLock::BYTECODE.len(), runtime_code().len());
        assert!(stays > 0 && all - stays < 64, "{stays} of {all} bytes");
    }
}
