//! The same bytes as the contracts' fixture, which another implementation of the cryptography made:
//! keys, proofs of possession, digests, and certificates.

use serde_json::Value;
use weft_types::*;

fn fixture() -> Value {
    let text = include_str!("../../basechain/contracts/test/fixtures/committee4.json");
    serde_json::from_str(text).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    hex::decode(text.strip_prefix("0x").unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn list<'a>(fixture: &'a Value, field: &str) -> &'a Vec<Value> {
    fixture[field].as_array().unwrap()
}

fn committee(fixture: &Value) -> Committee {
    let of = list(fixture, "members").iter();
    let members = of.map(|m| Member {
        id: number(&m["id"]),
        stake: Stake(number(&m["weight"])),
        vertex_key: ed25519::PublicKey(array(&m["vertexKey"])),
        finality_key: bls::PublicKey::from_eip2537(&bytes(&m["finalityKey"])).unwrap(),
        addresses: m["addresses"].as_str().unwrap().to_owned(),
    });
    Committee::new(Epoch::ZERO, members.collect()).unwrap()
}

fn statement(fixture: &Value) -> Statement {
    let s = &fixture["statement"];
    let root = |field: &str| Root(array(&s[field]));
    Statement {
        network: Network {
            genesis: GenesisDigest(array(&s["network"])),
            chain_id: number(&s["chainId"]),
            manager: array(&s["manager"]),
        },
        epoch: Epoch(number(&s["epoch"])),
        height: Height(number(&s["height"])),
        timestamp: Millis(number(&s["timestampMs"])),
        commit: CommitIndex(number(&s["commitIndex"])),
        commit_digest: CommitDigest(array(&s["commitDigest"])),
        state_root: root("stateRoot"),
        receipts_root: root("receiptsRoot"),
        offenders_root: root("offendersRoot"),
        withdrawals_root: root("withdrawalsRoot"),
        exit_root: root("exitRoot"),
        deposits_processed: number(&s["depositsProcessed"]),
        deposits_digest: root("depositsDigest"),
        registry_cursor: number(&s["registryCursor"]),
        next_committee: CommitteeDigest(array(&s["nextCommittee"])),
    }
}

#[test]
fn keys_and_proofs_of_possession_agree() {
    let fixture = fixture();
    for m in list(&fixture, "members") {
        let vertex_key = ed25519::SecretKey::from_seed(array(&m["vertexSeed"])).public();
        assert_eq!(vertex_key.0.to_vec(), bytes(&m["vertexKey"]));
        let secret = bls::SecretKey::from_bytes(&array(&m["finalitySecret"])).unwrap();
        let key = secret.public();
        assert_eq!(key.to_bytes().to_vec(), bytes(&m["finalityKeyCompressed"]));
        assert_eq!(key.to_eip2537().to_vec(), bytes(&m["finalityKey"]));

        let possession = Possession {
            chain_id: number(&fixture["chainId"]),
            registry: array(&fixture["registry"]),
            operator: array(&m["operator"]),
            vertex_key,
            finality_key: key,
        };
        assert_eq!(possession.digest().to_vec(), bytes(&m["possessionDigest"]));
        let proof = possession.prove(&secret);
        assert_eq!(proof.to_bytes().to_vec(), bytes(&m["possessionCompressed"]));
        assert_eq!(proof.to_eip2537().to_vec(), bytes(&m["possession"]));
    }
}

#[test]
fn the_committees_and_the_statements_digests_agree() {
    let fixture = fixture();
    let digest = committee(&fixture).digest();
    assert_eq!(digest.0.to_vec(), bytes(&fixture["committeeDigest"]));
    let statement = statement(&fixture);
    let encoded = bytes(&fixture["encodedStatement"]);
    assert_eq!(statement.encode().to_vec(), encoded);
    assert_eq!(
        statement.digest().0.to_vec(),
        bytes(&fixture["statementDigest"])
    );
}

#[test]
fn its_certificates_verify_and_are_the_sums_that_we_make() {
    let fixture = fixture();
    let (committee, statement) = (committee(&fixture), statement(&fixture));
    for c in list(&fixture, "certificates") {
        let certificate = Certificate {
            statement: statement.clone(),
            bitmap: bytes(&c["bitmap"]).into(),
            signature: bls::Signature::from_bytes(&bytes(&c["signatureCompressed"])).unwrap(),
        };
        let signers = MemberSet::from_bitmap(&certificate.bitmap, 4).unwrap();
        assert_eq!(committee.stake_of(&signers).0, number(&c["signedWeight"]));
        let shares: Vec<bls::Signature> = signers
            .iter()
            .map(|m| &list(&fixture, "members")[m.as_usize()])
            .map(|m| bls::SecretKey::from_bytes(&array(&m["finalitySecret"])).unwrap())
            .map(|key| FinalityShare::sign(&statement, &key).signature)
            .collect();
        let sum = bls::Signature::sum(&shares).unwrap();
        assert_eq!(sum, certificate.signature);
        assert_eq!(sum.to_eip2537().to_vec(), bytes(&c["signature"]));
        assert!(certificate.verify(&statement.network, &committee).is_ok());
    }
    assert_eq!(list(&fixture, "certificates").len(), 2);
}
