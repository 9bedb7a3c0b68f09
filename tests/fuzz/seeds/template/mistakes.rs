#[inngest(nam = "a", id("x"), "fuzz/event", version = 1, id = concat!("a"))] #[inngest] #[inngest = "a"] union A { a: u8 }
