//! The code under test: the snapshots contain line numbers of this file.

use std::time::Duration;

use inngest_core::{Batch, BatchError, Client, Event, EventError, SendError, batch};
use inngest_tests::{CheckoutCompleted, ItemViewed};

pub(crate) async fn check_out(client: &Client, cart_id: &str) -> Result<(), SendError> {
    client.send(CheckoutCompleted::of(cart_id)).await?;
    Ok(())
}

pub(crate) async fn check_out_one_item(
    client: &Client,
    cart_id: &str,
    item: &str,
) -> Result<(), SendError> {
    let item_ids = vec![item.to_owned()];
    client.send(&CheckoutCompleted { cart_id: cart_id.to_owned(), item_ids }).await?;
    Ok(())
}

pub(crate) async fn view(client: &Client, number: u32) -> Result<(), SendError> {
    client.send(ItemViewed::number(number)).await?;
    Ok(())
}

pub(crate) async fn view_in_session(client: &Client, number: u32) -> Result<(), SendError> {
    client.send(Event::new(&ItemViewed::number(number)).session("visit", "v1")).await?;
    Ok(())
}

pub(crate) async fn browse(client: &Client, count: u32) -> Result<(), BatchError> {
    client.send_all(ItemViewed::many(count)).await?;
    Ok(())
}

pub(crate) fn mixed() -> Result<Batch, EventError> {
    batch![
        &CheckoutCompleted::of("c1"), // The call site is the line above.
        &ItemViewed::number(1),
    ]
}

pub(crate) fn all_of(count: u32) -> Result<Batch, EventError> {
    Batch::try_from_iter(ItemViewed::many(count))
}

pub(crate) fn view_later(client: &Client, after: Duration, number: u32) {
    let client = client.clone();
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        view(&client, number).await
    });
}
