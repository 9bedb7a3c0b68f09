//! A shop is killed again and again, at random moments and at each step of its relay, while the server
//! fails: every committed event is accepted once, under one id, and no event of a transaction that was
//! not committed.
//!
//! `OUTBOX_KILLS` sets the number of kills, 20 by default.

mod database;
mod judgment;
mod kills;
mod postgres;

use database::{ShopDatabase, Sqlite};
use kills::{Step, Story};
use postgres::Postgres;

fn kills() -> usize {
    match std::env::var("OUTBOX_KILLS") {
        Ok(kills) => kills.parse().expect("OUTBOX_KILLS must be a number"),
        Err(_) => 20,
    }
}

/// Kills shops, and asserts that nothing is lost and nothing is sent twice.
async fn assert_survives(database: impl ShopDatabase) {
    let mut story = Story::begin(database).await;
    for kill in 0..kills() {
        story.kill(Step::ALL[kill % Step::ALL.len()]).await;
    }
    let judgment = story.end().await;
    println!("{judgment:?}");
    judgment.assert_just();
    story.assert_worth_it().await;
}

/// The control: a batch that gets another seed between two claims is caught.
async fn assert_catches_seeds(database: impl ShopDatabase) {
    let mut story = Story::begin(database).await;
    for _ in 0..5 {
        story.kill(Step::Sent).await;
        story.rewrite_seeds().await;
    }
    let judgment = story.end().await;
    assert!(!judgment.under_several_ids.is_empty(), "{judgment:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_an_event_or_sends_one_under_a_second_id_with_sqlite() {
    assert_survives(Sqlite::create()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_an_event_or_sends_one_under_a_second_id_with_postgresql() {
    let Some(database) = Postgres::create().await else { return };
    assert_survives(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_seed_changes_is_caught_with_sqlite() {
    assert_catches_seeds(Sqlite::create()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_seed_changes_is_caught_with_postgresql() {
    let Some(database) = Postgres::create().await else { return };
    assert_catches_seeds(database).await;
}
