//! The server's sockets, with what bounds them, are those of [`weft_http`]; here is what stopping means
//! for streams.

use super::ApiState;
use super::guard::Limits;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use weft_http::ConnectionLimits;

impl Limits {
    fn connections(&self) -> ConnectionLimits {
        ConnectionLimits {
            connections_max: self.connections_max,
            connections_per_address_max: self.connections_per_address_max,
            stall_max: self.stall_max,
            body_max: self.body_max,
        }
    }
}

/// Serves the API until `shutdown` is cancelled, then ends streams and waits for answers under way.
pub async fn serve(listener: TcpListener, state: ApiState, shutdown: CancellationToken) {
    let limits = state.limits.connections();
    let events = state.events.clone();
    let router = super::router(state);
    let streams = async {
        shutdown.cancelled().await;
        events.close("the node stops");
    };
    let serving = weft_http::serve(listener, router, limits, shutdown.clone());
    tokio::join!(serving, streams);
}

#[cfg(test)]
mod tests;
