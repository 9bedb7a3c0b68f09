//! The cost of the derive at compile time: 1,000 structs of five fields with `InngestEvent`, compared with
//! `Debug`, thiserror's derive and `Serialize`, each relative to the same structs without the derive: the
//! expansion, the whole `cargo check`, and the code generation of a debug build. Also, the time to build
//! inngest-derive relative to its dependencies.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const STRUCTS: u32 = 1_000;
const ROUNDS: usize = 5;

/// One variant of the structs: attributes on each, and an impl for each.
struct Variant {
    label: &'static str,
    /// The label of the variant that this one is measured against.
    baseline: &'static str,
    attributes: fn(u32) -> String,
    item: fn(u32) -> String,
}

const VARIANTS: &[Variant] = &[
    Variant {
        label: "nothing",
        baseline: "nothing",
        attributes: |_| String::new(),
        item: |_| String::new(),
    },
    Variant {
        label: "Debug",
        baseline: "nothing",
        attributes: |_| "#[derive(Debug)]".to_owned(),
        item: |_| String::new(),
    },
    Variant {
        label: "thiserror",
        baseline: "Debug",
        attributes: |index| {
            format!(
                "#[derive(Debug, thiserror::Error)]\n#[error(\"event {index}: {{cart_id}}, {{at}}\")]"
            )
        },
        item: |_| String::new(),
    },
    Variant {
        label: "Serialize",
        baseline: "nothing",
        attributes: |_| "#[derive(serde::Serialize)]".to_owned(),
        item: |_| String::new(),
    },
    Variant {
        label: "Serialize by hand",
        baseline: "nothing",
        attributes: |_| String::new(),
        item: serialize_by_hand,
    },
    Variant {
        label: "InngestEvent",
        baseline: "Serialize by hand",
        attributes: |index| {
            format!(
                "#[derive(inngest_core::InngestEvent)]\n\
                 #[inngest(name = \"storefront/event.{index}\", id = \"event-{index}-{{cart_id}}-{{at}}\")]"
            )
        },
        item: serialize_by_hand,
    },
    Variant {
        label: "without an id",
        baseline: "Serialize by hand",
        attributes: |index| {
            format!(
                "#[derive(inngest_core::InngestEvent)]\n\
                 #[inngest(name = \"storefront/event.{index}\")]"
            )
        },
        item: serialize_by_hand,
    },
];

fn serialize_by_hand(index: u32) -> String {
    format!(
        "impl serde::Serialize for Event{index} {{ fn serialize<S: serde::Serializer>(&self, s: S) \
         -> Result<S::Ok, S::Error> {{ s.serialize_unit() }} }}"
    )
}

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile");
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    println!(
        "building inngest-derive: {:.0} % of the time to build its dependencies",
        build(&folder, &project)
    );

    let user = Crate::new(&folder, "user", &project, &["inngest-core", "serde", "thiserror"]);
    let mut best = vec![[f64::MAX; 3]; VARIANTS.len()];
    for round in 0..=ROUNDS {
        for (variant, best) in VARIANTS.iter().zip(&mut best) {
            user.write_structs(variant);
            let [expansion, check] = user.rustc("check", ["macro_expand_crate", "total"]);
            let [codegen] = user.rustc("dev", ["codegen_crate"]);
            // The first round builds the dependencies.
            if round > 0 {
                let times = [expansion, check, codegen];
                best.iter_mut().zip(times).for_each(|(best, time)| *best = best.min(time));
            }
        }
    }
    let cost = |label: &str| {
        let time =
            |label| best[VARIANTS.iter().position(|it| it.label == label).expect("a variant")];
        let baseline = VARIANTS.iter().find(|it| it.label == label).expect("a variant").baseline;
        let (time, baseline) = (time(label), time(baseline));
        [0, 1, 2].map(|index| time[index] - baseline[index])
    };
    let of_serialize = cost("Serialize");
    println!(
        "{STRUCTS} structs of five fields, best of {ROUNDS}, minus the same structs without the derive:"
    );
    println!(
        "{:<14}{:>12}{:>14}{:>13}{:>14}{:>15}",
        "", "expansion", "of Serialize", "cargo check", "of Serialize", "debug codegen"
    );
    for label in ["Debug", "thiserror", "Serialize", "InngestEvent", "without an id"] {
        let cost = cost(label);
        let each = cost.map(|seconds| format!("{:.3} ms", seconds * 1e3 / f64::from(STRUCTS)));
        // `Serialize` generates only generic code, so there is nothing to compare code generation with.
        let (expansion, check) = (cost[0] / of_serialize[0], cost[1] / of_serialize[1]);
        println!(
            "{label:<14}{:>12}{expansion:>14.2}{:>13}{check:>14.2}{:>15}",
            each[0], each[1], each[2]
        );
    }
}

/// Returns the time to build inngest-derive after its dependencies, in percent of their build time.
fn build(folder: &Path, project: &Path) -> f64 {
    let dependencies =
        Crate::new(folder, "dependencies", project, &["proc-macro2", "quote", "syn"]);
    let derive = Crate::new(folder, "derive", project, &["inngest-derive"]);
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let _ = fs::remove_dir_all(dependencies.target());
        let timed = |of: &Crate| {
            let start = Instant::now();
            of.cargo(&["build", "--quiet"]);
            start.elapsed()
        };
        best = (best.0.min(timed(&dependencies)), best.1.min(timed(&derive)));
    }
    best.1.as_secs_f64() / best.0.as_secs_f64() * 100.0
}

struct Crate {
    path: PathBuf,
}

impl Crate {
    fn new(folder: &Path, name: &str, project: &Path, dependencies: &[&str]) -> Crate {
        let path = folder.join(name);
        fs::create_dir_all(path.join("src")).expect("the folder can be written");
        // The dependencies are built for the host, as for a proc macro.
        let kind = if name == "dependencies" { "[lib]\nproc-macro = true\n" } else { "" };
        let mut manifest = format!(
            "[workspace]\n[package]\nname = \"{name}\"\nedition = \"2024\"\n{kind}[dependencies]\n"
        );
        for dependency in dependencies {
            let how = match *dependency {
                "inngest-core" => format!(
                    "{{ path = \"{}\", default-features = false, features = [\"derive\"] }}",
                    project.join(dependency).display()
                ),
                "inngest-derive" => {
                    format!("{{ path = \"{}\" }}", project.join(dependency).display())
                }
                "serde" => "{ version = \"1\", features = [\"derive\"] }".to_owned(),
                "syn" => SYN.to_owned(),
                "thiserror" => "\"2\"".to_owned(),
                _ => "\"1\"".to_owned(),
            };
            let _ = writeln!(manifest, "{dependency} = {how}");
        }
        fs::write(path.join("Cargo.toml"), manifest).expect("the manifest can be written");
        fs::copy(project.join("Cargo.lock"), path.join("Cargo.lock"))
            .expect("the lock can be copied");
        fs::write(path.join("src/lib.rs"), "").expect("the source can be written");
        Crate { path }
    }

    fn target(&self) -> PathBuf {
        self.path.with_file_name("target")
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(arguments)
            .current_dir(&self.path)
            .env("CARGO_TARGET_DIR", self.target())
            .env("CARGO_INCREMENTAL", "0")
            // Enables the unstable option `-Ztime-passes`.
            .env("RUSTC_BOOTSTRAP", "1")
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn write_structs(&self, variant: &Variant) {
        let mut source = String::from("#![allow(dead_code)]\n");
        for index in 0..STRUCTS {
            let fields =
                "cart_id: String, at: u64, items: Vec<String>, total: f64, note: Option<String>";
            let (attributes, item) = ((variant.attributes)(index), (variant.item)(index));
            let _ =
                writeln!(source, "{attributes}\npub struct Event{index} {{ {fields} }}\n{item}");
        }
        fs::write(self.path.join("src/lib.rs"), source).expect("the source can be written");
    }

    /// Compiles the crate, and returns the seconds of some of rustc's passes.
    fn rustc<const N: usize>(&self, profile: &str, passes: [&str; N]) -> [f64; N] {
        let output = self.cargo(&["rustc", "--quiet", "--profile", profile, "--", "-Ztime-passes"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        let seconds = |pass: &str| {
            let line = text.lines().find(|line| line.split_whitespace().last() == Some(pass));
            let time = line.and_then(|line| line.split(';').next()?.split_whitespace().last());
            time.and_then(|time| time.parse().ok()).unwrap_or_else(|| panic!("no {pass} in {text}"))
        };
        passes.map(seconds)
    }
}

/// The dependency on syn, as in the workspace.
const SYN: &str = "{ version = \"3\", default-features = false, features = [\"clone-impls\", \"derive\", \"parsing\", \"printing\", \"proc-macro\"] }";
