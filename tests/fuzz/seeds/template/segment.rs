#[derive(IdSegment)] #[serde(rename_all = "SCREAMING-KEBAB-CASE")] enum A { Bc, #[serde(rename = "x")] D, r#E = 3 }
