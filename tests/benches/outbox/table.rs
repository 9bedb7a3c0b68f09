//! The table of results.

use std::collections::HashMap;

/// The figures of one database.
pub(crate) struct Column {
    title: String,
    cells: HashMap<&'static str, String>,
}

/// The rows: key, label, goal.
const ROWS: [(&str, &str, &str); 13] = [
    ("fdatasync", "fdatasync of 4 KiB, per second", ""),
    ("transactions", "enqueue, transactions/s", ""),
    ("rate", "  of a bare INSERT's", "at least 0.95"),
    ("cpu", "  CPU time, of a bare INSERT's", "at most 1.15"),
    ("rate by hand", "  of serde_json's and an INSERT's", ""),
    ("cpu by hand", "  CPU time, of serde_json's and an INSERT's", ""),
    ("memory", "send_batch from memory, events/s", ""),
    ("drain", "drain, 1 relay, events/s", "SQLite on tmpfs 100,000"),
    ("drain ratio", "  of send_batch's", ""),
    ("drain relays", "drain, 2 relays, events/s", "PostgreSQL 50,000"),
    ("wake", "commit to request, wake(), p50 / p95", "p95 at most 25 ms"),
    ("poll", "commit to request, polling, p50 / p95", ""),
    ("idle", "idle relay, CPU of this process", ""),
];

impl Column {
    pub(crate) fn new(title: String) -> Column {
        Column { title, cells: HashMap::new() }
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    pub(crate) fn set(&mut self, row: &'static str, value: String) {
        assert!(ROWS.iter().any(|(key, ..)| *key == row), "no row `{row}`");
        self.cells.insert(row, value);
    }
}

pub(crate) fn print(columns: &[Column]) {
    print!("\n{:<44}", "");
    for column in columns {
        print!("{:>20}", column.title);
    }
    println!("   goal");
    for (key, label, goal) in ROWS {
        print!("{label:<44}");
        for column in columns {
            print!("{:>20}", column.cells.get(key).map_or("", String::as_str));
        }
        println!("   {goal}");
    }
}
