use libp2p::multiaddr::Protocol;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use weft_network::Multiaddr;

/// A wire between two nodes that can go dead: connections stand, and nothing passes.
pub struct Proxy {
    pub address: Multiaddr,
    dead: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub async fn before(target: &Multiaddr) -> Self {
        let target = socket(target);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (dead, wire) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut wires = JoinSet::new();
            while let Ok((from, _)) = listener.accept().await {
                let Ok(to) = TcpStream::connect(target).await else {
                    continue;
                };
                let ((from_read, from_write), (to_read, to_write)) =
                    (from.into_split(), to.into_split());
                wires.spawn(pass(wire.clone(), from_read, to_write));
                wires.spawn(pass(wire.clone(), to_read, from_write));
            }
        });
        let address = format!("/ip4/127.0.0.1/tcp/{port}");
        Self {
            address: address.parse().expect("a multiaddress"),
            dead,
            _tasks: tasks,
        }
    }

    pub fn set_dead(&self, dead: bool) {
        self.dead.send_replace(dead);
    }
}

async fn pass(mut dead: watch::Receiver<bool>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut bytes = [0; 4096];
    loop {
        if dead.wait_for(|dead| !dead).await.is_err() {
            return;
        }
        match from.read(&mut bytes).await {
            Ok(read) if read > 0 && to.write_all(&bytes[..read]).await.is_ok() => {}
            _ => return,
        }
    }
}

/// The socket address of a TCP multiaddress.
pub fn socket(address: &Multiaddr) -> SocketAddr {
    match address.iter().collect::<Vec<_>>()[..] {
        [Protocol::Ip4(ip), Protocol::Tcp(port)] => SocketAddr::new(ip.into(), port),
        ref other => panic!("unexpected {other:?}"),
    }
}
