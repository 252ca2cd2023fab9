//! The secret of a series, in a file of its own: a new one for each, so that none is ever shown before its time.

use crate::failure::Failure;
use std::path::Path;
use weft_keystore::files;
use weft_types::DrawSecret;

const DIGITS: usize = 64;

/// Makes one; a file that exists stays as it is.
pub fn create(path: &Path) -> Result<DrawSecret, Failure> {
    let secret = DrawSecret(rand::random());
    let written = files::write_private(path, secret.to_string().as_bytes());
    written.map_err(|error| {
        Failure::usage(error)
            .hint("each series has a secret of its own: name a new file with --secret FILE")
    })?;
    Ok(secret)
}

/// Of a series that was never sent: the same name is free again.
pub fn discard(path: &Path) -> Result<(), Failure> {
    std::fs::remove_file(path).map_err(Failure::from)
}

pub fn read(path: &Path) -> Result<DrawSecret, Failure> {
    let text = files::read_private(path, DIGITS + 1).map_err(Failure::usage)?;
    let text = std::str::from_utf8(&text).ok().map(str::trim_end);
    let secret = text.and_then(|text| text.parse().ok());
    secret.ok_or_else(|| {
        Failure::usage(format_args!(
            "{} holds no secret of a series: 64 hexadecimal digits",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_file_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let made = create(&path).unwrap();
        assert_eq!(read(&path).unwrap(), made);
        assert!(create(&path).is_err());
        assert_eq!(read(&path).unwrap(), made);
        discard(&path).unwrap();
        assert_ne!(create(&path).unwrap(), made);
    }
}
