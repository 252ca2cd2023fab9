//! What a load needs before it begins: funded accounts, and the cards or tickets of its mix.

use super::accounts::{self, Player, fund, player, players};
use super::conserve::{Conserved, Pools, all};
use super::founding::{Founded, Plan};
use super::market::{self, Need, Shelf, Stall};
use super::mechanisms::{self, Mechanisms, Stock};
use super::sign::Lane;
use super::stadium::{self, Event, Expected};
use super::{
    COST_MAX, LoadError, LoadOptions, MARKET_RATE_MAX, Mix, Say, Target, now_ms, transfer,
};
use bytes::Bytes;
use weft_client::{Client, Draft, EditionQuery, Gathering, Options, Wait};
use weft_types::api::Submission;
use weft_types::{Amount, AvailabilityCertificate, CollectionId, Committee, Millis, Transaction};

/// What transactions are made of.
pub(super) struct Prepared {
    pub draft: Draft,
    pub lanes: Vec<Box<dyn Lane>>,
    /// Of tickets.
    pub expected: Option<Expected>,
    pub conserved: Option<Conserved>,
}

/// Funds accounts, and makes what the mix trades.
pub(super) async fn prepare(
    options: LoadOptions,
    target: &Target<'_>,
    rate: f64,
    count: u32,
    say: Say<'_>,
) -> Result<Prepared, LoadError> {
    say("funding accounts");
    let client = Client::with_options(&target.nodes, Options::default())?;
    let genesis = client.genesis().await?;
    let workshop = Workshop {
        draft: Draft::new(&genesis),
        client,
        source: Player::new(target.key.clone()),
        width: std::thread::available_parallelism().map_or(1, usize::from),
        count,
        say,
    };
    match options.mix {
        Mix::Transfer => workshop.transfers(false).await,
        Mix::Session => workshop.transfers(true).await,
        Mix::Market | Mix::Steve => workshop.market(options, rate).await,
        Mix::Stadium => workshop.sale().await,
        Mix::Redeem => workshop.gates().await,
        Mix::Mechanisms => workshop.mechanisms(rate).await,
    }
}

/// Where loads are prepared.
struct Workshop<'a> {
    client: Client,
    draft: Draft,
    /// Pays for all.
    source: Player,
    /// Lanes.
    width: usize,
    /// Transactions of the load.
    count: u32,
    say: Say<'a>,
}

/// What so many transactions cost at most.
fn amount(transactions: u64) -> Amount {
    Amount(COST_MAX.saturating_mul(transactions))
}

impl Workshop<'_> {
    async fn transfers(self, by_sessions: bool) -> Result<Prepared, LoadError> {
        let players = players(&self.source.key, "transfer", transfer::ACCOUNTS);
        let share = amount(self.share(transfer::ACCOUNTS));
        self.fund(&players, share).await?;
        let mut sessions = None;
        if by_sessions {
            (self.say)("beginning sessions");
            let keys = accounts::keys(&self.source.key, "session", transfer::ACCOUNTS);
            let now = Millis(now_ms());
            let begun = transfer::begin_sessions(&self.draft, &players, &keys, share, now);
            self.send("a session", &begun).await?;
            sessions = Some(keys);
        }
        let lanes = transfer::Transfers::lanes(players, sessions, self.width);
        Ok(self.prepared(lanes))
    }

    async fn market(self, options: LoadOptions, rate: f64) -> Result<Prepared, LoadError> {
        let rate = rate.min(MARKET_RATE_MAX) / self.width as f64;
        let mut need = Need::at(rate);
        if options.mix == Mix::Steve {
            need = need.with_packs_and_books(self.count / self.width as u32);
        }
        let shelves = match options.collection {
            Some(collection) => Some(self.shelves(collection).await?),
            None => None,
        };
        let mut accounts = vec![self.source.address];
        let mut collections = Vec::from_iter(options.collection);
        let mut lanes: Vec<Box<dyn Lane>> = Vec::new();
        for lane in 0..self.width {
            (self.say)(&format!(
                "lane {} of {}: players and cards",
                lane + 1,
                self.width
            ));
            let players = players(&self.source.key, &format!("market {lane}"), market::PLAYERS);
            // Nobody runs out, even if it all fell to one player.
            self.fund(&players, amount(self.count.into())).await?;
            accounts.extend(players.iter().map(|player| player.address));
            let stall = match &shelves {
                None => {
                    let maker = player(&self.source.key, "maker", lane as u32);
                    let one = std::slice::from_ref(&maker);
                    self.fund(one, amount(self.count.into())).await?;
                    accounts.push(maker.address);
                    let (collection, founding, stall) =
                        Stall::found(maker, players, need, &self.draft);
                    for step in &founding {
                        let step = std::slice::from_ref(step);
                        self.send("the collection", step).await?;
                    }
                    collections.push(collection);
                    stall
                }
                Some(shelves) => {
                    let of_lane = shelves.iter().skip(lane).step_by(self.width).cloned();
                    let stall = Stall::among(self.source.clone(), players, of_lane.collect(), need);
                    stall.map_err(LoadError::Collection)?
                }
            };
            self.send("the minting", &stall.mint(&self.draft)).await?;
            lanes.push(Box::new(stall.open(rate, lane as u64)));
        }
        let mut conserved = None;
        if options.mix == Mix::Steve {
            (self.say)("counting what everybody has");
            conserved = Some(Conserved::begin(&self.client, accounts, collections).await?);
        }
        Ok(Prepared {
            conserved,
            ..self.prepared(lanes)
        })
    }

    /// The editions of a collection that the load may mint of.
    async fn shelves(&self, id: CollectionId) -> Result<Vec<Shelf>, LoadError> {
        let (creator, source) = (
            self.client.collection(&id).await?.creator,
            self.source.address,
        );
        if creator != source {
            let words = format!("its creator is {creator}, not the load's account {source}");
            return Err(LoadError::Collection(words));
        }
        let query = EditionQuery {
            collection: Some(id),
            ..EditionQuery::default()
        };
        let mut shelves = Vec::new();
        all(
            async |page| self.client.editions(&query, page).await,
            |edition| shelves.push(Shelf::of(&edition)),
        )
        .await?;
        (self.say)(&format!("{} editions of {id}", shelves.len()));
        Ok(shelves)
    }

    async fn sale(self) -> Result<Prepared, LoadError> {
        let (maker, players) = self.crowd(amount(1)).await?;
        let (event, founding) = Event::sold_out(maker, self.count, &self.draft);
        self.send("the event", &[founding]).await?;
        let edition = event.0.edition;
        let lanes = event.buyers(players, self.width);
        Ok(Prepared {
            expected: Some(Expected::Sold { edition }),
            ..self.prepared(lanes)
        })
    }

    async fn gates(self) -> Result<Prepared, LoadError> {
        let (maker, players) = self.crowd(amount(u64::from(self.count) + 1)).await?;
        let entrances = accounts::players(&self.source.key, "entrance", stadium::ENTRANCES);
        let share = amount(u64::from(self.count) + 1);
        self.fund(&entrances, share).await?;
        let (event, founding) = Event::at_the_gates(maker, self.count, &entrances, &self.draft);
        self.send("the event", &[founding]).await?;
        (self.say)("opening gates");
        let keys = accounts::keys(&self.source.key, "gate", stadium::GATES);
        let gates = stadium::gates(entrances, keys);
        let opened = event.open(&gates, &self.draft, share, Millis(now_ms()));
        self.send("a gate", &opened).await?;
        (self.say)("minting tickets");
        for minted in event.0.mint(&self.draft, &players) {
            self.send("the minting", &[minted]).await?;
        }
        let network = self.client.genesis().await?.network.id();
        let shown = (self.width, Millis(now_ms()));
        let (lanes, tickets) = event.shown_at(gates, network, players, shown);
        Ok(Prepared {
            expected: Some(Expected::Redeemed { tickets }),
            ..self.prepared(lanes)
        })
    }

    async fn mechanisms(self, rate: f64) -> Result<Prepared, LoadError> {
        let pools = Pools::default();
        let network = self.client.genesis().await?.network.id();
        let rate = rate / self.width as f64;
        let mut accounts = vec![self.source.address];
        let mut lanes: Vec<Box<dyn Lane>> = Vec::new();
        for lane in 0..self.width {
            let (number, width) = (lane + 1, self.width);
            (self.say)(&format!("lane {number} of {width}: accounts and items"));
            let stock = self.stock(lane as u32).await?;
            let all = stock.players.iter().chain(&stock.wards);
            accounts.extend(all.map(|player| player.address));
            accounts.push(stock.maker.address);
            let seed = (rate, rand::random());
            lanes.push(Box::new(Mechanisms::new(
                network,
                stock,
                pools.clone(),
                seed,
            )));
        }
        (self.say)("counting what everybody has");
        let conserved = Conserved::begin(&self.client, accounts, vec![]).await?;
        Ok(Prepared {
            conserved: Some(conserved.with(pools)),
            ..self.prepared(lanes)
        })
    }

    async fn stock(&self, lane: u32) -> Result<Stock, LoadError> {
        let of = |kind, count| players(&self.source.key, &format!("{kind} {lane}"), count);
        let (people, wards) = (
            of("party", mechanisms::PLAYERS),
            of("ward", mechanisms::WARDS),
        );
        let maker = player(&self.source.key, "issuer", lane);
        let count = self.count / self.width as u32 + 1;
        // Nobody runs out, even if it all fell to one.
        let all = [&people[..], &wards[..], std::slice::from_ref(&maker)].concat();
        let each = mechanisms::COST_MAX.saturating_mul(count.into());
        self.fund(&all, Amount(each)).await?;
        let plan = Plan {
            description: "Items of the load generator",
            edition: "Item",
            items: mechanisms::items(count),
            uses: 0,
            rule: None,
        };
        let (founded, founding) = Founded::by(maker, &plan, &self.draft);
        self.send("the collection", &[founding]).await?;
        let owner = std::slice::from_ref(&founded.maker);
        for minted in founded.mint(&self.draft, owner) {
            self.send("the minting", &[minted]).await?;
        }
        Ok(Stock {
            items: (0..founded.items).map(|n| founded.item(n)).collect(),
            maker: founded.maker,
            players: people,
            wards,
            posts: self.posts(count).await?,
        })
    }

    /// Data that a quorum has, to be posted, as many as a lane of so many transactions needs, and no more than
    /// nodes are given in a moment.
    async fn posts(&self, count: u32) -> Result<Vec<AvailabilityCertificate>, LoadError> {
        let network = self.client.genesis().await?.network.id();
        let office = self.client.committee().await?;
        let committee = Committee::new(office.epoch, office.members);
        let committee = committee.map_err(|e| LoadError::Prepare("posted data", e.to_string()))?;
        let mut posts = Vec::new();
        for _ in 0..count.div_ceil(mechanisms::ROUND).min(mechanisms::POSTS_MAX) {
            let data = Bytes::from_owner(rand::random::<[u8; mechanisms::POST_BYTES]>());
            let claim = mechanisms::claim(office.epoch, &data, Millis(now_ms()));
            let mut gathering = Gathering::new(network, committee.clone(), claim);
            let failed = self.client.gather(&data, &mut gathering).await;
            let words = || failed.iter().map(ToString::to_string).collect::<Vec<_>>();
            let certificate = gathering.certificate();
            let refused = || LoadError::Prepare("posted data", words().join("; "));
            posts.push(certificate.ok_or_else(refused)?);
        }
        Ok(posts)
    }

    /// Who founds an event with so much, and who comes to it.
    async fn crowd(&self, makers: Amount) -> Result<(Player, Vec<Player>), LoadError> {
        let players = players(&self.source.key, "stadium", stadium::PLAYERS);
        self.fund(&players, amount(self.share(stadium::PLAYERS)))
            .await?;
        let maker = player(&self.source.key, "event", 0);
        self.fund(std::slice::from_ref(&maker), makers).await?;
        Ok((maker, players))
    }

    /// Transactions of one of so many accounts, when each lane goes through them in turn.
    fn share(&self, accounts: u32) -> u64 {
        u64::from(self.count / accounts) + 2 * self.width as u64
    }

    async fn fund(&self, players: &[Player], each: Amount) -> Result<(), LoadError> {
        let funding = fund(&self.source.key, &self.draft, players, each);
        self.send("the funding", &funding).await
    }

    /// Transactions that all have to be applied before the load begins.
    async fn send(
        &self,
        what: &'static str,
        transactions: &[Transaction],
    ) -> Result<(), LoadError> {
        let answers = self.client.submit_many(transactions, Wait::Committed);
        for answer in answers.await? {
            match answer {
                Submission::Taken(status) if status.state.applied() => {}
                Submission::Taken(status) => {
                    let words = status.detail.unwrap_or_default();
                    let state = status.state.as_str();
                    return Err(LoadError::Prepare(what, format!("{state} {words}")));
                }
                Submission::Refused(refused) => {
                    return Err(LoadError::Prepare(what, refused.problem.to_string()));
                }
            }
        }
        Ok(())
    }

    fn prepared(self, lanes: Vec<Box<dyn Lane>>) -> Prepared {
        Prepared {
            draft: self.draft,
            lanes,
            expected: None,
            conserved: None,
        }
    }
}
