use inngest_core::InngestEvent;

#[derive(InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
union CartUpdated {
    a: u8,
    b: i8,
}

fn main() {}
