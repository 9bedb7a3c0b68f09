//! Ids are returned in the order of the events, one per event, in one request and across several.

use std::collections::{BTreeMap, BTreeSet};

use inngest_core::{Client, InngestEvent};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::seeds::Seed;
use super::{Suite, batch, event};

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "p/ordered")]
struct Ordered {
    number: usize,
}

pub(super) async fn check(suite: &mut Suite) {
    let seed = Seed::unique();
    let answer = suite.post(batch((0..5_000).map(event)), &seed.header()).await;
    suite.equal("5,000 events of a seed", &answer.ids, &seed.ids(5_000));

    let answer = suite.post(batch((0..500).map(event)), "").await;
    let ulids: BTreeSet<Ulid> = answer.ids.iter().filter_map(|id| id.parse().ok()).collect();
    suite.equal("500 events without a seed have different ids", &ulids.len(), &500);

    for in_flight in [1, 4] {
        across_requests(suite, in_flight).await;
    }
}

/// Checks a batch that our client sends in several requests: they share one seed, so the ids count up.
async fn across_requests(suite: &mut Suite, in_flight: usize) {
    let builder = Client::builder().no_env().dev(true).base_url(&*suite.url).event_key("test");
    let builder = builder.max_request_events(70).max_in_flight(in_flight);
    let client = builder.build().unwrap();
    let events = (0..1_000).map(|number| Ordered { number });
    let name = format!("{in_flight} requests in flight");
    let ids: Vec<String> = match client.send_all(events).await {
        Ok(ids) => ids.into_iter().map(String::from).collect(),
        Err(error) => return suite.case(&name, Some(error.to_string())),
    };

    let first: Ulid = ids[0].parse().unwrap();
    let mut random: [u8; 10] = first.random().to_be_bytes()[6..].try_into().unwrap();
    let last = u32::from_be_bytes(random[6..].try_into().unwrap()).wrapping_sub(1);
    random[6..].copy_from_slice(&last.to_be_bytes());
    let seed = Seed { millis: first.timestamp_ms(), random };
    suite.equal(&name, &ids, &seed.ids(1_000));

    if let Some(api) = &suite.api {
        let stored: BTreeMap<String, u64> = api
            .events()
            .into_iter()
            .filter_map(|event| Some((event.id.into(), event.data["number"].as_u64()?)))
            .collect();
        let number = |id: &String| stored.get(id).copied();
        let numbers: Vec<_> = ids.iter().map(number).collect();
        let expected: Vec<_> = (0..1_000).map(Some).collect();
        suite.equal(&format!("{name}, as stored"), &numbers, &expected);
    }
}
