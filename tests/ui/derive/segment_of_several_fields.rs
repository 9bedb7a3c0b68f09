use inngest_core::IdSegment;

#[derive(IdSegment)]
struct Place(u8, u8);

#[derive(IdSegment)]
struct Nothing;

#[derive(IdSegment)]
struct Name {
    first: String,
    last: String,
}

fn main() {}
