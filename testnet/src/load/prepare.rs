//! What a load needs before it begins: funded accounts, and the cards or tickets of its mix.

use super::accounts::{self, Player, fund, players};
use super::conserve::Conserved;
use super::market::{self, Stall};
use super::sign::Lane;
use super::stadium::{self, Event, Expected};
use super::{
    COST_MAX, LoadError, LoadOptions, MARKET_RATE_MAX, Mix, Say, Target, now_ms, transfer,
};
use weft_client::{Client, Draft, Options, Wait};
use weft_types::api::Submission;
use weft_types::{Address, Amount, Millis, Transaction};

/// What transactions are made of.
pub(super) struct Prepared {
    pub draft: Draft,
    pub lanes: Vec<Box<dyn Lane>>,
    /// Of tickets.
    pub expected: Option<Expected>,
    pub conserved: Option<Conserved>,
}

/// Funds accounts, and for a market makes the cards.
pub(super) async fn prepare(
    options: LoadOptions,
    target: &Target<'_>,
    rate: f64,
    count: u32,
    say: Say<'_>,
) -> Result<Prepared, LoadError> {
    say("funding accounts");
    let client = Client::with_options(&target.nodes, Options::default())?;
    let draft = Draft::new(&client.genesis().await?);
    let width = std::thread::available_parallelism().map_or(1, usize::from);
    let key = &target.key;
    let amount = |share: u64| Amount(COST_MAX.saturating_mul(share));
    let mut expected = None;
    let mut conserved = None;
    let lanes = match options.mix {
        Mix::Transfer | Mix::Session => {
            let players = players(key, "transfer", transfer::ACCOUNTS);
            // Each lane goes through the accounts in turn.
            let share = u64::from(count) / u64::from(transfer::ACCOUNTS) + 2 * width as u64;
            let funding = fund(key, &draft, &players, amount(share));
            send(&client, "the funding", &funding).await?;
            let sessions = match options.mix {
                Mix::Session => {
                    say("beginning sessions");
                    let keys = accounts::keys(key, "session", transfer::ACCOUNTS);
                    let now = Millis(now_ms());
                    let limit = amount(share);
                    let begun = transfer::begin_sessions(&draft, &players, &keys, limit, now);
                    send(&client, "a session", &begun).await?;
                    Some(keys)
                }
                _ => None,
            };
            transfer::Transfers::lanes(players, sessions, width)
        }
        Mix::Market | Mix::Steve => {
            let of_lane = rate.min(MARKET_RATE_MAX) / width as f64;
            let mut accounts = vec![Address::of_key(&key.public())];
            let mut collections = Vec::new();
            let mut lanes: Vec<Box<dyn Lane>> = Vec::new();
            for lane in 0..width as u32 {
                say(&format!("lane {} of {width}: players and cards", lane + 1));
                let maker = accounts::player(key, "maker", lane);
                let players = players(key, &format!("market {lane}"), market::PLAYERS);
                let all: Vec<Player> = players.iter().chain([&maker]).cloned().collect();
                // Nobody runs out, even if it all fell to one player.
                let funding = fund(key, &draft, &all, amount(u64::from(count)));
                send(&client, "the funding", &funding).await?;
                accounts.extend(all.iter().map(|player| player.address));
                let stall = Stall::new(maker, players, of_lane);
                let stall = match options.mix {
                    Mix::Steve => stall.with_packs_and_books(count / width as u32),
                    _ => stall,
                };
                let (collection, founding) = stall.found(&draft);
                for step in &founding {
                    send(&client, "the collection", std::slice::from_ref(step)).await?;
                }
                send(&client, "the minting", &stall.mint(&draft, collection)).await?;
                collections.push(collection);
                lanes.push(Box::new(stall.open(collection, of_lane, u64::from(lane))));
            }
            if options.mix == Mix::Steve {
                say("counting what everybody has");
                conserved = Some(Conserved::begin(&client, accounts, collections).await?);
            }
            lanes
        }
        Mix::Stadium => {
            let players = players(key, "stadium", stadium::PLAYERS);
            let maker = accounts::player(key, "event", 0);
            let share = u64::from(count / stadium::PLAYERS) + 2 * width as u64;
            let funding = fund(key, &draft, &players, amount(share));
            send(&client, "the funding", &funding).await?;
            let funding = fund(key, &draft, std::slice::from_ref(&maker), amount(1));
            send(&client, "the funding", &funding).await?;
            let (event, founding) = Event::sold_out(maker, count, &draft);
            send(&client, "the event", &[founding]).await?;
            let edition = event.edition;
            expected = Some(Expected::Sold { edition });
            event.buyers(players, width)
        }
        Mix::Redeem => {
            let players = players(key, "stadium", stadium::PLAYERS);
            let maker = accounts::player(key, "event", 0);
            let all = amount(u64::from(count) + 1);
            let funding = fund(key, &draft, std::slice::from_ref(&maker), all);
            send(&client, "the funding", &funding).await?;
            let (event, founding) = Event::at_the_gates(maker, count, &draft);
            send(&client, "the event", &[founding]).await?;
            say("minting tickets");
            for minted in event.mint(&draft, &players) {
                send(&client, "the minting", &[minted]).await?;
            }
            let network = client.genesis().await?.network.id();
            let (lanes, tickets) = event.gates(network, players, (width, Millis(now_ms())));
            expected = Some(Expected::Redeemed { tickets });
            lanes
        }
    };
    Ok(Prepared {
        draft,
        lanes,
        expected,
        conserved,
    })
}

/// Transactions that all have to be applied before the load begins.
async fn send(
    client: &Client,
    what: &'static str,
    transactions: &[Transaction],
) -> Result<(), LoadError> {
    for answer in client.submit_many(transactions, Wait::Committed).await? {
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
