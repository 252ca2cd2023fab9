//! Members, users and their keys, a network of theirs.

use crate::bls;
use crate::committee::{Committee, Member};
use crate::ed25519::{PublicKey, SecretKey};
use crate::genesis::{Genesis, GenesisAccount, ProtocolParams, Template};
use crate::ids::{Address, Amount, Epoch, GenesisDigest, Millis, Stake};
use crate::network::Network;

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

/// The public key of user `i`.
pub fn user_public(i: u64) -> PublicKey {
    user_key(i).public()
}
