use super::*;
use std::process::{Child, Command};

fn sleeper() -> (Child, ProcessId) {
    let child = Command::new("sleep").arg("60").spawn().unwrap();
    let id = ProcessId::of(child.id()).unwrap();
    (child, id)
}

#[test]
fn names_with_brackets_do_not_shift_the_fields() {
    let line = "7 (a) b (c) S 1 7 7 0 -1 0 0 0 0 0 11 22 0 0 20 0 1 0 333 0 5";
    let stat = parse_stat(line).unwrap();
    assert_eq!((stat.state, stat.cpu_ticks, stat.began), (b'S', 33, 333));
    assert!(parse_stat("7 (a) S 1 2").is_none());
    assert!(parse_stat("").is_none());
}

#[tokio::test]
async fn a_process_is_stopped_by_asking() {
    let (mut child, id) = sleeper();
    assert!(id.is_alive() && id.usage().unwrap().rss_bytes > 0);
    assert!(id.stop(Duration::from_secs(5)).await.unwrap());
    assert!(!id.is_alive(), "ended, though nobody has collected it");
    child.wait().unwrap();
    assert!(id.usage().is_none());
}

#[tokio::test]
async fn a_deaf_process_is_killed() {
    let mut child = Command::new("sh")
        .args(["-c", "trap '' TERM; echo; sleep 60 & wait; wait"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    let id = ProcessId::of(child.id()).unwrap();
    assert!(!id.stop(Duration::from_millis(200)).await.unwrap());
    child.wait().unwrap();
}

#[tokio::test]
async fn a_paused_process_is_seen_as_such_and_can_be_ended() {
    let (mut child, id) = sleeper();
    id.pause().unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while !id.is_paused() && Instant::now() < until {
        tokio::time::sleep(POLL).await;
    }
    assert!(id.is_paused() && id.is_alive());
    assert!(id.stop(Duration::from_secs(5)).await.unwrap());
    child.wait().unwrap();
}

#[tokio::test]
async fn another_process_with_the_same_id_is_left_alone() {
    let (mut child, id) = sleeper();
    let earlier = ProcessId {
        began: id.began - 1,
        ..id
    };
    assert!(!earlier.is_alive());
    assert!(earlier.kill().is_err());
    assert!(earlier.stop(Duration::from_millis(10)).await.unwrap());
    assert!(id.is_alive());
    child.kill().unwrap();
    child.wait().unwrap();
}
