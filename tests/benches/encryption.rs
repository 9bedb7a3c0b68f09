//! The cost of encryption: sending an event with an encrypted field compared with the same event in clear, and
//! encrypting and decrypting alone: `cargo bench -p inngest-tests --bench encryption`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use inngest_core::encryption::{Encrypted, EncryptionKeys};
use inngest_core::{Batch, InngestEvent};
use serde::{Deserialize, Serialize};

#[allow(dead_code, reason = "this benchmark has events of its own")]
mod common;
use common::{client, compare, sink};

/// Events in a batch that is not sent: few enough that most rounds are not interrupted.
const PUSHED: usize = 50;

/// A private value. Its event has three opening braces, as the server of the benchmarks expects.
#[derive(Clone, Serialize, Deserialize)]
struct Account {
    id: String,
    email: String,
    note: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/account.created", id = "account-created-{number}")]
struct InClear {
    number: usize,
    account: Account,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/account.created", id = "account-created-{number}")]
struct Sealed {
    number: usize,
    encrypted: Encrypted<Account>,
}

/// Returns an account of `bytes` bytes as JSON.
fn account(bytes: usize) -> Account {
    let mut account =
        Account { id: "acct_1".into(), email: "customer@example.com".into(), note: String::new() };
    let without_note = serde_json::to_vec(&account).expect("JSON").len();
    account.note = "n".repeat(bytes - without_note);
    account
}

fn against_clear(keys: &EncryptionKeys) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let url = sink();
    let (sealing, clear) = (client(&url), client(&url));
    let seal = |number: usize, account: &Account| Sealed {
        number,
        encrypted: keys.encrypt(account).expect("encrypted"),
    };
    for bytes in [100, 1_000] {
        let account = account(bytes);
        let in_clear = InClear { number: 1, account: account.clone() };
        println!("a field of {bytes} bytes, encrypted (ours) against in clear (bare)");
        compare(
            "single send",
            5_000,
            || {
                let sent = sealing.send(seal(1, &account));
                black_box(runtime.block_on(sent).expect("an id"));
            },
            || {
                black_box(runtime.block_on(clear.send(&in_clear)).expect("an id"));
            },
        );
        compare(
            "push of 50, nothing sent",
            5_000,
            || {
                let events = (0..PUSHED).map(|number| seal(number, &account));
                black_box(Batch::try_from_iter(events).expect("a batch"));
            },
            || {
                let event = |number| InClear { number, account: account.clone() };
                black_box(Batch::try_from_iter((0..PUSHED).map(event)).expect("a batch"));
            },
        );
    }
}

fn alone(criterion: &mut Criterion, keys: &EncryptionKeys) {
    let mut group = criterion.benchmark_group("encryption");
    for bytes in [100, 1_000, 100_000] {
        let account = account(bytes);
        let encrypted = keys.encrypt(&account).expect("encrypted");
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("encrypt", bytes), |bencher| {
            bencher.iter(|| keys.encrypt(black_box(&account)).expect("encrypted"));
        });
        group.bench_function(BenchmarkId::new("decrypt", bytes), |bencher| {
            bencher.iter(|| keys.decrypt(black_box(&encrypted)).expect("decrypted"));
        });
    }
    group.finish();
}

fn main() {
    let keys = EncryptionKeys::new("a secret key").expect("a key");
    against_clear(&keys);
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    alone(&mut criterion, &keys);
    criterion.final_summary();
}
