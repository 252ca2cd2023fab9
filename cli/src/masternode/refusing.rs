//! What the registry would refuse of a masternode where it stands: which status it is, and what to do.

use super::next::{Edges, Next};
use crate::failure::{Failure, Kind};
use weft_basechain::{MemberState, MemberStatus};

/// Who is on the way out, or is out, is it for good.
fn is_out(member: &MemberState) -> bool {
    match member.status {
        MemberStatus::Registered | MemberStatus::Queued | MemberStatus::Active => false,
        MemberStatus::Leaving
        | MemberStatus::Unbonding
        | MemberStatus::Free
        | MemberStatus::Withdrawn
        | MemberStatus::Slashed => true,
    }
}

fn refused(member: &MemberState, edges: Option<&Edges>, what: &str, then: &str) -> Failure {
    let words = format!("masternode {} is {}, {what}", member.id, member.status);
    Failure::new(Kind::Refused, words).hint(not_sent(member, edges, then))
}

/// With what comes next, which of what is over begins with `nothing` itself.
fn not_sent(member: &MemberState, edges: Option<&Edges>, then: &str) -> String {
    let next = Next::of(member, edges).words;
    let next = next.strip_prefix("nothing: ").unwrap_or(&next);
    format!("nothing was sent; {next}{then}")
}

const COMING_BACK: &str = ". To come back make new keys, in another folder, and bond them from another account: both serve once";

/// An account bonds once: what is out does not come in again.
pub fn bonds_no_more(member: &MemberState, edges: Option<&Edges>) -> Option<Failure> {
    let what = "and its account and keys bond no more";
    is_out(member).then(|| refused(member, edges, what, COMING_BACK))
}

pub fn takes_no_more(member: &MemberState, edges: Option<&Edges>) -> Option<Failure> {
    if is_out(member) {
        let what = "and its bond is not added to";
        return Some(refused(member, edges, what, COMING_BACK));
    }
    let waits = member.weight != member.effective && member.status != MemberStatus::Registered;
    let what =
        "and what was bonded before does not count yet: no other top-up is taken until it does";
    waits.then(|| refused(member, edges, what, ""))
}

pub fn leaves_already(member: &MemberState, edges: Option<&Edges>) -> Option<Failure> {
    let what = "and leaves only once";
    is_out(member).then(|| refused(member, edges, what, ""))
}

pub fn not_free(member: &MemberState, edges: Option<&Edges>) -> Failure {
    let id = member.id;
    let gone = |what: &str| {
        let words = format!("the bond of masternode {id} {what}");
        Failure::new(Kind::Refused, words).hint(format_args!(
            "`weft masternode status {id} --history` shows when"
        ))
    };
    match member.status {
        MemberStatus::Withdrawn => gone("is paid out already"),
        MemberStatus::Slashed => gone("was taken"),
        status => {
            let words = format!("the bond of masternode {id} is not free: it is {status}");
            let leaving = match is_out(member) {
                true => "",
                false => {
                    "; `weft masternode exit` asks to leave, after which the bond becomes free"
                }
            };
            Failure::new(Kind::Refused, words).hint(not_sent(member, edges, leaving))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masternode::next::tests::{edges, state};
    use weft_types::Stake;

    const OUT: [MemberStatus; 5] = [
        MemberStatus::Leaving,
        MemberStatus::Unbonding,
        MemberStatus::Free,
        MemberStatus::Withdrawn,
        MemberStatus::Slashed,
    ];

    #[test]
    fn what_is_out_bonds_no_more_and_is_told_what_it_is_and_how_to_come_back() {
        for status in OUT {
            let member = state(status);
            let failure = bonds_no_more(&member, Some(&edges(None))).unwrap();
            assert_eq!(failure.kind, Kind::Refused);
            let is = format!("masternode 5 is {status}, ");
            assert!(failure.message.starts_with(&is), "{failure:?}");
            let hint = failure.hint.unwrap();
            assert!(hint.contains("from another account"), "{hint}");
            assert_eq!(hint.matches("nothing").count(), 1, "{hint}");
            assert!(takes_no_more(&member, None).is_some());
            assert!(leaves_already(&member, None).is_some());
        }
        for status in [MemberStatus::Queued, MemberStatus::Active] {
            assert!(bonds_no_more(&state(status), None).is_none());
            assert!(leaves_already(&state(status), None).is_none());
        }
    }

    #[test]
    fn a_bond_that_is_in_office_is_told_how_it_becomes_free() {
        let hint = |status| not_free(&state(status), None).hint.unwrap();
        for status in [MemberStatus::Queued, MemberStatus::Active] {
            assert!(hint(status).contains("`weft masternode exit`"), "{status}");
        }
        for status in [MemberStatus::Leaving, MemberStatus::Unbonding] {
            assert!(!hint(status).contains("masternode exit"), "{status}");
        }
    }

    #[test]
    fn a_top_up_waits_for_the_one_before() {
        let mut member = state(MemberStatus::Active);
        assert!(takes_no_more(&member, None).is_none());
        member.weight = Stake(2);
        let failure = takes_no_more(&member, Some(&edges(None))).unwrap();
        let hint = failure.hint.unwrap();
        assert!(
            hint.contains("its weight moves to 2 with epoch 8"),
            "{hint}"
        );
    }
}
