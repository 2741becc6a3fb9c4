//! The first bytes of a long value, read without the rest: a value stored out of line is not fetched.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, pg_sys, pgrx_resolved_type};

use super::secret_datum::Secret;

/// The first `N` bytes of a value of type `bytea` or `vault.secret`; None where it is shorter.
pub struct Head<const N: usize>(pub Option<[u8; N]>);

impl<const N: usize> FromDatum for Head<N> {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the types are varlenas, stored alike. The slice is a copy of its own, and freed here.
        unsafe {
            let slice = pg_sys::pg_detoast_datum_slice(datum.cast_mut_ptr(), 0, N as i32);
            let bytes = pgrx::varlena_to_byte_slice(slice).try_into().ok();
            pg_sys::pfree(slice.cast());
            Some(Head(bytes))
        }
    }
}

/// The head of an argument of type `bytea`.
pub struct BytesHead<const N: usize>(pub Head<N>);
/// The head of an argument of type `vault.secret`.
pub struct SecretHead<const N: usize>(pub Head<N>);

// SAFETY: the type is PostgreSQL's own.
unsafe impl<const N: usize> SqlTranslatable for BytesHead<N> {
    const TYPE_IDENT: &'static str = pgrx_resolved_type!(BytesHead<N>);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("bytea"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("bytea")));
}

// SAFETY: names the type that sql/secret.sql creates, as `Secret` does.
unsafe impl<const N: usize> SqlTranslatable for SecretHead<N> {
    const TYPE_IDENT: &'static str = <Secret as SqlTranslatable>::TYPE_IDENT;
    const TYPE_ORIGIN: TypeOrigin = <Secret as SqlTranslatable>::TYPE_ORIGIN;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
        <Secret as SqlTranslatable>::ARGUMENT_SQL;
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = <Secret as SqlTranslatable>::RETURN_SQL;
}

// SAFETY: the datum is a varlena, as `SqlTranslatable` says.
unsafe impl<'fcx, const N: usize> ArgAbi<'fcx> for BytesHead<N> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller's promise is passed on.
        BytesHead(unsafe { arg.unbox_arg_using_from_datum() }.expect("the function is STRICT"))
    }
}

// SAFETY: the datum is a varlena, as `SqlTranslatable` says.
unsafe impl<'fcx, const N: usize> ArgAbi<'fcx> for SecretHead<N> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller's promise is passed on.
        SecretHead(unsafe { arg.unbox_arg_using_from_datum() }.expect("the function is STRICT"))
    }
}
