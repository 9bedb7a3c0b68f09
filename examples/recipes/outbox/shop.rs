//! The shop: its event, its orders and the Event API that it sends to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use inngest_core::outbox::Outbox;
use inngest_core::testing::EventApi;
use inngest_core::{Client, Event, EventId, InngestEvent};
use serde::{Deserialize, Serialize};

use crate::Commit;
use crate::database::Database;
use crate::failure::Failure;

/// An order was placed. This event has no dedup id, so that only the ids of the outbox prevent duplicates here. Your
/// events should have one, since it also prevents duplicates when your code enqueues an event twice.
#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/order.placed")]
pub(crate) struct OrderPlaced {
    pub(crate) number: i64,
    pub(crate) cents: i64,
}

pub(crate) struct Shop {
    pub(crate) api: EventApi,
    pub(crate) client: Client,
    pub(crate) outbox: Outbox,
    pub(crate) database: Database,
    /// The number of the last order.
    last: i64,
}

/// The events that Inngest has accepted.
pub(crate) struct Account {
    /// The number of times that an event was accepted.
    pub(crate) accepted: usize,
    /// The ids of the events in Inngest, by the number of the order.
    pub(crate) ids: BTreeMap<i64, BTreeSet<EventId>>,
}

impl Shop {
    pub(crate) async fn open(database: Database) -> Result<Shop, Failure> {
        let api = EventApi::start().await;
        api.on("send-receipt", |_: Event<OrderPlaced>| async {});
        let client = api.client();
        let outbox = Outbox::for_client(&client);
        Ok(Shop { api, client, outbox, database, last: 0 })
    }

    pub(crate) fn next_order(&mut self, cents: i64) -> OrderPlaced {
        self.last += 1;
        OrderPlaced { number: self.last, cents }
    }

    /// Places `count` orders, each in its own transaction.
    pub(crate) async fn place(&mut self, count: usize) -> Result<(), Failure> {
        for _ in 0..count {
            let order = self.next_order(4_900);
            self.database.place(&self.outbox, &order, Commit::Yes).await?;
        }
        Ok(())
    }

    /// Waits until Inngest has accepted the events of all orders in the database but `except`.
    pub(crate) async fn wait_until_accepted(&mut self, except: &[i64]) -> Result<(), Failure> {
        let mut missing = self.database.orders().await?;
        missing.retain(|number| !except.contains(number));
        for index in 0.. {
            if missing.is_empty() {
                break;
            }
            let event = self.api.wait_for_event(index).await;
            let order: Event<OrderPlaced> = event.decode()?;
            missing.remove(&order.data.number);
        }
        Ok(())
    }

    /// Waits until the outbox is empty: a relay deletes an event a moment after Inngest has accepted it.
    pub(crate) async fn wait_until_sent(&self) -> Result<(), Failure> {
        while self.database.waiting().await? > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    pub(crate) fn account(&self) -> Account {
        let mut account = Account { accepted: 0, ids: BTreeMap::new() };
        for event in self.api.events() {
            account.accepted += 1;
            let number = event.data["number"].as_i64().unwrap_or_default();
            account.ids.entry(number).or_default().insert(event.id);
        }
        account
    }
}
