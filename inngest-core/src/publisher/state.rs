//! What a queue knows of its batches: the open one, those that wait, and those under way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::queue::Entry;
use super::receipt::Deliveries;
use super::report::{PublishError, PublisherStats};
use crate::batch::Batch;
use crate::client::RequestError;

#[derive(Default)]
pub(super) struct State {
    pub(super) open: Option<Open>,
    pub(super) waiting: VecDeque<Closed>,
    pub(super) under_way: BTreeMap<u64, Closed>,
    /// The numbers of batches of which events have ended and hooks or receipts do not know yet, and how
    /// many events.
    pub(super) notifying: Vec<(u64, usize)>,
    /// The background task is gone, with its runtime or by a panic in a transport of the user's.
    pub(super) abandoned: bool,
    pub(super) next_number: u64,
    pub(super) next_send: u64,
    /// What the next batch's buffer will hold, going by the last one's.
    pub(super) batch_bytes: usize,
    pub(super) refused: Option<Arc<RequestError>>,
    pub(super) closed: bool,
    pub(super) stats: PublisherStats,
}

pub(super) struct Open {
    pub(super) batch: Batch,
    pub(super) deliveries: Arc<Deliveries>,
    pub(super) opened: Instant,
    pub(super) number: u64,
}

/// A batch that is closed: its bytes and its seed stay as they are, however often it is sent.
pub(super) struct Closed {
    pub(super) batch: Arc<Batch>,
    pub(super) deliveries: Arc<Deliveries>,
    /// Where in `deliveries` the events of `batch` stand.
    pub(super) indexes: Vec<usize>,
    pub(super) opened: Instant,
    /// The order in which batches were opened.
    pub(super) number: u64,
    pub(super) sent_before: bool,
}

/// Why the publisher takes no event.
pub(super) enum Refusal {
    Closed,
    Key(Arc<RequestError>),
}

impl Refusal {
    pub(super) fn of(self, entry: Entry) -> PublishError {
        let event = entry.into_batch();
        match self {
            Refusal::Closed => PublishError::Closed { event },
            Refusal::Key(cause) => PublishError::KeyRefused { cause, event },
        }
    }
}

impl State {
    pub(super) fn refusal(&self) -> Option<Refusal> {
        if self.closed {
            return Some(Refusal::Closed);
        }
        self.refused.clone().map(Refusal::Key)
    }

    /// The open batch; a new one if there is none.
    pub(super) fn open(&mut self, events: usize) -> &mut Open {
        let number = self.next_number;
        let batch_bytes = self.batch_bytes;
        self.open.get_or_insert_with(|| {
            self.next_number += 1;
            Open {
                // As large as the last one was.
                batch: Batch::with_capacity(events.min(batch_bytes), batch_bytes),
                deliveries: Arc::default(),
                opened: Instant::now(),
                number,
            }
        })
    }

    pub(super) fn close_open(&mut self) {
        let Some(Open { mut batch, deliveries, opened, number }) = self.open.take() else {
            return;
        };
        self.batch_bytes = batch.bytes() + batch.len() + 1;
        batch.shrink();
        let indexes = (0..batch.len()).collect();
        let batch = Arc::new(batch);
        let closed = Closed { batch, deliveries, indexes, opened, number, sent_before: false };
        self.waiting.push_back(closed);
    }

    pub(super) fn unended(&self) -> impl Iterator<Item = &Closed> {
        self.waiting.iter().chain(self.under_way.values())
    }

    /// How many events of batches opened before number `before` have not ended.
    pub(super) fn events_before(&self, before: u64) -> usize {
        let unended = self.unended().map(|closed| (closed.number, closed.batch.len()));
        let unended = unended.chain(self.notifying.iter().copied());
        unended.filter(|(number, _)| *number < before).map(|(_, events)| events).sum()
    }
}

impl Closed {
    /// The events that stand at `ats` in its batch, as a batch of their own.
    pub(super) fn part(&self, ats: &[usize]) -> Option<Closed> {
        if ats.is_empty() {
            return None;
        }
        let whole = ats.len() == self.batch.len();
        Some(Closed {
            batch: if whole {
                Arc::clone(&self.batch)
            } else {
                Arc::new(self.batch.pick(ats.iter().copied()))
            },
            deliveries: Arc::clone(&self.deliveries),
            indexes: ats.iter().map(|at| self.indexes[*at]).collect(),
            opened: self.opened,
            number: self.number,
            sent_before: true,
        })
    }
}
