//! One error for a value that is no event, although it is sent, awaited and dropped.

use inngest_core::Client;

async fn run(client: &Client) {
    client.send("storefront/cart.updated").await.unwrap();
}

fn main() {
    let _ = run;
}
