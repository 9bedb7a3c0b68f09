//! What Inngest makes an event's id of: a time and ten random bytes.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The seed of a batch. Event `i` of a request gets ULID(millis, bytes with their last four, as a
/// big-endian number, plus `i + 1`), so a request that begins at the batch's event `s` carries the
/// seed shifted by `s`.
#[derive(Clone, Copy)]
pub(crate) struct Seed {
    millis: u64,
    random: [u8; 10],
}

impl Seed {
    pub(crate) fn new() -> Seed {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut random = [0; 10];
        getrandom::fill(&mut random).expect("the operating system has no randomness to give");
        Seed {
            // Inngest ignores a seed of time 0, and a retry would then duplicate.
            millis: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX).max(1),
            random,
        }
    }

    pub(crate) fn shifted(self, events: u32) -> Seed {
        let mut seed = self;
        let (_, last) = seed.random.split_at_mut(6);
        if let Ok(bytes) = <[u8; 4]>::try_from(&*last) {
            last.copy_from_slice(&u32::from_be_bytes(bytes).wrapping_add(events).to_be_bytes());
        }
        seed
    }

    /// The value of the header `x-inngest-event-id-seed`.
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
    fn no_two_seeds_are_the_same() {
        assert_ne!(Seed::new().random, Seed::new().random);
    }
}
