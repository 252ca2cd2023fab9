//! What a watcher tells, on its way to people and to the operator's command.

use super::shown::{alarm_block, believes_line, blind_block, shown_line, withheld_block};
use crate::output::Output;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use weft_node::{Alarm, Notice};

/// How long the command of an alarm may take.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(60);
/// Commands that run at once.
const COMMANDS_MAX: usize = 4;
/// W2: how long evidence is waited for.
const EVIDENCE_TIME_MAX: Duration = Duration::from_secs(300);

pub struct Listening {
    command: Option<String>,
    output: Output,
    commands: JoinSet<()>,
    /// W2: what this watcher ends with.
    pub alarm: Option<Alarm>,
}

impl Listening {
    pub fn new(command: Option<String>, output: Output) -> Self {
        Self {
            command,
            output,
            commands: JoinSet::new(),
            alarm: None,
        }
    }

    /// Tells what comes, until something certified is false and its evidence is there, or the user ends it.
    pub async fn until_false(
        &mut self,
        shutdown: impl Future<Output = ()>,
        mut notices: mpsc::Receiver<Notice>,
    ) {
        tokio::pin!(shutdown);
        let mut late: Option<Instant> = None;
        loop {
            let waited = async {
                match late {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let notice = tokio::select! {
                () = &mut shutdown => break,
                notice = notices.recv() => notice,
                () = waited => None,
            };
            let Some(notice) = notice else { break };
            self.tell(&notice);
            match notice {
                // The first one: others may follow while its evidence is written.
                Notice::False(alarm) if self.alarm.is_none() => {
                    self.alarm = Some(alarm);
                    late = Some(Instant::now() + EVIDENCE_TIME_MAX);
                }
                Notice::Evidence(alarm) => {
                    self.alarm = Some(alarm);
                    break;
                }
                _ => {}
            }
        }
        let Some(alarm) = &mut self.alarm else { return };
        if alarm.evidence.is_none() && alarm.lacks.is_none() {
            alarm.lacks = Some("the watcher ended before it was written".to_owned());
        }
        let alarm = alarm.clone();
        let evidence = alarm.evidence.clone();
        self.call(&Notice::False(alarm), evidence);
    }

    fn tell(&mut self, notice: &Notice) {
        match notice {
            Notice::False(alarm) => self.output.alarm(alarm_block(alarm)),
            Notice::Evidence(alarm) => self.output.say(evidence_line(alarm)),
            Notice::Withheld(withheld) => {
                self.output.alarm(withheld_block(withheld));
                self.call(notice, None);
            }
            Notice::Blind(blind) => {
                self.output.alarm(blind_block(blind));
                self.call(notice, None);
            }
            Notice::Believes { commit } => self.output.say(believes_line(*commit)),
            Notice::Shown(shown) => self.output.say(shown_line(shown)),
            Notice::Sees => self.output.say(
                "ALARM withdrawn: the base chain answers; what was posted meanwhile is read now",
            ),
        }
    }

    /// Runs the operator's command; whatever becomes of it, watching goes on.
    fn call(&mut self, notice: &Notice, evidence: Option<PathBuf>) {
        while self.commands.try_join_next().is_some() {}
        let Some(command) = self.command.clone() else {
            return;
        };
        let output = self.output;
        let told_false = matches!(notice, Notice::False(_));
        if self.commands.len() >= COMMANDS_MAX && !told_false {
            output.say("the command of the alarm was not called: it runs too often already");
            return;
        }
        let notice = notice.clone();
        self.commands.spawn(async move {
            let ran = run_command(&command, &notice, evidence);
            match tokio::time::timeout(COMMAND_TIME_MAX, ran).await {
                Ok(Ok(status)) if status.success() => {}
                Ok(Ok(status)) => {
                    output.say(format_args!("the command of the alarm failed: {status}"));
                }
                Ok(Err(error)) => {
                    output.say(format_args!("the command of the alarm failed: {error}"));
                }
                Err(_) => output.say(format_args!(
                    "the command of the alarm took more than {} s and was ended",
                    COMMAND_TIME_MAX.as_secs()
                )),
            }
        });
    }

    /// Waits for commands, each of which has its time; only for an alarm that ended the watcher.
    pub async fn end(&mut self) {
        if self.alarm.is_none() {
            return self.commands.shutdown().await;
        }
        while self.commands.join_next().await.is_some() {}
    }
}

fn evidence_line(alarm: &Alarm) -> String {
    match (&alarm.evidence, &alarm.lacks) {
        (Some(path), None) => format!("The evidence is in {}", path.display()),
        (Some(path), Some(failed)) => format!(
            "The evidence is in {}, for where it should be it could not be written ({failed}). Copy it before this machine \
             starts again.",
            path.display()
        ),
        (None, lacks) => format!(
            "There is no evidence: {}",
            lacks.as_deref().unwrap_or("it was not written")
        ),
    }
}

async fn run_command(
    command: &str,
    notice: &Notice,
    evidence: Option<PathBuf>,
) -> std::io::Result<ExitStatus> {
    let mut shell = tokio::process::Command::new("sh");
    shell.arg("-c").arg(command).arg("weft-alarm");
    shell.args(evidence);
    let mut child = shell
        .stdin(Stdio::piped())
        // Data go to stdout, and they are ours.
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        let mut json = serde_json::to_vec(notice).map_err(std::io::Error::from)?;
        json.push(b'\n');
        // A command that does not read it has its reasons.
        let _ = stdin.write_all(&json).await;
    }
    child.wait().await
}
