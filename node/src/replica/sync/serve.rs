//! S2.2: answering. The snapshot is the replica's, everything else is in its archive: the database of a
//! node, or a simulator's disk.

use super::chain::Closing;
use super::message::{
    ANSWER_BYTES_MAX, Answer, CLOSINGS_MAX, CertifiedReceipts, HEIGHTS_MAX, Request,
};
use crate::view::CertifiedView;
use bytes::Bytes;
use weft_types::{
    Certificate, Commit, CommitIndex, Epoch, Height, LIST_BLOCK, Root, Statement, block_root,
    root_of_blocks,
};

/// What a server reads.
pub trait Archive {
    type Error;

    /// How an epoch ended.
    fn closing(&self, epoch: Epoch) -> Result<Option<Closing>, Self::Error>;
    fn certificate(&self, height: Height) -> Result<Option<Certificate>, Self::Error>;
    fn statement(&self, height: Height) -> Result<Option<Statement>, Self::Error>;
    fn commit(&self, index: CommitIndex) -> Result<Option<Commit>, Self::Error>;
    /// Encoded receipts of the commits after one up to another, in their order.
    fn receipts(&self, after: CommitIndex, until: CommitIndex) -> Result<Vec<Bytes>, Self::Error>;
}

/// Answers out of the archive and the snapshots that are held.
pub fn serve<A: Archive>(
    archive: &A,
    held: &[CertifiedView],
    request: &Request,
) -> Result<Answer, A::Error> {
    Ok(match request {
        Request::Offers => {
            let offers = held.iter().map(|h| (**h.certificate).clone());
            some(offers.collect(), Answer::Offers)
        }
        Request::Closings(from) => some(closings(archive, *from)?, Answer::Closings),
        Request::Heights(from) => some(heights(archive, *from)?, Answer::Heights),
        Request::Commits(from) => some(commits(archive, *from)?, Answer::Commits),
        Request::Receipts { height, block } => {
            some(blocks(archive, *height, *block)?, Answer::Receipts)
        }
        Request::State { height, prefix } => {
            let of_height = |h: &&CertifiedView| h.certificate.statement.height == *height;
            let view = held.iter().find(of_height);
            view.map_or(Answer::Lacks, |v| Answer::State(v.snapshot.piece(prefix)))
        }
    })
}

fn some<T>(items: Vec<T>, answer: impl FnOnce(Vec<T>) -> Answer) -> Answer {
    match items.is_empty() {
        true => Answer::Lacks,
        false => answer(items),
    }
}

fn closings<A: Archive>(archive: &A, from: Epoch) -> Result<Vec<Closing>, A::Error> {
    let mut closings: Vec<Closing> = Vec::new();
    let (mut epoch, mut bytes) = (from, 0);
    while closings.len() < CLOSINGS_MAX {
        let Some(closing) = archive.closing(epoch)? else {
            break;
        };
        bytes += closing.bytes();
        if bytes > ANSWER_BYTES_MAX && !closings.is_empty() {
            break;
        }
        closings.push(closing);
        epoch = epoch.next();
    }
    Ok(closings)
}

fn heights<A: Archive>(archive: &A, from: Height) -> Result<Vec<CertifiedReceipts>, A::Error> {
    let mut heights = Vec::new();
    let (mut height, mut bytes) = (from, 0);
    while height > Height::ZERO && heights.len() < HEIGHTS_MAX {
        let Some(item) = certified(archive, height)? else {
            break;
        };
        bytes += item.bytes();
        if bytes > ANSWER_BYTES_MAX && !heights.is_empty() {
            break;
        }
        heights.push(item);
        height = height.saturating_sub(1);
    }
    Ok(heights)
}

fn certified<A: Archive>(
    archive: &A,
    height: Height,
) -> Result<Option<CertifiedReceipts>, A::Error> {
    let Some(certificate) = archive.certificate(height)? else {
        return Ok(None);
    };
    let receipts = receipts(archive, height)?.unwrap_or_default();
    let mut blocks = receipts.chunks(LIST_BLOCK);
    let roots = (0..).zip(blocks.clone());
    let roots = roots.filter_map(|(i, block)| block_root(i, block.iter().map(|r| &r[..])));
    let mut roots: Vec<Root> = roots.collect();
    // Older ones may have been deleted, or never have been here. Then the certificate alone is right.
    let whole = root_of_blocks(&roots) == certificate.statement.receipts_root;
    let last = blocks.next_back().filter(|_| whole).unwrap_or_default();
    roots.pop();
    roots.retain(|_| whole);
    Ok(Some(CertifiedReceipts {
        certificate,
        blocks: roots,
        last: last.to_vec(),
    }))
}

/// The encoded receipts since the height before; `None` if it is not known where they begin.
fn receipts<A: Archive>(archive: &A, height: Height) -> Result<Option<Vec<Bytes>>, A::Error> {
    let Some(statement) = archive.statement(height)? else {
        return Ok(None);
    };
    let before = match height.saturating_sub(1) {
        Height::ZERO => CommitIndex::ZERO,
        before => match archive.statement(before)? {
            Some(before) => before.commit,
            None => return Ok(None),
        },
    };
    archive.receipts(before, statement.commit).map(Some)
}

fn blocks<A: Archive>(archive: &A, height: Height, from: u64) -> Result<Vec<Bytes>, A::Error> {
    let receipts = receipts(archive, height)?.unwrap_or_default();
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let mut answer = Vec::new();
    let mut bytes = 0;
    for block in receipts.chunks(LIST_BLOCK).skip(from) {
        bytes += block.iter().map(Bytes::len).sum::<usize>();
        if bytes > ANSWER_BYTES_MAX && !answer.is_empty() {
            break;
        }
        answer.extend_from_slice(block);
    }
    Ok(answer)
}

fn commits<A: Archive>(archive: &A, from: CommitIndex) -> Result<Vec<Commit>, A::Error> {
    let mut commits = Vec::new();
    let (mut index, mut bytes) = (from, 0);
    while index > CommitIndex::ZERO {
        let Some(commit) = archive.commit(index)? else {
            break;
        };
        // A reference is at most so long, encoded.
        bytes += 128 + 56 * commit.vertices.len();
        if bytes > ANSWER_BYTES_MAX && !commits.is_empty() {
            break;
        }
        commits.push(commit);
        index = index.saturating_sub(1);
    }
    Ok(commits)
}

#[cfg(test)]
mod tests;
