#[inngest(crate = "a::b")] #[repr(packed)] struct A<T>(#[serde(with = "m")] pub T, PhantomData<T>);
