//! What a collection's creator lays down for its cards, and who does what there.

use crate::failure::Failure;
use crate::output::Output;
use crate::sending::{Outcome, Sender};
use crate::time;
use crate::values::from_now;
use std::time::Duration;
use weft_types::api::Collection;
use weft_types::{
    Address, Amount, CollectionId, Millis, Operation, Policy, ROYALTY_WHOLE, Role, RoleHolder,
    Roles, Royalty,
};

/// What may be said of a policy. It only gets stricter once there are cards.
#[derive(clap::Args, Debug, Clone, Default)]
#[command(next_help_heading = "Policy")]
pub struct Rules {
    /// Part of the price of a card that is paid as a royalty, as in 2.5%; 0% for none
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    royalty: Option<u32>,
    /// Who is paid the royalty; without it the creator, or who was before
    #[arg(long, value_name = "ADDRESS")]
    royalty_to: Option<Address>,
    /// Least price of a card in a deal, in the native asset's smallest unit; 0 for none
    #[arg(long, value_name = "PRICE")]
    floor: Option<u64>,
    /// Most price of a card in a deal; 0 for none
    #[arg(long, value_name = "PRICE")]
    cap: Option<u64>,
    /// No card changes hands before this time, as in 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    locked_until: Option<Millis>,
    /// No card changes hands from this time on
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    cut_off: Option<Millis>,
    /// No card ever changes hands
    #[arg(long)]
    personal: bool,
}

#[derive(clap::Args)]
pub struct SetPolicy {
    #[arg(value_name = "COLLECTION")]
    collection: CollectionId,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Subcommand)]
pub enum RoleCommand {
    /// Give an account roles, beside those that it has
    Grant(Change),
    /// Take roles away from an account
    Revoke(Change),
}

#[derive(clap::Args)]
pub struct Change {
    #[arg(value_name = "COLLECTION")]
    collection: CollectionId,
    /// Whose roles
    #[arg(long = "of", value_name = "ADDRESS")]
    holder: Address,
    /// Which: minter, gate, freezer
    #[arg(long, value_name = "ROLES", required = true, value_delimiter = ',', value_parser = role)]
    role: Vec<Role>,
    #[command(flatten)]
    sender: Sender,
}

/// In parts of [`ROYALTY_WHOLE`].
fn percent(text: &str) -> Result<u32, String> {
    let refused = || format!("{text:?} is no part of a price: write 0% to 100%, as in 2.5%");
    let number = text.strip_suffix('%').ok_or_else(refused)?;
    let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(rest) || rest.len() > 2 {
        return Err(refused());
    }
    let parts = format!("{whole}{rest:0<2}").parse().ok();
    parts.filter(|p| *p <= ROYALTY_WHOLE).ok_or_else(refused)
}

fn shown_percent(parts: u32) -> String {
    let (whole, rest) = (parts / 100, parts % 100);
    match rest {
        0 => format!("{whole}%"),
        rest => format!("{whole}.{rest:02}%").replace("0%", "%"),
    }
}

fn role(text: &str) -> Result<Role, String> {
    let mut all = Role::ALL.iter().copied();
    let found = all.clone().find(|role| role.name() == text);
    found.ok_or_else(|| {
        let names: Vec<_> = all.by_ref().map(Role::name).collect();
        format!("the roles are {}", names.join(", "))
    })
}

impl Rules {
    pub fn is_empty(&self) -> bool {
        let Self {
            royalty,
            royalty_to,
            floor,
            cap,
            locked_until,
            cut_off,
            personal,
        } = self;
        let royalties = royalty.is_none() && royalty_to.is_none();
        let prices = floor.is_none() && cap.is_none();
        royalties && prices && locked_until.is_none() && cut_off.is_none() && !personal
    }

    /// The policy with what is said in the place of what was.
    fn over(&self, before: Policy, creator: Address) -> Result<Policy, Failure> {
        let last = before.royalty;
        let parts = self.royalty.or(last.map(|r| r.parts)).unwrap_or(0);
        let to = self.royalty_to.or(last.map(|r| r.to)).unwrap_or(creator);
        if parts == 0 && self.royalty_to.is_some() {
            let words = "somebody is to be paid a royalty, and there is none";
            return Err(Failure::usage(words).hint("say how much with --royalty, as in 2.5%"));
        }
        let floor_price = self.floor.map_or(before.floor_price, Amount);
        let cap_price = self.cap.map_or(before.cap_price, Amount);
        if cap_price > Amount::ZERO && floor_price > cap_price {
            let words = format!(
                "a floor of {floor_price} and a cap of {cap_price}: no price is between them, and nothing could be sold"
            );
            return Err(Failure::usage(words)
                .hint("nothing was sent; --personal is for cards that never change hands"));
        }
        let over = from_now(Duration::ZERO);
        if let Some(past) = self.cut_off.filter(|at| *at < over) {
            let words = format!("the cut-off {} has passed", time::utc(past));
            return Err(Failure::usage(words)
                .hint("nothing was sent; name a time to come, or --personal for cards that never change hands"));
        }
        Ok(Policy {
            floor_price,
            cap_price,
            locked_until: self.locked_until.unwrap_or(before.locked_until),
            cut_off: self.cut_off.unwrap_or(before.cut_off),
            personal: self.personal || before.personal,
            royalty: (parts > 0).then_some(Royalty { to, parts }),
        })
    }
}

/// A collection with its policy, in one transaction.
pub async fn create(
    create: Operation,
    rules: &Rules,
    sender: &Sender,
    output: &Output,
) -> Result<(), Failure> {
    let session = sender.session().await?;
    let policy = rules.over(Policy::default(), session.address)?;
    let set = |collection| Operation::SetPolicy {
        collection,
        policy: Some(policy),
        roles: vec![],
    };
    let operations = vec![create.clone(), set(CollectionId::ZERO)];
    let mut body = session.body(operations);
    // The id is as long as the one in its place, so that the fee stays right.
    let id = CollectionId::derive(&session.address, &body.idempotency, 0);
    body.operations = vec![create, set(id)];
    let outcome = session.send_body(body, output).await?;
    output.data(&outcome, Outcome::text)
}

pub async fn set(arguments: SetPolicy, output: &Output) -> Result<(), Failure> {
    if arguments.rules.is_empty() {
        let words = "what is the policy to be?";
        return Err(
            Failure::usage(words).hint("`weft collection policy --help` lists what may be said")
        );
    }
    let session = arguments.sender.session().await?;
    let collection = session.client.collection(&arguments.collection).await?;
    let policy = arguments
        .rules
        .over(collection.policy, collection.creator)?;
    tighter(&collection, &policy)?;
    let set = Operation::SetPolicy {
        collection: collection.id,
        policy: Some(policy),
        roles: vec![],
    };
    let outcome = session.send(vec![set], output).await?;
    output.data(&outcome, Outcome::text)
}

/// L26: a node that is behind refuses nothing that could be right, for cards never cease to have been issued.
fn tighter(collection: &Collection, policy: &Policy) -> Result<(), Failure> {
    match policy.loosens(&collection.policy) {
        Some((asked, stands)) if collection.issued > 0 => Err(Failure::usage(format_args!(
            "collection {} has cards, and its policy would be looser: {asked} in the place of {stands}",
            collection.id
        ))
        .hint("nothing was sent; a policy is only tightened from the first card on")),
        _ => Ok(()),
    }
}

pub async fn roles(command: RoleCommand, output: &Output) -> Result<(), Failure> {
    let (change, given) = match command {
        RoleCommand::Grant(change) => (change, true),
        RoleCommand::Revoke(change) => (change, false),
    };
    let session = change.sender.session().await?;
    let collection = session.client.collection(&change.collection).await?;
    let holder = change.over(&collection, given);
    let set = Operation::SetPolicy {
        collection: collection.id,
        policy: None,
        roles: vec![holder],
    };
    let outcome = session.send(vec![set], output).await?;
    output.data(&outcome, Outcome::text)
}

impl Change {
    /// What the account has afterwards.
    fn over(&self, collection: &Collection, given: bool) -> RoleHolder {
        let account = self.holder;
        let mut holders = collection.roles.iter();
        let has = holders.find(|h| h.account == account).map(|h| h.roles);
        let all = Role::ALL.iter().copied();
        let kept = all.filter(|role| match self.role.contains(role) {
            true => given,
            false => has.is_some_and(|has| has.has(*role)),
        });
        let roles: Roles = kept.collect();
        RoleHolder { account, roles }
    }
}

/// Lines for people.
pub fn shown(collection: &Collection) -> Vec<(&'static str, String)> {
    let policy = &collection.policy;
    let mut pairs = Vec::new();
    if let Some(Royalty { to, parts }) = policy.royalty {
        pairs.push(("royalty", format!("{} to {to}", shown_percent(parts))));
    }
    if policy.floor_price > Amount::ZERO {
        pairs.push(("floor price", policy.floor_price.to_string()));
    }
    if policy.cap_price > Amount::ZERO {
        pairs.push(("cap price", policy.cap_price.to_string()));
    }
    if policy.locked_until > Millis::ZERO {
        pairs.push(("locked until", time::utc(policy.locked_until)));
    }
    if policy.cut_off > Millis::ZERO {
        pairs.push(("cut-off", time::utc(policy.cut_off)));
    }
    if policy.personal {
        let words = "cards never change hands";
        pairs.push(("personal", words.to_owned()));
    }
    for holder in &collection.roles {
        let names: Vec<_> = holder.roles.iter().map(Role::name).collect();
        pairs.push((
            "roles",
            format!("{} of {}", names.join(", "), holder.account),
        ));
    }
    if collection.frozen {
        let words = "no card moves, and none is minted";
        pairs.push(("frozen", words.to_owned()));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use weft_types::testing::{policy, role_holders, user};

    fn collection(issued: u64) -> Collection {
        Collection {
            id: CollectionId([1; 32]),
            creator: user(1),
            name: String::new(),
            description: String::new(),
            item_cap: 0,
            issued,
            editions: 1,
            policy: policy(),
            roles: role_holders(),
            frozen: true,
        }
    }

    #[test]
    fn a_part_of_a_price_has_two_decimals_at_most() {
        for (text, parts) in [("0%", 0), ("2.5%", 250), ("0.01%", 1), ("100%", 10_000)] {
            assert_eq!(percent(text), Ok(parts), "{text}");
            assert_eq!(shown_percent(parts), text);
        }
        assert_eq!(percent("7.50%"), Ok(750));
        assert_eq!(shown_percent(1_005), "10.05%");
        for wrong in [
            "", "5", "%", ".5%", "5.%", "2.555%", "100.01%", "-1%", "1e1%",
        ] {
            assert!(percent(wrong).unwrap_err().contains("2.5%"), "{wrong}");
        }
    }

    #[test]
    fn a_policy_under_which_nothing_could_change_hands_is_refused() {
        let over = |rules: Rules| rules.over(Policy::default(), user(1));
        let prices = |floor, cap| {
            over(Rules {
                floor: Some(floor),
                cap: Some(cap),
                ..Rules::default()
            })
        };
        assert!(prices(5, 5).is_ok() && prices(5, 0).is_ok());
        assert!(prices(6, 5).unwrap_err().message.contains("no price"));
        let past = Rules {
            cut_off: Some(Millis(1)),
            ..Rules::default()
        };
        assert!(over(past).unwrap_err().message.contains("has passed"));
    }

    #[test]
    fn what_is_said_takes_the_place_of_what_was_and_the_rest_stays() {
        let rules = Rules {
            floor: Some(200),
            royalty: Some(100),
            ..Rules::default()
        };
        let after = rules.over(policy(), user(1)).unwrap();
        let expected = Policy {
            floor_price: Amount(200),
            royalty: Some(Royalty {
                to: user(2),
                parts: 100,
            }),
            ..policy()
        };
        assert_eq!(after, expected);
        let first = rules.over(Policy::default(), user(1)).unwrap();
        assert_eq!(first.royalty.unwrap().to, user(1), "the creator's");
        let none = Rules {
            royalty: Some(0),
            ..Rules::default()
        };
        assert_eq!(none.over(policy(), user(1)).unwrap().royalty, None);
        let nothing = Rules {
            royalty_to: Some(user(3)),
            ..Rules::default()
        };
        let refused = nothing.over(Policy::default(), user(1)).unwrap_err();
        assert_eq!(refused.kind, Kind::Usage);
        assert!(Rules::default().is_empty() && !nothing.is_empty());
    }

    #[test]
    fn a_looser_policy_is_not_sent_once_there_are_cards() {
        let looser = Policy {
            floor_price: Amount(99),
            ..policy()
        };
        assert!(tighter(&collection(0), &looser).is_ok());
        assert!(tighter(&collection(1), &policy()).is_ok());
        let refused = tighter(&collection(1), &looser).unwrap_err();
        assert!(refused.message.contains("99 in the place of 100"));
    }

    #[test]
    fn roles_are_given_beside_others_and_taken_one_by_one() {
        let collection = collection(1);
        let with = |given, holder, role: &[Role]| {
            let change = Change {
                collection: collection.id,
                holder,
                role: role.to_vec(),
                sender: sender(),
            };
            let holder = change.over(&collection, given);
            let names: Vec<_> = holder.roles.iter().map(Role::name).collect();
            names.join(",")
        };
        let [minter, freezer] = [Role::Minter, Role::Freezer];
        assert_eq!(with(true, user(2), &[freezer]), "minter,freezer");
        assert_eq!(with(true, user(9), &[freezer, minter]), "minter,freezer");
        assert_eq!(with(false, user(3), &[freezer]), "gate");
        assert_eq!(with(false, user(9), &[minter]), "");
        let unknown = role("owner").unwrap_err();
        assert!(unknown.contains("minter, gate, freezer"), "{unknown}");
    }

    fn sender() -> Sender {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            sender: Sender,
        }
        <Only as clap::Parser>::parse_from(["weft"]).sender
    }

    #[test]
    fn a_policy_is_shown_in_words() {
        let shown = shown(&collection(1));
        let words: Vec<String> = shown.iter().map(|(n, v)| format!("{n} {v}")).collect();
        let words = words.join("; ");
        for part in [
            "royalty 2.5% to weft1",
            "floor price 100",
            "cap price 5000",
            "locked until 1970-01-01 00:01:00Z",
            "cut-off 1970-01-01 00:01:30Z",
            "personal cards never",
            "minter of weft1",
            "gate, freezer of weft1",
            "frozen no card",
        ] {
            assert!(words.contains(part), "{part} in {words}");
        }
    }
}
