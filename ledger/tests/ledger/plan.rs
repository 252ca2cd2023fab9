//! Random histories as plans: which operations in what order, with numbers in the place of ids.

pub mod book;
pub mod data;
pub mod vouchers;

use proptest::prelude::*;

/// The last one holds nothing at first.
pub const USERS: u64 = 5;
/// With keys that are nobody's first one.
pub const KEYS: u64 = USERS + 4;

/// One transaction, right in form, with numbers that choose among what there is when its turn comes.
#[derive(Debug, Clone)]
pub struct Plan {
    pub sender: u64,
    pub sponsor: Option<u64>,
    pub operations: Vec<Act>,
    /// Chooses among the keys of each party, and whether enough entries of deals are named.
    pub signs: u16,
    /// Milliseconds from the commit's time; negative is expired.
    pub validity: i64,
    pub max_fee: u64,
    /// Order an earlier transaction instead.
    pub again: Option<u16>,
    /// What comes in with the next commit: to whom, of which kind and number.
    pub deposit: Option<(u64, u8, u64)>,
    /// Close the commit after it, this much later than the last one.
    pub commit: Option<u64>,
    /// Close a height, and start anew from what a store would hold.
    pub restart: bool,
}

#[derive(Debug, Clone)]
pub enum Act {
    Pay {
        to: u64,
        amount: u64,
        twice: bool,
    },
    Send {
        to: u64,
        items: Vec<u16>,
    },
    Collection {
        cap: u64,
    },
    Edition {
        of: u16,
        cap: u64,
    },
    Mint {
        entries: Vec<(u16, u64, u64)>,
    },
    Update {
        item: u16,
        text: u8,
    },
    Burn {
        items: Vec<u16>,
    },
    Withdraw {
        kind: u8,
        amount: u64,
        item: u16,
    },
    Exit {
        address: u8,
        cards: Vec<u16>,
    },
    Keys {
        changes: Vec<Said>,
    },
    Recover {
        of: u16,
        owner: u64,
    },
    Policy {
        of: u16,
        kind: u8,
        figure: u64,
        roles: Vec<(u64, u32)>,
    },
    Freeze {
        frozen: bool,
        kind: u8,
        of: Vec<u16>,
    },
    Redeem {
        item: u16,
        signs: u16,
        /// From the commit's time, in ms.
        when: i64,
        gate: Option<u64>,
    },
    Void {
        items: Vec<u16>,
        text: u8,
    },
    Sale {
        of: u16,
        kind: u8,
        figure: u64,
    },
    Buy {
        of: u16,
        count: u64,
        kind: u8,
    },
    Open(Terms),
    Take {
        deal: u16,
        picks: Vec<u16>,
        fitting: bool,
        /// One in eight brings another secret than it should.
        secret: u8,
    },
    Cancel {
        deal: u16,
    },
    Bid {
        deal: u16,
        /// Above the least that is asked for, or below.
        more: i64,
    },
    Series {
        items: u8,
        packs: u32,
        price: u64,
        bond: u64,
        lasts: i64,
        reveal: u64,
        taker: Option<u64>,
    },
    BuyPack {
        deal: u16,
        entropy: u8,
        fitting: u8,
    },
    PassPack {
        deal: u16,
        pack: u32,
        to: u64,
    },
    Reveal {
        deal: u16,
        right: bool,
    },
    /// By the pool's number.
    Pool {
        n: u64,
        worth: u64,
        coins: bool,
        lasts: i64,
    },
    Cover {
        pool: u16,
        count: u64,
    },
    Spend {
        pool: u16,
    },
    Together {
        parties: Vec<(u64, Vec<Act>)>,
    },
    Enter(book::Entered),
    CancelOrder {
        deal: u16,
    },
    Channel(Channel),
    /// Or the channel is opened, where there is none to show it to.
    Show(Shown, Channel),
    Post(data::Post),
}

/// A channel to open.
#[derive(Debug, Clone)]
pub struct Channel {
    pub with: u64,
    pub amount: u64,
    pub token: Option<u64>,
    pub items: Vec<u16>,
    /// Quarters of the amount that are the taker's, and how many of the items.
    pub theirs: (u64, usize),
    pub challenge: u64,
    pub lasts: i64,
}

/// A state to show.
#[derive(Debug, Clone)]
pub struct Shown {
    pub deal: u16,
    /// One in eight closes what is closing, or challenges what is not.
    pub other_kind: u8,
    /// Above what was shown; `None`: no state.
    pub above: Option<u64>,
    pub last: bool,
    pub theirs: (u64, usize),
    /// Amount, secret, and how long it lasts.
    pub parts: Vec<(bool, u64, u8, i64)>,
    pub secrets: Vec<u8>,
    /// Which mistake, if any.
    pub wrong: u8,
}

/// A change of keys.
#[derive(Debug, Clone)]
pub struct Said {
    pub kind: u8,
    pub key: u64,
    /// Of a guardian or a session.
    pub lasts: i64,
    pub kinds: u16,
    pub limit: u64,
    pub collections: Vec<u16>,
}

#[derive(Debug, Clone)]
pub struct Terms {
    pub gives: (Vec<u64>, Vec<u16>),
    pub wants: (Vec<u64>, Vec<u16>),
    pub any: Vec<(bool, u16, u64)>,
    pub taker: Option<u64>,
    pub lasts: i64,
    /// To whom, and how many parts.
    pub commission: Option<(u64, u32)>,
    /// Raise, extension, and how long after the expiry the last moment is.
    pub auction: Option<(u32, u64, u64)>,
    /// With a taker: only by this secret.
    pub secret: Option<u8>,
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![
        20 => 1..300u64,
        1 => 1..2_000_000u64,
        1 => prop::sample::select(vec![1, u64::MAX]),
    ]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![
        12 => 1..6u64,
        1 => prop::sample::select(vec![200, 257, u64::MAX]),
    ]
}

fn up_to<T: std::fmt::Debug>(
    most: usize,
    one: impl Strategy<Value = T>,
) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(one, 0..=most)
}

fn one_to<T: std::fmt::Debug>(
    most: usize,
    one: impl Strategy<Value = T>,
) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(one, 1..=most)
}

fn terms() -> impl Strategy<Value = Terms> {
    let gives = (up_to(2, amount()), up_to(2, any::<u16>()));
    let wants = (up_to(2, amount()), up_to(2, any::<u16>()));
    let count = prop_oneof![12 => 1..3u64, 1 => count()];
    let wanted = (any::<bool>(), any::<u16>(), count);
    let lasts = prop_oneof![1 => -5..=0i64, 6 => 1..3_000i64, 12 => 3_000..200_000i64];
    let taker = prop::option::weighted(0.2, 0..USERS);
    let parts = prop_oneof![8 => 1..2_000u32, 1 => Just(10_000u32)];
    let commission = prop::option::weighted(0.3, (0..USERS, parts));
    let after = prop_oneof![12 => 0..8_000u64, 1 => Just(8_000_000_000u64)];
    let raise = prop_oneof![1 => Just(0u32), 2 => 1..3_000u32];
    let auction = prop::option::weighted(0.25, (raise, 0..4_000u64, after));
    let secret = prop::option::weighted(0.4, 0..4u8);
    let own = (commission, auction, secret);
    (gives, wants, up_to(1, wanted), taker, lasts, own).prop_map(
        |(gives, wants, any, taker, lasts, (commission, auction, secret))| Terms {
            gives,
            wants,
            any,
            taker,
            lasts,
            commission,
            auction,
            secret,
        },
    )
}

fn channel() -> impl Strategy<Value = Channel> {
    let theirs = (0..=4u64, 0..3usize);
    let lasts = prop_oneof![1 => 500..3_000i64, 4 => 3_000..100_000i64];
    let token = prop::option::weighted(0.2, 1..40u64);
    (
        (0..USERS, 1..400u64, token, up_to(2, any::<u16>())),
        theirs,
        2_000..15_000u64,
        lasts,
    )
        .prop_map(
            |((with, amount, token, items), theirs, challenge, lasts)| Channel {
                with,
                amount,
                token,
                items,
                theirs,
                challenge,
                lasts,
            },
        )
}

fn shown() -> impl Strategy<Value = Shown> {
    let part = (any::<bool>(), 1..60u64, 0..4u8, 100..15_000i64);
    let theirs = (prop_oneof![12 => 0..=4u64, 1 => 5..6u64], 0..3usize);
    let above = prop::option::weighted(0.75, 0..4u64);
    (
        (any::<u16>(), any::<u8>(), above),
        prop::bool::weighted(0.12),
        theirs,
        up_to(2, part),
        up_to(2, 0..4u8),
        any::<u8>(),
    )
        .prop_map(
            |((deal, other_kind, above), last, theirs, parts, secrets, wrong)| Shown {
                deal,
                other_kind,
                above,
                last,
                theirs,
                parts,
                secrets,
                wrong,
            },
        )
}

fn said() -> impl Strategy<Value = Said> {
    let lasts = prop_oneof![1 => 0..1_000i64, 8 => 1_000..4_000i64, 8 => 4_000..200_000i64];
    let kinds = prop_oneof![2 => Just(u16::MAX), 1 => 1..8_192u16];
    let limit = prop_oneof![1 => 0..900u64, 3 => 900..3_000u64, 3 => 3_000..20_000u64];
    let collections = up_to(3, any::<u16>());
    (any::<u8>(), 0..KEYS, lasts, kinds, limit, collections).prop_map(
        |(kind, key, lasts, kinds, limit, collections)| Said {
            kind,
            key,
            lasts,
            kinds,
            limit,
            collections,
        },
    )
}

/// What a history has most of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Cards,
    Keys,
    Trading,
    Tickets,
    Packs,
    Channels,
    Vouchers,
    Data,
    Book,
}

impl Theme {
    pub const ALL: [Self; 9] = [
        Self::Cards,
        Self::Keys,
        Self::Trading,
        Self::Tickets,
        Self::Packs,
        Self::Channels,
        Self::Vouchers,
        Self::Data,
        Self::Book,
    ];

    /// How a history begins, and what may follow.
    pub fn history(self) -> (Vec<Plan>, BoxedStrategy<Plan>) {
        match self {
            Self::Vouchers => (vouchers::prelude().to_vec(), vouchers::plan().boxed()),
            Self::Data => (data::prelude().to_vec(), data::plan().boxed()),
            Self::Book => (book::prelude().to_vec(), book::plan().boxed()),
            theme => (prelude().to_vec(), plan(theme).boxed()),
        }
    }

    /// How often an act of this theme comes in a history of another one or of the same.
    fn weight(self, of: Self, weight: u32) -> u32 {
        match of == self {
            true => 5 * weight,
            false => weight,
        }
    }

    /// How often one of all acts of this theme comes, of which each needs others before it: most of the time, or hardly.
    fn all(self, of: Self) -> u32 {
        match of == self {
            true => 180,
            false => 4,
        }
    }
}

fn act(theme: Theme) -> impl Strategy<Value = Act> {
    let entry = (any::<u16>(), 0..USERS, count());
    let keys = |weight| Theme::Keys.weight(theme, weight);
    let trading = |weight| Theme::Trading.weight(theme, weight);
    let tickets = |weight| Theme::Tickets.weight(theme, weight);
    prop_oneof![
        3 => (0..USERS, amount(), any::<bool>())
            .prop_map(|(to, amount, twice)| Act::Pay { to, amount, twice }),
        3 => (0..USERS, one_to(3, any::<u16>())).prop_map(|(to, items)| Act::Send { to, items }),
        1 => prop::sample::select(vec![0, 3, 20]).prop_map(|cap| Act::Collection { cap }),
        2 => (any::<u16>(), count()).prop_map(|(of, cap)| Act::Edition { of, cap }),
        4 => one_to(3, entry).prop_map(|entries| Act::Mint { entries }),
        2 => (any::<u16>(), any::<u8>()).prop_map(|(item, text)| Act::Update { item, text }),
        1 => one_to(2, any::<u16>()).prop_map(|items| Act::Burn { items }),
        2 => (any::<u8>(), amount(), any::<u16>())
            .prop_map(|(kind, amount, item)| Act::Withdraw { kind, amount, item }),
        2 => (0..4u8, up_to(2, any::<u16>()))
            .prop_map(|(address, cards)| Act::Exit { address, cards }),
        keys(5) => one_to(3, said()).prop_map(|changes| Act::Keys { changes }),
        keys(3) => (any::<u16>(), 0..KEYS).prop_map(|(of, owner)| Act::Recover { of, owner }),
        3 => (any::<u16>(), any::<u8>(), 0..400u64, up_to(2, (0..USERS, 0..8u32)))
            .prop_map(|(of, kind, figure, roles)| Act::Policy { of, kind, figure, roles }),
        2 => (prop::bool::weighted(0.4), any::<u8>(), one_to(2, any::<u16>()))
            .prop_map(|(frozen, kind, of)| Act::Freeze { frozen, kind, of }),
        tickets(5) => (any::<u16>(), any::<u16>(), -20_000..60_000i64, prop::option::weighted(0.2, 0..USERS))
            .prop_map(|(item, signs, when, gate)| Act::Redeem { item, signs, when, gate }),
        tickets(1) => (one_to(2, any::<u16>()), any::<u8>())
            .prop_map(|(items, text)| Act::Void { items, text }),
        tickets(2) => (any::<u16>(), any::<u8>(), 0..400u64)
            .prop_map(|(of, kind, figure)| Act::Sale { of, kind, figure }),
        tickets(5) => (any::<u16>(), count(), any::<u8>())
            .prop_map(|(of, count, kind)| Act::Buy { of, count, kind }),
        trading(8) => terms().prop_map(Act::Open),
        trading(11) => (any::<u16>(), up_to(3, any::<u16>()), prop::bool::weighted(0.6), any::<u8>())
            .prop_map(|(deal, picks, fitting, secret)| Act::Take { deal, picks, fitting, secret }),
        trading(4) => any::<u16>().prop_map(|deal| Act::Cancel { deal }),
        trading(6) => (any::<u16>(), prop_oneof![1 => -9..0i64, 4 => 0..60i64, 1 => 300..600i64])
            .prop_map(|(deal, more)| Act::Bid { deal, more }),
        Theme::Packs.all(theme) => of_series(),
        Theme::Channels.all(theme) => of_channels(),
    ]
}

fn of_channels() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => channel().prop_map(Act::Channel),
        12 => (shown(), channel()).prop_map(|(shown, channel)| Act::Show(shown, channel)),
    ]
}

/// Of series of packs.
fn of_series() -> impl Strategy<Value = Act> {
    let lasts = prop_oneof![1 => -5..=0i64, 12 => 1..3_000i64, 6 => 3_000..100_000i64];
    let reveal = prop_oneof![3 => 100..3_000u64, 2 => 3_000..100_000u64];
    let taker = prop::option::weighted(0.1, 0..USERS);
    let opened = (1..3u8, 2..5u32, 1..200u64, 0..100u64, lasts, reveal, taker);
    let opened = opened.prop_map(
        |(items, packs, price, more, lasts, reveal, taker)| Act::Series {
            items,
            packs,
            price,
            bond: price + more,
            lasts,
            reveal,
            taker,
        },
    );
    prop_oneof![
        3 => opened,
        10 => (any::<u16>(), any::<u8>(), any::<u8>())
            .prop_map(|(deal, entropy, fitting)| Act::BuyPack { deal, entropy, fitting }),
        4 => (any::<u16>(), 0..3u32, 0..USERS)
            .prop_map(|(deal, pack, to)| Act::PassPack { deal, pack, to }),
        4 => (any::<u16>(), prop::bool::weighted(0.75))
            .prop_map(|(deal, right)| Act::Reveal { deal, right }),
    ]
}

fn acts(theme: Theme) -> impl Strategy<Value = Vec<Act>> {
    let party = (0..USERS, one_to(2, act(theme)));
    let parties = one_to(2, party);
    let one = prop_oneof![
        12 => act(theme),
        1 => parties.prop_map(|parties| Act::Together { parties }),
    ];
    prop_oneof![
        3 => one.prop_map(|act| vec![act]),
        1 => one_to(3, act(theme)),
    ]
}

/// Everybody starts with some items of the first user's and of the second one's, whose collections have royalties, and
/// with tickets of the third one's, for which the first two are gates.
fn prelude() -> [Plan; 11] {
    let entries = (0..USERS).flat_map(|to| [(0, to, 2), (16, to, 1)]);
    let editions = vec![
        Act::Edition { of: 0, cap: 20 },
        Act::Edition { of: 0, cap: 9 },
    ];
    let royalty = |figure| Act::Policy {
        of: 0,
        kind: 0,
        figure,
        roles: vec![],
    };
    let others = Act::Mint {
        entries: (0..USERS).map(|to| (0, to, 1)).collect(),
    };
    // Each good for two uses.
    let event = vec![
        Act::Edition { of: 0, cap: 50 },
        Act::Edition { of: 0, cap: 30 },
        Act::Policy {
            of: 0,
            kind: 11,
            figure: 0,
            roles: vec![(0, 2), (1, 2)],
        },
    ];
    let tickets = vec![
        Act::Mint {
            entries: (0..USERS).map(|to| (0, to, 2)).collect(),
        },
        Act::Sale {
            of: 0,
            kind: 1,
            figure: 20,
        },
        // To those on a list.
        Act::Sale {
            of: 16,
            kind: 6,
            figure: 5,
        },
    ];
    let acts = [
        (0, vec![Act::Collection { cap: 0 }]),
        (1, vec![Act::Collection { cap: 30 }]),
        (2, vec![Act::Collection { cap: 0 }]),
        (3, vec![Act::Collection { cap: 5 }]),
        (0, vec![royalty(150)]),
        (0, editions),
        (
            0,
            vec![Act::Mint {
                entries: entries.collect(),
            }],
        ),
        (1, vec![royalty(333), Act::Edition { of: 0, cap: 9 }]),
        (1, vec![others]),
        (2, event),
        (2, tickets),
    ];
    acts.map(|(sender, operations)| good(sender, operations))
}

/// One that is taken.
fn good(sender: u64, operations: Vec<Act>) -> Plan {
    Plan {
        sender,
        sponsor: None,
        operations,
        signs: 0,
        validity: 60_000,
        max_fee: 100_000,
        again: None,
        deposit: None,
        commit: Some(1),
        restart: false,
    }
}

fn plan(theme: Theme) -> impl Strategy<Value = Plan> {
    let validity = prop_oneof![30 => 0..60_000i64, 1 => -2..2i64, 1 => 599_999..=600_001i64];
    let max_fee = prop_oneof![12 => Just(100_000u64), 1 => 200..500u64, 1 => Just(u64::MAX)];
    let later = prop_oneof![40 => 0..500u64, 5 => 500..5_000u64, 1 => 5_000..100_000u64];
    let sender = prop_oneof![15 => 0..USERS - 1, 1 => Just(USERS - 1)];
    (
        sender,
        prop::option::weighted(0.1, 0..USERS),
        (acts(theme), any::<u16>()),
        validity,
        max_fee,
        prop::option::weighted(0.1, any::<u16>()),
        prop::option::weighted(0.15, (0..USERS, any::<u8>(), 1..300u64)),
        prop::option::weighted(0.5, later),
        prop::bool::weighted(0.05),
    )
        .prop_map(
            |(
                sender,
                sponsor,
                (operations, signs),
                validity,
                max_fee,
                again,
                deposit,
                commit,
                restart,
            )| {
                Plan {
                    sender,
                    sponsor,
                    operations,
                    signs,
                    validity,
                    max_fee,
                    again,
                    deposit,
                    commit,
                    restart,
                }
            },
        )
}
