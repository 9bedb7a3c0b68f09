use inngest_core::IdSegment;
use serde::Serialize;

#[derive(Serialize, IdSegment)]
#[serde(rename_all = "lowercase")]
enum State {
    Open,
    #[serde(rename = "open")]
    Opened,
    #[serde(rename(serialize = " "))]
    Closed,
}

fn main() {}
