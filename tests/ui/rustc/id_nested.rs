use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{account.idd}-{account.total}-{account.secret}")]
struct CartUpdated {
    account: inner::Account,
}

mod inner {
    #[derive(serde::Serialize)]
    pub struct Account {
        pub id: String,
        pub total: f32,
        secret: u8,
    }
}

fn main() {}
