use inngest_core::InngestEvents;

#[derive(InngestEvents)]
struct CartUpdated {
    cart_id: String,
}

#[derive(InngestEvents)]
union Either {
    a: u8,
}

fn send(_: impl inngest_core::IntoEvent) {}

fn main() {
    send(CartUpdated { cart_id: "c1".to_owned() });
}
