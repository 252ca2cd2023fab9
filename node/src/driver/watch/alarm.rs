//! W2, W3: what an alarm says, and the file that goes with it.

use super::Other;
use crate::evidence::{Difference, WriteError, differences, write};
use crate::view::CertifiedView;
use serde::Serialize;
use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_storage::Store;
use weft_types::{Certificate, CertificateJson, Genesis, Height, StatementDigest};

/// How a watcher has come to know of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Seen {
    /// By signatures in vertices.
    Signed,
    Published,
    /// On the base chain.
    Posted {
        block: u64,
        /// Unix seconds.
        final_at: u64,
    },
}

/// A quorum has certified another statement than execution gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alarm {
    pub height: Height,
    pub certified: StatementDigest,
    pub own: Option<StatementDigest>,
    pub seen: Seen,
    /// Between the two, as far as both are known.
    pub fields: Vec<Difference>,
    /// A quorum has certified the own statement as well: the base chain takes that as proof (BC21).
    pub conflict: bool,
    /// Seconds from a checkpoint's posting until something is paid by it.
    pub window_s: u64,
    /// What was certified, unless only signatures of its digest were seen.
    pub certificate: Option<CertificateJson>,
    /// That of the own statement, if there is a conflict: with the two everybody can judge.
    pub rival: Option<CertificateJson>,
    pub evidence: Option<PathBuf>,
    /// Why there is none, or none in the folder where it should be.
    pub lacks: Option<String>,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (height, certified) = (self.height, self.certified);
        write!(
            f,
            "height {height}: a quorum has certified statement {certified}, "
        )?;
        match self.own {
            Some(own) => write!(f, "execution gives {own}")?,
            None => write!(f, "which execution does not give")?,
        }
        for difference in &self.fields {
            let Difference {
                field,
                of,
                certified,
                executed,
            } = difference;
            write!(f, "; {field} ({of}) is {certified}, not {executed}")?;
        }
        if self.conflict {
            write!(
                f,
                "; a quorum has certified the own statement as well, which the base chain takes as proof"
            )?;
        }
        match self.seen {
            Seen::Posted { block, .. } => write!(f, "; it was posted in block {block}")?,
            Seen::Published | Seen::Signed => {
                write!(
                    f,
                    "; on the base chain it would be final {} s after it is posted",
                    self.window_s
                )?;
            }
        }
        Ok(())
    }
}

/// Why there is no file.
enum Failure {
    /// In this folder; another may do.
    Folder(String),
    /// No folder helps.
    Lacks(String),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Folder(error.to_string())
    }
}

/// What evidence is made of.
pub(super) struct Evidence {
    pub genesis: Arc<Genesis>,
    pub store: Arc<Store>,
    /// The first one that takes it.
    pub folders: Vec<PathBuf>,
    /// The newest first.
    pub agreed: Vec<CertifiedView>,
}

impl Evidence {
    /// What is known before anything is written.
    pub fn alarm(&self, other: &Other, window_s: u64) -> Alarm {
        let rival = self.rival(other);
        let accused = other.certificate.as_deref();
        let fields = match (accused, &other.own) {
            (Some(accused), Some(own)) => differences(&accused.statement, own),
            _ => Vec::new(),
        };
        Alarm {
            height: other.height,
            certified: other.certified,
            own: other.own.as_ref().map(|own| own.digest()),
            seen: other.seen,
            fields,
            conflict: rival.is_some(),
            window_s,
            certificate: accused.map(Certificate::to_json),
            rival: rival.as_ref().map(Certificate::to_json),
            evidence: None,
            lacks: None,
        }
    }

    /// W3: writes it into the first folder that takes it. What a folder fails with is said even if another does.
    pub fn put(&self, other: &Other, alarm: &mut Alarm) {
        let Some(accused) = other.certificate.as_deref() else {
            let lacks = "the statement was not shown, only signatures of its digest";
            alarm.lacks = Some(lacks.to_owned());
            return;
        };
        let rival = self.rival(other);
        let mut failures = Vec::new();
        for folder in &self.folders {
            match self.put_into(folder, other, accused, rival.as_ref()) {
                Ok(path) => {
                    alarm.evidence = Some(path);
                    break;
                }
                Err(Failure::Lacks(lacks)) => {
                    failures.push(lacks);
                    break;
                }
                Err(Failure::Folder(failure)) => {
                    failures.push(format!("{}: {failure}", folder.display()));
                }
            }
        }
        alarm.lacks = (!failures.is_empty()).then(|| failures.join("; "));
    }

    /// The certificate that a quorum of the same epoch has made of the own statement.
    fn rival(&self, other: &Other) -> Option<Certificate> {
        let rival = self.store.certificate(other.height).ok().flatten()?;
        let accused = &other.certificate.as_ref()?.statement;
        let is_rival = rival.statement.epoch == accused.epoch && rival.statement != *accused;
        is_rival.then_some(rival)
    }

    /// From the newest state that everything is there for to go on from; at last from the genesis.
    fn put_into(
        &self,
        folder: &Path,
        other: &Other,
        accused: &Certificate,
        rival: Option<&Certificate>,
    ) -> Result<PathBuf, Failure> {
        std::fs::create_dir_all(folder)?;
        let digest = hex::encode(&other.certified.0[..4]);
        let name = format!("height-{}-{digest}.evidence", other.height);
        let (path, part) = (folder.join(&name), folder.join(format!("{name}.part")));
        let mut lacks = String::new();
        for agreed in self.agreed.iter().map(Some).chain([None]) {
            let case = other.case(accused, rival, agreed);
            match self.put_in(&part, &case) {
                Ok(()) => {
                    std::fs::rename(&part, &path)?;
                    return Ok(path);
                }
                Err(error @ WriteError::Lacks(_)) => lacks = error.to_string(),
                Err(error) => {
                    let _ = std::fs::remove_file(&part);
                    return Err(Failure::Folder(error.to_string()));
                }
            }
        }
        let _ = std::fs::remove_file(&part);
        Err(Failure::Lacks(lacks))
    }

    fn put_in(&self, part: &Path, case: &crate::evidence::Case<'_>) -> Result<(), WriteError> {
        let sink = BufWriter::new(File::create(part)?);
        let sink = write(sink, &self.genesis, &self.store, case)?;
        let file = sink.into_inner().map_err(|e| e.into_error())?;
        Ok(file.sync_all()?)
    }
}
