//! Which fault a request gets: the next one queued, or the one that a test's rule returns.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::fault::Fault;
use super::lock::lock;
use super::request::ReceivedRequest;
use super::store::StoredEvent;

type RequestRule = Box<dyn FnMut(&ReceivedRequest) -> Option<Fault> + Send>;
type EventRule = Box<dyn FnMut(&StoredEvent) -> Option<Fault> + Send>;

/// The faults of future requests. The queue comes first, then the rule by request, then the rule by
/// event.
#[derive(Default)]
pub(super) struct FaultRules {
    queue: Mutex<VecDeque<Fault>>,
    request_rule: Mutex<Option<RequestRule>>,
    event_rule: Mutex<Option<EventRule>>,
}

impl FaultRules {
    pub(super) fn queue(&self, times: usize, fault: &Fault) {
        lock(&self.queue).extend(std::iter::repeat_n(fault, times).cloned());
    }

    pub(super) fn set_request_rule(&self, rule: RequestRule) {
        *lock(&self.request_rule) = Some(rule);
    }

    pub(super) fn set_event_rule(&self, rule: EventRule) {
        *lock(&self.event_rule) = Some(rule);
    }

    pub(super) fn clear(&self) {
        lock(&self.queue).clear();
        *lock(&self.request_rule) = None;
        *lock(&self.event_rule) = None;
    }

    pub(super) fn take_queued(&self) -> Option<Fault> {
        lock(&self.queue).pop_front()
    }

    pub(super) fn for_request(&self, request: &ReceivedRequest) -> Option<Fault> {
        lock(&self.request_rule).as_mut().and_then(|rule| rule(request))
    }

    /// Returns the fault of the first event for which the rule returns one.
    pub(super) fn for_events(&self, events: &[StoredEvent]) -> Option<Fault> {
        let mut rule = lock(&self.event_rule);
        let rule = rule.as_mut()?;
        let mut faults = events.iter().enumerate();
        faults.find_map(|(index, event)| Some(rule(event)?.counted_from(index)))
    }
}
