//! Alarms and reports in words.

use crate::time;
use crate::values::lines;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use weft_node::evidence::{Difference, Report, Verdict};
use weft_node::{Alarm, Blind, NodeConfig, Seen, Shown, Withheld};
use weft_types::{CommitIndex, Millis};

/// Changed objects that are named.
const NAMED_MAX: usize = 20;

/// What a watcher does, and what it cannot see.
pub fn begins(config: &NodeConfig, evidence: &[PathBuf]) -> String {
    let evidence = evidence.first().map(PathBuf::as_path);
    let evidence = evidence.unwrap_or(Path::new("."));
    format!(
        "Watching. What members publish and sign, and what is posted on the base chain, is held against what executing their\n\
         transactions gives here.\n\
         Posted checkpoints are read from {}. While that does not answer, this watcher is blind for them, and says so.\n\
         Heights whose data members do not give to it cannot be checked: it says so when one of them is posted.\n\
         Evidence would be put into {}. Ctrl-C ends it.",
        config.base_rpc,
        evidence.display()
    )
}

/// W2: what is told at once.
pub fn alarm_block(alarm: &Alarm) -> String {
    block(&format!(
        "{}\n\n{FALSE_CURES}",
        alarm_lines(alarm, "is being written")
    ))
}

const FALSE_CURES: &str = "\
A quorum has certified what executing its transactions does not give. This watcher writes its evidence, judges it again,
and ends. Then:
- show the evidence to the operators of the masternodes and to other watchers: `weft watch --replay FILE` judges it;
- operators stop their nodes: a node of their own that executes has stopped by itself;
- until it is settled take nothing for certain that this network certifies.";

pub fn alarm_shown(alarm: &Alarm) -> String {
    let shown = alarm_lines(alarm, "not written");
    // Without a file this is all that there is to show to others.
    let certificate = match (&alarm.evidence, &alarm.certificate) {
        (None, Some(certificate)) => {
            let both = [Some(certificate), alarm.rival.as_ref()]
                .into_iter()
                .flatten();
            let json = both.filter_map(|c| serde_json::to_string(c).ok());
            json.map(|json| format!("\ncertificate {json}")).collect()
        }
        _ => String::new(),
    };
    format!("{shown}{certificate}")
}

fn alarm_lines(alarm: &Alarm, no_evidence: &str) -> String {
    let seen = match alarm.seen {
        Seen::Signed => "by signatures of members".to_owned(),
        Seen::Published => "published".to_owned(),
        Seen::Posted { block, .. } => format!("posted on the base chain in block {block}"),
    };
    let own = alarm.own.map_or("none".to_owned(), |own| own.to_string());
    let evidence = match (&alarm.evidence, &alarm.lacks) {
        (Some(path), None) => path.display().to_string(),
        (Some(path), Some(failed)) => format!("{} ({failed})", path.display()),
        (None, Some(lacks)) => format!("none: {lacks}"),
        (None, None) => no_evidence.to_owned(),
    };
    let shown = lines(&[
        ("ALARM at height", alarm.height.to_string()),
        ("certified", alarm.certified.to_string()),
        ("executed", own),
        ("seen", seen),
        ("time left", time_left(alarm)),
        ("evidence", evidence),
    ]);
    let conflict = match alarm.conflict {
        true => {
            "\nA quorum has certified the executed statement as well: the two certificates, shown to the contract, \
             freeze the bridge and take the bonds of those who signed both."
        }
        false => "",
    };
    format!("{shown}{}{conflict}", fields_shown(&alarm.fields))
}

/// Lines that nobody overlooks between those of a log.
fn block(text: &str) -> String {
    let rule = "=".repeat(80);
    format!("\n{rule}\n{text}\n{rule}\n")
}

/// W6.
pub fn withheld_block(withheld: &Withheld) -> String {
    let is = match withheld.again {
        true => "posted, not available, and told before",
        false => "posted, not available",
    };
    let shown = lines(&[
        ("ALARM at height", format!("{}: {is}", withheld.height)),
        ("statement", withheld.statement.to_string()),
        (
            "posted",
            format!("on the base chain in block {}", withheld.block),
        ),
        ("time left", until(withheld.final_at)),
        (
            "this watcher",
            format!(
                "has executed height {}, and is connected to {} members",
                withheld.executed, withheld.peers
            ),
        ),
        ("waiting", format!("{} posted heights", withheld.waiting)),
    ]);
    let forgotten = match withheld.forgotten {
        0 => String::new(),
        n => format!(
            "\n{n} older ones are no longer remembered: whatever comes, they are not compared. Start the watcher anew to read\n\
             what is not final yet again."
        ),
    };
    let cause = match withheld.peers {
        0 => {
            "This watcher is connected to nobody: see first whether its network and the addresses of the genesis are right."
        }
        _ => {
            "This watcher is connected, so that members may be withholding what they have certified."
        }
    };
    block(&format!("{shown}{forgotten}\n\n{cause}\n{WITHHELD_CURES}"))
}

const WITHHELD_CURES: &str = "\
A quorum has signed this checkpoint, and its data have not been seen here: it cannot be said whether it is true.
- ask the operators of the masternodes, and other watchers, for the vertices up to that height;
- until they come count on nothing that this checkpoint pays, and keep proofs of what is yours: `weft bridge keep`;
- the contract cannot judge it: only two certificates of one height freeze the bridge;
- a watcher that was away for longer than members keep history is never given what it lacks, and believes no state
  instead: begin another one with an empty folder.
The watcher goes on, and says when the data come.";

/// W8.
pub fn believes_line(commit: CommitIndex) -> String {
    format!(
        "The history up to commit {commit} was deleted when this watcher began: it has believed what a quorum signed of it, and\n\
         executes what comes after. A watcher that begins with the network believes nobody."
    )
}

/// W6 is withdrawn.
pub fn shown_line(shown: &Shown) -> String {
    let rest = match shown.missing {
        0 => "nothing that was told is missing".to_owned(),
        n => format!("{n} that were told are missing still"),
    };
    format!(
        "ALARM withdrawn: the data of posted heights up to {} have come, and are what was posted; {rest}",
        shown.height
    )
}

/// W7.
pub fn blind_block(blind: &Blind) -> String {
    let since = match blind.never {
        true => format!("{} s, since the start", blind.silent_s),
        false => format!("{} s", blind.silent_s),
    };
    let shown = lines(&[
        ("ALARM", "the base chain does not answer".to_owned()),
        ("silent for", since),
        (
            "asking says",
            blind.error.clone().unwrap_or("nothing yet".to_owned()),
        ),
        ("window", format!("{} s", blind.window_s)),
    ]);
    block(&format!(
        "{shown}\n\n\
         Checkpoints that are posted now are not seen, and are final {} s after they are posted: a false one would pay.\n\
         What members publish and sign is compared as before.\n\
         - see whether the base chain's node runs, or name another with --base-rpc.\n\
         The watcher goes on, and says when it answers.",
        blind.window_s
    ))
}

/// W5: until something is paid by it.
fn time_left(alarm: &Alarm) -> String {
    let window = alarm.window_s;
    let Seen::Posted { final_at, .. } = alarm.seen else {
        return format!("{window} s from when it is posted; it was not seen on the base chain");
    };
    until(final_at)
}

fn until(final_at: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    let at = time::utc(Millis(final_at.saturating_mul(1_000)));
    match final_at.checked_sub(now) {
        Some(left) => format!("{left} s, until {at}"),
        None => format!("none: it is final since {at}"),
    }
}

fn fields_shown(fields: &[Difference]) -> String {
    let shown = fields.iter().map(|d| {
        format!(
            "\n{}: {}\n  certified {}\n  executed  {}",
            d.field, d.of, d.certified, d.executed
        )
    });
    shown.collect()
}

pub fn report_shown(report: &Report) -> String {
    let signers: Vec<String> = report.signers.iter().map(u64::to_string).collect();
    let agreed = match report.agreed.0 {
        0 => "the genesis".to_owned(),
        height => format!("height {height}"),
    };
    let head = lines(&[
        ("height", report.height.to_string()),
        ("epoch", report.epoch.to_string()),
        ("certified", report.accused.to_string()),
        ("signed by members", signers.join(", ")),
    ]);
    let executed = format!(
        "executed again from {agreed} on: {} commits, {} transactions",
        report.commits, report.transactions
    );
    match &report.verdict {
        Verdict::False { fields } => {
            format!(
                "{head}\n\n{executed}\nFALSE{}{}",
                fields_shown(fields),
                changed(report)
            )
        }
        Verdict::Conflict { rival, signed_both } => {
            let both: Vec<String> = signed_both.iter().map(u64::to_string).collect();
            format!(
                "{head}\n\nCONFLICT: a quorum has certified {rival} as well; both were signed by members {}",
                both.join(", ")
            )
        }
        Verdict::True => format!("{head}\n\n{executed}\ntrue: it is what execution gives"),
        Verdict::Undecided { why } => format!("{head}\n\n{executed}\nnot decided: {why}"),
    }
}

/// What these commits have changed: where the states part is among these, unless the quorum's changed others.
fn changed(report: &Report) -> String {
    let named = report.changed.iter().take(NAMED_MAX);
    let named: Vec<String> = named.map(|id| format!("\n  {id}")).collect();
    let more = report.changed.len().saturating_sub(NAMED_MAX);
    let more = match more {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    format!(
        "\nobjects that execution has changed:{}{more}",
        named.concat()
    )
}
