//! What files and disk say of a node, read and checked before anything is started.

use crate::config::NodeConfig;
use crate::driver::base::Base;
use crate::driver::clock::Clock;
use crate::driver::conflicts::Judge;
use crate::driver::engine::{Commands, Readers};
use crate::driver::feeds::{Halt, Reader, Source};
use crate::driver::guard::Guard;
use crate::driver::reports::Reports;
use crate::driver::restore::{self, Standing};
use crate::driver::take_over::{self, DATABASE};
use crate::driver::{DriverError, checkpoints, epochs};
use crate::keys::NodeKeys;
use crate::replica::posting::{Due, Unposted};
use crate::replica::sync::SyncConfig;
use crate::replica::{MempoolConfig, ReplicaConfig, Restored};
use crate::staging::Staging;
use crate::view::View;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::watch;
use weft_basechain::AccountKey;
use weft_storage::Store;
use weft_types::api::MissedCheckpoint;
use weft_types::{Committee, Genesis, Height, MemberIndex, Millis, NetworkId, Round};

/// What files and disk say.
pub(super) struct Opened {
    pub(super) genesis: Arc<Genesis>,
    pub(super) standing: Standing,
    pub(super) keys: Option<NodeKeys>,
    pub(super) base_key: Option<AccountKey>,
    pub(super) store: Arc<Store>,
    pub(super) guard: Option<Guard>,
    pub(super) knows_signed: bool,
    anchored: Height,
    pub(super) unposted: Unposted,
}

impl Opened {
    pub(super) async fn open(
        config: &NodeConfig,
        keys: Option<NodeKeys>,
    ) -> Result<(Self, Restored), DriverError> {
        config.check().map_err(DriverError::Settings)?;
        let genesis = Arc::new(read_genesis(config)?);
        let base_key = checkpoints::base_key(config).map_err(DriverError::BaseKey)?;
        checkpoints::compare_with_registry(&config.base_rpc, &genesis).await?;
        let network_id = genesis.network.id();
        take_over::adopt(&config.data)?;
        let store = Arc::new(Store::open(&config.data.join(DATABASE), network_id)?);
        let standing = Standing::of(&store, &genesis)?;
        check_keys(config, keys.as_ref(), &standing.committee)?;
        let (guard, signed) = match &keys {
            Some(keys) => {
                let epoch = standing.committee.epoch();
                let (guard, signed) = Guard::open(&config.data, network_id, keys, &store, epoch)?;
                (Some(guard), signed)
            }
            None => (None, Ok(Round::ZERO)),
        };
        let restored = restore::restore(&store, &genesis, &standing, guard.as_ref(), signed)?;
        let interval = genesis.template.params.checkpoint_interval_ms;
        let newest = restored.certificate.clone();
        let mut unposted =
            Unposted::at_restart(newest, interval, |height| store.statement(height))?;
        for closing in epochs::closings(&store, &genesis, &standing, restored.anchored)? {
            let due = Due {
                height: closing.statement.height,
                since: closing.statement.timestamp,
            };
            unposted.add(Arc::new(closing), &[due]);
        }
        let opened = Self {
            genesis,
            standing,
            keys,
            base_key,
            store,
            guard,
            knows_signed: signed.is_ok(),
            anchored: restored.anchored,
            unposted,
        };
        Ok((opened, restored))
    }

    pub(super) fn network_id(&self) -> NetworkId {
        self.genesis.network.id()
    }

    pub(super) fn replica(&self, config: &NodeConfig, watches: bool) -> ReplicaConfig {
        let mempool = usize::try_from(config.mempool_bytes_max).unwrap_or(usize::MAX);
        ReplicaConfig {
            genesis: self.genesis.clone(),
            committee: self.standing.committee.clone(),
            earlier: self.standing.earlier.clone(),
            keys: self.keys.clone(),
            mempool: MempoolConfig::new(mempool),
            adjust: None,
            sync: SyncConfig {
                at_first_only: watches,
                ..config.sync()
            },
        }
    }

    /// L53
    pub(super) fn staging(&self, now: Millis) -> Staging {
        let key = self.keys.as_ref().map(|keys| keys.finality.clone());
        Staging::new(self.network_id(), key, now)
    }

    pub(super) fn checkpoints(
        &self,
        (base, judge): (Base, Judge),
        commands: &Commands,
        readers: &Readers,
        clock: Clock,
    ) -> (
        checkpoints::Checkpoints,
        watch::Receiver<Option<MissedCheckpoint>>,
    ) {
        let (missed, seen) = watch::channel(None);
        let checkpoints = checkpoints::Checkpoints {
            base,
            judge,
            compared: AtomicU64::new(0),
            told: AtomicU64::new(0),
            vertex_key: self.keys.as_ref().map(|keys| keys.vertex.public()),
            anchored: self.anchored,
            commands: commands.clone(),
            store: self.store.clone(),
            events: readers.events.clone(),
            missed,
            metrics: readers.metrics.clone(),
            clock,
        };
        (checkpoints, seen)
    }

    pub(super) fn reports(
        &self,
        config: &NodeConfig,
        base: Base,
        readers: &Readers,
        clock: Clock,
    ) -> (Reports, watch::Receiver<BTreeMap<u64, bool>>) {
        let (bonds, seen) = watch::channel(BTreeMap::new());
        let reports = Reports {
            base,
            reporter: config.reporter(),
            vertex_key: self.keys.as_ref().map(|keys| keys.vertex.public()),
            store: self.store.clone(),
            views: readers.views.subscribe(),
            conflicts: readers.conflict.subscribe(),
            bonds,
            metrics: readers.metrics.clone(),
            clock,
        };
        (reports, seen)
    }

    /// An observer says nothing of the base chain: there is nothing to read for it.
    pub(super) fn reader<S: Source>(
        &self,
        config: &NodeConfig,
        commands: &Commands,
        views: &watch::Receiver<Arc<View>>,
        (lags, halt): (watch::Sender<bool>, &Arc<Halt>),
    ) -> Option<Reader<S>> {
        self.keys.as_ref()?;
        Some(Reader {
            source: PhantomData,
            rpc: config.base_rpc.clone(),
            contracts: checkpoints::contracts(&self.genesis),
            confirmations: self.genesis.template.params.base_confirmations,
            store: self.store.clone(),
            commands: commands.clone(),
            views: views.clone(),
            lags,
            halt: halt.clone(),
        })
    }

    /// The member of the committee in office that this node is, if it is one.
    fn own(&self) -> Option<MemberIndex> {
        let committee = &self.standing.committee;
        committee.index_of(&self.keys.as_ref()?.vertex.public())
    }

    pub(super) fn say_running(&self, name: &str, api: SocketAddr) {
        let network = self.network_id();
        match self.own() {
            Some(member) => {
                tracing::info!(name, %network, %member, %api, "node is running");
            }
            None => tracing::info!(
                name,
                %network,
                %api,
                "observer is running: it follows, signs nothing and takes no transactions"
            ),
        }
    }
}

fn read_genesis(config: &NodeConfig) -> Result<Genesis, DriverError> {
    let path = config.genesis.clone();
    let text = std::fs::read_to_string(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => DriverError::NoGenesis(path.clone()),
        _ => DriverError::Read {
            path: path.clone(),
            source,
        },
    })?;
    Genesis::from_json(&text).map_err(|source| DriverError::Genesis { path, source })
}

/// Keys that are of no member yet follow until they are.
fn check_keys(
    config: &NodeConfig,
    keys: Option<&NodeKeys>,
    committee: &Committee,
) -> Result<(), DriverError> {
    let Some(keys) = keys else { return Ok(()) };
    let vertex = keys.vertex.public();
    match committee
        .index_of(&vertex)
        .and_then(|i| committee.member(i))
    {
        Some(member) if member.finality_key != keys.finality.public() => {
            Err(DriverError::FinalityKey(config.keys.clone()))
        }
        Some(_) => Ok(()),
        None => {
            tracing::warn!(
                keys = %config.keys.display(),
                %vertex,
                epoch = %committee.epoch(),
                "these keys are of no member of the committee in office: this node follows as an observer \
                 until they are"
            );
            Ok(())
        }
    }
}
