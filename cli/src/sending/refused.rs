//! What a node refuses before a transaction is ordered, as whoever gives commands can cure it.

use crate::failure::{Failure, Kind};
use crate::time;
use weft_client::ClientError;
use weft_types::api::{Keys, ProblemCode};
use weft_types::{Address, Millis};

/// Who signs, for which account.
#[derive(Debug, Clone, Copy)]
pub struct Signer {
    pub key: Address,
    pub account: Address,
}

/// Whether the node says that the key has not the say: then it matters what the account's keys are.
pub fn is_denied(error: &ClientError) -> bool {
    error.code() == Some(ProblemCode::NotAuthorised.as_str())
}

/// `keys` are the account's where [`is_denied`], as far as they are known.
pub fn explained(
    error: ClientError,
    Signer { key, account }: Signer,
    keys: Option<&Keys>,
    now: Millis,
) -> Failure {
    let is_poor = error.code() == Some(ProblemCode::CannotPay.as_str());
    let denied = is_denied(&error);
    let failure = Failure::from(error);
    if is_poor {
        let other = match key == account {
            true => {
                ". A key that signs for another account than that of its own address names it: --account ADDRESS"
            }
            false => "",
        };
        return failure.hint(format_args!(
            "`weft account fund {account}` asks a testnet's faucet, else somebody pays to it{other}"
        ));
    }
    if !denied {
        return failure;
    }
    let session = keys.and_then(|keys| keys.sessions.iter().find(|s| s.key == key));
    let failure = match session.filter(|s| s.expires <= now) {
        Some(session) => {
            let words = format!(
                "the session of key {key} for account {account} ended at {}",
                time::utc(session.expires)
            );
            Failure::new(Kind::Refused, words)
        }
        None => failure,
    };
    failure.hint(format_args!(
        "nothing was sent; `weft account keys {account}` shows which keys have the say for what: name the file of one with --key, \
         or have the owner's key let this one do it: `weft account session add`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::api::Problem;
    use weft_types::testing::{session, user};

    const OWN: Signer = Signer {
        key: Address([8; 32]),
        account: Address([8; 32]),
    };

    fn problem(code: ProblemCode) -> ClientError {
        ClientError::Problem {
            node: "http://127.0.0.1:7700".to_owned(),
            problem: Box::new(Problem::new(code, "its session ended at 90000ms")),
            retry_after: None,
        }
    }

    fn refused(code: ProblemCode, signer: Signer, keys: Option<&Keys>) -> (String, String) {
        let failure = explained(problem(code), signer, keys, Millis(90_000));
        assert_eq!(failure.kind, Kind::Refused);
        (failure.message, failure.hint.unwrap())
    }

    #[test]
    fn a_key_without_the_say_is_told_the_command_that_shows_who_has_it_and_a_time_that_people_read()
    {
        let signer = Signer {
            key: user(8),
            account: user(1),
        };
        let mut keys = Keys {
            owner: user(1),
            guardian: None,
            recovery: None,
            sessions: vec![session(8)],
        };
        let command = format!("`weft account keys {}`", user(1));
        let (words, hint) = refused(ProblemCode::NotAuthorised, signer, Some(&keys));
        assert!(words.ends_with("ended at 1970-01-01 00:01:30Z"), "{words}");
        assert!(hint.contains(&command) && !hint.contains("GET"), "{hint}");
        // Another reason stays as the node gives it.
        keys.sessions[0].expires = Millis(90_001);
        for keys in [Some(&keys), None] {
            let (words, hint) = refused(ProblemCode::NotAuthorised, signer, keys);
            assert!(words.contains("not-authorised"), "{words}");
            assert!(hint.contains(&command), "{hint}");
        }
    }

    #[test]
    fn a_new_key_without_money_is_told_of_the_faucet_and_of_the_account_that_it_may_be_for() {
        let (_, hint) = refused(ProblemCode::CannotPay, OWN, None);
        let fund = format!("`weft account fund {}`", OWN.account);
        assert!(hint.contains(&fund) && hint.contains("--account"), "{hint}");
        let named = Signer {
            account: user(1),
            ..OWN
        };
        let (_, hint) = refused(ProblemCode::CannotPay, named, None);
        assert!(!hint.contains("--account"), "{hint}");
    }

    #[test]
    fn other_refusals_are_as_the_node_says_them() {
        let (_, hint) = refused(ProblemCode::Expired, OWN, None);
        assert_eq!(hint, ProblemCode::Expired.hint());
    }
}
