//! A signer behind TLS, whose certificate the system knows or does not.

use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use weft_basechain::{ClientError, Signer};

/// Of `localhost`, by an authority that only these tests know.
const CERTIFICATE: &[u8] = include_bytes!("tls/server.pem");
const KEY: &[u8] = include_bytes!("tls/server-key.pem");
const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/base/tls/authority.pem");
const ACCOUNT: [u8; 20] = [0x11; 20];

struct Listener {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            // A client that does not trust it ends the handshake.
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn serve() -> String {
    let provider = tokio_rustls::rustls::crypto::ring::default_provider();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", tcp.local_addr().unwrap().port());
    let tls = TlsAcceptor::from(Arc::new(config));
    let accounts = async |Json(request): Json<Value>| {
        let accounts = json!([format!("0x{}", hex::encode(ACCOUNT))]);
        Json(json!({"jsonrpc": "2.0", "id": request["id"], "result": accounts}))
    };
    let router = Router::new().route("/", post(accounts));
    tokio::spawn(async move {
        axum::serve(Listener { tcp, tls }, router).await.unwrap();
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_whose_certificate_nobody_vouches_for_is_not_spoken_to() {
    let refused = Signer::connect(&serve().await, None).await.unwrap_err();
    assert!(
        matches!(refused, ClientError::SignerAway { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("certificate"), "{refused}");
    // Without TLS it is no signer either.
    let plain = serve().await.replace("https", "http");
    Signer::connect(&plain, None).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_whose_certificate_the_system_vouches_for_is() {
    const TRUSTS: &str = "SSL_CERT_FILE";
    if std::env::var_os(TRUSTS).is_none_or(|file| file != AUTHORITY) {
        // What the system trusts is read once, from its environment: that of another process.
        let name = "tls::a_signer_whose_certificate_the_system_vouches_for_is";
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", name]).env(TRUSTS, AUTHORITY);
        let output = again.output().unwrap();
        let words = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{words}");
        assert!(words.contains("1 passed"), "{words}");
        return;
    }
    let signer = Signer::connect(&serve().await, None).await.unwrap();
    let key = weft_basechain::AccountKey::from(signer);
    assert_eq!(key.address(), ACCOUNT);
}
