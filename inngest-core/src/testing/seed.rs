//! Inngest ids: ULIDs, made from a request's seed or at random.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Crockford's base 32.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A ULID holds 48 bits of milliseconds.
const MAX_MILLIS: u64 = (1 << 48) - 1;

/// Standard base64 with padding, as lenient about the last bits as Go's.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Where the ids of a request's events come from.
pub(super) enum Ids {
    /// From the header `x-inngest-event-id-seed`.
    Seeded {
        millis: u64,
        entropy: [u8; 10],
    },
    Random {
        millis: u64,
    },
}

impl Ids {
    /// The seed of a request, `{millis},{base64 of 10 bytes}`. One that is malformed counts as none,
    /// without a word.
    pub(super) fn new(seed: Option<&str>, now: u64) -> Ids {
        seed.and_then(Ids::seeded).unwrap_or(Ids::Random { millis: now.min(MAX_MILLIS) })
    }

    fn seeded(seed: &str) -> Option<Ids> {
        let (millis, entropy) = seed.split_once(',')?;
        let millis = millis.parse().ok().filter(|millis| (1..=MAX_MILLIS).contains(millis))?;
        let entropy = BASE64.decode(entropy).ok()?.try_into().ok()?;
        Some(Ids::Seeded { millis, entropy })
    }

    /// The id of the event at `index` in the request.
    pub(super) fn id(&self, index: usize) -> String {
        match *self {
            Ids::Seeded { millis, mut entropy } => {
                let [.., a, b, c, d] = entropy;
                // A request has at most 5,000 events.
                let place = u32::try_from(index).unwrap_or(u32::MAX).wrapping_add(1);
                let last = u32::from_be_bytes([a, b, c, d]).wrapping_add(place);
                entropy[6..].copy_from_slice(&last.to_be_bytes());
                ulid(millis, entropy)
            }
            Ids::Random { millis } => {
                let mut entropy = [0; 10];
                getrandom::fill(&mut entropy).expect("the operating system has random bytes");
                ulid(millis, entropy)
            }
        }
    }
}

fn ulid(millis: u64, entropy: [u8; 10]) -> String {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&entropy);
    let bits = u128::from_be_bytes(bytes);
    (0..26).rev().map(|place| char::from(DIGITS[(bits >> (5 * place)) as usize & 31])).collect()
}

#[cfg(test)]
mod tests {
    use super::{Ids, ulid};

    #[test]
    fn a_ulid_is_written_as_its_specification_says() {
        assert_eq!(ulid(1_469_918_176_385, [0xFF; 10]), "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
        assert_eq!(ulid(super::MAX_MILLIS, [0xFF; 10]), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    }

    #[test]
    fn a_malformed_seed_counts_as_none() {
        for seed in [
            "",
            "zzz",
            "1700000000000",
            "1700000000000,",
            "0,AAAAAAAAAAAAAA==",
            "-1,AAAAAAAAAAAAAA==",
            "1.5,AAAAAAAAAAAAAA==",
            "281474976710656,AAAAAAAAAAAAAA==",
            "1700000000000,AAAAAAAAAAAAAA",
            "1700000000000,AAAAAAAAAAAA",
            "1700000000000,AAAAAAAAAAAAAAA=",
            "1700000000000,_____________w==",
            "1700000000000,AAAAAAAAAAAAAA==,",
        ] {
            assert!(Ids::seeded(seed).is_none(), "{seed}");
        }
        assert!(Ids::seeded("1700000000000,/////////////w==").is_some());
    }
}
