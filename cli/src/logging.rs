//! Logs of the processes that stay: on stderr, for people or as JSON.

use crate::failure::Failure;
use crate::output::Output;
use tracing_subscriber::EnvFilter;
use weft_node::LogFormat;

/// Starts logging. `filter` is as of `tracing-subscriber`: `info,weft_network=debug`.
pub fn start(filter: &str, format: LogFormat, output: &Output) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|e| Failure::usage(format_args!("log filter {filter:?}: {e}")))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Where stderr is gone the node goes on: to say so there would panic.
        .log_internal_errors(false)
        .with_ansi(output.is_coloured());
    let started = match format {
        LogFormat::Pretty => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    started.map_err(|e| Failure::new(crate::failure::Kind::Failed, e))
}
