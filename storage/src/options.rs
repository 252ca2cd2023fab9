//! How RocksDB is set up. Four nodes share one machine, so memory is bounded and small: block cache
//! and memtables are the two budgets below, and index and filter blocks live inside the cache.
//!
//! Vertices are large, sequential, written once and dropped by the range: their payload goes to blob
//! files, so that compaction moves keys only. So does content. Everything else is small and looked up at random.

use crate::schema::Family;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, LogLevel,
    Options,
};

/// Blocks, indexes and filters of all families together, in bytes.
pub(crate) const BLOCK_CACHE_BYTES: usize = 16 << 20;
/// Memtables of all families together, in bytes; beyond it the largest is flushed.
pub(crate) const MEMTABLES_BYTES: usize = 24 << 20;
/// The log behind unflushed memtables, in bytes; beyond it the oldest memtables are flushed. Bounds
/// the replay at start.
const LOG_BYTES_MAX: u64 = 64 << 20;
/// Values from this length on go to blob files; the vertex of an idle round is smaller.
const BLOB_BYTES_MIN: u64 = 2 << 10;
const BLOB_FILE_BYTES: u64 = 64 << 20;
/// A memtable grows by arenas of this length: twelve families that hold little take little.
const ARENA_BYTES: usize = 64 << 10;
const BLOOM_BITS_PER_KEY: f64 = 10.0;

pub(crate) fn database() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_db_write_buffer_size(MEMTABLES_BYTES);
    options.set_max_total_wal_size(LOG_BYTES_MAX);
    // A torn end of the log is what a power loss leaves, and all behind it was never acknowledged.
    // A log that is missing as a whole is damage, and is refused.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_bytes_per_sync(1 << 20);
    options.set_max_background_jobs(2);
    options.set_max_open_files(512);
    options.set_max_manifest_file_size(16 << 20);
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(1 << 20);
    options.set_keep_log_file_num(2);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

pub(crate) fn families() -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
    let descriptor = |family: Family| {
        let options = family_options(family, &cache);
        ColumnFamilyDescriptor::new(family.name(), options)
    };
    Family::ALL.map(descriptor).into()
}

fn family_options(family: Family, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
    blocks.set_format_version(6);

    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_arena_block_size(ARENA_BYTES);
    options.set_write_buffer_size(4 << 20);
    options.set_target_file_size_base(8 << 20);
    options.set_max_bytes_for_level_base(32 << 20);
    if family == Family::Vertices {
        options.set_write_buffer_size(8 << 20);
    }
    if matches!(family, Family::Vertices | Family::ContentBytes) {
        options.set_enable_blob_files(true);
        options.set_min_blob_size(BLOB_BYTES_MIN);
        options.set_blob_file_size(BLOB_FILE_BYTES);
        options.set_blob_compression_type(DBCompressionType::Lz4);
        options.set_enable_blob_gc(true);
    }
    options
}
