use super::*;
use crate::cluster::settings::Base;
use crate::ports::Ports;

fn settings() -> Settings {
    Settings {
        format: super::super::settings::FORMAT,
        instance: 0,
        nodes: 4,
        base: Base::Embedded,
        two_delay: None,
        epoch: None,
        escape_after: None,
        escape_window: None,
        template: None,
        ephemeral: false,
        ports: Ports::of_instance(0, 4, true),
    }
}

fn folder() -> (tempfile::TempDir, Folder) {
    let parent = tempfile::tempdir().unwrap();
    let folder = Folder::new(&parent.path().join("net")).unwrap();
    (parent, folder)
}

#[test]
fn a_folder_goes_from_empty_over_unfinished_to_a_testnet() {
    let (_parent, folder) = folder();
    assert!(matches!(folder.content().unwrap(), Content::Empty));
    let _lock = folder.lock().unwrap();
    assert!(matches!(folder.content().unwrap(), Content::Empty));
    folder.write_settings(&settings()).unwrap();
    assert!(matches!(folder.content().unwrap(), Content::Unfinished));
    fs::write(folder.genesis(), "{}").unwrap();
    assert_eq!(folder.settings().unwrap(), settings());
}

#[test]
fn a_foreign_folder_is_refused_and_stays_as_it_is() {
    let (_parent, folder) = folder();
    fs::create_dir(folder.path()).unwrap();
    fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    let error = folder.content().unwrap_err().to_string();
    assert!(
        error.contains("no testnet") && error.contains("--dir"),
        "{error}"
    );
    assert!(folder.path().join("thesis.tex").is_file());
}

#[test]
fn clearing_removes_what_is_ours_alone() {
    let (_parent, folder) = folder();
    folder.write_settings(&settings()).unwrap();
    fs::create_dir_all(folder.node(3).join("data")).unwrap();
    fs::create_dir_all(folder.path().join("node-notes")).unwrap();
    assert!(folder.clear(4).unwrap(), "somebody's notes are left");
    assert!(!folder.node(3).exists());
    assert!(folder.path().join("node-notes").is_dir());
    fs::remove_dir(folder.path().join("node-notes")).unwrap();
    assert!(!folder.clear(4).unwrap());
    assert!(!folder.path().exists());
}

#[test]
fn one_command_at_a_time() {
    let (_parent, folder) = folder();
    let lock = folder.lock().unwrap();
    let error = folder.lock().unwrap_err().to_string();
    assert!(error.contains("another command"), "{error}");
    drop(lock);
    folder.lock().unwrap();
}

#[test]
fn settings_of_another_version_are_refused() {
    let (_parent, folder) = folder();
    let newer = Settings {
        format: 99,
        ..settings()
    };
    folder.write_settings(&newer).unwrap();
    fs::write(folder.genesis(), "{}").unwrap();
    let error = folder.settings().unwrap_err().to_string();
    assert!(error.contains("99") && error.contains("reset"), "{error}");
}

#[test]
fn files_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_parent, folder) = folder();
    folder.write_settings(&settings()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path()), 0o700);
    assert_eq!(mode(&folder.path().join(SETTINGS)), 0o600);
}
