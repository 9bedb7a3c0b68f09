//! What the derive costs whoever compiles: 1,000 structs of five fields, with the derive alone,
//! `Debug`, thiserror's and `Serialize`, each over the same structs without it. And what building
//! inngest-derive adds to building what it depends on.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const STRUCTS: u32 = 1_000;
const ROUNDS: usize = 5;

/// One way to write the structs: attributes above each, and an impl beside it.
struct Way {
    label: &'static str,
    /// What it is measured over.
    over: &'static str,
    attributes: fn(u32) -> String,
    beside: fn(u32) -> String,
}

const WAYS: &[Way] = &[
    Way {
        label: "nothing",
        over: "nothing",
        attributes: |_| String::new(),
        beside: |_| String::new(),
    },
    Way {
        label: "Debug",
        over: "nothing",
        attributes: |_| "#[derive(Debug)]".to_owned(),
        beside: |_| String::new(),
    },
    Way {
        label: "thiserror",
        over: "Debug",
        attributes: |at| {
            format!(
                "#[derive(Debug, thiserror::Error)]\n#[error(\"event {at}: {{cart_id}}, {{at}}\")]"
            )
        },
        beside: |_| String::new(),
    },
    Way {
        label: "Serialize",
        over: "nothing",
        attributes: |_| "#[derive(serde::Serialize)]".to_owned(),
        beside: |_| String::new(),
    },
    Way {
        label: "Serialize by hand",
        over: "nothing",
        attributes: |_| String::new(),
        beside: serialize_by_hand,
    },
    Way {
        label: "InngestEvent",
        over: "Serialize by hand",
        attributes: |at| {
            format!(
                "#[derive(inngest_core::InngestEvent)]\n\
                 #[inngest(name = \"storefront/event.{at}\", id = \"event-{at}-{{cart_id}}-{{at}}\")]"
            )
        },
        beside: serialize_by_hand,
    },
];

fn serialize_by_hand(at: u32) -> String {
    format!(
        "impl serde::Serialize for Event{at} {{ fn serialize<S: serde::Serializer>(&self, s: S) \
         -> Result<S::Ok, S::Error> {{ s.serialize_unit() }} }}"
    )
}

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile");
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    println!(
        "building inngest-derive: {:.0} % over its dependencies' build",
        build(&folder, &project)
    );

    let user = Crate::new(&folder, "user", &project, &["inngest-core", "serde", "thiserror"]);
    let mut best = vec![(f64::MAX, f64::MAX); WAYS.len()];
    for round in 0..=ROUNDS {
        for (way, best) in WAYS.iter().zip(&mut best) {
            let (expansion, all) = user.check(way);
            // The first round builds the dependencies.
            if round > 0 {
                *best = (best.0.min(expansion), best.1.min(all));
            }
        }
    }
    let cost = |label: &str| {
        let time = |label| best[WAYS.iter().position(|way| way.label == label).expect("a way")];
        let over = WAYS.iter().find(|way| way.label == label).expect("a way").over;
        (time(label).0 - time(over).0, time(label).1 - time(over).1)
    };
    let (expansion, all) = cost("Serialize");
    println!("{STRUCTS} structs of five fields, best of {ROUNDS}, over the same structs without:");
    println!(
        "{:<14} {:>12} {:>13} {:>12} {:>13}",
        "", "expansion", "of Serialize", "cargo check", "of Serialize"
    );
    for label in ["Debug", "thiserror", "Serialize", "InngestEvent"] {
        let cost = cost(label);
        let each = |seconds: f64| format!("{:.3} ms", seconds * 1e3 / f64::from(STRUCTS));
        let (one, whole) = (cost.0 / expansion, cost.1 / all);
        println!("{label:<14} {:>12} {one:>13.2} {:>12} {whole:>13.2}", each(cost.0), each(cost.1));
    }
}

/// What building inngest-derive takes after its dependencies, in percent of what they take.
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
        // What a macro depends on is built for it alone.
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
            // For the option that has the compiler tell its times.
            .env("RUSTC_BOOTSTRAP", "1")
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// The seconds that expanding macros and that all of the check take.
    fn check(&self, way: &Way) -> (f64, f64) {
        let mut source = String::from("#![allow(dead_code)]\n");
        for at in 0..STRUCTS {
            let fields =
                "cart_id: String, at: u64, items: Vec<String>, total: f64, note: Option<String>";
            let (attributes, beside) = ((way.attributes)(at), (way.beside)(at));
            let _ = writeln!(source, "{attributes}\npub struct Event{at} {{ {fields} }}\n{beside}");
        }
        fs::write(self.path.join("src/lib.rs"), source).expect("the source can be written");
        let output = self.cargo(&["rustc", "--quiet", "--profile", "check", "--", "-Ztime-passes"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        let seconds = |pass: &str| {
            let line = text.lines().find(|line| line.split_whitespace().last() == Some(pass));
            let time = line.and_then(|line| line.split(';').next()?.split_whitespace().last());
            time.and_then(|time| time.parse().ok()).unwrap_or_else(|| panic!("no {pass} in {text}"))
        };
        (seconds("macro_expand_crate"), seconds("total"))
    }
}

/// As the workspace has it.
const SYN: &str = "{ version = \"3\", default-features = false, features = [\"clone-impls\", \"derive\", \"parsing\", \"printing\", \"proc-macro\"] }";
