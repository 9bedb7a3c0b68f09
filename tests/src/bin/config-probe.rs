//! Builds a client from its environment variables and prints the client or the error. `PROBE_DEV` (0 or 1)
//! and `PROBE_NO_ENV` set the options `dev` and `no_env` in code; with `PROBE_SEND` it sends one event,
//! without retries.

use std::env::var_os;

use inngest_core::{Client, RetryPolicy};
use inngest_tests::ItemViewed;

#[tokio::main]
async fn main() {
    let mut builder = Client::builder().retry(RetryPolicy::none());
    if let Some(dev) = var_os("PROBE_DEV") {
        builder = builder.dev(dev == "1");
    }
    if var_os("PROBE_NO_ENV").is_some() {
        builder = builder.no_env();
    }
    let client = match builder.build() {
        Ok(client) => client,
        Err(error) => return println!("config error: {error} ({error:?})"),
    };
    println!("{client:?}");
    if var_os("PROBE_SEND").is_some() {
        match client.send(ItemViewed::number(1)).await {
            Ok(id) => println!("sent: {id}"),
            Err(error) => println!("send error: {error} ({error:?})"),
        }
    }
}
