//! Why a keystore does not open.

/// None of the messages shows a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    #[error("it is no keystore: {0}")]
    Malformed(String),
    /// Well formed, and of a kind that is not read here.
    #[error("it has {what} {found:?}, and {known} can be read")]
    Unsupported {
        what: &'static str,
        found: String,
        known: &'static str,
    },
    /// It asks for more memory or work than a keystore may.
    #[error("its {what} is {found}, out of the range from {min} to {max}")]
    Range {
        what: &'static str,
        found: u64,
        min: u64,
        max: u64,
    },
    #[error("the password is not the right one")]
    Password,
}
