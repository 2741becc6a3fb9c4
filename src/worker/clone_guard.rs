//! Says once why a copy of the vault refreshes nothing, and follows the vault's home through promotions.

use crate::pg::catalog;
use crate::store::installation::{self, Problem, Standing};

/// What a refresher has said about its vault.
#[derive(Default)]
pub struct CloneGuard {
    told: Option<Problem>,
}

impl CloneGuard {
    /// Looks once more, in the open transaction; None: there is no vault any more.
    pub fn look(&mut self) -> Option<Standing> {
        if !catalog::extension_exists() {
            return None;
        }
        let (standing, problem) = installation::settle();
        self.tell(problem);
        Some(standing)
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
