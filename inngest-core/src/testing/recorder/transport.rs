//! Responds to a client's requests as an Event API does, without a socket.

use std::panic::Location;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};

use super::super::body;
use super::super::fault::Fault;
use super::super::fault_plan::{FaultReply, ReadEvents};
use super::super::request::ReceivedRequest;
use super::super::response::{self, ApiResponse, ResponseBody};
use super::super::seed::IdSource;
use super::super::store::StoredEvent;
use super::Recorder;
use super::record::SourceLine;
use crate::client::test_transport::{CallSites, Transport, TransportAnswer, TransportFault};
use crate::event::EventError;
use crate::event::EventId;

/// The maximum number of spaces in a response, which is more than a client reads of any response.
const MAX_SPACES: u64 = 1 << 20;

impl Transport for Recorder {
    fn send(&self, request: Request<Bytes>) -> TransportAnswer<'_> {
        Box::pin(self.respond(request))
    }

    fn on_invalid_event(&self, error: &EventError, call_site: &'static Location<'static>) {
        self.record.add_client_rejection(error, SourceLine(call_site));
    }
}

impl Recorder {
    async fn respond(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportFault> {
        let (parts, body) = request.into_parts();
        let body::ParsedBody { events, error } = body::parse(&body);
        let id_source = IdSource::new(&parts.headers, 0);
        let ids: Vec<String> = (0..events.len()).map(|index| id_source.id(index)).collect();
        let stored = |(event, id): (_, &String)| StoredEvent::new(event, EventId::new(id), 0);
        let events: Vec<StoredEvent> = events.into_iter().zip(&ids).map(stored).collect();

        let faults = &self.record.faults;
        let fault = faults
            .take_queued()
            .or_else(|| faults.for_request(&ReceivedRequest::new(&parts, body)))
            .or_else(|| faults.for_events(&events));
        let mut indexes = self.record.add_arrived(events, &lines(&parts, ids.len()));
        let mut request = ReadEvents { ids, error };
        if let Some(rejected) = self.record.first_rejected(&indexes) {
            let error = "the event was rejected";
            self.record.mark_stopped(&indexes[rejected..], error);
            indexes.truncate(rejected);
            request.stop_at(rejected, error.to_owned());
        }

        let plan = fault.unwrap_or_else(Fault::none).apply(Ok(request));
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        let (accepted, others) = indexes.split_at(plan.accepted.min(indexes.len()));
        self.record.mark_accepted(accepted);
        match &plan.reply {
            FaultReply::Respond(ApiResponse::Events { error: Some(error), .. }) => {
                self.record.mark_stopped(others, error);
            }
            reply => self.record.mark_not_accepted(others, &reason(reply)),
        }
        match plan.reply {
            FaultReply::Respond(response) => Ok(whole(response.into_http()).await),
            FaultReply::RespondSpaces(bytes) => {
                Ok(whole(response::spaces(bytes.min(MAX_SPACES))).await)
            }
            FaultReply::CloseBeforeReading => Err(TransportFault::Connect),
            FaultReply::RespondTruncated(_) | FaultReply::Close => Err(TransportFault::Interrupted),
            FaultReply::Hang => std::future::pending().await,
        }
    }
}

/// Returns the line that passed each event of a request to the client.
fn lines(parts: &Parts, events: usize) -> Vec<SourceLine> {
    match parts.extensions.get::<CallSites>() {
        Some(CallSites(call_sites)) => {
            call_sites.iter().map(|call_site| SourceLine(call_site)).collect()
        }
        // The request was not made by a client of this crate.
        None => vec![SourceLine(Location::caller()); events],
    }
}

/// Returns why events were not accepted, given the reply to their request.
fn reason(reply: &FaultReply) -> String {
    match reply {
        FaultReply::Hang => "no response".to_owned(),
        FaultReply::CloseBeforeReading => "the connection was refused".to_owned(),
        FaultReply::Close | FaultReply::RespondTruncated(_) => {
            "the connection was closed".to_owned()
        }
        FaultReply::RespondSpaces(_) => "the response was only spaces".to_owned(),
        FaultReply::Respond(ApiResponse::Custom { status, .. }) => status.to_string(),
        FaultReply::Respond(_) => "the response had no ids".to_owned(),
    }
}

async fn whole(response: Response<ResponseBody>) -> Response<Bytes> {
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, response::read_to_end(body).await)
}
