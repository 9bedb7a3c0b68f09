use inngest_core::IdSegment;

#[derive(IdSegment)]
enum Never {}

fn main() {}
