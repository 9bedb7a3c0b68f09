//! Sends the batch in the file `STORED_BATCH`, or else the views `0..100`. The events that are not sent are written to
//! that file, as a program does it at shutdown.

use std::time::Duration;

use inngest_core::{Batch, Client, RetryPolicy};
use inngest_tests::ItemViewed;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::var("STORED_BATCH")?;
    let batch: Batch = match std::fs::read(&path) {
        Ok(stored) => serde_json::from_slice(&stored)?,
        Err(_) => Batch::try_from_iter(ItemViewed::many(100))?,
    };
    let policy = RetryPolicy::default().initial_backoff(Duration::from_millis(1)).max_attempts(2);
    let client = Client::builder().max_request_events(10).max_in_flight(1).retry(policy).build()?;
    match client.send_batch(&batch).await {
        Ok(ids) => println!("{} accepted", ids.len()),
        Err(error) => {
            println!("{} accepted, {} stored", error.accepted().len(), error.unsent().len());
            std::fs::write(&path, serde_json::to_vec(&error.into_unsent())?)?;
        }
    }
    Ok(())
}
