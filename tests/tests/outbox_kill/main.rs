//! A shop is killed again and again, at random moments and at each step of its relay, while the server
//! fails: every committed event is accepted once, under one id, and no event of a transaction that was
//! not committed.
//!
//! `OUTBOX_KILLS` sets the number of kills, 20 by default.

mod database;
mod judgment;
mod kills;

use database::Sqlite;
use kills::{Step, Story};

fn kills() -> usize {
    match std::env::var("OUTBOX_KILLS") {
        Ok(kills) => kills.parse().expect("OUTBOX_KILLS must be a number"),
        Err(_) => 20,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_an_event_or_sends_one_under_a_second_id_with_sqlite() {
    let mut story = Story::begin(Sqlite::create()).await;
    for kill in 0..kills() {
        story.kill(Step::ALL[kill % Step::ALL.len()]).await;
    }
    let judgment = story.end().await;
    println!("{judgment:?}");
    judgment.assert_just();
    story.assert_worth_it();
}

/// The control: a batch that gets another seed between two claims is caught.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_seed_changes_is_caught_with_sqlite() {
    let mut story = Story::begin(Sqlite::create()).await;
    for _ in 0..5 {
        story.kill(Step::Sent).await;
        story.rewrite_seeds();
    }
    let judgment = story.end().await;
    assert!(!judgment.under_several_ids.is_empty(), "{judgment:?}");
}
