//! Time as microseconds since 1970 (Unix), the unit of the core; PostgreSQL counts from 2000.

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::pg_sys;

/// Microseconds since 1970-01-01 00:00 UTC.
pub type UnixMicros = i64;

const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// The wall clock now. (SQL's `now()` is the start of the transaction: in a long one, expiry would drift.)
pub fn now() -> UnixMicros {
    // SAFETY: reads the clock.
    from_postgres(unsafe { pg_sys::GetCurrentTimestamp() })
}

pub fn from_postgres(micros: i64) -> UnixMicros {
    micros.saturating_add(POSTGRES_EPOCH)
}

/// A point in time for SQL. What PostgreSQL can't represent is cut to its last day.
pub fn to_sql(micros: UnixMicros) -> TimestampWithTimeZone {
    const YEAR_9999: i64 = 253_402_214_400_000_000;
    let micros = micros.clamp(0, YEAR_9999) - POSTGRES_EPOCH;
    TimestampWithTimeZone::try_from(micros).expect("within PostgreSQL's range")
}

/// The point in time, unless it is infinity.
pub fn finite(time: TimestampWithTimeZone) -> Option<UnixMicros> {
    let micros = time.into_inner();
    (micros != i64::MAX).then(|| from_postgres(micros))
}

pub fn from_sql(time: TimestampWithTimeZone) -> UnixMicros {
    from_postgres(time.into_inner())
}

/// An interval's length in microseconds, a month being 30 days, as PostgreSQL compares intervals.
pub fn interval_micros(interval: &Interval) -> i64 {
    const DAY: i64 = 86_400_000_000;
    let days = i64::from(interval.months()) * 30 + i64::from(interval.days());
    days.saturating_mul(DAY).saturating_add(interval.micros())
}
