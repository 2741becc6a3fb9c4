//! A copy of an installation in another place, mostly of links, in which some files are others.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::installation::{INSTALLED_LIBRARY, Installation};

/// The programs that look for the server's folders from where they are themselves. The others may be links.
const COPIED: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// What a copy has that the original has not.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Instead of the extension's library.
    pub(crate) library: Option<PathBuf>,
    /// Among the extension's scripts, instead of those of the same names.
    pub(crate) scripts: Vec<PathBuf>,
}

/// A copy of `original` in `place`. PostgreSQL finds its folders relative to its program, so links in folders of the same
/// paths will do.
pub(crate) fn copy(
    original: &Installation,
    place: &Path,
    changes: &Changes,
) -> Result<Installation> {
    let moved = |path: &Path| place.join(path.strip_prefix("/").unwrap_or(path));
    let copy = Installation {
        bindir: moved(&original.bindir),
        pkglibdir: moved(&original.pkglibdir),
        sharedir: moved(&original.sharedir),
    };
    link_contents(&original.bindir, &copy.bindir, &COPIED)?;
    for program in COPIED {
        std::fs::copy(original.program(program), copy.program(program))?;
    }
    link_contents(&original.pkglibdir, &copy.pkglibdir, &[INSTALLED_LIBRARY])?;
    match &changes.library {
        Some(library) => std::fs::copy(library, copy.library()).map(drop)?,
        None => symlink(original.library(), copy.library())?,
    }
    link_contents(&original.sharedir, &copy.sharedir, &["extension"])?;
    let extension = copy.sharedir.join("extension");
    link_contents(&original.sharedir.join("extension"), &extension, &[])?;
    for script in &changes.scripts {
        let place = extension.join(script.file_name().ok_or("a script has a name")?);
        // Never through a link into the original.
        if place.is_symlink() {
            std::fs::remove_file(&place)?;
        }
        std::fs::copy(script, &place).map_err(|error| format!("{}: {error}", script.display()))?;
    }
    Ok(copy)
}

/// Makes the folder `to` of links to everything in `from` except some names.
fn link_contents(from: &Path, to: &Path, except: &[&str]) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if !except.iter().any(|name| entry.file_name() == *name) {
            symlink(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
