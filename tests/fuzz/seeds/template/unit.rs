#[inngest(name = NAME, crate = ::events::inngest)] pub(crate) struct Fuzz;
