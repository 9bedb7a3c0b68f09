//! A request -> what an Event API would answer, without a socket.

use std::panic::Location;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::BodyExt as _;

use super::super::answer::{self, Answer, Body};
use super::super::body;
use super::super::fault::{Distortion, Fault, Instead, Kind};
use super::super::request::ReceivedRequest;
use super::super::seed::Ids;
use super::super::store::StoredEvent;
use super::Recorder;
use super::record::Line;
use crate::client::test_transport::{CallSites, Transport, TransportAnswer, TransportFault};
use crate::event::EventError;
use crate::event::EventId;

/// No client reads as much of an answer.
const MAX_SPACES: u64 = 1 << 20;

impl Transport for Recorder {
    fn send(&self, request: Request<Bytes>) -> TransportAnswer<'_> {
        Box::pin(self.answer(request))
    }

    fn on_invalid_event(&self, error: &EventError, call_site: &'static Location<'static>) {
        self.record.refuse(error, Line(call_site));
    }
}

/// The events of one request, and what is wrong with the one behind them.
struct Incoming {
    places: Vec<usize>,
    ids: Vec<String>,
    error: Option<String>,
}

impl Recorder {
    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportFault> {
        let (parts, body) = request.into_parts();
        let read = body::read(&body);
        let seed = parts.headers.get("x-inngest-event-id-seed");
        let ids = Ids::new(seed.and_then(|seed| seed.to_str().ok()), 0);
        let ids: Vec<String> = (0..read.good.len()).map(|index| ids.id(index)).collect();
        let stored = |(event, id): (_, &String)| StoredEvent::new(event, EventId::new(id), 0);
        let events: Vec<StoredEvent> = read.good.into_iter().zip(&ids).map(stored).collect();

        let faults = &self.record.faults;
        let fault = faults
            .next()
            .or_else(|| faults.by_request(&ReceivedRequest::new(&parts, body)))
            .or_else(|| faults.by_event(&events));
        let places = self.record.arrive(events, &lines(&parts, ids.len()));
        let mut incoming = Incoming { places, ids, error: read.error };
        if let Some(index) = self.record.first_rejected(&incoming.places) {
            self.stop_at(&mut incoming, index, "the event was rejected".to_owned());
        }
        match fault {
            None => Ok(whole(self.accept(incoming).into_response()).await),
            Some(fault) => {
                if !fault.delay.is_zero() {
                    tokio::time::sleep(fault.delay).await;
                }
                self.misbehave(fault, incoming).await
            }
        }
    }

    async fn misbehave(
        &self,
        fault: Fault,
        mut incoming: Incoming,
    ) -> Result<Response<Bytes>, TransportFault> {
        let instead = match fault.kind {
            Kind::DropBeforeReading => {
                self.record.not_accept(&incoming.places, "the connection was refused");
                return Err(TransportFault::Connect);
            }
            Kind::Distorted(Distortion::Cut) => {
                self.accept(incoming);
                return Err(TransportFault::Interrupted);
            }
            Kind::Distorted(distortion) => {
                if let Distortion::FailAt { index, error } = &distortion {
                    self.stop_at(&mut incoming, *index, error.clone());
                }
                let mut answer = self.accept(incoming);
                if let Answer::Ids { ids, .. } = &mut answer {
                    distortion.distort(ids);
                }
                return Ok(whole(answer.into_response()).await);
            }
            Kind::Instead(instead) => instead,
        };
        if fault.accepts {
            self.accept(incoming);
        } else {
            self.record.not_accept(&incoming.places, &why(&instead));
        }
        match instead {
            Instead::Hang => std::future::pending().await,
            Instead::Drop => Err(TransportFault::Interrupted),
            Instead::Spaces(bytes) => Ok(whole(answer::spaces(bytes.min(MAX_SPACES))).await),
            Instead::Answer { status, headers, body } => {
                Ok(whole(answer::of_fault(status, headers, body)).await)
            }
        }
    }

    fn accept(&self, incoming: Incoming) -> Answer {
        let Incoming { places, mut ids, error } = incoming;
        self.record.accept(&places);
        // The Event API's list is never empty.
        if ids.is_empty() {
            ids.push(String::new());
        }
        Answer::Ids { ids, error }
    }

    /// Makes the event at `index` one that is not accepted, and those behind it ones that are not
    /// looked at.
    fn stop_at(&self, incoming: &mut Incoming, index: usize, error: String) {
        if let Some(stopped) = incoming.places.get(index..).filter(|rest| !rest.is_empty()) {
            self.record.not_accept(&stopped[..1], &format!("400: {error}"));
            self.record.not_accept(&stopped[1..], "behind one that was not accepted");
            incoming.places.truncate(index);
            incoming.ids.truncate(index);
            incoming.error = Some(error);
        }
    }
}

/// Where a request's events were given to the client.
fn lines(parts: &Parts, events: usize) -> Vec<Line> {
    match parts.extensions.get::<CallSites>() {
        Some(CallSites(call_sites)) => call_sites.iter().map(|call_site| Line(call_site)).collect(),
        // Somebody made a request of his own.
        None => vec![Line(Location::caller()); events],
    }
}

fn why(instead: &Instead) -> String {
    match instead {
        Instead::Hang => "no answer".to_owned(),
        Instead::Drop => "the connection broke".to_owned(),
        Instead::Spaces(_) => "answered with spaces".to_owned(),
        Instead::Answer { status, .. } => format!("answered {status}"),
    }
}

async fn whole(response: Response<Body>) -> Response<Bytes> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Response::from_parts(parts, body)
}
