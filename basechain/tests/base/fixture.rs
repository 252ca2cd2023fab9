//! The crates' keys, digests and signatures against the contracts' fixture, which another
//! implementation made and Forge checks the contracts with.

use serde_json::Value;
use weft_types::bls::{Purpose, SecretKey, Signature};
use weft_types::ed25519;
use weft_types::{Committee, Epoch, Member, Possession, Stake, Statement};

fn fixture() -> Value {
    serde_json::from_str(include_str!(
        "../../contracts/test/fixtures/committee4.json"
    ))
    .unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn secret(member: &Value) -> SecretKey {
    SecretKey::from_bytes(&array(&member["finalitySecret"])).unwrap()
}

#[test]
fn keys_and_proofs_are_those_of_the_fixture() {
    let fixture = fixture();
    for member in fixture["members"].as_array().unwrap() {
        let key = secret(member);
        let vertex = ed25519::SecretKey::from_seed(array(&member["vertexSeed"]));
        assert_eq!(vertex.public().0, array::<32>(&member["vertexKey"]));
        assert_eq!(
            key.public().to_eip2537(),
            array::<128>(&member["finalityKey"])
        );
        let possession = Possession {
            chain_id: fixture["chainId"].as_u64().unwrap(),
            registry: array(&fixture["registry"]),
            operator: array(&member["operator"]),
            vertex_key: vertex.public(),
            finality_key: key.public(),
        };
        assert_eq!(
            possession.digest(),
            array::<32>(&member["possessionDigest"])
        );
        let proof = possession.prove(&key);
        assert_eq!(proof.to_eip2537().to_vec(), bytes(&member["possession"]));
    }
}

#[test]
fn the_committee_has_the_digest_of_the_fixture() {
    let fixture = fixture();
    let member = |member: &Value| Member {
        id: member["id"].as_u64().unwrap(),
        stake: Stake(member["weight"].as_u64().unwrap()),
        vertex_key: ed25519::PublicKey(array(&member["vertexKey"])),
        finality_key: secret(member).public(),
        addresses: member["addresses"].as_str().unwrap().to_owned(),
    };
    let members = fixture["members"].as_array().unwrap().iter().map(member);
    let committee = Committee::new(Epoch::ZERO, members.collect()).unwrap();
    assert_eq!(
        committee.digest().0,
        array::<32>(&fixture["committeeDigest"])
    );
}

#[test]
fn the_statement_and_its_certificates_are_those_of_the_fixture() {
    let fixture = fixture();
    let encoded = bytes(&fixture["encodedStatement"]);
    let statement = Statement::decode(&encoded).unwrap();
    assert_eq!(statement.encode().to_vec(), encoded);
    assert_eq!(
        statement.digest().0,
        array::<32>(&fixture["statementDigest"])
    );
    let members = fixture["members"].as_array().unwrap();
    for certificate in fixture["certificates"].as_array().unwrap() {
        let bitmap = bytes(&certificate["bitmap"])[0];
        let signers = members
            .iter()
            .enumerate()
            .filter(|(i, _)| bitmap & (1 << i) != 0);
        let shares: Vec<Signature> = signers
            .map(|(_, member)| secret(member).sign(Purpose::Finality, &statement.digest().0))
            .collect();
        let sum = Signature::sum(&shares).unwrap();
        assert_eq!(sum.to_eip2537().to_vec(), bytes(&certificate["signature"]));
    }
}
