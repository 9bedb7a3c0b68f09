//! Converts event names that are known only at run time to `&'static str`.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::name;
#[cfg(feature = "client")]
use super::name::NameProblem;

/// The maximum number of names that are kept for the rest of the process. With at most 255 bytes per name, they
/// take 1 MiB.
const MAX_NAMES: usize = 4_096;

/// The name that replaces every further name in errors, hooks and metrics. The event itself, which is already
/// serialized, is sent with its own name.
const OTHER: &str = "(other)";

/// Checks `name` and returns it with a static lifetime.
#[cfg(feature = "client")]
pub(crate) fn intern_name(name: &str) -> Result<&'static str, NameProblem> {
    match name::find_problem(name) {
        Some(problem) => Err(problem),
        None => Ok(intern(name)),
    }
}

/// Returns whether `name` replaces different names, since there are too many.
#[cfg(feature = "client")]
pub(crate) fn is_shared_name(name: &str) -> bool {
    name == OTHER
}

/// Returns a name, valid or not, with a static lifetime, for an error about it.
pub(crate) fn intern(name: &str) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

    if name.len() > name::MAX_BYTES {
        return OTHER;
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    intern_in(names.get_or_insert_default(), name)
}

fn intern_in(names: &mut HashSet<&'static str>, name: &str) -> &'static str {
    if let Some(known) = names.get(name) {
        return known;
    }
    if names.len() >= MAX_NAMES {
        return OTHER;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_interned_names_is_bounded() {
        let mut names = HashSet::new();
        for index in 0..MAX_NAMES {
            assert_eq!(intern_in(&mut names, &format!("test/{index}")), format!("test/{index}"));
        }
        assert_eq!(intern_in(&mut names, "test/one.more"), OTHER);
        assert_eq!(intern_in(&mut names, "test/7"), "test/7");
        assert_eq!(names.len(), MAX_NAMES);
    }

    #[test]
    #[cfg(feature = "client")]
    fn an_interned_name_is_checked() {
        assert_eq!(intern_name("test/checked"), Ok("test/checked"));
        assert_eq!(intern_name(""), Err(NameProblem::Empty));
    }
}
