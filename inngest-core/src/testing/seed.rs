//! Inngest ids: ULIDs, derived from a request's seed or random.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;

/// Crockford's base 32.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A ULID has 48 bits for milliseconds.
const MAX_MILLIS: u64 = (1 << 48) - 1;

/// Standard base64 with padding, which like Go's ignores unused bits of the last character.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The source of the ids of one request's events.
pub(super) enum IdSource {
    /// The header `x-inngest-event-id-seed`.
    Seeded {
        millis: u64,
        entropy: [u8; 10],
    },
    Random {
        millis: u64,
    },
}

impl IdSource {
    /// Reads the seed from a request's headers, `{millis},{base64 of 10 bytes}`. Without a seed, or with a
    /// malformed one, ids are random and contain the time `now`.
    pub(super) fn new(headers: &HeaderMap, now: u64) -> IdSource {
        let seed = headers.get("x-inngest-event-id-seed").and_then(|seed| seed.to_str().ok());
        let random = IdSource::Random { millis: now.min(MAX_MILLIS) };
        seed.and_then(IdSource::seeded).unwrap_or(random)
    }

    fn seeded(seed: &str) -> Option<IdSource> {
        let (millis, entropy) = seed.split_once(',')?;
        let millis = millis.parse().ok().filter(|millis| (1..=MAX_MILLIS).contains(millis))?;
        let entropy = BASE64.decode(entropy).ok()?.try_into().ok()?;
        Some(IdSource::Seeded { millis, entropy })
    }

    /// Returns the id of the event at `index` in the request.
    pub(super) fn id(&self, index: usize) -> String {
        match *self {
            IdSource::Seeded { millis, mut entropy } => {
                let [.., a, b, c, d] = entropy;
                // A request has at most 5,000 events.
                let number = u32::try_from(index).unwrap_or(u32::MAX).wrapping_add(1);
                let last = u32::from_be_bytes([a, b, c, d]).wrapping_add(number);
                entropy[6..].copy_from_slice(&last.to_be_bytes());
                ulid(millis, entropy)
            }
            IdSource::Random { millis } => {
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
    (0..26).rev().map(|digit| char::from(DIGITS[(bits >> (5 * digit)) as usize & 31])).collect()
}

#[cfg(test)]
mod tests {
    use super::{IdSource, ulid};

    #[test]
    fn ulids_are_encoded_as_specified() {
        assert_eq!(ulid(1_469_918_176_385, [0xFF; 10]), "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
        assert_eq!(ulid(super::MAX_MILLIS, [0xFF; 10]), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    }

    #[test]
    fn a_malformed_seed_is_ignored() {
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
            assert!(IdSource::seeded(seed).is_none(), "{seed}");
        }
        assert!(IdSource::seeded("1700000000000,/////////////w==").is_some());
    }
}
