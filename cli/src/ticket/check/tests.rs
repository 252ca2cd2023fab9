use super::super::code::Written;
use super::super::pack::tests::{EDITION, written};
use super::*;
use weft_types::testing::{self, certify, statement, user, user_key};
use weft_types::{Epoch, ObjectId, PassBody, Root, StateProof, UserKey, leaf_hash, value_hash};

/// In the middle of a slot.
const NOW: Millis = Millis(1_800_000_000_000 + 7_000);
const SLOT: u64 = NOW.0 / PASS_SLOT_MS;

fn ticket(serial: u64) -> ItemId {
    ItemId::derive(&EDITION, serial)
}

fn text(code: &TicketCode) -> String {
    Written::new(code).unwrap().text
}

/// Ticket `serial`, whose holder is the user of its number, shown by user `i`.
fn shown_by(i: u64, serial: u64, slot: u64, gate: Option<Address>) -> TicketCode {
    let item = ticket(serial);
    let body = PassBody {
        network: testing::genesis(4).network.id(),
        item,
        slot,
        gate,
    };
    TicketCode {
        item,
        pass: body.sign(&UserKey::from(&user_key(i))),
        proof: None,
    }
}

fn gate(pack: Option<Pack>) -> Gate {
    let genesis = testing::genesis(4);
    Gate {
        network: genesis.network.id(),
        committees: committees::known(&genesis, None).unwrap(),
        uses: pack.as_ref().map_or(1, |pack| pack.head.uses),
        pack,
        editions: vec![EDITION],
        since: Millis(8_000),
        account: Some(user(3)),
        slots: 2,
    }
}

struct Scene {
    gate: Gate,
    journal: Journal,
    folder: tempfile::TempDir,
}

impl Scene {
    fn with_pack(uses: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.pack");
        written(&path, uses, 9);
        Self::of(gate(Some(Pack::read(&path).unwrap())), folder)
    }

    fn of(gate: Gate, folder: tempfile::TempDir) -> Self {
        let journal = Journal::open(&folder.path().join("journal")).unwrap();
        Self {
            gate,
            journal,
            folder,
        }
    }

    /// Why not; `None`: let in.
    fn admit(&mut self, code: &TicketCode, now: Millis) -> Option<String> {
        let told = self
            .gate
            .admit(&text(code), &mut self.journal, now)
            .unwrap();
        assert_eq!(told.admitted, told.reason.is_none());
        told.reason
    }

    fn refuses(&mut self, code: &TicketCode, words: &str) {
        let reason = self.admit(code, NOW).expect("not let in");
        assert!(reason.contains(words), "{words} in {reason}");
    }
}

#[test]
fn a_ticket_is_let_in_once_at_a_gate_with_a_pack_also_after_a_restart() {
    let mut scene = Scene::with_pack(1);
    assert_eq!(scene.admit(&shown_by(4, 4, SLOT, None), NOW), None);
    scene.refuses(&shown_by(4, 4, SLOT, None), "it went in here");
    scene.refuses(&shown_by(4, 4, SLOT + 1, None), "it went in here");
    assert_eq!(scene.admit(&shown_by(5, 5, SLOT, Some(user(3))), NOW), None);
    let Scene {
        gate,
        folder,
        journal,
    } = scene;
    drop(journal);
    let mut again = Scene::of(gate, folder);
    again.refuses(&shown_by(5, 5, SLOT, None), "it went in here");
}

#[test]
fn a_ticket_with_more_uses_is_let_in_by_another_pass() {
    let mut scene = Scene::with_pack(2);
    assert_eq!(scene.admit(&shown_by(4, 4, SLOT, None), NOW), None);
    scene.refuses(&shown_by(4, 4, SLOT, None), "this pass has let somebody in");
    let later = Millis(NOW.0 + PASS_SLOT_MS);
    assert_eq!(scene.admit(&shown_by(4, 4, SLOT + 1, None), later), None);
    scene.refuses(&shown_by(4, 4, SLOT + 1, None), "it went in here");
}

#[test]
fn an_old_pass_another_gates_and_another_mans_are_not_let_in() {
    let mut scene = Scene::with_pack(1);
    for slot in [SLOT - 2, SLOT + 2, 1] {
        scene.refuses(&shown_by(4, 4, slot, None), "let it be shown anew");
    }
    scene.refuses(&shown_by(4, 4, SLOT, Some(user(9))), "another gate");
    scene.refuses(&shown_by(5, 4, SLOT, None), "not the owner's");
    scene.refuses(&shown_by(4, 10, SLOT, None), "not in this gate's pack");
    let mut forged = shown_by(4, 4, SLOT, None);
    forged.item = ticket(5);
    scene.refuses(&forged, "not signed for this ticket");
    let told = scene.gate.admit("WEFT1:nothing", &mut scene.journal, NOW);
    assert!(!told.unwrap().admitted);
    // Nobody of these stands in the journal.
    assert_eq!(scene.admit(&shown_by(4, 4, SLOT - 1, None), NOW), None);
}

/// A ticket of user 2's with its proof, the only object there is.
fn proven(change: impl FnOnce(&mut weft_types::Item), timestamp: u64) -> TicketCode {
    proven_in(0, change, timestamp)
}

fn proven_in(epoch: u64, change: impl FnOnce(&mut weft_types::Item), timestamp: u64) -> TicketCode {
    let mut item = weft_types::Item::new(EDITION, 2, user(2));
    change(&mut item);
    let id = ObjectId::Item(ticket(2));
    let value = weft_types::Object::Item(item.into()).encode();
    let mut statement = statement(7);
    statement.network = testing::genesis(4).network;
    statement.state_root = Root(leaf_hash(&id.state_key(), &value_hash(&value)));
    statement.timestamp = Millis(timestamp);
    statement.epoch = Epoch(epoch);
    let proof = StateProof {
        siblings: vec![],
        other: None,
    };
    TicketCode {
        proof: Some(ProofBundle {
            object: id,
            value: Some(hex::encode(value)),
            proof,
            certificate: certify(&statement, &[0, 1, 3]).to_json(),
            kept: None,
        }),
        ..shown_by(2, 2, SLOT, None)
    }
}

#[test]
fn a_ticket_with_its_proof_needs_no_pack() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::of(gate(None), folder);
    scene.refuses(&shown_by(2, 2, SLOT, None), "this gate no pack");
    scene.refuses(&proven(|_| {}, 7_999), "may have changed hands");
    scene.refuses(&proven(|i| i.owner = user(1), 9_000), "not the owner's");
    scene.refuses(
        &proven(|i| i.void = Some("charged back".to_owned()), 9_000),
        "charged back",
    );
    scene.refuses(&proven(|i| i.frozen = true, 9_000), "frozen");
    let mut other = proven(|_| {}, 9_000);
    other.proof.as_mut().unwrap().value = proven(|i| i.serial = 3, 9_000).proof.unwrap().value;
    scene.refuses(&other, "proves nothing");
    scene.gate.editions = vec![EditionId([9; 32])];
    scene.refuses(&proven(|_| {}, 9_000), "no edition let in");
    scene.gate.editions = vec![EDITION];
    assert_eq!(scene.admit(&proven(|_| {}, 9_000), NOW), None);
    scene.refuses(&proven(|_| {}, 9_000), "it went in here");
}

#[test]
fn uses_that_were_redeemed_before_the_proof_count() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::of(gate(None), folder);
    scene.gate.uses = 2;
    assert_eq!(scene.admit(&proven(|i| i.used = 1, 9_000), NOW), None);
    scene.refuses(&proven(|i| i.used = 1, 9_000), "it went in here");
    scene.refuses(&proven(|i| i.used = 2, 9_000), "no use is left");
}

#[test]
fn proofs_of_later_epochs_need_the_committees_up_to_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("committees.json");
    let mut scene = Scene::of(gate(None), folder);
    let late = proven_in(2, |_| {}, 9_000);
    scene.refuses(
        &late,
        "of epoch 2, and this gate knows who was in office up to epoch 0",
    );
    for (ends, is_known) in [(1, false), (2, true)] {
        crate::committees::tests::written(&path, ends);
        scene.gate.committees = committees::known(&testing::genesis(4), Some(&path)).unwrap();
        if is_known {
            assert_eq!(scene.admit(&late, NOW), None);
        } else {
            scene.refuses(&late, "up to epoch 1");
        }
    }
    scene.refuses(&proven(|_| {}, 9_000), "it went in here");
}
