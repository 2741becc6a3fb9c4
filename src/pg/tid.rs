//! Where a row lies in its table.

use pgrx::{FromDatum, IntoDatum, pg_sys};

/// A row's place: block and line. As a number it sorts the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tid {
    pub block: u32,
    pub line: u16,
}

impl Tid {
    /// Before the first row of a block.
    pub fn before(block: u32) -> Tid {
        Tid { block, line: 0 }
    }

    pub fn to_number(self) -> i64 {
        i64::from(self.block) << 16 | i64::from(self.line)
    }

    pub fn from_number(number: i64) -> Tid {
        Tid {
            block: (number >> 16) as u32,
            line: number as u16,
        }
    }
}

impl FromDatum for Tid {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: a datum of type tid points to one.
        let pointer = unsafe { *datum.cast_mut_ptr::<pg_sys::ItemPointerData>() };
        Some(Tid {
            block: u32::from(pointer.ip_blkid.bi_hi) << 16 | u32::from(pointer.ip_blkid.bi_lo),
            line: pointer.ip_posid,
        })
    }
}

impl IntoDatum for Tid {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        let pointer = pg_sys::ItemPointerData {
            ip_blkid: pg_sys::BlockIdData {
                bi_hi: (self.block >> 16) as u16,
                bi_lo: self.block as u16,
            },
            ip_posid: self.line,
        };
        // SAFETY: the memory is as long as the value, and lives as long as the current memory context.
        unsafe {
            let place = pg_sys::palloc(size_of::<pg_sys::ItemPointerData>())
                .cast::<pg_sys::ItemPointerData>();
            place.write(pointer);
            Some(pg_sys::Datum::from(place))
        }
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::TIDOID
    }
}
