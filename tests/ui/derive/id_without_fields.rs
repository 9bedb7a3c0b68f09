use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/started", id = "started-{at}")]
struct Started;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/stopped", id = "stopped")]
struct Stopped {}

fn main() {}
