use inngest_core::IdSegment;

#[derive(IdSegment)]
union Either {
    a: u8,
    b: i8,
}

fn main() {}
