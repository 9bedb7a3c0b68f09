//! One table of names is checked by the derive's rules and by the rules of `inngest-core`.

#[allow(dead_code, unreachable_pub)]
#[path = "../../inngest-core/src/event/name.rs"]
mod at_run_time;
#[allow(dead_code)]
#[path = "../../inngest-core/src/event/const_string.rs"]
mod const_string;
#[allow(dead_code)]
#[path = "../../inngest-derive/src/name.rs"]
mod derived;

use inngest_core::{Batch, DedupId, EventError, InngestEvent};

const NAMES: &[(&str, &str)] = &include!("../data/names.txt");

/// Returns the kind and the offset of the problem in `message`, in the words of the table.
fn problem(message: &str) -> String {
    let kinds =
        ["at most 255", "empty", "reserved", "white space", "control character", "wildcard"];
    let kind = kinds.iter().find(|kind| message.contains(**kind)).expect(message);
    match message.rsplit_once(" at byte ") {
        Some((_, byte)) => format!("{kind} at byte {byte}"),
        None => (*kind).to_owned(),
    }
}

#[test]
fn the_derive_and_the_run_time_check_follow_the_same_table() {
    for (expected, name) in NAMES {
        let found = at_run_time::find_problem(name).map(|found| problem(&found.to_string()));
        assert_eq!(found.unwrap_or_default(), *expected, "at run time: {name:?}");
        let found = derived::problems(name).first().map(|found| problem(&found.message));
        assert_eq!(found.unwrap_or_default(), *expected, "derived: {name:?}");
    }
}

#[test]
fn the_byte_range_of_a_problem_matches_its_message() {
    for (_, name) in NAMES {
        for found in derived::problems(name) {
            assert!(name.get(found.bytes.clone()).is_some(), "{name:?} at {:?}", found.bytes);
            if let Some((_, byte)) = found.message.rsplit_once(" at byte ") {
                assert_eq!(byte, found.bytes.start.to_string());
            }
        }
    }
}

#[test]
fn a_hand_written_name_is_checked_when_it_is_pushed() {
    #[derive(serde::Serialize)]
    struct Named<const INDEX: usize>;

    impl<const INDEX: usize> InngestEvent for Named<INDEX> {
        const NAME: &'static str = NAMES[INDEX].1;

        fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
            Ok(None)
        }
    }

    fn pushed<const INDEX: usize>() {
        let (expected, name) = NAMES[INDEX];
        match Batch::new().push(Named::<INDEX>) {
            Ok(()) => assert_eq!(expected, "", "{name:?}"),
            Err(EventError::Name { problem: found, .. }) => assert_eq!(problem(&found), expected),
            Err(other) => panic!("{name:?}: {other}"),
        }
    }

    pushed::<0>();
    pushed::<15>();
    pushed::<17>();
    pushed::<19>();
    pushed::<25>();
    pushed::<33>();
    pushed::<38>();
}
