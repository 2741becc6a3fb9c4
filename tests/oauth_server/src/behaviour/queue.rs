//! Which misbehaviours are switched on, for whom, and for how many more requests.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::Behaviour;

struct Pending {
    /// `None`: every client.
    client_id: Option<String>,
    behaviour: Behaviour,
    /// Requests left; `None`: until switched off.
    left: Option<u32>,
}

/// Misbehaviours in the order in which they were asked for: the first that concerns a request is applied to it.
#[derive(Default)]
pub(crate) struct Queue(Mutex<VecDeque<Pending>>);

impl Queue {
    pub(crate) fn push(&self, client_id: Option<String>, behaviour: Behaviour, times: Option<u32>) {
        if times != Some(0) {
            self.lock().push_back(Pending {
                client_id,
                behaviour,
                left: times,
            });
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Takes the misbehaviour for a request that names `client_id`.
    pub(crate) fn take(&self, client_id: Option<&str>) -> Option<Behaviour> {
        let mut pending = self.lock();
        let concerned =
            |entry: &Pending| entry.client_id.is_none() || entry.client_id.as_deref() == client_id;
        let position = pending.iter().position(concerned)?;
        let entry = &mut pending[position];
        let behaviour = entry.behaviour.clone();
        if let Some(left) = &mut entry.left {
            *left -= 1;
            if *left == 0 {
                pending.remove(position);
            }
        }
        Some(behaviour)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Pending>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_count_and_client_decide() {
        let queue = Queue::default();
        queue.push(Some("other".into()), Behaviour::DropBeforeAnswer, None);
        queue.push(None, Behaviour::InvalidJson, Some(2));
        queue.push(None, Behaviour::InvalidUtf8, Some(1));
        queue.push(None, Behaviour::CutInBody, Some(0));

        let taken: Vec<_> = (0..4).map(|_| queue.take(Some("mine"))).collect();
        let expected = [
            Some(Behaviour::InvalidJson),
            Some(Behaviour::InvalidJson),
            Some(Behaviour::InvalidUtf8),
            None,
        ];
        assert_eq!(taken, expected);
        assert_eq!(queue.take(Some("other")), Some(Behaviour::DropBeforeAnswer));
        assert_eq!(queue.take(None), None);

        queue.clear();
        assert_eq!(queue.take(Some("other")), None);
    }
}
