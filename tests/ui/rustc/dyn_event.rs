use inngest_core::InngestEvent;

fn send(_: &dyn InngestEvent) {}

fn main() {}
