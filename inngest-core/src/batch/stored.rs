//! `Serialize` and `Deserialize` of a batch: the events with the seeds and places of their ids.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::lineage::Lineage;
use super::{Batch, CallSite, Seed, Slot, finish_slot};
use crate::event::intern_name;

/// The version of the stored format. It is incremented whenever a reader of the previous version
/// would misread a batch.
const FORMAT: u32 = 1;

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Batch", expecting = "a stored batch")]
struct StoredBatch<'a> {
    /// The first field, so that another format is recognized before the other fields are read.
    format: Format,
    /// Each seed as in the header `x-inngest-event-id-seed`.
    seeds: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    events: Vec<StoredEvent<'a>>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct StoredEvent<'a> {
    /// The index of its seed in `seeds`.
    seed: u32,
    place: u32,
    /// Whether an earlier attempt to send it may have been accepted.
    in_doubt: bool,
    /// The event as a string, so that formats other than JSON can hold it.
    #[serde(borrow)]
    json: Cow<'a, str>,
}

/// The field `format`, which serializes as [`FORMAT`] and rejects any other number.
struct Format;

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(FORMAT)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Format, D::Error> {
        match u32::deserialize(deserializer)? {
            FORMAT => Ok(Format),
            other => Err(de::Error::custom(format_args!(
                "a stored batch of format {other} cannot be read; this version of inngest-core reads format {FORMAT}"
            ))),
        }
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The number of each lineage among the stored seeds. A lineage without events is left out. Otherwise a batch
        // would grow each time it is read and stored again, by its own new lineage.
        let mut numbers: Vec<Option<u32>> = vec![None; self.appended.len() + 1];
        let mut seeds = Vec::new();
        let events = self.slots.iter().zip(self.events()).map(|(slot, event)| {
            let lineage = self.lineage(slot);
            let seed = *numbers[slot.lineage as usize].get_or_insert_with(|| {
                seeds.push(lineage.seed.header().into());
                u32::try_from(seeds.len() - 1).expect("there are fewer seeds than lineages")
            });
            let in_doubt = lineage.is_in_doubt(slot.place);
            StoredEvent { seed, place: slot.place, in_doubt, json: event.json().into() }
        });
        let events = events.collect();
        StoredBatch { format: Format, seeds, events }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Batch {
    #[track_caller]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Batch, D::Error> {
        let stored = StoredBatch::deserialize(deserializer)?;
        restore(&stored, CallSite::caller()).map_err(|problem| {
            de::Error::custom(format_args!("the stored batch is damaged: {problem}"))
        })
    }
}

/// Returns the stored batch, or what is wrong with it.
fn restore(stored: &StoredBatch<'_>, call_site: CallSite) -> Result<Batch, String> {
    let mut batch = Batch::with_capacity(stored.events.len(), 0);
    for (index, seed) in stored.seeds.iter().enumerate() {
        let parsed = Seed::parse(seed).ok_or_else(|| format!("seed {index} is malformed"))?;
        batch.appended.push(Lineage::from_seed(parsed));
    }
    // A seed can be written in several ways.
    let seeds: Vec<String> = batch.appended.iter().map(|lineage| lineage.seed.header()).collect();
    let mut places = HashMap::with_capacity(stored.events.len());
    for (index, event) in stored.events.iter().enumerate() {
        let damaged = |problem: &str| format!("event {index} {problem}");
        let Some(lineage) = batch.appended.get(event.seed as usize) else {
            return Err(damaged("refers to a seed that is missing"));
        };
        if event.in_doubt {
            lineage.mark_in_doubt(event.place, event.place);
        }
        let json = event.json.trim_ascii();
        // An event can be in a batch twice, if a part of the batch that an error returned was
        // appended to it.
        let known = places.entry((&seeds[event.seed as usize], event.place)).or_insert(json);
        if *known != json {
            return Err(damaged("has the same seed and place as another event"));
        }
        let name = event_name(json).map_err(|problem| damaged(&problem))?;
        let (buffer, start) = batch.begin_slot();
        buffer.extend_from_slice(json.as_bytes());
        let end = finish_slot(buffer);
        // Lineage 0 is the batch's own, which has no stored events.
        let (place, lineage) = (event.place, event.seed + 1);
        batch.add_slot(Slot { place, lineage, name, call_site, start, end });
    }
    Ok(batch)
}

/// Checks that `json` is an event, and returns the event's name.
pub(crate) fn event_name(json: &str) -> Result<&'static str, String> {
    #[derive(serde::Deserialize)]
    struct StoredJson<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
        /// An object or null.
        #[serde(rename = "data")]
        _data: Option<Members>,
    }
    /// The members of an object, validated and discarded.
    struct Members;

    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
            deserializer.deserialize_map(Members)
        }
    }

    impl<'de> Visitor<'de> for Members {
        type Value = Members;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Members)
        }
    }

    let event: StoredJson<'_> =
        serde_json::from_str(json).map_err(|error| format!("is not an event: {error}"))?;
    intern_name(&event.name).map_err(|problem| format!("has an invalid name: {problem}"))
}
