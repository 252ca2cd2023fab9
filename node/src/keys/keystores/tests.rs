use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;
use weft_keystore::{FileError, KeystoreError};

const QUICK: Kdf = Kdf::Scrypt { n: 16, r: 1, p: 1 };

fn password() -> Password {
    Password::new("correct horse").unwrap()
}

/// A node's folder without keys.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn keys(&self) -> PathBuf {
        self.0.path().join("keys")
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn stores(&self) -> Keystores {
        Keystores::in_folder(&self.keys())
    }

    fn make(&self) -> Result<(NodeKeys, Made), KeyError> {
        self.stores().make(&self.data(), &password(), QUICK)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.keys().join(name)).unwrap()
    }
}

#[test]
fn keys_are_made_once_new_and_for_their_owner_alone() {
    let place = Place::new();
    let (keys, made) = place.make().unwrap();
    assert_eq!(made, Made::Both);
    assert!(keys.are_new(&place.data()));
    for name in [VERTEX_KEYSTORE_FILE, FINALITY_KEYSTORE_FILE] {
        let mode = fs::metadata(place.keys().join(name)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        assert!(!place.text(name).contains(&hex::encode(keys.vertex.seed())));
        assert!(
            !place
                .text(name)
                .contains(&hex::encode(keys.finality.to_bytes()))
        );
    }
    let before = place.text(VERTEX_KEYSTORE_FILE);
    let (again, made) = place.make().unwrap();
    assert_eq!(made, Made::Nothing);
    assert_eq!(again.vertex.public(), keys.vertex.public());
    assert_eq!(again.finality.public(), keys.finality.public());
    assert_eq!(place.text(VERTEX_KEYSTORE_FILE), before);
}

#[test]
fn an_attempt_that_was_interrupted_is_completed() {
    let place = Place::new();
    let (keys, _) = place.make().unwrap();
    fs::remove_file(place.keys().join(FINALITY_KEYSTORE_FILE)).unwrap();
    // As before the finality key was made.
    keys.mark_new(&place.data()).unwrap();
    let (whole, made) = place.make().unwrap();
    assert_eq!(made, Made::Rest);
    assert_eq!(whole.vertex.public(), keys.vertex.public());
    assert_ne!(whole.finality.public(), keys.finality.public());
    assert!(whole.are_new(&place.data()));
}

#[test]
fn a_finality_key_that_was_made_and_is_lost_is_not_replaced() {
    let place = Place::new();
    place.make().unwrap();
    // Also one that was made before this was written down.
    let (keys, _) = place.make().unwrap();
    keys.mark_new(&place.data()).unwrap();
    place.make().unwrap();
    assert!(keys.are_new(&place.data()));
    let finality = place.keys().join(FINALITY_KEYSTORE_FILE);
    fs::remove_file(&finality).unwrap();
    assert!(matches!(place.make(), Err(KeyError::Half { missing, .. }) if missing == finality));
    assert!(!finality.exists());
}

#[test]
fn half_of_keys_that_may_have_signed_is_never_completed() {
    let place = Place::new();
    let (keys, _) = place.make().unwrap();
    keys.no_longer_new(&place.data()).unwrap();
    let finality = place.keys().join(FINALITY_KEYSTORE_FILE);
    let text = fs::read(&finality).unwrap();
    fs::remove_file(&finality).unwrap();
    assert!(matches!(place.make(), Err(KeyError::Half { missing, .. }) if missing == finality));
    fs::write(&finality, text).unwrap();
    fs::remove_file(place.keys().join(VERTEX_KEYSTORE_FILE)).unwrap();
    assert!(matches!(place.make(), Err(KeyError::Half { beside, .. }) if beside == finality));
    assert!(!place.keys().join(VERTEX_KEYSTORE_FILE).exists());
}

#[test]
fn another_password_makes_and_opens_nothing() {
    let place = Place::new();
    place.make().unwrap();
    fs::remove_file(place.keys().join(FINALITY_KEYSTORE_FILE)).unwrap();
    let wrong = Password::new("correct house").unwrap();
    let refused = place.stores().make(&place.data(), &wrong, QUICK);
    let Err(KeyError::Keystore { source, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(source, KeystoreError::Password);
    assert!(!place.keys().join(FINALITY_KEYSTORE_FILE).exists());
}

#[test]
fn plain_keys_and_keystores_do_not_go_together() {
    let place = Place::new();
    NodeKeys::generate().save(&place.keys()).unwrap();
    assert!(matches!(place.make(), Err(KeyError::Both(_))));
    assert_eq!(
        KeyFiles::find(&place.keys()).unwrap(),
        Some(KeyFiles::Plain)
    );
    let other = Place::new();
    other.make().unwrap();
    for name in [VERTEX_KEYSTORE_FILE, FINALITY_KEYSTORE_FILE] {
        fs::copy(other.keys().join(name), place.keys().join(name)).unwrap();
        assert!(matches!(
            KeyFiles::find(&place.keys()),
            Err(KeyError::Both(_))
        ));
    }
}

#[test]
fn a_key_under_the_name_of_another_is_refused() {
    let (place, other) = (Place::new(), Place::new());
    place.make().unwrap();
    let (others, _) = other.make().unwrap();
    let mut text: serde_json::Value =
        serde_json::from_str(&place.text(VERTEX_KEYSTORE_FILE)).unwrap();
    text["pubkey"] = others.vertex.public().to_string().into();
    let path = place.keys().join(VERTEX_KEYSTORE_FILE);
    fs::write(&path, text.to_string()).unwrap();
    let refused = place.stores().open(&password());
    assert!(matches!(refused, Err(KeyError::OtherKey(_))));
    // The two kinds swapped.
    fs::copy(place.keys().join(FINALITY_KEYSTORE_FILE), &path).unwrap();
    let refused = place.stores().open(&password());
    assert!(matches!(refused, Err(KeyError::OtherKey(_))));
}

#[test]
fn a_node_opens_its_keystores_with_the_password_of_its_settings() {
    let place = Place::new();
    let (keys, _) = place.make().unwrap();
    let mut config = crate::NodeConfig {
        keys: place.keys(),
        ..Default::default()
    };
    assert!(matches!(NodeKeys::of(&config), Err(KeyError::Locked(_))));
    let path = place.0.path().join("password");
    config.password_file = Some(path.clone());
    fs::write(&path, "correct horse\n").unwrap();
    let open = NodeKeys::of(&config);
    assert!(
        matches!(open, Err(KeyError::Password(_))),
        "others may read it"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let read = NodeKeys::of(&config).unwrap().unwrap();
    assert_eq!(read.vertex.public(), keys.vertex.public());
    let keystore = place.keys().join(VERTEX_KEYSTORE_FILE);
    fs::set_permissions(&keystore, fs::Permissions::from_mode(0o644)).unwrap();
    let open = NodeKeys::of(&config);
    assert!(matches!(
        open,
        Err(KeyError::File(FileError::Permissions { .. }))
    ));
}
