//! A jsonb argument. pgrx's own `JsonB` ends in an internal error where PostgreSQL's idea of JSON is wider than
//! serde's (numbers beyond a double, deep nesting); here that is an error its caller can name.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, pg_sys, pgrx_resolved_type};
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

/// A jsonb argument, as text. It may hold tokens: wiped on drop.
pub struct Jsonb(Zeroizing<String>);

/// The text is JSON for PostgreSQL, but not one that can be worked with.
#[derive(Debug)]
pub struct Unreadable;

impl Jsonb {
    pub fn parse(&self) -> Result<Value, Unreadable> {
        serde_json::from_str(&self.0).map_err(|_| Unreadable)
    }

    /// The members of an object; None: it is something else.
    pub fn parse_object(&self) -> Result<Option<Map<String, Value>>, Unreadable> {
        Ok(match self.parse()? {
            Value::Object(members) => Some(members),
            _ => None,
        })
    }
}

// SAFETY: names a built-in type.
unsafe impl SqlTranslatable for Jsonb {
    const TYPE_IDENT: &'static str = pgrx_resolved_type!(Jsonb);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("jsonb")));
}

impl FromDatum for Jsonb {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the datum is a jsonb; its output function returns a NUL-terminated string, which is copied
        // and wiped before it is given back.
        unsafe {
            let detoasted = pg_sys::pg_detoast_datum(datum.cast_mut_ptr());
            let text = pg_sys::OidOutputFunctionCall(
                pg_sys::Oid::from(pg_sys::F_JSONB_OUT),
                detoasted.into(),
            );
            let length = core::ffi::CStr::from_ptr(text).count_bytes();
            let bytes = core::slice::from_raw_parts_mut(text.cast::<u8>(), length);
            let copy = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
            bytes.zeroize();
            pg_sys::pfree(text.cast());
            Some(Jsonb(copy))
        }
    }
}

// SAFETY: the datum has the type of `SqlTranslatable`.
unsafe impl<'fcx> ArgAbi<'fcx> for Jsonb {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller's promise is passed on; a null never gets here.
        unsafe { arg.unbox_arg_using_from_datum() }.expect("not null")
    }
}
