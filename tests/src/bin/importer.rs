//! Sends the checkouts `0..IMPORT_COUNT` in one call, as an import does that is restarted after a crash.

use inngest_core::Client;
use inngest_tests::CheckoutCompleted;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: usize = std::env::var("IMPORT_COUNT")?.parse()?;
    let client = Client::builder().max_request_events(50).max_in_flight(2).build()?;
    let checkouts = (0..count).map(|number| CheckoutCompleted::of(&number.to_string()));
    let ids = client.send_all(checkouts).await?;
    println!("{} accepted", ids.len());
    Ok(())
}
