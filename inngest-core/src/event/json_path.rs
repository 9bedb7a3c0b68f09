//! Paths to values inside JSON: `data.account.id`, `data.lines[2].sku`, `data["odd key"]`.

use serde_json::Value;

/// One step of a path, from a JSON value to a value inside it.
#[derive(Debug)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// Renders the path that starts at `root` and follows `steps`.
///
/// A key is quoted as in JSON unless it consists of ASCII letters, digits and `_`.
pub(crate) fn render(root: &str, steps: &[Step]) -> String {
    let mut path = root.to_owned();
    for step in steps {
        match step {
            Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
            Step::Key(key) if !is_plain(key) => {
                path.extend(["[", &Value::from(key.as_str()).to_string(), "]"]);
            }
            Step::Key(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
        }
    }
    path
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::{Step, render};

    #[test]
    fn keys_are_quoted_unless_they_are_plain() {
        let key = |key: &str| Step::Key(key.to_owned());
        assert_eq!(render("data", &[]), "data");
        assert_eq!(render("data", &[key("account"), key("id")]), "data.account.id");
        assert_eq!(
            render("data", &[key("lines"), Step::Index(2), key("sku")]),
            "data.lines[2].sku"
        );
        assert_eq!(render("data", &[key("odd key"), key("4")]), "data[\"odd key\"].4");
        assert_eq!(render("data", &[key("a\"b"), key(""), key("é")]), r#"data["a\"b"][""]["é"]"#);
        assert_eq!(render("", &[key("data"), Step::Index(0)]), "data[0]");
    }
}
