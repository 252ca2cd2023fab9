//! Mix `mechanisms`: what the other mixes do not have, in short stories that follow one another: channels, hash locks,
//! vouchers, posted data, packs handed on, items stopped, voided and burned, recoveries, exit addresses, withdrawals.
//!
//! No transaction is expected to fail. Each of a story names the one before it, and comes some seconds after it. Kinds of
//! stories begin in turn, whenever none is due.

mod story;

use super::accounts::Player;
use super::conserve::Pools;
use super::sign::Lane;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::VecDeque;
use story::{Story, Then};
use weft_client::Draft;
use weft_types::{
    Amount, AssetAmount, AssetId, Availability, AvailabilityCertificate, BaseAddress, Blinding,
    Bundle, ChannelState, ChannelTerms, ContentHash, DealRule, DrawSecret, Entropy, Epoch,
    Guardian, IssuerKey, ItemId, KeyChange, Millis, NetworkId, NewDeal, NewVoucherPool, Operation,
    Party, Payment, Secret, Series, Showing, SignedState, Taking, Transaction, UserKey,
    draw_commitment,
};

/// Players of one lane.
pub const PLAYERS: u32 = 100;
/// Accounts of one lane that are recovered, so many at a time.
pub const WARDS: u32 = 100;
/// What one transaction costs at most, with what it locks.
pub const COST_MAX: u64 = 20_000;
/// Most data that nodes are given for a lane before the load begins, and the bytes of each.
pub const POSTS_MAX: u32 = 64;
pub const POST_BYTES: usize = 256;
/// For how long the signers of data wait for them to be posted: less than the ten minutes for which they would.
const POSTED_WITHIN_MS: u64 = 540_000;
/// For how long data are kept then.
const KEPT_MS: u64 = 60_000;
/// Transactions of a round of [`KINDS`].
pub const ROUND: u32 = 28;
/// Items that a round of [`KINDS`] takes.
const ITEMS: u64 = 3;

/// Seconds between two transactions of a story.
const REST_S: f64 = 3.0;
/// How long deals are open.
const OPEN_MS: u64 = 600_000;
/// How long a channel that is closing can be challenged.
const WINDOW: Millis = Millis(30_000);
/// How long before the end of its first transaction's validity a pool ends: long after its last voucher is spent.
const POOL_ENDS_BEFORE_MS: u64 = 35_000;
/// Vouchers of a pool.
const VOUCHERS: usize = 3;
/// What a voucher pays, and what is locked where the amount plays no part.
const WORTH: u64 = 1_000;
/// How long an owner has to refuse a recovery: what a network asks at least, if its genesis says nothing else.
const DELAY: Millis = Millis(3_600_000);

/// Kinds of stories, in the order in which they begin. One that lacks what it needs is passed over.
const KINDS: [fn(&mut Mechanisms, Millis) -> Option<Story>; 10] = [
    Mechanisms::disputed_channel,
    Mechanisms::settled_channel,
    Mechanisms::hash_lock,
    Mechanisms::vouchers,
    Mechanisms::posted_data,
    Mechanisms::pack_handed_on,
    Mechanisms::item_stopped,
    Mechanisms::recovery_refused,
    Mechanisms::exit_address,
    Mechanisms::withdrawal,
];

/// Items that a lane needs for so many transactions.
pub fn items(count: u32) -> u64 {
    // No story has less than one transaction.
    (u64::from(count) / KINDS.len() as u64 + 1) * ITEMS
}

/// What members sign of data that they are given now.
pub fn claim(epoch: Epoch, data: &[u8], now: Millis) -> Availability {
    let by = now.saturating_add(POSTED_WITHIN_MS);
    Availability {
        epoch,
        hash: ContentHash::of(data),
        size: data.len() as u64,
        until: by.saturating_add(KEPT_MS),
        by,
    }
}

/// An account, and what its last story ended with.
struct Ward {
    account: Box<Player>,
    free: Option<u32>,
}

/// What a lane begins with.
pub struct Stock {
    /// Has the collection of the items, and the items.
    pub maker: Player,
    pub items: Vec<ItemId>,
    pub players: Vec<Player>,
    pub wards: Vec<Player>,
    pub posts: Vec<AvailabilityCertificate>,
}

pub struct Mechanisms {
    network: NetworkId,
    maker: Player,
    items: Vec<ItemId>,
    players: Vec<Player>,
    wards: VecDeque<Ward>,
    posts: Vec<AvailabilityCertificate>,
    pools: Pools,
    /// The longest at rest in front.
    running: VecDeque<Story>,
    random: StdRng,
    /// Stories begun, or passed over.
    turn: usize,
    /// Transactions of this lane between two of a story.
    gap: u32,
}

impl Lane for Mechanisms {
    fn next(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let is_due = |story: &mut Story| story.due <= place;
        let story = match self.running.pop_front_if(is_due) {
            Some(story) => story,
            None => self.begin(draft.body(self.maker.address, vec![]).valid_until),
        };
        let (made, then) = story.go_on(place, draft);
        match then {
            Then::GoesOn(mut story) => {
                story.due = place.saturating_add(self.gap);
                self.running.push_back(*story);
            }
            Then::Over { ward } => {
                let free = Some(place);
                let ward = ward.map(|account| Ward { account, free });
                self.wards.extend(ward);
            }
        }
        made
    }
}

fn coin(amount: u64) -> Bundle {
    Bundle {
        assets: vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }],
        items: vec![],
    }
}

/// States of a channel to show, signed by both.
fn shown(state: ChannelState, keys: &[UserKey; 2]) -> Showing {
    let signatures = [0, 1].map(|i: usize| state.sign(&keys[i]));
    Showing {
        deal: state.deal,
        state: Some(SignedState { state, signatures }),
        secrets: vec![],
    }
}

impl Mechanisms {
    /// A lane for `rate` transactions a second. `seed` is another one for each load, for a pool's key is used once.
    pub fn new(network: NetworkId, stock: Stock, pools: Pools, (rate, seed): (f64, u64)) -> Self {
        let wards = stock.wards.into_iter();
        let wards = wards.map(|account| Ward {
            account: Box::new(account),
            free: None,
        });
        Self {
            network,
            maker: stock.maker,
            items: stock.items,
            players: stock.players,
            wards: wards.collect(),
            posts: stock.posts,
            pools,
            running: VecDeque::new(),
            random: StdRng::seed_from_u64(seed),
            turn: 0,
            gap: (rate * REST_S).ceil().max(1.0) as u32,
        }
    }

    /// `valid_until` is that of the first transaction. As each is sent, where the network keeps up, as long before its own
    /// as this one was, that is far behind the story.
    fn begin(&mut self, valid_until: Millis) -> Story {
        loop {
            let kind = KINDS[self.turn % KINDS.len()];
            self.turn += 1;
            // Some need nothing.
            if let Some(story) = kind(self, valid_until) {
                return story;
            }
        }
    }

    /// Two different players.
    fn pair(&mut self) -> [Player; 2] {
        let count = self.players.len();
        let first = self.random.random_range(0..count);
        let second = (first + self.random.random_range(1..count)) % count;
        [first, second].map(|i| self.players[i].clone())
    }

    /// Two bring something in, by one transaction that both sign.
    fn channel(&mut self, until: Millis) -> (Story, [Player; 2], [UserKey; 2]) {
        let [giver, taker] = self.pair();
        let keys = [&giver, &taker].map(|player| UserKey::from(&player.key));
        let terms = NewDeal {
            gives: coin(2 * WORTH),
            taker: Some(taker.address),
            expires: until.saturating_add(OPEN_MS),
            rule: DealRule::CoSigned(ChannelTerms {
                challenge: WINDOW,
                to_taker: coin(WORTH),
                giver_key: giver.address,
                taker_key: taker.address,
            }),
            ..NewDeal::default()
        };
        let share = Payment {
            to: giver.address,
            asset: AssetId::NATIVE,
            amount: Amount(WORTH),
        };
        let brings = Operation::Transfer {
            payments: vec![share],
            items: vec![],
        };
        let parties = [(&taker, brings), (&giver, Operation::DealOpen(terms))];
        let parties = parties.map(|(player, operation)| Party {
            account: player.address,
            operations: vec![operation],
        });
        let open = Operation::MultiParty(parties.into());
        let story = Story::begin(&giver, open).with(&taker);
        (story, [giver, taker], keys)
    }

    /// The taker closes by an old state, and the giver answers with a newer one.
    fn disputed_channel(&mut self, until: Millis) -> Option<Story> {
        let (story, [giver, taker], keys) = self.channel(until);
        let network = self.network;
        let state = move |deal, version: u64| ChannelState {
            network,
            deal,
            version,
            to_taker: coin(2 * WORTH - version),
            ..ChannelState::default()
        };
        let old = keys.clone();
        let story = story.then(&taker, move |deal| {
            Operation::ChannelClose(shown(state(deal, 1), &old))
        });
        Some(story.then(&giver, move |deal| {
            Operation::ChannelChallenge(shown(state(deal, 2), &keys))
        }))
    }

    fn settled_channel(&mut self, until: Millis) -> Option<Story> {
        let (story, [giver, _], keys) = self.channel(until);
        let network = self.network;
        Some(story.then(&giver, move |deal| {
            let state = ChannelState {
                network,
                deal,
                version: 1,
                to_taker: coin(WORTH / 2),
                last: true,
                ..ChannelState::default()
            };
            Operation::ChannelClose(shown(state, &keys))
        }))
    }

    /// Three out of four are opened by the secret; the last is left to expire.
    fn hash_lock(&mut self, until: Millis) -> Option<Story> {
        let [giver, taker] = self.pair();
        let secret = Secret(self.random.random());
        let terms = NewDeal {
            gives: coin(WORTH),
            taker: Some(taker.address),
            expires: until,
            rule: DealRule::Secret {
                hash: secret.hash(),
            },
            ..NewDeal::default()
        };
        let open = Operation::DealOpen(terms);
        let story = Story::begin(&giver, open);
        if self.random.random_ratio(1, 4) {
            return Some(story);
        }
        Some(story.then(&taker, move |deal| {
            let secret = Some(secret);
            Operation::DealTake(Taking {
                secret,
                ..Taking::new(deal, vec![])
            })
        }))
    }

    /// A pool is opened and covered, and all but one of its vouchers are spent. The last one's cover goes back at its end.
    fn vouchers(&mut self, until: Millis) -> Option<Story> {
        let key = IssuerKey::from_entropy(&self.random.random());
        let (network, public) = (self.network, key.public());
        let pool = public.pool();
        let ends = until.saturating_sub(POOL_ENDS_BEFORE_MS);
        self.pools.add(pool, ends);
        let issuer = self.maker.clone();
        let open = Operation::VoucherOpen(NewVoucherPool {
            key: public,
            proof: key.prove(network, issuer.address),
            asset: AssetId::NATIVE,
            denomination: Amount(WORTH),
            ends,
        });
        let count = VOUCHERS as u64 + 1;
        let cover = move |_| Operation::VoucherIssue { pool, count };
        let mut story = Story::begin(&issuer, open).then(&issuer, cover);
        let first = self.random.random_range(0..self.players.len());
        for n in 0..VOUCHERS {
            let holder = &self.players[(first + n) % self.players.len()];
            let blinding = Blinding::draw(|| self.random.random());
            let blinded = blinding.blind(network, &public, holder.address);
            let signed = key.sign(&blinded).ok()?;
            let voucher = blinding.unblind(network, &public, holder.address, &signed);
            let (key, voucher) = (public, voucher.ok()?);
            story = story.then(holder, move |_| Operation::VoucherSpend { key, voucher });
        }
        Some(story)
    }

    /// While the signers' word holds.
    fn posted_data(&mut self, until: Millis) -> Option<Story> {
        let post = self.posts.pop_if(|post| post.claim.by > until)?;
        let [player, _] = self.pair();
        let post = Operation::PostData(post);
        Some(Story::begin(&player, post))
    }

    /// One of two packs is handed on before the other is sold.
    fn pack_handed_on(&mut self, until: Millis) -> Option<Story> {
        let rest = self.items.len().checked_sub(2)?;
        let items = self.items.split_off(rest);
        let [first, second] = self.pair();
        let to = second.address;
        let seller = self.maker.clone();
        let secret = DrawSecret(self.random.random());
        let terms = NewDeal {
            gives: Bundle {
                items,
                ..coin(2 * WORTH)
            },
            wants: coin(WORTH),
            expires: until.saturating_add(OPEN_MS),
            rule: DealRule::Draw(Series {
                packs: 2,
                commitment: draw_commitment(&seller.address, &secret),
                reveal: Millis(OPEN_MS),
            }),
            ..NewDeal::default()
        };
        let open = Operation::DealOpen(terms);
        let [mine, theirs] = [0, 1].map(|_| Entropy(self.random.random()));
        let buy = |entropy| move |deal| Operation::DealTake(Taking::pack(deal, entropy));
        let pass = move |deal| Operation::PassPack { deal, pack: 0, to };
        let story = Story::begin(&seller, open).then(&first, buy(mine));
        let story = story.then(&first, pass).then(&second, buy(theirs));
        Some(story.then(&seller, move |deal| Operation::Reveal { deal, secret }))
    }

    /// Frozen, let go, offered, taken back, and in the end burned or void.
    fn item_stopped(&mut self, until: Millis) -> Option<Story> {
        let item = self.items.pop()?;
        let maker = self.maker.clone();
        let freeze = move |frozen| Operation::Freeze {
            frozen,
            collections: vec![],
            editions: vec![],
            items: vec![item],
        };
        let terms = NewDeal {
            gives: Bundle {
                assets: vec![],
                items: vec![item],
            },
            wants: coin(WORTH),
            expires: until.saturating_add(OPEN_MS),
            ..NewDeal::default()
        };
        let items = vec![item];
        let end = match self.random.random() {
            true => Operation::Burn { items },
            false => Operation::Void {
                items,
                reason: "recalled".to_owned(),
            },
        };
        let story = Story::begin(&maker, freeze(true)).then(&maker, move |_| freeze(false));
        let story = story.then(&maker, |_| Operation::DealOpen(terms));
        let story = story.then(&maker, |deal| Operation::DealCancel { deal });
        Some(story.then(&maker, |_| end))
    }

    /// Whatever becomes of it, the account stays its own key's.
    fn recovery_refused(&mut self, _: Millis) -> Option<Story> {
        let Ward { account, free } = self.wards.pop_front()?;
        let [guardian, _] = self.pair();
        let named = KeyChange::Guardian(Guardian {
            account: guardian.address,
            delay: DELAY,
        });
        let set = |change| Operation::SetKeys {
            changes: vec![change],
        };
        let owner = account.address;
        let recover = move |_| Operation::Recover {
            account: owner,
            owner,
        };
        let refuse = move |_| set(KeyChange::RefuseRecovery);
        let story = Story::begin(&account, set(named)).then(&guardian, recover);
        Some(story.then(&account, refuse).having(account, free))
    }

    /// That nobody claims on the base chain.
    fn withdrawal(&mut self, _: Millis) -> Option<Story> {
        let [player, _] = self.pair();
        let withdraw = Operation::Withdraw {
            recipient: BaseAddress(self.random.random()),
            gives: coin(1),
        };
        Some(Story::begin(&player, withdraw))
    }

    fn exit_address(&mut self, _: Millis) -> Option<Story> {
        let [player, _] = self.pair();
        let name = Operation::ExitAddress {
            address: BaseAddress(self.random.random()),
            items: vec![],
        };
        Some(Story::begin(&player, name))
    }
}

#[cfg(test)]
mod tests;
