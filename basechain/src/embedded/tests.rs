use super::limits::*;
use super::*;
use alloy::consensus::{SignableTransaction as _, TxEip1559, TxEip7702, TxEnvelope, TxLegacy};
use alloy::eips::eip2718::Encodable2718 as _;
use alloy::primitives::{Address, Bytes, TxKind, U256, bytes};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;

const CHAIN: u64 = 31_337;
pub(crate) const START: u64 = 1_700_000_000;
const ETHER: u128 = 1_000_000_000_000_000_000;
const GWEI: u128 = 1_000_000_000;
/// Init code: PREVRANDAO and the hash of the block before, as the created code.
const REPORTS_ITS_BLOCK: Bytes = bytes!("445f52600143034060205260405ff3");
/// Init code that always reverts.
const REVERTS: Bytes = bytes!("5f5ffd");

pub(crate) fn user(i: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_slice(&[i + 1; 32]).unwrap()
}

pub(crate) fn config() -> ChainConfig {
    ChainConfig {
        chain_id: CHAIN,
        seed: 7,
        genesis_timestamp: START,
        balances: (0..3)
            .map(|i| (user(i).address().into_array(), 100 * ETHER))
            .collect(),
        finality_depth: 2,
    }
}

pub(crate) fn chain() -> Chain {
    Chain::new(config()).unwrap()
}

/// A transfer of one wei by user 0 to an account that nobody has.
pub(crate) fn transfer(nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 3 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Call(Address::repeat_byte(0xee)),
        value: U256::from(1),
        ..TxEip1559::default()
    }
}

pub(crate) fn creation(nonce: u64, input: Bytes) -> TxEip1559 {
    TxEip1559 {
        gas_limit: 200_000,
        to: TxKind::Create,
        value: U256::ZERO,
        input,
        ..transfer(nonce)
    }
}

pub(crate) fn signed(by: u8, transaction: TxEip1559) -> Vec<u8> {
    let signature = user(by)
        .sign_hash_sync(&transaction.signature_hash())
        .unwrap();
    TxEnvelope::from(transaction.into_signed(signature)).encoded_2718()
}

fn balance(chain: &Chain, account: Address) -> U256 {
    chain.balance(account, chain.head().number()).unwrap()
}

#[test]
fn a_transfer_moves_value_pays_its_fee_and_counts_its_nonce() {
    let mut chain = chain();
    let hash = chain.submit(&signed(0, transfer(0))).unwrap();
    assert!(chain.has_ready());
    let record = chain.seal(START + 5);

    let (block, place) = chain.find(&hash).unwrap();
    let mined = &block.transactions[place];
    assert_eq!((record.number, block.header.timestamp), (1, START + 5));
    assert_eq!((mined.gas_used, block.header.gas_used), (21_000, 21_000));
    assert!(mined.receipt.status());
    let base_fee = u128::from(block.header.base_fee_per_gas.unwrap());
    assert_eq!(mined.effective_gas_price, base_fee + GWEI);

    let fee = U256::from(21_000 * mined.effective_gas_price);
    let sender = user(0).address();
    assert_eq!(
        balance(&chain, sender),
        U256::from(100 * ETHER) - fee - U256::from(1)
    );
    assert_eq!(balance(&chain, Address::repeat_byte(0xee)), U256::from(1));
    let tip = U256::from(21_000 * GWEI);
    assert_eq!(balance(&chain, Address::ZERO), tip, "the base fee is burnt");
    assert_eq!(chain.nonce(sender, 1), Ok(1));
    assert!(!chain.has_ready());
}

#[test]
fn the_same_transactions_at_the_same_times_give_the_same_hashes() {
    let run = |config: ChainConfig| {
        let mut chain = Chain::new(config).unwrap();
        let mut hashes = vec![chain.head().hash()];
        for i in 0..5 {
            chain.submit(&signed(0, transfer(i))).unwrap();
            chain.submit(&signed(1, transfer(i))).unwrap();
            hashes.push(chain.seal(START + i).hash);
        }
        hashes
    };
    assert_eq!(run(config()), run(config()));
    let other = |change: fn(&mut ChainConfig)| {
        let mut config = config();
        change(&mut config);
        run(config)
    };
    assert_ne!(run(config()), other(|c| c.seed += 1));
    assert_ne!(
        run(config()),
        other(|c| *c.balances.values_mut().next().unwrap() += 1)
    );
}

#[test]
fn a_record_seals_the_same_block_again() {
    let mut first = chain();
    let mut second = chain();
    for i in 0..4 {
        first
            .submit(&signed(0, creation(2 * i, REPORTS_ITS_BLOCK)))
            .unwrap();
        first
            .submit(&signed(0, creation(2 * i + 1, REVERTS)))
            .unwrap();
        let record = first.seal(START + i);
        assert_eq!(record.transactions.len(), 2);
        second.replay(&record).unwrap();
    }
    assert_eq!(first.head().hash(), second.head().hash());
    // And it goes on the same.
    for chain in [&mut first, &mut second] {
        chain.submit(&signed(1, transfer(0))).unwrap();
    }
    assert_eq!(first.seal(START + 9), second.seal(START + 9));
}

#[test]
fn a_changed_record_is_refused() {
    let record = || {
        let mut chain = chain();
        chain.submit(&signed(0, transfer(0))).unwrap();
        chain.seal(START)
    };
    let refused = |change: fn(&mut Record)| {
        let mut record = record();
        change(&mut record);
        chain().replay(&record).unwrap_err().to_string()
    };
    assert_eq!(chain().replay(&record()), Ok(()));
    assert!(refused(|r| r.timestamp += 1).contains("block 1 has hash"));
    assert!(refused(|r| r.transactions.clear()).contains("block 1 has hash"));
    assert!(refused(|r| r.transactions.push(r.transactions[0].clone())).contains("transaction 1"));
    assert!(refused(|r| r.transactions[0] = bytes!("c0")).contains("cannot be decoded"));
    assert_eq!(
        refused(|r| r.number = 3),
        "record is of block 3, the next block is 1"
    );
}

#[test]
fn what_may_not_wait_is_refused_with_the_figures() {
    let refused = |raw: &[u8]| chain().submit(raw).unwrap_err().to_string();
    let changed = |change: fn(&mut TxEip1559)| {
        let mut transaction = transfer(0);
        change(&mut transaction);
        refused(&signed(0, transaction))
    };
    assert!(refused(&[]).starts_with("transaction cannot be decoded"));
    assert!(refused(&[0x02, 0xc0]).starts_with("transaction cannot be decoded"));
    assert!(refused(&vec![0; TRANSACTION_BYTES_MAX + 1]).contains("is longer than"));
    assert_eq!(
        changed(|t| t.chain_id = 1),
        "invalid chain id: transaction has 1, the chain is 31337"
    );
    assert_eq!(
        changed(|t| t.gas_limit = 20_999),
        "intrinsic gas too low: have 20999, want 21000"
    );
    assert!(changed(|t| t.gas_limit = BLOCK_GAS_LIMIT + 1).contains("exceeds the block gas limit"));
    assert!(changed(|t| t.max_priority_fee_per_gas = 4 * GWEI).contains("is higher than max fee"));
    assert!(changed(|t| t.value = U256::MAX).starts_with("insufficient funds"));
    assert!(changed(|t| t.value = U256::from(100 * ETHER)).starts_with("insufficient funds"));
    assert!(changed(|t| t.nonce = 65).starts_with("nonce too high: next nonce 0"));
    assert!(refused(&signed(9, transfer(0))).contains("balance 0"));
    let long = Bytes::from(vec![0; 49_153]);
    assert!(refused(&signed(0, creation(0, long))).starts_with("init code of 49153"));

    let mut trailing = signed(0, transfer(0));
    trailing.push(0);
    assert!(refused(&trailing).starts_with("transaction cannot be decoded"));

    let legacy = TxLegacy {
        gas_limit: 21_000,
        gas_price: 3 * GWEI,
        ..TxLegacy::default()
    };
    let signature = user(0).sign_hash_sync(&legacy.signature_hash()).unwrap();
    let unprotected = TxEnvelope::from(legacy.into_signed(signature)).encoded_2718();
    assert!(refused(&unprotected).contains("EIP-155"));

    let delegation = TxEip7702 {
        chain_id: CHAIN,
        ..TxEip7702::default()
    };
    let signature = user(0)
        .sign_hash_sync(&delegation.signature_hash())
        .unwrap();
    let delegation = TxEnvelope::from(delegation.into_signed(signature)).encoded_2718();
    assert_eq!(
        refused(&delegation),
        "transaction type 4 is not supported: use 0, 1 or 2"
    );
}

#[test]
fn a_changed_byte_is_another_senders_or_no_transaction_at_all() {
    let raw = signed(0, transfer(0));
    for i in 0..raw.len() {
        let mut changed = raw.clone();
        changed[i] ^= 1;
        let mut chain = chain();
        if let Ok(hash) = chain.submit(&changed) {
            panic!("byte {i} of {} changed, and {hash} is taken", raw.len());
        }
    }
}

#[test]
fn a_legacy_transaction_is_taken() {
    let mut chain = chain();
    let legacy = TxLegacy {
        chain_id: Some(CHAIN),
        gas_limit: 21_000,
        gas_price: 3 * GWEI,
        to: TxKind::Call(Address::repeat_byte(0xee)),
        ..TxLegacy::default()
    };
    let signature = user(0).sign_hash_sync(&legacy.signature_hash()).unwrap();
    let raw = TxEnvelope::from(legacy.into_signed(signature)).encoded_2718();
    let hash = chain.submit(&raw).unwrap();
    chain.seal(START);
    let (block, place) = chain.find(&hash).unwrap();
    assert_eq!(block.transactions[place].effective_gas_price, 3 * GWEI);
}

#[test]
fn a_nonce_ahead_waits_for_the_ones_before() {
    let mut chain = chain();
    chain.submit(&signed(0, transfer(1))).unwrap();
    assert!(!chain.has_ready());
    assert_eq!(chain.pending_nonce(user(0).address()), 0);
    assert!(chain.seal(START).transactions.is_empty());

    chain.submit(&signed(0, transfer(0))).unwrap();
    assert_eq!(chain.pending_nonce(user(0).address()), 2);
    let raw = [signed(0, transfer(0)), signed(0, transfer(1))];
    assert_eq!(chain.seal(START).transactions, raw.map(Bytes::from));
    assert_eq!(
        chain
            .submit(&signed(0, transfer(1)))
            .unwrap_err()
            .to_string(),
        "nonce too low: next nonce 2, transaction nonce 1"
    );
}

#[test]
fn a_waiting_transaction_is_replaced_for_a_tenth_more() {
    let mut chain = chain();
    let with_fees = |fee: u128, tip: u128| TxEip1559 {
        max_fee_per_gas: fee,
        max_priority_fee_per_gas: tip,
        ..transfer(0)
    };
    chain.submit(&signed(0, with_fees(3 * GWEI, GWEI))).unwrap();
    assert_eq!(
        chain.submit(&signed(0, with_fees(3 * GWEI, GWEI))),
        Err(SubmitError::AlreadyKnown)
    );
    let underpriced = SubmitError::Underpriced {
        fee: 3_300_000_000,
        tip: 1_100_000_000,
    };
    for (fee, tip) in [(3_299_999_999, 2 * GWEI), (4 * GWEI, 1_099_999_999)] {
        let cheap = signed(0, with_fees(fee, tip));
        assert_eq!(chain.submit(&cheap), Err(underpriced.clone()));
    }
    let enough = signed(0, with_fees(3_300_000_000, 1_100_000_000));
    chain.submit(&enough).unwrap();
    assert_eq!(chain.seal(START).transactions, [Bytes::from(enough)]);
}

#[test]
fn the_pool_is_bounded_in_bytes() {
    let mut chain = chain();
    let large = |nonce| TxEip1559 {
        gas_limit: 10_000_000,
        max_fee_per_gas: 1,
        max_priority_fee_per_gas: 0,
        input: vec![0; 120_000].into(),
        ..transfer(nonce)
    };
    let taken = (0..3u8)
        .flat_map(|by| (0..60).map(move |nonce| (by, nonce)))
        .take_while(|(by, nonce)| chain.submit(&signed(*by, large(*nonce))).is_ok())
        .count();
    assert_eq!(taken, POOL_BYTES_MAX / 120_117);
    let refused = chain.submit(&signed(2, transfer(0)));
    assert!(refused.is_ok(), "a small one still fits: {refused:?}");
    let refused = chain.submit(&signed(2, large(1))).unwrap_err();
    assert!(
        refused.to_string().contains("transaction pool is full: 70"),
        "{refused}"
    );

    chain.seal(START + POOL_SECONDS_MAX + 1);
    chain.submit(&signed(2, large(1))).unwrap();
}

#[test]
fn a_reverting_transaction_costs_its_fee_and_changes_nothing_else() {
    let mut chain = chain();
    let hash = chain.submit(&signed(0, creation(0, REVERTS))).unwrap();
    chain.seal(START);
    let (block, place) = chain.find(&hash).unwrap();
    let mined = &block.transactions[place];
    assert!(!mined.receipt.status());
    assert_eq!(mined.created, None);
    let paid = U256::from(u128::from(mined.gas_used) * mined.effective_gas_price);
    let sender = user(0).address();
    assert_eq!(balance(&chain, sender), U256::from(100 * ETHER) - paid);
    assert_eq!(chain.nonce(sender, 1), Ok(1));
}

#[test]
fn the_base_fee_follows_the_gas_used() {
    let mut chain = chain();
    assert_eq!(chain.head().header.base_fee_per_gas, Some(BASE_FEE_INITIAL));
    // EIP-1559: an empty block takes an eighth off, a full one adds an eighth.
    assert_eq!(chain.next_base_fee(), BASE_FEE_INITIAL / 8 * 7);
    let burner = TxEip1559 {
        gas_limit: BLOCK_GAS_LIMIT,
        max_fee_per_gas: 100 * GWEI,
        // JUMPDEST, PUSH0, JUMP: until the gas is gone.
        ..creation(0, bytes!("5b5f56"))
    };
    chain.submit(&signed(0, burner)).unwrap();
    chain.submit(&signed(1, transfer(0))).unwrap();
    assert_eq!(
        chain.seal(START).transactions.len(),
        1,
        "the other has no room"
    );
    assert_eq!(chain.head().header.gas_used, BLOCK_GAS_LIMIT);
    let full = chain.head().header.base_fee_per_gas.unwrap();
    assert_eq!(chain.next_base_fee(), full + full / 8);
    assert_eq!(chain.seal(START).transactions.len(), 1);
}

#[test]
fn a_contract_sees_randomness_and_hashes_of_blocks_before() {
    let mut chain = chain();
    let seen = |chain: &Chain| {
        let call = Call {
            input: REPORTS_ITS_BLOCK,
            ..Call::default()
        };
        let head = chain.caller(chain.head().number()).unwrap();
        head.call(&call).unwrap()
    };
    let mut randomness = Vec::new();
    for _ in 0..3 {
        let before = chain.head().hash();
        chain.seal(START);
        let seen = seen(&chain);
        assert_eq!(seen[32..], before[..]);
        assert_eq!(seen[..32], chain.head().header.mix_hash[..]);
        randomness.push(seen);
    }
    assert!(randomness[0] != randomness[1] && randomness[1] != randomness[2]);
}

#[test]
fn recent_states_are_read_and_older_ones_refused() {
    let mut chain = chain();
    for nonce in 0..STATES_KEPT_MAX + 10 {
        chain.submit(&signed(0, transfer(nonce))).unwrap();
        chain.seal(START);
    }
    let receiver = Address::repeat_byte(0xee);
    let head = chain.head().number();
    assert_eq!(head, STATES_KEPT_MAX + 10);
    let oldest = head + 1 - STATES_KEPT_MAX;
    for number in oldest..=head {
        assert_eq!(chain.balance(receiver, number), Ok(U256::from(number)));
        assert_eq!(chain.nonce(user(0).address(), number), Ok(number));
    }
    let number = oldest - 1;
    assert_eq!(
        chain.balance(receiver, number),
        Err(PastError::State { number, oldest })
    );
    assert_eq!(
        chain.balance(receiver, head + 1).unwrap_err().to_string(),
        format!("block {} is not there yet: the head is {head}", head + 1)
    );
    assert_eq!(chain.finalized(), head - 2);
}

#[test]
fn old_blocks_are_forgotten_at_the_bound() {
    let mut chain = chain();
    let hash = chain.submit(&signed(0, transfer(0))).unwrap();
    chain.seal(START);
    let first = chain.head().hash();
    for _ in 0..BLOCKS_KEPT_MAX {
        chain.seal(START);
    }
    assert_eq!(chain.oldest(), 2);
    assert!(chain.find(&hash).is_none() && chain.number_of(&first).is_none());
    assert_eq!(
        chain.block(1).unwrap_err().to_string(),
        "block 1 is no longer kept: the oldest is 2"
    );
    assert_eq!(balance(&chain, Address::repeat_byte(0xee)), U256::from(1));
}

#[test]
fn an_estimate_is_enough_and_not_much_more() {
    let mut chain = chain();
    for (gas_hint, input) in [(53_000, bytes!("00")), (75_000, REPORTS_ITS_BLOCK)] {
        let call = Call {
            from: user(0).address(),
            input: input.clone(),
            ..Call::default()
        };
        let head = chain.caller(chain.head().number()).unwrap();
        let gas = head.estimate(&call).unwrap();
        assert!(gas < gas_hint + gas_hint / 32, "{gas} for {input}");
        let nonce = chain
            .nonce(user(0).address(), chain.head().number())
            .unwrap();
        let transaction = TxEip1559 {
            gas_limit: gas,
            ..creation(nonce, input)
        };
        let hash = chain.submit(&signed(0, transaction)).unwrap();
        chain.seal(START);
        let (block, place) = chain.find(&hash).unwrap();
        assert!(block.transactions[place].receipt.status());
    }
}

#[test]
fn a_failing_call_says_how() {
    let chain = chain();
    let run = |input: Bytes, gas_price: u128, value: u128| {
        let call = Call {
            from: user(0).address(),
            input,
            gas_price,
            value: U256::from(value),
            ..Call::default()
        };
        let caller = chain.caller(0).unwrap();
        (caller.call(&call), caller.estimate(&call))
    };
    let reverted = CallError::Reverted(Bytes::new());
    assert_eq!(run(REVERTS, 0, 0), (Err(reverted.clone()), Err(reverted)));
    let (call, estimate) = run(bytes!("fe"), 0, 0);
    assert!(matches!(call, Err(CallError::Halted(_))), "{call:?}");
    assert!(matches!(estimate, Err(CallError::Halted(_))));
    let (call, estimate) = run(Bytes::new(), 0, 101 * ETHER);
    assert!(call.unwrap_err().to_string().contains("lack of funds"));
    assert!(estimate.unwrap_err().to_string().contains("lack of funds"));
    let (_, estimate) = run(Bytes::new(), 100 * ETHER, 0);
    assert_eq!(estimate, Err(CallError::GasAllowance(1)));
}

#[test]
fn a_configuration_that_could_not_work_is_refused() {
    let refused = |change: fn(&mut ChainConfig)| {
        let mut config = config();
        change(&mut config);
        Chain::new(config).unwrap_err()
    };
    assert_eq!(refused(|c| c.chain_id = 0), ConfigError::ChainId);
    assert_eq!(
        refused(|c| c.finality_depth = STATES_KEPT_MAX),
        ConfigError::FinalityDepth(STATES_KEPT_MAX)
    );
}

#[test]
fn a_chain_is_settled_when_the_last_transaction_is_final() {
    let mut chain = chain();
    assert!(chain.is_settled());
    chain.submit(&signed(0, transfer(0))).unwrap();
    for settled in [false, false, false, true, true] {
        assert_eq!(
            chain.is_settled(),
            settled,
            "at block {}",
            chain.head().number()
        );
        chain.seal(START);
    }
}
