use inngest_core::InngestEvents;

#[derive(InngestEvents)]
enum StorefrontEvent {}

fn main() {}
