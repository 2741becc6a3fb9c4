//! `vault.secret`: an encrypted column.
//!
//! | file | concern |
//! | --- | --- |
//! | `input` | what is accepted from outside: plaintext is encrypted, ciphertext only from roles that may restore |
//! | `text` | text form, and the cast from text |
//! | `binary` | binary form |
//! | `functions` | seal, reveal |

mod binary;
mod functions;
mod input;
mod text;
