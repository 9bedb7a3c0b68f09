use inngest_core::IdSegment;

#[derive(IdSegment)]
#[inngest(name = "cart")]
struct CartId(#[inngest(crate = ::inngest_core)] String);

#[derive(IdSegment)]
enum State {
    #[inngest]
    Open,
}

fn main() {}
