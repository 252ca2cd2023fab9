//! What the network costs on this machine: two members over the loopback device, both on one
//! thread, so that CPU time is that of both ends. `cargo bench -p weft-network`.

use bytes::Bytes;
use std::time::{Duration, Instant};
use weft_network::{
    Event, Events, FrameKind, Handle, IdentitySeed, Limits, Member, MemberIndex, Network,
    NetworkConfig, Role,
};
use weft_types::ed25519::SecretKey;

const KIND: FrameKind = FrameKind(1);
const FIRST: MemberIndex = MemberIndex(0);
const SECOND: MemberIndex = MemberIndex(1);

struct Node {
    handle: Handle,
    events: Events,
}

impl Node {
    async fn frame(&mut self) -> Bytes {
        loop {
            match self.events.recv().await.expect("the network runs") {
                Event::Frame { bytes, .. } => return bytes,
                Event::Fetch { request, reply, .. } => {
                    reply.send(request).expect("still waiting");
                }
                _ => {}
            }
        }
    }
}

async fn pair() -> (Node, Node) {
    let member = |index: MemberIndex, addresses| Member {
        index,
        vertex_key: SecretKey::from_seed([index.0 as u8; 32]).public().0,
        addresses,
    };
    let mut nodes: Vec<Node> = Vec::new();
    for own in [FIRST, SECOND] {
        let known = nodes.iter().flat_map(|node| node.handle.listen_addresses());
        let config = NetworkConfig {
            network_id: "be".to_owned(),
            role: Role::Member(own),
            seed: IdentitySeed::new([own.0 as u8; 32]),
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("a multiaddress")],
            committee: vec![member(FIRST, known.collect()), member(SECOND, vec![])],
            limits: Limits::default(),
        };
        let (handle, events) = Network::start(config).await.expect("a good configuration");
        nodes.push(Node { handle, events });
    }
    while nodes.iter().any(|node| !node.handle.peers()[0].connected) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = nodes.remove(1);
    (nodes.remove(0), second)
}

/// CPU time of this process so far. The kernel counts in hundredths of a second.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat
        .rsplit(") ")
        .next()
        .expect("the command ends in a bracket");
    let ticks: u64 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(10 * ticks)
}

/// Frames of one length, a few of them under way at any time.
async fn stream(length: usize, megabytes: usize, first: &Node, second: &mut Node) {
    let bytes = Bytes::from(vec![7; length]);
    let total = (megabytes << 20) / length;
    let under_way = ((4 << 20) / length).max(1);
    let (since, cpu_before) = (Instant::now(), cpu());
    let mut sent = 0;
    for received in 0..total {
        while sent < total && sent < received + under_way {
            let send = first.handle.send(SECOND, KIND, bytes.clone());
            send.expect("a good frame");
            sent += 1;
        }
        second.frame().await;
    }
    let (took, used) = (since.elapsed(), cpu() - cpu_before);
    println!(
        "frames of {length:>8} bytes: {:>6.0} MB/s, {:.2} ms of CPU per MB, {:.2} us per frame",
        megabytes as f64 / took.as_secs_f64(),
        used.as_secs_f64() * 1e3 / megabytes as f64,
        used.as_secs_f64() * 1e6 / total as f64,
    );
}

fn print_median(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let median = times[times.len() / 2];
    println!("{what}: {:.0} us", median.as_secs_f64() * 1e6);
}

/// There and back.
async fn round_trips(first: &mut Node, second: &mut Node) {
    let bytes = Bytes::from(vec![7; 256]);
    let mut times = Vec::new();
    for _ in 0..10_000 {
        let since = Instant::now();
        let there = first.handle.send(SECOND, KIND, bytes.clone());
        there.expect("a good frame");
        let echo = second.frame().await;
        let back = second.handle.send(FIRST, KIND, echo);
        back.expect("a good frame");
        first.frame().await;
        times.push(since.elapsed());
    }
    print_median("round trip of a 256-byte frame", times);

    let mut times = Vec::new();
    for _ in 0..2_000 {
        let since = Instant::now();
        let asked = first.handle.fetch(SECOND, bytes.clone());
        tokio::select! {
            answer = asked => assert_eq!(answer.expect("an answer"), bytes),
            _ = second.frame() => panic!("nobody sends frames now"),
        }
        times.push(since.elapsed());
    }
    print_median("fetch of 256 bytes", times);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (mut first, mut second) = pair().await;
        for (length, megabytes) in [(256, 32), (4 << 10, 128), (128 << 10, 512), (1 << 20, 512)] {
            stream(length, megabytes, &first, &mut second).await;
        }
        round_trips(&mut first, &mut second).await;
        for node in [first, second] {
            node.handle.shutdown().await.expect("all tasks end");
        }
    });
}
