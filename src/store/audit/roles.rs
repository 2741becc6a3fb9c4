//! The names of who is calling, remembered: each entry has them, and looking them up costs more than writing it down.

use std::cell::RefCell;
use std::rc::Rc;

use crate::pg::connection;
use crate::pg::inval::{self, Topic};
use crate::pg::role::{self, Role};

pub struct Names {
    /// Of the role that has logged in.
    pub login: String,
    /// Of the role that is calling: another one after SET ROLE.
    pub current: String,
}

struct Remembered {
    /// Of roles: they can be renamed.
    generation: u64,
    roles: (Role, Role),
    names: Rc<Names>,
}

/// The names of the roles as they are now.
pub fn names() -> Rc<Names> {
    thread_local! {
        static REMEMBERED: RefCell<Option<Remembered>> = const { RefCell::new(None) };
    }
    let generation = inval::generation(Topic::Access);
    let roles = (connection::login_role(), role::current());
    let known = REMEMBERED.with_borrow(|remembered| {
        let same = |known: &&Remembered| known.generation == generation && known.roles == roles;
        remembered
            .as_ref()
            .filter(same)
            .map(|known| known.names.clone())
    });
    known.unwrap_or_else(|| {
        let (login, current) = roles;
        let names = Rc::new(Names {
            login: login.name(),
            current: current.name(),
        });
        REMEMBERED.set(Some(Remembered {
            generation,
            roles,
            names: names.clone(),
        }));
        names
    })
}
