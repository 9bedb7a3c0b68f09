#[inngest(name = "fuzz/event", id = "event-{a}-{r.b}", version = "1")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fuzz<'a, T: Clone = u8, const N: usize = 1> where T: Copy {
    a: &'a str,
    #[serde(rename = "R", default)] r: R<T>,
    #[serde(flatten, skip_serializing_if = "f")] r#type: [u8; N],
}
