//! `make demo`: the main job of the extension as a transcript, on a throwaway cluster, with a real OAuth
//! provider beside it. Every step is checked; a wrong value ends the demo with a message and status 1.

mod leaks;
mod provider;
mod story;
mod transcript;

use std::process::ExitCode;

fn main() -> ExitCode {
    match story::tell() {
        Ok(steps) => {
            println!("\ndemo: {steps} passed, 0 failed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("\ndemo failed: {}", token_vault_cluster::explain(&error));
            ExitCode::FAILURE
        }
    }
}
