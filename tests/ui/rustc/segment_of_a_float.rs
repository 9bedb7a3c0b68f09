use inngest_core::IdSegment;

#[derive(IdSegment)]
struct Price(f64);

#[derive(IdSegment)]
struct Coupon {
    code: Option<String>,
}

fn main() {}
