use super::*;
use std::net::Ipv4Addr;
use weft_types::{Height, MemberIndex, Round, VertexDigest};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn checkpoint(height: u64) -> Entry {
    let event = Event::Checkpoint {
        height: Height(height),
        anchored: false,
    };
    Entry::new(event, [Topic::Checkpoints])
}

fn vertex() -> Entry {
    let event = Event::Vertex {
        round: Round(1),
        author: MemberIndex(0),
        digest: VertexDigest::ZERO,
        parents: Vec::new(),
        transactions: 0,
    };
    Entry::new(event, [Topic::Dag])
}

fn listen(log: &Arc<EventLog>, topics: &[Topic], last: Option<EventId>) -> Subscription {
    log.subscribe(topics.iter().copied().collect(), last, HERE)
        .unwrap()
}

/// Heights of checkpoint events, and in words what else came, until nothing more is there.
async fn drain(subscription: &mut Subscription) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let next = tokio::time::timeout(Duration::from_millis(20), subscription.next());
        let Ok(Some(deliveries)) = next.await else {
            return seen;
        };
        for delivery in deliveries {
            seen.push(match delivery {
                Delivery::Event(_, entry) => match entry.event {
                    Event::Checkpoint { height, .. } => height.to_string(),
                    _ => entry.event.name().to_owned(),
                },
                Delivery::Gap(Some(missed)) => format!("gap of {missed}"),
                Delivery::Gap(None) => "gap".to_owned(),
                Delivery::End(_) => "end".to_owned(),
            });
        }
    }
}

async fn first_id(subscription: &mut Subscription) -> EventId {
    match subscription.next().await.unwrap().first() {
        Some(Delivery::Event(id, _)) => *id,
        other => panic!("an event, not {other:?}"),
    }
}

#[tokio::test]
async fn a_subscriber_hears_its_topics_in_order_and_each_event_once() {
    let log = EventLog::new(1);
    let mut checkpoints = listen(&log, &[Topic::Checkpoints], None);
    let mut both = listen(&log, &[Topic::Checkpoints, Topic::Dag], None);
    let twice = Entry::new(checkpoint(3).event, [Topic::Checkpoints, Topic::Dag]);
    log.publish([checkpoint(1), vertex(), checkpoint(2), twice]);
    assert_eq!(drain(&mut checkpoints).await, ["1", "2", "3"]);
    assert_eq!(drain(&mut both).await, ["1", "vertex", "2", "3"]);
}

#[tokio::test]
async fn who_comes_back_with_an_id_hears_what_it_missed() {
    let log = EventLog::new(1);
    let mut first = listen(&log, &[Topic::Checkpoints], None);
    log.publish([checkpoint(1)]);
    let last = first_id(&mut first).await;
    drop(first);
    assert!(log.wanted(), "for a while after the last has left");
    log.publish([checkpoint(2), vertex(), checkpoint(3)]);
    let mut again = listen(&log, &[Topic::Checkpoints], Some(last));
    log.publish([checkpoint(4)]);
    assert_eq!(drain(&mut again).await, ["2", "3", "4"]);
}

#[tokio::test]
async fn an_id_older_than_the_ring_or_of_another_run_is_answered_by_a_gap() {
    let weight = checkpoint(0).weight();
    let log = EventLog::with_limit(1, 3 * weight);
    let mut first = listen(&log, &[Topic::Checkpoints], None);
    log.publish([checkpoint(0)]);
    let last = first_id(&mut first).await;
    log.publish((1..=5).map(checkpoint));
    let mut again = listen(&log, &[Topic::Checkpoints], Some(last));
    assert_eq!(drain(&mut again).await, ["gap of 2", "3", "4", "5"]);
    let stranger = "2-0".parse().unwrap();
    let mut other_run = listen(&log, &[Topic::Checkpoints], Some(stranger));
    assert_eq!(drain(&mut other_run).await, ["gap"]);
    let future = "1-999".parse().unwrap();
    let mut ahead = listen(&log, &[Topic::Checkpoints], Some(future));
    assert_eq!(drain(&mut ahead).await, ["gap"]);
}

#[tokio::test]
async fn what_was_not_recorded_shows_as_a_gap() {
    let log = EventLog::new(1);
    assert!(!log.wanted(), "nobody has listened yet");
    let mut first = listen(&log, &[Topic::Checkpoints], None);
    log.publish([checkpoint(1)]);
    let last = first_id(&mut first).await;
    log.skip();
    let mut again = listen(&log, &[Topic::Checkpoints], Some(last));
    assert_eq!(drain(&mut again).await, ["gap of 1"]);
}

#[tokio::test]
async fn a_slow_subscriber_is_cut_off_and_told_so() {
    let weight = checkpoint(0).weight();
    let log = EventLog::with_limit(1, 4 * weight);
    let mut slow = listen(&log, &[Topic::Checkpoints], None);
    log.publish((0..9).map(checkpoint));
    assert_eq!(drain(&mut slow).await, ["end"]);

    let roomy = EventLog::new(1);
    let mut slow = listen(&roomy, &[Topic::Checkpoints], None);
    roomy.publish((0..=WAITING_MAX as u64).map(checkpoint));
    let seen = drain(&mut slow).await;
    assert_eq!(seen.len(), WAITING_MAX + 1);
    assert_eq!(seen.last().map(String::as_str), Some("end"));
}

#[tokio::test]
async fn streams_are_bounded_in_all_and_per_address() {
    let log = EventLog::new(1);
    let open = |address: u32| {
        let address = IpAddr::V4(Ipv4Addr::from(address));
        log.subscribe(BTreeSet::from([Topic::Commits]), None, address)
    };
    let mut streams: Vec<_> = (0..STREAMS_PER_ADDRESS_MAX)
        .map(|_| open(1).unwrap())
        .collect();
    assert_eq!(open(1).err(), Some(StreamRefused::Address));
    for address in 2.. {
        if log.streams() == STREAMS_MAX {
            break;
        }
        streams.push(open(address).unwrap());
    }
    assert_eq!(open(9).err(), Some(StreamRefused::All));
    streams.clear();
    assert_eq!(log.streams(), 0);
    assert!(log.lock().routes.is_empty() && log.lock().per_address.is_empty());
}

#[tokio::test]
async fn closing_ends_every_stream_after_what_is_waiting() {
    let log = EventLog::new(1);
    let mut stream = listen(&log, &[Topic::Checkpoints], None);
    log.publish([checkpoint(1)]);
    log.close("the node stops");
    assert_eq!(drain(&mut stream).await, ["1", "end"]);
    assert!(stream.next().await.is_none());
}

#[test]
fn ids_read_back_and_others_are_refused() {
    let id = EventId {
        run: 0xabc,
        number: 7,
    };
    assert_eq!(id.to_string().parse(), Ok(id));
    for wrong in ["", "7", "x-1", "1-", "-1", "1-2-3"] {
        assert!(wrong.parse::<EventId>().is_err(), "{wrong:?}");
    }
}
