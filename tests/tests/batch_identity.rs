//! No two events have the same id, and no event has two, whatever happens to batches between their first event and
//! their last request. The judge is a server that derives ids from seeds as Inngest does.

use std::collections::{BTreeMap, BTreeSet};

use inngest_core::testing::TransportFault;
use inngest_core::{Batch, BatchError, Client, EventId, InngestEvents, RetryPolicy};
use inngest_tests::{AccountLinked, ItemViewed, Judge, Ruling};
use proptest::prelude::*;

#[tokio::test(start_paused = true)]
async fn events_around_an_appended_batch_keep_their_ids_when_they_are_sent_again() {
    // The returned batch shares the buffer of the original if its events are larger, and has a copy otherwise.
    for (own, appended) in [(200, 10), (10, 200)] {
        let view = |number, bytes| ItemViewed { number, note: "n".repeat(bytes) };
        // The requests are [0], [100] and [1], since 100 has another seed. The first and the last fail.
        let judge = Judge::new(|request| match request.numbers[..] {
            [0 | 1] => Ruling::Respond(503, ""),
            _ => Ruling::Accept,
        });
        let mut batch = Batch::try_from_iter([view(0, own)]).expect("a batch");
        batch.append(Batch::try_from_iter([view(100, appended)]).expect("a batch"));
        batch.push(view(1, own)).expect("an event");
        let client = judge.client().with_retry(RetryPolicy::none());
        let error = client.send_batch(&batch).await.expect_err("two failures");
        assert_eq!(error.accepted().len(), 1);
        assert_eq!(error.unsent(), [0, 2]);

        let healthy = judge.ruling(|_| Ruling::Accept).client();
        let unsent = error.into_unsent();
        let ids = healthy.send_batch(&unsent).await.expect("ids");
        assert_eq!(judge.numbers()[3..], [vec![0, 1]]);
        assert_eq!(ids.len(), 2);
        assert_eq!(healthy.send_batch(&batch).await.expect("ids")[0], ids[0]);
        judge.assert_identities();
        assert_eq!(judge.accepted(), [0, 1, 100].into());
    }
}

/// What happens to the batches of a program. A batch is chosen by its index, modulo their number.
#[derive(Clone, Debug)]
enum Operation {
    Push {
        batch: usize,
        events: usize,
    },
    /// Pushes an event that cannot be sent.
    PushInvalid {
        batch: usize,
    },
    Create,
    Append {
        batch: usize,
        other: usize,
    },
    Send {
        batch: usize,
        call: Call,
        then: Then,
    },
    /// Sends new events of which some cannot be sent.
    SendAll {
        events: usize,
        invalid_every: usize,
        call: Call,
    },
    /// Stores a batch and reads it back, and keeps the original too or drops it.
    Store {
        batch: usize,
        keep: bool,
    },
}

/// What follows after an error.
#[derive(Clone, Copy, Debug)]
enum Then {
    KeepOriginal,
    TakeUnsent,
    TakeUnsentAndKeepOriginal,
    TakeRejectedAndKeepOriginal,
}

#[derive(Clone, Debug)]
struct Call {
    max_request_events: usize,
    max_in_flight: usize,
    max_attempts: u32,
    /// How the server reacts to the first requests of the call.
    rulings: Vec<Ruling>,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let batch = 0..8_usize;
    let then = prop_oneof![
        Just(Then::KeepOriginal),
        Just(Then::TakeUnsent),
        Just(Then::TakeUnsentAndKeepOriginal),
        Just(Then::TakeRejectedAndKeepOriginal),
    ];
    let operation = prop_oneof![
        4 => (batch.clone(), 1..6_usize)
            .prop_map(|(batch, events)| Operation::Push { batch, events }),
        1 => batch.clone().prop_map(|batch| Operation::PushInvalid { batch }),
        1 => Just(Operation::Create),
        2 => (batch.clone(), batch.clone())
            .prop_map(|(batch, other)| Operation::Append { batch, other }),
        4 => (batch.clone(), call(), then)
            .prop_map(|(batch, call, then)| Operation::Send { batch, call, then }),
        1 => (1..12_usize, 2..5_usize, call()).prop_map(|(events, invalid_every, call)| {
            Operation::SendAll { events, invalid_every, call }
        }),
        1 => (batch, any::<bool>()).prop_map(|(batch, keep)| Operation::Store { batch, keep }),
    ];
    proptest::collection::vec(operation, 1..24)
}

fn call() -> impl Strategy<Value = Call> {
    let count = 0..8_usize;
    let ruling = prop_oneof![
        4 => Just(Ruling::Accept),
        3 => count.clone().prop_map(Ruling::StopAt),
        3 => count.clone().prop_map(Ruling::Lose),
        1 => count.prop_map(Ruling::Hang),
        2 => Just(Ruling::Respond(503, "")),
        1 => Just(Ruling::Respond(413, "")),
        1 => Just(Ruling::Respond(400, r#"{"error":"Bad Request"}"#)),
        1 => Just(Ruling::Respond(200, "<html>")),
        1 => Just(Ruling::Fail(TransportFault::Connect)),
    ];
    let rulings = proptest::collection::vec(ruling, 0..12);
    (1..=7_usize, 1..=4_usize, 1..=2_u32, rulings).prop_map(
        |(max_request_events, max_in_flight, max_attempts, rulings)| Call {
            max_request_events,
            max_in_flight,
            max_attempts,
            rulings,
        },
    )
}

/// A batch, and the numbers of its events.
struct Held {
    batch: Batch,
    numbers: Vec<u64>,
}

impl Held {
    fn new(batch: Batch, numbers: Vec<u64>) -> Held {
        assert_eq!(batch.len(), numbers.len());
        Held { batch, numbers }
    }
}

struct Program {
    judge: Judge,
    held: Vec<Held>,
    /// The number of the next event.
    next_number: u32,
    /// The events that can be sent.
    valid: BTreeSet<u64>,
    /// The id that a call returned for each event.
    returned: BTreeMap<u64, EventId>,
    /// Whether a batch was stored. What happens to the original afterwards is not in the stored batch, so that an event
    /// can be rejected although the original was accepted.
    stored: bool,
}

impl Program {
    fn new() -> Program {
        Program {
            judge: Judge::new(|_| Ruling::Accept),
            held: vec![Held::new(Batch::new(), vec![])],
            next_number: 0,
            valid: BTreeSet::new(),
            returned: BTreeMap::new(),
            stored: false,
        }
    }

    fn new_event(&mut self) -> ItemViewed {
        let event = ItemViewed::number(self.next_number);
        self.valid.insert(event.number.into());
        self.next_number += 1;
        event
    }

    async fn execute(&mut self, operation: Operation) {
        let count = self.held.len();
        match operation {
            Operation::Push { batch, events } => {
                for _ in 0..events {
                    let event = self.new_event();
                    let held = &mut self.held[batch % count];
                    held.batch.push(&event).expect("an event");
                    held.numbers.push(event.number.into());
                }
            }
            Operation::PushInvalid { batch } => {
                let batch = &mut self.held[batch % count].batch;
                batch.push(invalid()).expect_err("an invalid event");
            }
            Operation::Create => self.held.push(Held::new(Batch::new(), vec![])),
            Operation::Append { batch, other } if batch % count != other % count => {
                let other = std::mem::replace(
                    &mut self.held[other % count],
                    Held::new(Batch::new(), vec![]),
                );
                let held = &mut self.held[batch % count];
                held.batch.append(other.batch);
                held.numbers.extend(other.numbers);
            }
            Operation::Append { .. } => {}
            Operation::Send { batch, call, then } => self.send(batch % count, &call, then).await,
            Operation::SendAll { events, invalid_every, call } => {
                self.send_all(events, invalid_every, &call).await;
            }
            Operation::Store { batch, keep } => {
                self.stored = true;
                let held = &mut self.held[batch % count];
                let json = serde_json::to_string(&held.batch).expect("JSON");
                let copy = serde_json::from_str(&json).expect("a batch");
                let copy = Held::new(copy, held.numbers.clone());
                if keep {
                    self.held.push(copy);
                } else {
                    *held = copy;
                }
            }
        }
    }

    fn client(&self, call: &Call) -> Client {
        let first = self.judge.requests().len();
        let rulings = call.rulings.clone();
        let judge = self.judge.ruling(move |request| {
            rulings.get(request.index - first).cloned().unwrap_or(Ruling::Accept)
        });
        let builder = judge.builder().max_request_events(call.max_request_events);
        let policy = RetryPolicy::default().max_attempts(call.max_attempts);
        builder.max_in_flight(call.max_in_flight).retry(policy).build().expect("a client")
    }

    async fn send(&mut self, index: usize, call: &Call, then: Then) {
        let client = self.client(call);
        let Held { batch, numbers } = &self.held[index];
        let numbers = numbers.clone();
        match client.send_batch(batch).await {
            Ok(ids) => {
                for (number, id) in numbers.iter().zip(ids) {
                    self.check_accepted(*number, &id);
                }
                self.held[index] = Held::new(Batch::new(), vec![]);
            }
            Err(error) => {
                self.check_error(&error, &numbers);
                let rejected: Vec<u64> =
                    error.rejected().iter().map(|(index, _)| numbers[*index]).collect();
                let unsent: Vec<u64> = error.unsent().iter().map(|index| numbers[*index]).collect();
                match then {
                    Then::KeepOriginal => {}
                    // The rejected events would be lost.
                    Then::TakeUnsent if rejected.is_empty() => {
                        self.held[index] = Held::new(error.into_unsent(), unsent);
                    }
                    Then::TakeUnsent | Then::TakeUnsentAndKeepOriginal => {
                        self.held.push(Held::new(error.into_unsent(), unsent));
                    }
                    Then::TakeRejectedAndKeepOriginal => {
                        self.held.push(Held::new(error.into_rejected(), rejected));
                    }
                }
            }
        }
    }

    async fn send_all(&mut self, events: usize, invalid_every: usize, call: &Call) {
        let events: Vec<ItemViewed> = (0..events).map(|_| self.new_event()).collect();
        let numbers: Vec<u64> = events.iter().map(|event| event.number.into()).collect();
        let mut sent = Vec::new();
        for (index, event) in events.into_iter().enumerate() {
            sent.push(if index % invalid_every == 1 {
                self.valid.remove(&numbers[index]);
                Mixed::Invalid(invalid())
            } else {
                Mixed::Valid(event)
            });
        }
        // The server rejects none of these, so that all can be sent again.
        let rulings = call
            .rulings
            .iter()
            .filter(|ruling| !matches!(ruling, Ruling::StopAt(_) | Ruling::Respond(413, _)));
        let call = Call { rulings: rulings.cloned().collect(), ..call.clone() };
        let result = self.client(&call).send_all(sent).await;
        match result {
            Ok(ids) => {
                for (number, id) in numbers.iter().zip(ids) {
                    self.check_accepted(*number, &id);
                }
            }
            Err(error) => {
                self.check_error(&error, &numbers);
                let unsent = error.unsent().iter().map(|index| numbers[*index]).collect();
                self.held.push(Held::new(error.into_unsent(), unsent));
            }
        }
    }

    fn check_accepted(&mut self, number: u64, id: &EventId) {
        assert!(self.judge.has_accepted(number, id), "{number} was not accepted under {id}");
        let known = self.returned.entry(number).or_insert_with(|| id.clone());
        assert_eq!(known, id, "event {number} got two ids");
    }

    fn check_error(&mut self, error: &BatchError, numbers: &[u64]) {
        for (index, id) in error.accepted() {
            self.check_accepted(numbers[*index], id);
        }
        let accepted = self.judge.accepted();
        for (index, reason) in error.rejected() {
            let number = numbers[*index];
            assert!(
                self.stored || !accepted.contains(&number),
                "event {number} was accepted, and then rejected: {reason}"
            );
        }
    }

    /// Sends what is left to a server without faults, and checks that nothing is lost.
    async fn finish(mut self, max_request_events: usize) {
        let call =
            Call { max_request_events, max_in_flight: 2, max_attempts: 1, rulings: Vec::new() };
        for index in 0..self.held.len() {
            self.send(index, &call, Then::KeepOriginal).await;
        }
        self.judge.assert_identities();
        assert_eq!(self.judge.accepted(), self.valid, "an event is lost");
    }
}

/// An event that cannot be sent, which is noticed after a part of it is written.
fn invalid() -> AccountLinked {
    AccountLinked { account: i128::MAX }
}

/// An event of a call in which some cannot be sent.
#[derive(InngestEvents)]
enum Mixed {
    Valid(ItemViewed),
    Invalid(AccountLinked),
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_id_belongs_to_two_events_and_no_event_has_two_ids(
        operations in operations(),
        last_limit in 1..=7_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut program = Program::new();
            for operation in operations {
                program.execute(operation).await;
            }
            program.finish(last_limit).await;
        });
    }
}
