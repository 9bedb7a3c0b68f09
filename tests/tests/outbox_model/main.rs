//! The invariants of an outbox's relay under faults of every kind: of the server, of the database and
//! of the clock, and relays that are killed, in thousands of random runs, called stories, on a paused
//! clock.
//!
//! A story that fails prints its number. `SIMULATION_SEED=number cargo test -p inngest-tests --test
//! outbox_model` repeats that story, and `SIMULATION_STORIES=n` runs `n` stories
//! instead of 1,000.

mod server;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use inngest_core::outbox::DeadEvent;
use inngest_core::testing::outbox_store::Defect;
use story::Outcome;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn check(outcome: &Outcome) {
    assert_eq!(outcome.store.violations(), Vec::<String>::new());
    check_identities(outcome);
    check_times(outcome);
    let mut dead: BTreeMap<u64, Vec<DeadEvent>> = BTreeMap::new();
    let mut invalid_rows = 0;
    for event in outcome.store.dead() {
        if event.name == "no.event" {
            invalid_rows += 1;
            // A relay that is always killed before it settles cannot say so.
            let is_true = event.reason.starts_with("the row in the outbox") || event.is_expired();
            assert!(is_true, "{event:?}");
            continue;
        }
        let body = serde_json::from_slice(&event.body).expect("JSON");
        dead.entry(server::number(&body)).or_default().push(event);
    }
    assert_eq!(invalid_rows, outcome.invalid_rows, "rows that are no events are dead");
    assert!(outcome.died.values().all(|calls| *calls == 1), "on_dead: {:?}", outcome.died);
    let record = outcome.server.record();
    let accepted = record.ids.values().filter(|id| id.accepted);
    let accepted: BTreeSet<u64> = accepted.flat_map(|id| id.numbers.clone()).collect();
    for number in outcome.committed.keys() {
        let dead = dead.remove(number).unwrap_or_default();
        assert!(dead.len() <= 1, "{number} is dead twice: {dead:?}");
        assert!(accepted.contains(number) || dead.len() == 1, "{number} is lost");
        let Some(dead) = dead.first() else { continue };
        assert!(!outcome.only_connections, "{number} is dead: {dead:?}");
        if accepted.contains(number) && !outcome.fresh.contains_key(number) {
            assert!(dead.may_be_delivered, "{number} was accepted: {dead:?}");
        }
        check_reason(outcome, &record, *number, dead);
    }
    assert_eq!(dead.keys().collect::<Vec<_>>(), [] as [&u64; 0], "dead, but never committed");
}

/// Every id belongs to one event, and every event has one id.
fn check_identities(outcome: &Outcome) {
    let record = outcome.server.record();
    let mut ids: BTreeMap<u64, usize> = BTreeMap::new();
    for (id, identity) in &record.ids {
        assert_eq!(
            identity.numbers.len(),
            1,
            "the events {:?} have one id, {id}",
            identity.numbers
        );
        for number in &identity.numbers {
            assert!(outcome.committed.contains_key(number), "{number} was never committed");
            assert!(!(identity.accepted && outcome.server.is_bad(*number)), "{number} is bad");
            *ids.entry(*number).or_default() += 1;
        }
    }
    for (number, ids) in ids {
        let fresh = outcome.fresh.get(&number).copied().unwrap_or_default();
        assert!(ids <= 1 + fresh, "{number} was sent under {ids} ids");
    }
}

/// No event is sent under an id that Inngest may have forgotten.
fn check_times(outcome: &Outcome) {
    for (id, identity) in &outcome.server.record().ids {
        let (Some(first), Some(last)) = (identity.ambiguous, identity.last_attempt) else {
            continue;
        };
        // The clock of the database counts. If it is not set back, it is not slow.
        let by_database = last.1.duration_since(first.1).unwrap_or_default();
        assert!(by_database < HOUR * 24, "{id} was sent again after {by_database:?}");
        let age = last.0.saturating_sub(first.0);
        assert!(outcome.clock_is_set_back || age < HOUR * 24, "{id} was sent after {age:?}");
    }
}

/// The reason why an event is dead is true.
fn check_reason(outcome: &Outcome, record: &server::Record, number: u64, dead: &DeadEvent) {
    if dead.is_expired() {
        assert!(dead.may_be_delivered, "{dead:?}");
        let age = dead.died_at.duration_since(outcome.committed[&number]).unwrap_or_default();
        assert!(age >= HOUR * 23, "{number} expired after {age:?}");
        if outcome.ambiguity_is_seen {
            // A batch expires as a whole, and all its ids begin with the same seed.
            let seed = |id: &str| id.rsplit_once('-').map(|(seed, _)| seed.to_owned());
            let own = record.ids.iter().filter(|(_, id)| id.numbers.contains(&number));
            let seeds: BTreeSet<_> = own.map(|(id, _)| seed(id)).collect();
            let batch = record.ids.iter().filter(|(id, _)| seeds.contains(&seed(id)));
            let first = batch.filter_map(|(_, id)| id.ambiguous).map(|(_, at)| at).min();
            let first = first.unwrap_or_else(|| panic!("{number} expired without ambiguity"));
            let age = dead.died_at.duration_since(first).unwrap_or_default();
            // The claim precedes the attempt by the time of some requests before it.
            assert!(age + Duration::from_secs(120) >= HOUR * 23, "{number} expired after {age:?}");
        }
        return;
    }
    let is_refused = outcome.server.rules.refuses_lost && record.lost.contains(&number);
    let is_refused_name = record.refused_names.contains(&dead.name);
    let would_be_accepted = !outcome.server.is_bad(number) && !is_refused && !is_refused_name;
    assert!(!would_be_accepted, "{number} was rejected: {dead:?}");
}

fn story(seed: u64, defect: Option<Defect>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        check(&story::run(seed, defect).await);
    });
}

fn from_env(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect(variable))
}

#[test]
fn every_committed_event_is_accepted_under_one_id_or_dead_for_a_true_reason() {
    if let Some(seed) = from_env("SIMULATION_SEED") {
        return story(seed, None);
    }
    let stories = from_env("SIMULATION_STORIES").unwrap_or(1_000);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for seed in (0..stories).filter(|seed| seed % threads == thread) {
                    let result = std::panic::catch_unwind(|| story(seed, None));
                    assert!(result.is_ok(), "repeat this story with SIMULATION_SEED={seed}");
                }
            });
        }
    });
    println!("{stories} stories passed");
}

#[test]
fn a_broken_store_is_noticed() {
    let defects = [
        (Defect::NewSeedForEachClaim, "was sent under"),
        (Defect::ForgetsAmbiguity, "was sent again after"),
        (Defect::LosesKeptEvents, "is lost"),
    ];
    for (defect, expected) in defects {
        let notices = |seed: &u64| {
            let seed = *seed;
            let panic = std::panic::catch_unwind(|| story(seed, Some(defect))).err();
            let message = panic.and_then(|panic| panic.downcast::<String>().ok());
            message.is_some_and(|message| message.contains(expected))
        };
        let story = (0..300).find(notices);
        let story = story.unwrap_or_else(|| panic!("{defect:?} was not noticed"));
        println!("{defect:?}: noticed in story {story}");
    }
}
