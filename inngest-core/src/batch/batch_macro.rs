//! The macro `batch!`.

/// Creates a [`Batch`](crate::Batch) of the listed events, of any types: `batch![&checkout, &coupon]?`.
///
/// # Errors
///
/// Returns the [`EventError`](crate::EventError) of the first event that cannot be sent.
///
/// ```
/// # use inngest_core::{InngestEvent, batch};
/// # use serde::Serialize;
/// # #[derive(Serialize, InngestEvent)]
/// # #[inngest(name = "storefront/coupon.redeemed")]
/// # struct CouponRedeemed { code: String }
/// # #[derive(Serialize, InngestEvent)]
/// # #[inngest(name = "storefront/customer.joined")]
/// # struct CustomerJoined { email: String }
/// # let coupon = CouponRedeemed { code: "XMAS".into() };
/// # let joined = CustomerJoined { email: "a@b.c".into() };
/// let batch = batch![&coupon, &joined]?;
/// assert_eq!(batch.len(), 2);
/// # Ok::<(), inngest_core::EventError>(())
/// ```
///
/// See [sending](crate::guide::sending) in the guide.
#[macro_export]
macro_rules! batch {
    ($($event:expr),* $(,)?) => {
        'batch: {
            #[allow(unused_mut)]
            let mut batch = $crate::Batch::new();
            $(
                if let ::core::result::Result::Err(error) = batch.push($event) {
                    break 'batch ::core::result::Result::Err(error);
                }
            )*
            ::core::result::Result::<$crate::Batch, $crate::EventError>::Ok(batch)
        }
    };
}
