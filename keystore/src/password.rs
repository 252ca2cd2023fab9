//! A password: text that a person types or a file holds.

use crate::files::{self, FileError};
use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// Of a password's text.
pub const PASSWORD_BYTES_MAX: usize = 4096;
/// In characters, of a password for new keys.
pub const PASSWORD_CHARS_MIN: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the password is no UTF-8 text")]
    NoText,
    #[error("the password has {0} characters, fewer than {PASSWORD_CHARS_MIN}")]
    Short(usize),
    #[error("the password has {0} bytes, more than {PASSWORD_BYTES_MAX}")]
    Long(usize),
}

/// Wiped when it is dropped, and never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// # Errors
    /// When it is longer than [`PASSWORD_BYTES_MAX`].
    pub fn new(text: impl Into<String>) -> Result<Self, PasswordError> {
        let text = Zeroizing::new(text.into());
        match text.len() {
            long if long > PASSWORD_BYTES_MAX => Err(PasswordError::Long(long)),
            _ => Ok(Self(text)),
        }
    }

    /// The whole text of a file that only its owner can read, without the end of its last line.
    pub fn read(path: &Path) -> Result<Self, PasswordError> {
        let bytes = files::read_private(path, PASSWORD_BYTES_MAX)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| PasswordError::NoText)?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        Self::new(text.strip_suffix('\r').unwrap_or(text))
    }

    /// Whether it may lock a new key.
    ///
    /// # Errors
    /// When what EIP-2335 leaves of it is shorter than [`PASSWORD_CHARS_MIN`].
    pub fn check_new(&self) -> Result<(), PasswordError> {
        match self.normalised().chars().count() {
            short if short < PASSWORD_CHARS_MIN => Err(PasswordError::Short(short)),
            _ => Ok(()),
        }
    }

    /// As it was typed: what Web3 keystores are locked with.
    pub(crate) fn as_typed(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// EIP-2335: NFKD, then without control characters (C0, C1, Delete).
    pub(crate) fn normalised(&self) -> Zeroizing<String> {
        let nfkd = icu_normalizer::DecomposingNormalizerBorrowed::new_nfkd();
        let mut text = match nfkd.normalize(&self.0) {
            Cow::Borrowed(text) => Zeroizing::new(text.to_owned()),
            Cow::Owned(text) => Zeroizing::new(text),
        };
        text.retain(|c| !c.is_control());
        text
    }
}

impl PartialEq for Password {
    /// Two that EIP-2335 takes for the same.
    fn eq(&self, other: &Self) -> bool {
        self.normalised() == other.normalised()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(text: &str) -> String {
        Password::new(text).unwrap().normalised().to_string()
    }

    #[test]
    fn the_password_of_the_eip_is_normalised_as_it_says() {
        let bytes = hex::encode(normalised("𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑"));
        assert_eq!(bytes, "7465737470617373776f7264f09f9491");
    }

    #[test]
    fn control_characters_are_dropped_and_spaces_kept() {
        for (typed, kept) in [
            ("a\tb\u{7f}c\u{85}d e\r\n", "abcd e"),
            ("\u{0}\u{1f}\u{80}\u{9f}", ""),
            ("\u{a0}x", " x"),
            ("é", "e\u{301}"),
            ("\u{ac00}", "\u{1100}\u{1161}"),
        ] {
            assert_eq!(normalised(typed), kept, "{typed:?}");
        }
    }

    #[test]
    fn passwords_that_look_alike_are_alike_and_none_is_shown() {
        let (composed, decomposed) = (
            Password::new("Ångström"),
            Password::new("A\u{30a}ngstro\u{308}m"),
        );
        assert!(composed.unwrap() == decomposed.unwrap());
        let shown = format!("{:?}", Password::new("hunter2").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn what_is_left_of_a_password_for_new_keys_must_be_long_enough() {
        let short = Password::new("seven77\t\t\t").unwrap().check_new();
        assert!(matches!(short, Err(PasswordError::Short(7))));
        Password::new("eight888").unwrap().check_new().unwrap();
        let long = Password::new("x".repeat(PASSWORD_BYTES_MAX + 1));
        assert!(matches!(long, Err(PasswordError::Long(_))));
    }

    #[test]
    fn a_file_may_end_its_line_and_may_not_be_others_to_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        for (text, read) in [
            ("a b", "a b"),
            ("a b\n", "a b"),
            ("a b\r\n", "a b"),
            (" a\n\n", " a"),
        ] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(
                Password::read(&path).unwrap() == Password::new(read).unwrap(),
                "{text:?}"
            );
        }
        std::fs::write(&path, [0xff]).unwrap();
        assert!(matches!(Password::read(&path), Err(PasswordError::NoText)));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = Password::read(&path).unwrap_err().to_string();
        assert!(open.contains("mode 644"), "{open}");
    }
}
