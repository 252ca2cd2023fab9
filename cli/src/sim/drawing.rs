//! Where a drawing goes. It is opened before the run: minutes of simulation are not lost to a path that is wrong. If nothing is
//! drawn, what was there stays, and a file that was not is not there.

use crate::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

pub struct Drawing {
    path: PathBuf,
    file: File,
    /// Made here, and empty yet.
    new: bool,
}

impl Drawing {
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        let made = options.write(true).create_new(true).open(path);
        let (file, new) = match made {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let options = options.create_new(false).create(true);
                (options.truncate(false).open(path), false)
            }
            made => (made, true),
        };
        Ok(Self {
            file: file.map_err(|e| unwritable(path, &e))?,
            path: path.to_owned(),
            new,
        })
    }

    pub fn write(mut self, svg: &str) -> Result<PathBuf, Failure> {
        let emptied = self.file.set_len(0);
        let written = emptied.and_then(|()| self.file.write_all(svg.as_bytes()));
        written.map_err(|e| unwritable(&self.path, &e))?;
        self.new = false;
        Ok(std::mem::take(&mut self.path))
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        if self.new {
            // It is of no use, and does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format_args!("{}: {error}", path.display()))
}
