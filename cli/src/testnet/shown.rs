//! What people see of a testnet.

use super::Place;
use crate::output::{fit, table};
use std::fmt::Write as _;
use weft_testnet::cluster::{Folder, Manifest, NodeEntry, Status};
use weft_testnet::load::{Agreement, Conservation, Quantiles, Report};

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| v.to_string())
}

/// Shortened for a table; `--json` has the whole.
fn short(value: Option<impl ToString>) -> String {
    let text = or_dash(value);
    match text.char_indices().nth(16) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

pub fn status(status: &Status) -> String {
    let mut nodes = table(&[
        "node",
        "alive",
        "voting",
        "peers",
        "round",
        "commit",
        "height",
        "state root",
        "MiB",
    ]);
    let yes = |value: Option<bool>| or_dash(value.map(|v| if v { "yes" } else { "no" }));
    for node in &status.nodes {
        nodes.add_row([
            node.name.clone(),
            yes(Some(node.alive)),
            yes(node.voting),
            or_dash(node.peers),
            or_dash(node.round),
            or_dash(node.commit),
            or_dash(node.height),
            short(node.state_root),
            or_dash(node.rss_mb),
        ]);
    }
    let mut reasons = String::new();
    for node in &status.nodes {
        if let Some(why) = &node.why {
            let _ = write!(reasons, "\n{}: {why}", node.name);
        }
    }
    let base = &status.base;
    let ready = if status.ready { "ready" } else { "not ready" };
    format!(
        "{}\n\nbase chain: head {}, {} checkpoints, the newest of height {} with state root {}{reasons}\n{ready}",
        nodes.trim_fmt(),
        or_dash(base.head),
        or_dash(base.checkpoints),
        or_dash(base.checkpoint_height),
        short(base.checkpoint_state_root),
    )
}

pub fn processes(nodes: &[NodeEntry]) -> String {
    let mut shown = table(&["node", "process"]);
    for node in nodes {
        shown.add_row([node.name.clone(), or_dash(node.pid)]);
    }
    shown.trim_fmt()
}

/// What a newcomer needs: where everything is, keys to play with, what to do next.
pub fn banner(manifest: &Manifest, place: &Place, folder: &Folder) -> String {
    let mut services = table(&["part", "URL", "network"]);
    for node in &manifest.nodes {
        services.add_row([node.name.as_str(), &node.api, &node.p2p]);
    }
    services.add_row(["base chain", &manifest.base.rpc, ""]);
    let none = "not running";
    services.add_row(["faucet", manifest.faucet.as_deref().unwrap_or(none), ""]);
    let mut accounts = table(&["DEV ONLY", "address", "key"]);
    for account in &manifest.accounts {
        let address = account.address.to_string();
        accounts.add_row([account.name.as_str(), &address, &account.key]);
    }
    let contracts = &manifest.base.contracts;
    let place = match (&place.dir, place.instance) {
        (Some(dir), _) => format!(" --dir {}", dir.display()),
        (None, Some(instance)) if instance > 0 => format!(" --instance {instance}"),
        _ => String::new(),
    };
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "\nWeft testnet: {} masternodes certify, and the contracts are live\n\n{}\n\n\
         registry            0x{}\n\
         checkpoint manager  0x{}\n\
         vault               0x{}\n\
         hash locks          {}\n\n{}\n\n\
         The keys are in {}/accounts, a file each for --key, for everybody on this machine\n\
         to find. Never use them elsewhere.\n\n\
         data    {}\n\n\
         next    weft testnet status{place}\n        \
         weft testnet load --rate 200 --duration 10s{place}\n        \
         weft testnet down{place}",
        manifest.nodes.len(),
        fit(&services),
        hex::encode(contracts.registry),
        hex::encode(contracts.manager),
        hex::encode(contracts.vault),
        or_dash(manifest.base.hash_lock),
        fit(&accounts),
        folder.path().display(),
        folder.path().display(),
    );
    text
}

pub fn report(report: &Report) -> String {
    let mut latencies = table(&["latency, ms", "p50", "p90", "p99", "max"]);
    let kinds = [
        ("committed", report.latency_ms.committed),
        ("certified", report.latency_ms.certified),
    ];
    for (kind, Quantiles { p50, p90, p99, max }) in kinds {
        let row = [p50, p90, p99, max].map(or_dash);
        latencies.add_row([kind.to_owned()].into_iter().chain(row));
    }
    let Report {
        offered,
        submitted,
        committed,
        certified,
        failed,
        tps,
        cpu_s,
        rss_mb_max,
        base_gas,
        verify_limit_tps,
        of_limit,
        ..
    } = report;
    let mut text = format!(
        "{offered} offered, {submitted} submitted, {committed} committed, {certified} certified, {failed} failed\n\
         {tps} transactions a second at the slowest node, {of_limit} of the {verify_limit_tps} that this machine can verify\n\n\
         {}\n\n\
         nodes: {cpu_s} s of processor time, {rss_mb_max} MiB at most each; checkpoints: {base_gas} gas",
        latencies.trim_fmt()
    );
    for (reason, count) in &report.reasons {
        let _ = write!(text, "\nfailed: {count} {reason}");
    }
    if let Some(Conservation { coin, items, deals }) = &report.conserved {
        // Where cards are made and burned they are not counted.
        let cards = match items {
            0 => String::new(),
            n => format!(", {n} cards"),
        };
        let _ = write!(
            text,
            "\nnothing was made or lost: {coin} of the native asset{cards}, {deals} open deals, read through the API"
        );
    }
    let _ = match &report.agreement {
        Agreement::Equal { height, state_root } => {
            write!(
                text,
                "\nall nodes have state root {state_root} at height {height}"
            )
        }
        Agreement::Different(words) => write!(text, "\nTHE NODES DIFFER: {words}"),
        Agreement::Unknown(words) => {
            write!(text, "\nthe nodes did not come to one height: {words}")
        }
    };
    text
}
