//! Decides what a transport does with a request, from the request's fault. Does no I/O.

use std::time::Duration;

use super::fault::{Fault, FaultKind};
use super::response::ApiResponse;

/// The events of a request that can be accepted, by their ids, and the error in the event after them.
#[derive(Debug, PartialEq)]
pub(super) struct ReadEvents {
    pub(super) ids: Vec<String>,
    pub(super) error: Option<String>,
}

/// What a transport does with a request: it waits for `delay`, accepts the first `accepted` of its
/// events, and replies.
#[derive(Debug, PartialEq)]
pub(super) struct FaultPlan {
    pub(super) delay: Duration,
    pub(super) accepted: usize,
    pub(super) reply: FaultReply,
}

#[derive(Debug, PartialEq)]
pub(super) enum FaultReply {
    Respond(ApiResponse),
    /// Send the response up to the middle of its body, then close the connection.
    RespondTruncated(ApiResponse),
    /// Respond with this many spaces.
    RespondSpaces(u64),
    /// Close the connection before the request's body is read.
    CloseBeforeReading,
    /// Close the connection without a response.
    Close,
    /// Never respond.
    Hang,
}

impl ReadEvents {
    /// Stops at the event at `index`, if there is one.
    pub(super) fn stop_at(&mut self, index: usize, error: String) {
        if index < self.ids.len() {
            self.ids.truncate(index);
            self.error = Some(error);
        }
    }

    /// Returns the response once these events are accepted.
    fn into_response(self) -> ApiResponse {
        let ReadEvents { mut ids, error } = self;
        // Inngest's list is never empty: it is allocated with one element.
        if ids.is_empty() {
            ids.push(String::new());
        }
        ApiResponse::Events { ids, error }
    }
}

impl Fault {
    /// Decides what a transport does with a request. `request` are the events read from the request, or
    /// the response to a request without events.
    pub(super) fn apply(self, request: Result<ReadEvents, ApiResponse>) -> FaultPlan {
        let Fault { delay, accepts, kind } = self;
        let (accepted, mut response) = match request {
            Ok(mut events) => {
                if let FaultKind::FailAt { index, error } = &kind {
                    events.stop_at(*index, error.clone());
                }
                (if accepts { events.ids.len() } else { 0 }, events.into_response())
            }
            Err(response) => (0, response),
        };
        if let ApiResponse::Events { ids, .. } = &mut response {
            match kind {
                FaultKind::MissingIds(count) => ids.truncate(ids.len().saturating_sub(count)),
                FaultKind::EmptyIds => ids.iter_mut().for_each(String::clear),
                _ => {}
            }
        }
        let reply = match kind {
            FaultKind::DelayOnly
            | FaultKind::FailAt { .. }
            | FaultKind::MissingIds(_)
            | FaultKind::EmptyIds => FaultReply::Respond(response),
            FaultKind::TruncatedResponse => FaultReply::RespondTruncated(response),
            FaultKind::CloseBeforeReading => FaultReply::CloseBeforeReading,
            FaultKind::CloseBeforeResponse => FaultReply::Close,
            FaultKind::Hang => FaultReply::Hang,
            FaultKind::Spaces(bytes) => FaultReply::RespondSpaces(bytes),
            FaultKind::CustomResponse { status, headers, body } => {
                FaultReply::Respond(ApiResponse::Custom { status, headers, body })
            }
        };
        FaultPlan { delay, accepted, reply }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ApiResponse, Fault, FaultPlan, FaultReply, ReadEvents};

    fn read(ids: &[&str], error: Option<&str>) -> ReadEvents {
        ReadEvents {
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            error: error.map(str::to_owned),
        }
    }

    fn response(ids: &[&str], error: Option<&str>) -> ApiResponse {
        let ReadEvents { ids, error } = read(ids, error);
        ApiResponse::Events { ids, error }
    }

    #[test]
    fn the_number_of_accepted_events_and_the_reply_follow_from_the_fault() {
        let respond = |ids: &[&str], error| FaultReply::Respond(response(ids, error));
        let cases = [
            (Fault::none(), 3, respond(&["a", "b", "c"], None)),
            (Fault::fail_at(1), 1, respond(&["a"], Some("the event could not be stored"))),
            (Fault::fail_at(3), 3, respond(&["a", "b", "c"], None)),
            (Fault::refuse("no"), 0, respond(&[""], Some("no"))),
            (Fault::refuse("no").counted_from(2), 2, respond(&["a", "b"], Some("no"))),
            (Fault::missing_ids(1), 3, respond(&["a", "b"], None)),
            (Fault::missing_ids(9), 3, respond(&[], None)),
            (Fault::empty_ids(), 3, respond(&["", "", ""], None)),
            (
                Fault::drop_within_answer(),
                3,
                FaultReply::RespondTruncated(response(&["a", "b", "c"], None)),
            ),
            (Fault::drop_before_answer(), 3, FaultReply::Close),
            (Fault::drop_before_reading(), 0, FaultReply::CloseBeforeReading),
            (Fault::drop_before_reading().after_accepting(), 0, FaultReply::CloseBeforeReading),
            (Fault::hang(), 0, FaultReply::Hang),
            (Fault::hang().after_accepting(), 3, FaultReply::Hang),
            (Fault::answer_of_bytes(7), 0, FaultReply::RespondSpaces(7)),
        ];
        for (fault, accepted, reply) in cases {
            let text = format!("{fault:?}");
            let plan = fault.apply(Ok(read(&["a", "b", "c"], None)));
            assert_eq!(plan, FaultPlan { delay: Duration::ZERO, accepted, reply }, "{text}");
        }
    }

    #[test]
    fn a_status_replaces_the_response_and_a_delay_is_kept() {
        let fault = Fault::status(503).body("later").delayed(Duration::from_secs(1));
        let plan = fault.after_accepting().apply(Ok(read(&["a"], Some("bad"))));
        assert_eq!((plan.delay, plan.accepted), (Duration::from_secs(1), 1));
        let FaultReply::Respond(ApiResponse::Custom { status, body, .. }) = plan.reply else {
            panic!("{:?}", plan.reply);
        };
        assert_eq!((status.as_u16(), body.as_deref()), (503, Some("later")));
    }

    #[test]
    fn a_request_without_events_keeps_its_response() {
        for fault in [Fault::none(), Fault::fail_at(0), Fault::missing_ids(1)] {
            let plan = fault.apply(Err(ApiResponse::UnknownKey));
            assert_eq!(plan.accepted, 0);
            assert_eq!(plan.reply, FaultReply::Respond(ApiResponse::UnknownKey));
        }
    }
}
