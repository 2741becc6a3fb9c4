//! The clone guard: whether this database may refresh the vault's grants. A copy must not, because with
//! rotating refresh tokens it would end the original's.

use std::cell::OnceCell;

use token_vault_core::installation::{self, Move, Place};

use crate::pg::spi::BuiltinOid::{INT8OID, TEXTOID};
use crate::pg::spi::{self, Argument, Statement};
use crate::pg::{server, settings};

/// Whether this is the database that the vault was made in or was adopted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is.
    Home,
    /// The vault's data came from elsewhere: a restored dump, a template copy, a replica.
    Copy,
    /// No master key has been created yet.
    New,
}

/// Why nothing is refreshed here, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub state: String,
    pub advice: &'static str,
}

/// How this database came by the vault's data.
enum Arrival {
    New,
    Home,
    /// The home's timeline has ended with a promotion: the row is behind.
    Promoted(Place, Place),
    Copied(Move, Place, Place),
}

pub fn standing() -> Standing {
    match arrival() {
        Arrival::New => Standing::New,
        Arrival::Home | Arrival::Promoted(..) => Standing::Home,
        Arrival::Copied(..) => Standing::Copy,
    }
}

/// What keeps this database from refreshing, if it is a copy.
pub fn problem() -> Option<Problem> {
    match arrival() {
        Arrival::Copied(how, home, here) => Some(explain(how, &home, &here)),
        _ => None,
    }
}

/// What a worker does before it refreshes: [`problem`], and where a promotion has begun another timeline, this
/// becomes the home's. A copy of the files made from now on is told by it.
pub fn settle() -> (Standing, Option<Problem>) {
    match arrival() {
        Arrival::New => (Standing::New, None),
        Arrival::Home => (Standing::Home, None),
        Arrival::Promoted(home, here) => {
            write(&here);
            pgrx::log!(
                "token_vault goes on refreshing on timeline {}, after timeline {}",
                here.timeline,
                home.timeline
            );
            (Standing::Home, None)
        }
        Arrival::Copied(how, home, here) => (Standing::Copy, Some(explain(how, &home, &here))),
    }
}

/// Makes this database the vault's home.
pub fn adopt() {
    write(&here());
}

fn arrival() -> Arrival {
    let Some(home) = home() else {
        return Arrival::New;
    };
    let mut here = here();
    if server::in_recovery() {
        // A standby refreshes nothing anyway: its timeline and files count once it is promoted.
        here.timeline = home.timeline;
        here.backup_label.clone_from(&home.backup_label);
    }
    match installation::moved(&home, &here) {
        None => Arrival::Home,
        Some(Move::Timeline) if !settings::wait_on_new_timeline() => Arrival::Promoted(home, here),
        Some(how) => Arrival::Copied(how, home, here),
    }
}

fn explain(how: Move, home: &Place, here: &Place) -> Problem {
    const IF_GONE: &str =
        "if the original is gone, take over with SELECT vault.adopt_installation()";
    let state = match how {
        Move::Cluster => "a copy of the vault in another cluster".into(),
        Move::Database => "a copy of the vault in another database of this cluster".into(),
        Move::BaseBackup => {
            "a copy of the vault's cluster: the data directory was made from another base backup"
                .into()
        }
        Move::Timeline => format!(
            "promoted or recovered: on timeline {}, the vault's home is on timeline {}, and token_vault.wait_on_new_timeline is on",
            here.timeline, home.timeline
        ),
    };
    Problem {
        state: format!("{state}: nothing is refreshed"),
        advice: IF_GONE,
    }
}

fn home() -> Option<Place> {
    static READ: Statement = Statement::new(
        "SELECT system_identifier, database_oid::bigint, timeline, backup_label FROM vault.installation",
        &[],
    );
    spi::session(|session| {
        session.query_one(&READ, &[], |row| Place {
            system_identifier: row.required(1),
            database: row.required::<i64>(2) as u32,
            timeline: row.required::<i64>(3) as u32,
            backup_label: row.required(4),
        })
    })
}

fn write(place: &Place) {
    static WRITE: Statement = Statement::new(
        "INSERT INTO vault.installation (system_identifier, database_oid, timeline, backup_label) VALUES ($1, $2::oid, $3, $4)
         ON CONFLICT (singleton) DO UPDATE SET
             system_identifier = EXCLUDED.system_identifier, database_oid = EXCLUDED.database_oid,
             timeline = EXCLUDED.timeline, backup_label = EXCLUDED.backup_label, adopted_at = statement_timestamp()",
        &[TEXTOID, INT8OID, INT8OID, TEXTOID],
    );
    let arguments: [Argument; 4] = [
        place.system_identifier.clone().into(),
        i64::from(place.database).into(),
        i64::from(place.timeline).into(),
        place.backup_label.clone().into(),
    ];
    spi::session(|session| session.run(&WRITE, &arguments));
}

fn here() -> Place {
    Place {
        system_identifier: server::system_identifier(),
        database: server::database().to_u32(),
        timeline: server::timeline(),
        backup_label: backup_label(),
    }
}

/// Read once by each process: the server writes the file only at its start.
fn backup_label() -> String {
    thread_local! {
        static LABEL: OnceCell<String> = const { OnceCell::new() };
    }
    LABEL.with(|label| {
        label
            .get_or_init(|| match server::backup_label() {
                Ok(Some(label)) => installation::label_digest(&label),
                Ok(None) => String::new(),
                // Unlike every label, so that it is taken for a copy rather than for the home.
                Err(problem) => format!("unreadable: {}", problem.kind()),
            })
            .clone()
    })
}
