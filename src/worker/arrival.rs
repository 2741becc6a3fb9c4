//! Outcomes on their way into the tables.

use std::rc::Rc;

use token_vault_core::oauth::Provider;

use crate::pg::{spi, transaction};
use crate::worker::apply;
use crate::worker::call::{Call, Outcome};
use crate::worker::claim::Claim;

/// An outcome that has not been written yet.
pub struct Arrival {
    pub claim: Claim,
    pub provider: Option<Rc<Provider>>,
    pub outcome: Outcome,
}

impl Arrival {
    pub fn of(call: Call, outcome: Outcome) -> Arrival {
        Arrival {
            provider: Some(call.provider),
            claim: call.claim,
            outcome,
        }
    }
}

/// Writes them in one transaction: all or, with the error's message, none.
pub fn write(arrivals: &[Arrival]) -> Result<(), String> {
    transaction::run(|| {
        spi::session(|session| {
            for arrival in arrivals {
                if let Err(error) = apply::apply(
                    session,
                    &arrival.claim,
                    arrival.provider.as_deref(),
                    &arrival.outcome,
                ) {
                    error.raise();
                }
            }
        });
    })
    .map_err(|aborted| aborted.0)
}
