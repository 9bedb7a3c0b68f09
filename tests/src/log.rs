//! What a test logs through `tracing`.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::Level;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// The lines that a test logs.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

/// Captures the log until it is dropped.
#[derive(Debug)]
pub struct LogCapture {
    _default: DefaultGuard,
    _turn: MutexGuard<'static, ()>,
}

impl Log {
    /// Returns a log of everything that this thread logs until the capture is dropped. One test at a time
    /// has a log.
    #[must_use]
    pub fn capture() -> (Log, LogCapture) {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(Level::DEBUG).with_ansi(false);
        let subscriber = subscriber.with_writer(log.clone()).finish();
        let capture =
            LogCapture { _default: tracing::subscriber::set_default(subscriber), _turn: turn };
        (log, capture)
    }

    /// Returns the lines that contain `part`.
    #[must_use]
    pub fn lines(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().expect("no panic").clone()).expect("Unicode");
        text.lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;

    fn make_writer(&self) -> Log {
        self.clone()
    }
}
