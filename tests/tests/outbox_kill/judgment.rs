//! Compares what was committed with what the server accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use inngest_core::outbox::DeadEvent;
use inngest_core::testing::EventApi;
use inngest_tests::ItemViewed;

/// What was wrong with the events, by the numbers of their orders.
#[derive(Default)]
pub(crate) struct Judgment {
    pub(crate) committed: usize,
    pub(crate) accepted: usize,
    pub(crate) dead: usize,
    pub(crate) requests: usize,
    /// Events that the server accepted more than once.
    pub(crate) repeated: usize,
    /// Committed events that are neither accepted nor dead.
    pub(crate) lost: Vec<u32>,
    /// Accepted or dead events that no transaction has committed.
    pub(crate) phantoms: Vec<u32>,
    pub(crate) under_several_ids: Vec<u32>,
    pub(crate) with_the_id_of_another: Vec<u32>,
    /// Events for which the function ran several times, or never.
    pub(crate) not_run_once: Vec<u32>,
    /// Events that are dead although the server does not reject them, or the reverse.
    pub(crate) wrongly_dead: Vec<u32>,
}

impl Judgment {
    pub(crate) fn of(
        api: &EventApi,
        committed: &BTreeSet<u32>,
        dead: &[DeadEvent],
        is_bad: impl Fn(u32) -> bool,
    ) -> Judgment {
        let mut ids: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        let mut owners: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        let events = api.events();
        for event in &events {
            let number = event.decode::<ItemViewed>().expect("a view").data.number;
            ids.entry(number).or_default().insert(event.id.to_string());
            owners.entry(event.id.to_string()).or_default().insert(number);
        }
        let mut runs: BTreeMap<u32, usize> = BTreeMap::new();
        for run in api.runs_of("ship") {
            let owners = owners.get(&run.dedup_id).expect("an event");
            for number in owners {
                *runs.entry(*number).or_default() += 1;
            }
        }
        let dead: Vec<u32> = dead.iter().map(number).collect();
        let dead_numbers: BTreeSet<u32> = dead.iter().copied().collect();
        let ended = || ids.keys().chain(&dead_numbers).copied().collect::<BTreeSet<u32>>();
        Judgment {
            committed: committed.len(),
            accepted: ids.len(),
            dead: dead.len(),
            requests: api.requests().len(),
            repeated: events.len() - ids.len(),
            lost: committed.difference(&ended()).copied().collect(),
            phantoms: ended().difference(committed).copied().collect(),
            under_several_ids: numbers_of(&ids, |ids| ids.len() > 1),
            with_the_id_of_another: owners
                .values()
                .filter(|numbers| numbers.len() > 1)
                .flat_map(|numbers| numbers.iter().copied())
                .collect(),
            not_run_once: ids.keys().copied().filter(|it| runs.get(it) != Some(&1)).collect(),
            wrongly_dead: committed
                .iter()
                .copied()
                .filter(|it| {
                    dead.iter().filter(|dead| *dead == it).count() != usize::from(is_bad(*it))
                })
                .collect(),
        }
    }

    /// Asserts that every committed event was accepted once under one id, or rejected, and no other.
    pub(crate) fn assert_just(&self) {
        let none: &[u32] = &[];
        assert_eq!(self.lost, none, "lost: {self:?}");
        assert_eq!(self.phantoms, none, "never committed: {self:?}");
        assert_eq!(self.under_several_ids, none, "under several ids: {self:?}");
        assert_eq!(self.with_the_id_of_another, none, "with the id of another: {self:?}");
        assert_eq!(self.not_run_once, none, "not run once: {self:?}");
        assert_eq!(self.wrongly_dead, none, "wrongly dead, or not dead: {self:?}");
    }
}

impl fmt::Debug for Judgment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Judgment { committed, accepted, dead, requests, repeated, .. } = self;
        write!(
            f,
            "{committed} committed, {accepted} accepted, {dead} dead, {repeated} repetitions, in {requests} requests; \
             {} lost, {} never committed, {} under several ids, {} with the id of another, {} not run once, {} wrongly dead",
            self.lost.len(),
            self.phantoms.len(),
            self.under_several_ids.len(),
            self.with_the_id_of_another.len(),
            self.not_run_once.len(),
            self.wrongly_dead.len(),
        )
    }
}

fn numbers_of<T>(map: &BTreeMap<u32, T>, is_wanted: impl Fn(&T) -> bool) -> Vec<u32> {
    map.iter().filter(|(_, value)| is_wanted(value)).map(|(number, _)| *number).collect()
}

/// Returns the number of a dead event's order.
fn number(event: &DeadEvent) -> u32 {
    let body: serde_json::Value = serde_json::from_slice(&event.body).expect("JSON");
    u32::try_from(body["data"]["number"].as_u64().expect("a number")).expect("a small number")
}
