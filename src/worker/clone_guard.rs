//! Says once why a copy of the vault refreshes nothing, and follows the vault's home through promotions.

use crate::pg::catalog;
use crate::store::installation::{self, Problem};

/// What a refresher has said about its vault.
#[derive(Default)]
pub struct CloneGuard {
    told: Option<Problem>,
}

impl CloneGuard {
    /// Looks once more, in the open transaction; whether there still is a vault.
    pub fn look(&mut self) -> bool {
        let exists = catalog::extension_exists();
        if exists {
            self.tell(installation::settle());
        }
        exists
    }

    fn tell(&mut self, problem: Option<Problem>) {
        if let Some(Problem { state, advice }) = &problem
            && self.told != problem
        {
            pgrx::warning!("token_vault found {state}; {advice}");
        }
        self.told = problem;
    }
}
