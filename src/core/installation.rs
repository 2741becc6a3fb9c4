//! Where a vault's data lies, and whether that is still where it was: a copy must not refresh the original's grants.

use sha2::{Digest, Sha256};

/// A cluster's and database's marks, as far as a running server can tell them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number initdb gave the cluster. Physical copies share it.
    pub system_identifier: String,
    /// The database's number in the cluster.
    pub database: u32,
    /// Grows when a standby is promoted and when a backup is recovered to a point in time.
    pub timeline: u32,
    /// Digest of the label of the base backup that the data directory was made from; empty where it was not.
    pub backup_label: String,
}

/// What the data has been through since it called `home` its home; the first that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// To another cluster: a restored dump, a logical replica.
    Cluster,
    /// To another database of the cluster: a template copy, a restored dump.
    Database,
    /// To another timeline: a promoted standby, a recovered backup.
    Timeline,
    /// With a base backup that was started beside its original, as it was.
    BaseBackup,
}

/// How the data came from `home` to `here`; None: it has not moved.
pub fn moved(home: &Place, here: &Place) -> Option<Move> {
    // A standby and a promoted copy have a label of their own, so the timeline goes first.
    [
        (
            home.system_identifier != here.system_identifier,
            Move::Cluster,
        ),
        (home.database != here.database, Move::Database),
        (home.timeline != here.timeline, Move::Timeline),
        (home.backup_label != here.backup_label, Move::BaseBackup),
    ]
    .into_iter()
    .find_map(|(differs, how)| differs.then_some(how))
}

/// What is remembered of a backup label, whose text is as long as whoever made the backup liked.
pub fn label_digest(label: &[u8]) -> String {
    hex::encode(Sha256::digest(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Place {
        Place {
            system_identifier: "7412".into(),
            database: 16_384,
            timeline: 1,
            backup_label: String::new(),
        }
    }

    #[test]
    fn the_original_has_not_moved() {
        assert_eq!(moved(&home(), &home()), None);
    }

    #[test]
    fn each_mark_tells_its_move() {
        let label = label_digest(b"START TIMELINE: 1");
        let cases = [
            (
                Place {
                    system_identifier: "9".into(),
                    ..home()
                },
                Move::Cluster,
            ),
            (
                Place {
                    database: 5,
                    ..home()
                },
                Move::Database,
            ),
            (
                Place {
                    timeline: 2,
                    ..home()
                },
                Move::Timeline,
            ),
            (
                Place {
                    backup_label: label,
                    ..home()
                },
                Move::BaseBackup,
            ),
        ];
        for (here, how) in cases {
            assert_eq!(moved(&home(), &here), Some(how), "{here:?}");
            // Going back is a move as well.
            assert_eq!(moved(&here, &home()), Some(how), "{here:?}");
        }
    }

    #[test]
    fn a_promoted_standby_is_no_plain_copy() {
        let here = Place {
            timeline: 2,
            backup_label: label_digest(b"standby"),
            ..home()
        };
        assert_eq!(moved(&home(), &here), Some(Move::Timeline));
    }

    #[test]
    fn a_restored_dump_is_known_on_whatever_timeline() {
        let here = Place {
            database: 5,
            timeline: 2,
            ..home()
        };
        assert_eq!(moved(&home(), &here), Some(Move::Database));
    }

    #[test]
    fn labels_differ_by_any_byte() {
        assert_ne!(label_digest(b"a"), label_digest(b"b"));
        assert_ne!(label_digest(b""), "");
    }
}
