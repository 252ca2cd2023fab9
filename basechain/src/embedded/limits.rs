//! What the embedded chain keeps and accepts at most, and what happens at each bound.

/// Gas of one block. A transaction that asks for more is refused.
pub const BLOCK_GAS_LIMIT: u64 = 30_000_000;
/// The first block's base fee, in wei per gas.
pub const BASE_FEE_INITIAL: u64 = 1_000_000_000;

/// Encoded length of one transaction. A longer one is refused.
pub const TRANSACTION_BYTES_MAX: usize = 128 * 1024;
/// Transactions that wait. At the bound new ones are refused.
pub const POOL_TRANSACTIONS_MAX: usize = 1024;
/// Bytes of the transactions that wait. At the bound new ones are refused.
pub const POOL_BYTES_MAX: usize = 8 << 20;
/// How far ahead of an account's nonce a transaction may be. One further ahead is refused.
pub const POOL_NONCES_AHEAD_MAX: u64 = 64;
/// How long a transaction may wait, in seconds of chain time. It is dropped afterwards.
pub const POOL_SECONDS_MAX: u64 = 3 * 3600;

/// Newest blocks that are kept with their transactions and receipts. Older ones are forgotten, and
/// a query for them says so.
pub const BLOCKS_KEPT_MAX: usize = 16_384;
/// Bytes of the blocks that are kept, by estimate. The oldest are forgotten first.
pub const BLOCKS_BYTES_MAX: usize = 64 << 20;
/// Newest blocks whose state can be read. A query for an older one says so.
pub const STATES_KEPT_MAX: u64 = 256;
