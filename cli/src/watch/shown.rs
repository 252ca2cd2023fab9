//! Alarms and reports in words.

use crate::time;
use crate::values::lines;
use std::time::{SystemTime, UNIX_EPOCH};
use weft_node::evidence::{Difference, Report, Verdict};
use weft_node::{Alarm, Seen};
use weft_types::Millis;

/// Changed objects that are named.
const NAMED_MAX: usize = 20;

pub fn alarm_shown(alarm: &Alarm) -> String {
    let seen = match alarm.seen {
        Seen::Signed => "by signatures of members".to_owned(),
        Seen::Published => "published".to_owned(),
        Seen::Posted { block, .. } => format!("posted on the base chain in block {block}"),
    };
    let own = alarm.own.map_or("none".to_owned(), |own| own.to_string());
    let evidence = match (&alarm.evidence, &alarm.lacks) {
        (Some(path), _) => path.display().to_string(),
        (None, lacks) => format!("none: {}", lacks.as_deref().unwrap_or("not written")),
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

/// W5: until something is paid by it.
fn time_left(alarm: &Alarm) -> String {
    let window = alarm.window_s;
    let Seen::Posted { final_at, .. } = alarm.seen else {
        return format!("{window} s from when it is posted; it was not seen on the base chain");
    };
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
