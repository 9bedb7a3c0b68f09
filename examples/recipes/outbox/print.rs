//! Output that does not panic when the reader has closed the pipe.

use std::fmt::Display;
use std::io::{self, Write};

pub(crate) fn print_title(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "\n{text}")
}

pub(crate) fn print_line(label: &str, text: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "  {label:<15}{text}")
}
