#[inngest(crate = c)] enum A<'a, T> where T: D { B(B), r#C(Box<&'a C<T>>), D(<T as E>::F), G { a: u8 }, #[cfg(x)] H }
