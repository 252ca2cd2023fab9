//! Where a drawing goes. It is opened before the run: minutes of simulation are not lost to a path that is wrong.

use crate::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

pub struct Drawing {
    path: PathBuf,
    file: File,
}

impl Drawing {
    /// What is in the file stays there until something is drawn.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(path);
        Ok(Self {
            file: file.map_err(|e| unwritable(path, &e))?,
            path: path.to_owned(),
        })
    }

    pub fn write(mut self, svg: &str) -> Result<PathBuf, Failure> {
        let emptied = self.file.set_len(0);
        let written = emptied.and_then(|()| self.file.write_all(svg.as_bytes()));
        written.map_err(|e| unwritable(&self.path, &e))?;
        Ok(self.path)
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format_args!("{}: {error}", path.display()))
}
