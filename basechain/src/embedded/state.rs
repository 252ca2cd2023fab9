//! Accounts, storage and code of the head, with what is needed to read recent blocks' state: each
//! block keeps what its writes replaced, and a view of an older block lays those over the head.

use super::block::Blocks;
use alloy::primitives::Keccak256;
use revm::DatabaseRef;
use revm::bytecode::Bytecode;
use revm::primitives::{Address, AddressMap, B256, B256Map, HashMap, KECCAK_EMPTY, U256};
use revm::state::{AccountInfo, EvmState};
use std::convert::Infallible;

/// An account without its storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basics {
    pub balance: U256,
    pub nonce: u64,
    pub code_hash: B256,
}

#[derive(Debug, Clone, Default)]
struct Account {
    basics: Option<Basics>,
    /// Without zeros.
    storage: HashMap<U256, U256>,
}

/// What one transaction's writes to one account replaced.
#[derive(Debug, Clone)]
pub struct Undo {
    address: Address,
    basics: Option<Basics>,
    slots: Vec<(U256, U256)>,
}

/// The head's state.
#[derive(Debug, Clone, Default)]
pub struct State {
    accounts: AddressMap<Account>,
    codes: B256Map<Bytecode>,
    digest: B256,
}

impl State {
    /// A state where these accounts have these balances in wei. The digest starts at `start`.
    pub fn new(start: B256, balances: impl Iterator<Item = (Address, U256)>) -> Self {
        let account = |balance| Account {
            basics: Some(Basics {
                balance,
                nonce: 0,
                code_hash: KECCAK_EMPTY,
            }),
            storage: HashMap::default(),
        };
        Self {
            accounts: balances.map(|(a, balance)| (a, account(balance))).collect(),
            codes: B256Map::default(),
            digest: start,
        }
    }

    /// Over every write so far, in order.
    pub fn digest(&self) -> B256 {
        self.digest
    }

    pub fn basics(&self, address: Address) -> Option<Basics> {
        self.accounts.get(&address)?.basics
    }

    fn slot(&self, address: Address, key: U256) -> U256 {
        let account = self.accounts.get(&address);
        account
            .and_then(|a| a.storage.get(&key).copied())
            .unwrap_or_default()
    }

    /// Applies one transaction's writes, in the order of addresses and keys, and returns what they
    /// replaced.
    pub fn apply(&mut self, changes: EvmState) -> Vec<Undo> {
        let mut changes: Vec<_> = changes
            .into_iter()
            .filter(|(_, account)| account.is_touched())
            .collect();
        changes.sort_unstable_by_key(|(address, _)| *address);

        let mut digest = Keccak256::new();
        digest.update(self.digest);
        let mut undo = Vec::with_capacity(changes.len());
        for (address, change) in changes {
            let account = self.accounts.entry(address).or_default();
            let before = account.basics;
            // EIP-161: an empty account does not exist.
            let exists = !change.is_selfdestructed() && !change.is_empty();
            account.basics = exists.then_some(Basics {
                balance: change.info.balance,
                nonce: change.info.nonce,
                code_hash: change.info.code_hash,
            });
            digest.update(address);
            digest.update([u8::from(exists)]);
            if let Some(basics) = account.basics {
                digest.update(basics.balance.to_be_bytes::<32>());
                digest.update(basics.nonce.to_be_bytes());
                digest.update(basics.code_hash);
            }

            let mut slots: Vec<(U256, U256)> = Vec::new();
            if exists {
                let changed = change.changed_storage_slots();
                slots.extend(changed.map(|(key, slot)| (*key, slot.present_value())));
                slots.sort_unstable();
            }
            for (key, value) in &mut slots {
                digest.update(key.to_be_bytes::<32>());
                digest.update(value.to_be_bytes::<32>());
                let replaced = if value.is_zero() {
                    account.storage.remove(key)
                } else {
                    account.storage.insert(*key, *value)
                };
                *value = replaced.unwrap_or_default();
            }
            if let Some(code) = change.info.code.filter(|code| exists && !code.is_empty()) {
                self.codes.entry(change.info.code_hash).or_insert(code);
            }
            if !exists {
                self.accounts.remove(&address);
            }
            undo.push(Undo {
                address,
                basics: before,
                slots,
            });
        }
        self.digest = digest.finalize();
        undo
    }

    /// Undoes writes, the last first. The digest is the caller's to put back.
    pub fn revert(&mut self, undo: &[Undo]) {
        for undo in undo.iter().rev() {
            if undo.basics.is_none() {
                self.accounts.remove(&undo.address);
                continue;
            }
            let account = self.accounts.entry(undo.address).or_default();
            account.basics = undo.basics;
            for (key, value) in &undo.slots {
                if value.is_zero() {
                    account.storage.remove(key);
                } else {
                    account.storage.insert(*key, *value);
                }
            }
        }
    }

    pub fn reset_digest(&mut self, digest: B256) {
        self.digest = digest;
    }
}

/// The state after a block: the head's, under what later blocks replaced.
#[derive(Debug)]
pub struct View<'a> {
    state: &'a State,
    blocks: &'a Blocks,
    basics: AddressMap<Option<Basics>>,
    slots: HashMap<(Address, U256), U256>,
}

impl<'a> View<'a> {
    pub fn of_head(state: &'a State, blocks: &'a Blocks) -> Self {
        Self {
            state,
            blocks,
            basics: AddressMap::default(),
            slots: HashMap::default(),
        }
    }

    /// The state after block `number`, whose successors' undo is still kept.
    pub fn of_block(state: &'a State, blocks: &'a Blocks, number: u64) -> Self {
        let mut view = Self::of_head(state, blocks);
        for block in blocks.newest_first().take_while(|b| b.number() > number) {
            for undo in block.undo.iter().rev() {
                view.basics.insert(undo.address, undo.basics);
                for (key, value) in &undo.slots {
                    view.slots.insert((undo.address, *key), *value);
                }
            }
        }
        view
    }

    pub fn basics(&self, address: Address) -> Option<Basics> {
        let replaced = self.basics.get(&address).copied();
        replaced.unwrap_or_else(|| self.state.basics(address))
    }

    pub fn slot(&self, address: Address, key: U256) -> U256 {
        let replaced = self.slots.get(&(address, key)).copied();
        replaced.unwrap_or_else(|| self.state.slot(address, key))
    }

    /// Empty for an account without code.
    pub fn code(&self, address: Address) -> Bytecode {
        let hash = self.basics(address).map(|basics| basics.code_hash);
        hash.and_then(|hash| self.state.codes.get(&hash).cloned())
            .unwrap_or_default()
    }
}

impl DatabaseRef for View<'_> {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.basics(address).map(|basics| AccountInfo {
            balance: basics.balance,
            nonce: basics.nonce,
            code_hash: basics.code_hash,
            account_id: None,
            code: None,
        }))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.state.codes.get(&hash).cloned().unwrap_or_default())
    }

    fn storage_ref(&self, address: Address, key: U256) -> Result<U256, Infallible> {
        Ok(self.slot(address, key))
    }

    /// revm asks for the last 256 blocks only, which are always kept.
    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok(self
            .blocks
            .get(number)
            .map(|b| b.hash())
            .unwrap_or_default())
    }
}
