//! Ids are derived from the seed as documented, byte for byte, and an invalid seed is ignored.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ulid::Ulid;

use super::{Suite, batch, event};

/// The value of the header `x-inngest-event-id-seed`.
#[derive(Clone, Copy)]
pub(super) struct Seed {
    pub(super) millis: u64,
    pub(super) random: [u8; 10],
}

impl Seed {
    /// Returns a seed whose last four bytes are `last`.
    pub(super) fn ending_in(last: u32) -> Seed {
        let mut random = [0xA5; 10];
        random[6..].copy_from_slice(&last.to_be_bytes());
        Seed { millis: 1_767_225_600_123, random }
    }

    /// Returns a seed that no other run of the suite uses.
    pub(super) fn unique() -> Seed {
        static NUMBER: AtomicU16 = AtomicU16::new(0);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let mut seed = Seed::ending_in(u32::MAX - 1);
        seed.millis = u64::try_from(since_1970.as_millis()).unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        seed.random[..2].copy_from_slice(&number.to_be_bytes());
        seed
    }

    pub(super) fn header(self) -> String {
        format!("{},{}", self.millis, STANDARD.encode(self.random))
    }

    fn last(self) -> u32 {
        u32::from_be_bytes(self.random[6..].try_into().unwrap())
    }

    /// Returns the seed of a request that starts at the event `by`.
    fn shifted(mut self, by: u32) -> Seed {
        let last = self.last().wrapping_add(by);
        self.random[6..].copy_from_slice(&last.to_be_bytes());
        self
    }

    /// Returns the ids of the first `count` events. Each one is a ULID of `millis` and `random`, to whose
    /// last four bytes, a big-endian integer, the event's position, counted from 1, is added with wrapping.
    pub(super) fn ids(self, count: usize) -> Vec<String> {
        let id = |number: u32| {
            let mut bytes = [0; 16];
            bytes[6..].copy_from_slice(&self.shifted(number).random);
            Ulid::from_parts(self.millis, u128::from_be_bytes(bytes)).to_string()
        };
        (1..).take(count).map(id).collect()
    }
}

pub(super) async fn check(suite: &mut Suite) {
    for millis in [1, 1_700_000_000_000, (1 << 48) - 1] {
        for last in [0, 41, 0x7FFF_FFFF, u32::MAX - 3, u32::MAX - 1, u32::MAX] {
            let seed = Seed { millis, ..Seed::ending_in(last) };
            let answer = suite.post(batch((0..4).map(event)), &seed.header()).await;
            suite.equal(&format!("a batch of seed {}", seed.header()), &answer.ids, &seed.ids(4));
            let answer = suite.post(event(0).to_string(), &seed.header()).await;
            suite.equal(&format!("an event of seed {}", seed.header()), &answer.ids, &seed.ids(1));
        }
    }
    shifted(suite).await;
    malformed(suite).await;
}

/// Checks that a part of a batch, sent with the seed shifted to its first event, has the same ids.
async fn shifted(suite: &mut Suite) {
    let seed = Seed::ending_in(u32::MAX - 2);
    for part in [0..6, 2..5, 4..5, 1..2, 5..6] {
        let shifted = seed.shifted(u32::try_from(part.start).unwrap());
        let answer = suite.post(batch(part.clone().map(event)), &shifted.header()).await;
        suite.equal(&format!("events {part:?} of six"), &answer.ids, &seed.ids(6)[part].to_vec());
    }
}

async fn malformed(suite: &mut Suite) {
    for seed in [
        "zzz",
        ",",
        "1700000000000",
        "1700000000000,",
        "x,AAAAAAAAAAAAAA==",
        "0,AAAAAAAAAAAAAA==",
        "-1,AAAAAAAAAAAAAA==",
        // 9 and 11 bytes, no padding, the alphabet of URLs.
        "1700000000000,AAAAAAAAAAAA",
        "1700000000000,AAAAAAAAAAAAAAA=",
        "1700000000000,AAAAAAAAAAAAAA",
        "1700000000000,____-_______-w==",
    ] {
        let first = suite.post(event(0).to_string(), seed).await;
        let second = suite.post(event(0).to_string(), seed).await;
        let random = [&first, &second].iter().all(|answer| {
            answer.status == 200 && answer.ids.len() == 1 && answer.ids[0].parse::<Ulid>().is_ok()
        });
        let problem = (!random || first.ids == second.ids)
            .then(|| format!("not two different ids: {first:?}, {second:?}"));
        suite.case(&format!("seed {seed} is ignored"), problem);
    }
}
