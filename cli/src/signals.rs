//! How processes are told to end.

use crate::failure::Failure;
use std::future::Future;
use tokio::signal::unix::{SignalKind, signal};

/// Resolves with the first Ctrl-C, SIGTERM or SIGHUP after this call.
pub fn shutdown() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}
