//! The seed of event ids: a time and ten random bytes.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The latest time that fits into the 48 bits of a ULID. Inngest ignores a seed with a later time.
const MAX_MILLIS: u64 = (1 << 48) - 1;

/// The seed of a batch. Inngest gives event `i` of a request the ULID of `millis` and the ten
/// random bytes, after adding `i + 1` to the last four bytes as a big-endian number. A request that
/// starts at place `p` therefore carries the seed shifted by `p`.
#[derive(Clone, Copy)]
pub(crate) struct Seed {
    millis: u64,
    random: [u8; 10],
}

impl Seed {
    /// Creates a seed from the current time and random bytes.
    pub(crate) fn new() -> Seed {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut random = [0; 10];
        getrandom::fill(&mut random).expect("the operating system's random number generator works");
        Seed {
            // Inngest ignores a seed with time 0, and a retry would then duplicate events.
            millis: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX).max(1),
            random,
        }
    }

    /// Returns the seed of a request that starts `events` places later.
    pub(crate) fn shifted(self, events: u32) -> Seed {
        let mut seed = self;
        let (_, last) = seed.random.split_at_mut(6);
        if let Ok(bytes) = <[u8; 4]>::try_from(&*last) {
            last.copy_from_slice(&u32::from_be_bytes(bytes).wrapping_add(events).to_be_bytes());
        }
        seed
    }

    /// Returns the seed as it is stored: the time in 6 big-endian bytes, then the random bytes.
    #[cfg(feature = "outbox")]
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&self.millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&self.random);
        bytes
    }

    /// Reads a stored seed. Returns `None` for a time of 0, with which Inngest ignores a seed.
    #[cfg(feature = "outbox")]
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Option<Seed> {
        let mut millis = [0; 8];
        let mut random = [0; 10];
        millis[2..].copy_from_slice(&bytes[..6]);
        random.copy_from_slice(&bytes[6..]);
        let millis = u64::from_be_bytes(millis);
        (millis > 0).then_some(Seed { millis, random })
    }

    /// Parses the value of the header `x-inngest-event-id-seed`.
    pub(super) fn parse(header: &str) -> Option<Seed> {
        let (millis, random) = header.split_once(',')?;
        let random = STANDARD.decode(random).ok()?.try_into().ok()?;
        let millis = millis.parse().ok().filter(|millis| (1..=MAX_MILLIS).contains(millis))?;
        Some(Seed { millis, random })
    }

    /// Returns the value of the header `x-inngest-event-id-seed`.
    pub(crate) fn header(&self) -> String {
        format!("{},{}", self.millis, STANDARD.encode(self.random))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.header())
    }
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn a_shifted_seed_adds_to_its_last_four_bytes_and_wraps() {
        let seed =
            Seed { millis: 1_700_000_000_000, random: [7, 7, 7, 7, 7, 7, 255, 255, 255, 254] };
        assert_eq!(seed.shifted(1).random, [7, 7, 7, 7, 7, 7, 255, 255, 255, 255]);
        assert_eq!(seed.shifted(3).random, [7, 7, 7, 7, 7, 7, 0, 0, 0, 1]);
        assert_eq!(seed.header(), "1700000000000,BwcHBwcH/////g==");
    }

    #[test]
    fn a_seed_is_parsed_from_its_header() {
        let seed = Seed::new();
        let parsed = Seed::parse(&seed.header()).expect("a seed");
        assert_eq!((parsed.millis, parsed.random), (seed.millis, seed.random));
        for malformed in [
            "",
            "1",
            "1,",
            "0,BwcHBwcH/////g==",
            "281474976710656,BwcHBwcH/////g==",
            "1,BwcHBwcH____g==",
            "x,BwcHBwcH/////g==",
        ] {
            assert!(Seed::parse(malformed).is_none(), "{malformed}");
        }
    }

    #[test]
    #[cfg(feature = "outbox")]
    fn a_seed_is_read_from_its_bytes() {
        let seed = Seed { millis: 0x0102_0304_0506, random: [7, 8, 9, 10, 11, 12, 13, 14, 15, 16] };
        let bytes = seed.to_bytes();
        assert_eq!(bytes, std::array::from_fn(|index| u8::try_from(index + 1).unwrap()));
        assert_eq!(Seed::from_bytes(bytes).map(|it| it.header()), Some(seed.header()));
        assert!(Seed::from_bytes([0; 16]).is_none());
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(Seed::new().random, Seed::new().random);
    }
}
