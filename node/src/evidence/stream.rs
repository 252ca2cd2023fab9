//! W4: the agreed state, built while it is read. Objects and receipts are taken one after the other, so that they are
//! in memory once: in the ledger.

use super::judging::Committees;
use super::record::{Reader, Record};
use super::replay::Unusable;
use crate::replica::sync::{meta_at, remembered_from};
use bytes::Bytes;
use std::cell::RefCell;
use std::io::Read;
use weft_ledger::Ledger;
use weft_types::{
    CommitIndex, Height, Millis, ObjectId, ProtocolParams, Receipt, Root, StateKey, Statement,
    list_root,
};

/// What is read of a file while a ledger is built of it.
struct Parts<'a, R> {
    reader: &'a mut Reader<R>,
    committees: &'a Committees,
    /// Why no more is taken.
    fault: Option<Unusable>,
    last_key: Option<StateKey>,
    window: Window,
}

/// The receipts that the ledger has to remember, height by height.
struct Window {
    since: Millis,
    height: Height,
    timestamp: Millis,
    commit: CommitIndex,
    /// Of the height that is read, unless none are wanted of it.
    receipts: Option<(Root, Vec<Bytes>)>,
    has_begun: bool,
}

/// The ledger after an agreed height.
pub fn restore<R: Read>(
    reader: &mut Reader<R>,
    committees: &Committees,
    params: &ProtocolParams,
    agreed: &Statement,
) -> Result<Ledger, Unusable> {
    let parts = RefCell::new(Parts {
        reader,
        committees,
        fault: None,
        last_key: None,
        window: Window {
            since: remembered_from(agreed, params),
            height: Height::ZERO,
            timestamp: Millis::ZERO,
            commit: CommitIndex::ZERO,
            receipts: None,
            has_begun: false,
        },
    });
    let objects = std::iter::from_fn(|| parts.borrow_mut().next_object());
    let receipts = std::iter::from_fn(|| parts.borrow_mut().next_receipt());
    let ledger = Ledger::restore(params, meta_at(agreed), objects, receipts);
    let parts = parts.into_inner();
    if let Some(fault) = parts.fault {
        return Err(fault);
    }
    let ledger = ledger.map_err(|e| Unusable::new(format!("the agreed state: {e}")))?;
    let (found, expected) = (ledger.snapshot().root(), agreed.state_root);
    if found != expected {
        let reason = format!("its objects have root {found}, the agreed state {expected}");
        return Err(Unusable::new(reason));
    }
    parts.window.ends_with(agreed)?;
    Ok(ledger)
}

impl<R: Read> Parts<'_, R> {
    fn failed<T>(&mut self, fault: Unusable) -> Option<T> {
        self.fault.get_or_insert(fault);
        None
    }

    fn next_object(&mut self) -> Option<(ObjectId, Bytes)> {
        match self.reader.peek() {
            Ok(Record::Object(..)) => {}
            Ok(_) => return None,
            Err(error) => return self.failed(error.into()),
        }
        let Ok(Record::Object(id, value)) = self.reader.take() else {
            return None;
        };
        let key = id.state_key();
        if self.last_key.is_some_and(|last| last >= key) {
            return self.failed(Unusable::new("its objects are not in their order"));
        }
        self.last_key = Some(key);
        Some((id, value))
    }

    fn next_receipt(&mut self) -> Option<Receipt> {
        // After a fault among the objects nothing more is of use.
        while self.fault.is_none() {
            match self.reader.peek() {
                Ok(Record::Receipt(_) | Record::Height(_)) => {}
                Ok(_) => {
                    let closed = self.window.close();
                    return closed.err().and_then(|fault| self.failed(fault));
                }
                Err(error) => return self.failed(error.into()),
            }
            match self.next_of_window() {
                Ok(Some(receipt)) => return Some(receipt),
                Ok(None) => {}
                Err(fault) => return self.failed(fault),
            }
        }
        None
    }

    fn next_of_window(&mut self) -> Result<Option<Receipt>, Unusable> {
        match self.reader.take()? {
            Record::Height(certificate) => {
                let verified = self.committees.verify("receipts'", certificate)?;
                self.window.begin(&verified.statement)?;
                Ok(None)
            }
            Record::Receipt(bytes) => {
                let decoded = Receipt::decode(bytes.clone());
                let receipt = decoded.map_err(|e| Unusable::new(format!("a receipt: {e}")))?;
                match &mut self.window.receipts {
                    Some((_, receipts)) => receipts.push(bytes),
                    None => return Err(Unusable::new("it has receipts of no height")),
                }
                Ok(Some(receipt))
            }
            _ => Ok(None),
        }
    }
}

impl Window {
    /// The next height. The first one is below the window, unless it is the first of all.
    fn begin(&mut self, statement: &Statement) -> Result<(), Unusable> {
        self.close()?;
        let follows = statement.height == self.height.next();
        if self.has_begun && !follows {
            let missing = self.height.next();
            return Err(Unusable::new(format!(
                "the receipts of height {missing} are not shown"
            )));
        }
        let is_first = statement.height == Height(1);
        if !self.has_begun && !is_first && statement.timestamp >= self.since {
            return Err(Unusable::new(format!(
                "it does not show which transactions were taken before height {}",
                statement.height
            )));
        }
        let wanted = self.has_begun || is_first;
        self.receipts = wanted.then(|| (statement.receipts_root, Vec::new()));
        self.has_begun = true;
        self.height = statement.height;
        self.timestamp = statement.timestamp;
        self.commit = statement.commit;
        Ok(())
    }

    /// All receipts of a height are here.
    fn close(&mut self) -> Result<(), Unusable> {
        let Some((root, receipts)) = self.receipts.take() else {
            return Ok(());
        };
        if list_root(receipts.iter().map(|r| &r[..])) != root {
            let reason = format!("the receipts of height {} are others", self.height);
            return Err(Unusable::new(reason));
        }
        Ok(())
    }

    fn ends_with(&self, agreed: &Statement) -> Result<(), Unusable> {
        if (self.height, self.commit) == (agreed.height, agreed.commit) {
            return Ok(());
        }
        Err(Unusable::new(format!(
            "it does not show which transactions were taken up to height {}",
            agreed.height
        )))
    }
}
