//! Which processes belong to a testnet. The record is written before anybody waits for a process, so
//! that `down` ends exactly what was started, also after the command that started it has died.

use super::error::ClusterError;
use super::folder::Folder;
use crate::process::{self, ProcessId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A log that has grown beyond this is put aside, as `.1`, when its process starts again.
const LOG_BYTES_MAX: u64 = 64 << 20;
/// Lines of a log that an error quotes, and the bytes that are looked at for them.
const TAIL_LINES: usize = 12;
const TAIL_BYTES: u64 = 8 << 10;

/// Contents of `processes.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Records {
    /// Process ids mean nothing after the next boot.
    boot: String,
    processes: BTreeMap<String, ProcessId>,
}

impl Records {
    /// Empty when there is no record, or one of an earlier boot.
    pub fn load(folder: &Folder) -> Result<Self, ClusterError> {
        let path = folder.processes();
        let boot = process::boot();
        let fresh = |boot| Self {
            boot,
            processes: BTreeMap::new(),
        };
        if !path.is_file() {
            return Ok(fresh(boot));
        }
        let read: Self = folder.read(&path)?;
        Ok(if read.boot == boot { read } else { fresh(boot) })
    }

    pub fn save(&self, folder: &Folder) -> Result<(), ClusterError> {
        folder.write(&folder.processes(), self)
    }

    /// The process of this name, if it is alive.
    pub fn alive(&self, name: &str) -> Option<ProcessId> {
        let id = self.processes.get(name).copied();
        id.filter(|id| id.is_alive())
    }

    /// Names of all that are alive.
    pub fn all_alive(&self) -> BTreeSet<String> {
        let names = self.processes.keys();
        names.filter(|n| self.alive(n).is_some()).cloned().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    pub fn remove(&mut self, name: &str) {
        self.processes.remove(name);
    }

    /// Starts a process with its output in its log, and records it. In a process group of its own it
    /// is out of reach of a terminal's Ctrl-C.
    pub fn start(
        &mut self,
        folder: &Folder,
        name: &str,
        (program, own_group): (&Path, bool),
        arguments: &[&str],
    ) -> Result<Child, ClusterError> {
        let failed = |source| ClusterError::Start {
            name: name.to_owned(),
            program: program.to_owned(),
            source,
        };
        let log = open_log(&folder.log(name))?;
        let errors = log.try_clone().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        command.stdout(log).stderr(errors);
        if own_group {
            command.process_group(0);
        }
        let child = command.spawn().map_err(failed)?;
        // One that has ended already is found out by who waits for it.
        if let Some(id) = ProcessId::of(child.id()) {
            self.processes.insert(name.to_owned(), id);
        }
        self.save(folder)?;
        Ok(child)
    }
}

fn open_log(path: &Path) -> Result<File, ClusterError> {
    let io = |e| ClusterError::io(path, e);
    if let Some(folder) = path.parent() {
        super::folder::make_private(folder)?;
    }
    if fs::metadata(path).is_ok_and(|m| m.len() > LOG_BYTES_MAX) {
        fs::rename(path, path.with_extension("log.1")).map_err(io)?;
    }
    let mut options = OpenOptions::new();
    let log = options.create(true).append(true).mode(0o600).open(path);
    log.map_err(io)
}

/// The last lines of a log, for an error message.
pub fn tail(log: &Path) -> String {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = match read() {
        Ok(bytes) => bytes,
        Err(error) => return format!("  (not readable: {error})"),
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    if last.is_empty() {
        return "  (empty)".to_owned();
    }
    let last = last.iter().map(|line| format!("  {line}"));
    last.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::new(parent.path()).unwrap();
        (parent, folder)
    }

    #[test]
    fn a_started_process_is_on_record_with_its_output_in_its_log() {
        let (_parent, folder) = folder();
        let mut records = Records::load(&folder).unwrap();
        let shell = (Path::new("/bin/sh"), false);
        let arguments = ["-c", "echo out; echo err >&2; exec sleep 60"];
        let mut child = records.start(&folder, "node-1", shell, &arguments).unwrap();
        let read = Records::load(&folder).unwrap();
        let id = read.alive("node-1").unwrap();
        assert_eq!(id.pid, child.id());
        assert_eq!(read.all_alive(), BTreeSet::from(["node-1".to_owned()]));
        let log = folder.log("node-1");
        while !tail(&log).contains("err") {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(tail(&log), "  out\n  err");
        id.kill().unwrap();
        child.wait().unwrap();
        assert!(read.all_alive().is_empty());
    }

    #[test]
    fn a_record_of_another_boot_names_nobody() {
        let (_parent, folder) = folder();
        let own = ProcessId::of(std::process::id()).unwrap();
        let old = Records {
            boot: "another".to_owned(),
            processes: BTreeMap::from([("node-0".to_owned(), own)]),
        };
        old.save(&folder).unwrap();
        assert!(Records::load(&folder).unwrap().is_empty());
    }

    #[test]
    fn a_program_that_cannot_start_is_named() {
        let (_parent, folder) = folder();
        let mut records = Records::load(&folder).unwrap();
        let missing = (Path::new("/nonexistent/weft"), true);
        let error = records.start(&folder, "base", missing, &[]).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("base") && error.contains("/nonexistent/weft"),
            "{error}"
        );
    }

    #[test]
    fn a_tail_is_short_and_survives_what_is_no_text() {
        let (_parent, folder) = folder();
        let path = folder.path().join("x.log");
        assert!(tail(&path).contains("not readable"));
        fs::write(&path, "").unwrap();
        assert_eq!(tail(&path), "  (empty)");
        let mut bytes: Vec<u8> = (0..5_000)
            .flat_map(|i| format!("line {i}\n").into_bytes())
            .collect();
        bytes.extend([0xff, 0xfe, b'\n']);
        fs::write(&path, bytes).unwrap();
        let text = tail(&path);
        assert_eq!(text.lines().count(), TAIL_LINES);
        assert!(text.contains("line 4999"), "{text}");
    }
}
