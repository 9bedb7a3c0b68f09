use inngest_core::IdSegment;

#[derive(IdSegment)]
enum State {
    Open,
    Closed(u8),
    Moved { to: u8 },
}

fn main() {}
