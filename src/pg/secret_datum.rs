//! The datum of type `vault.secret`: a varlena that holds an envelope.

use core::ffi::CStr;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, Internal};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, IntoDatum, pg_sys, pgrx_resolved_type};

/// A value of type `vault.secret`.
pub struct Secret(pub Vec<u8>);

// SAFETY: names the type that sql/secret.sql creates.
unsafe impl SqlTranslatable for Secret {
    const TYPE_IDENT: &'static str = pgrx_resolved_type!(Secret);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::ThisExtension;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
        Ok(SqlMappingRef::literal("vault.secret"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("vault.secret")));
}

impl FromDatum for Secret {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        type_oid: pg_sys::Oid,
    ) -> Option<Self> {
        // SAFETY: the type is a varlena, stored like bytea.
        unsafe { Vec::<u8>::from_polymorphic_datum(datum, is_null, type_oid) }.map(Secret)
    }
}

impl IntoDatum for Secret {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        self.0.into_datum()
    }

    fn type_oid() -> pg_sys::Oid {
        // SAFETY: catalog look-ups by NUL-terminated names; missing_ok is true.
        unsafe {
            let schema = pg_sys::get_namespace_oid(c"vault".as_ptr(), true);
            pg_sys::GetSysCacheOid(
                pg_sys::SysCacheIdentifier::TYPENAMENSP as i32,
                pg_sys::Anum_pg_type_oid as i16,
                pg_sys::Datum::from(c"secret".as_ptr()),
                pg_sys::Datum::from(schema),
                pg_sys::Datum::null(),
                pg_sys::Datum::null(),
            )
        }
    }
}

// SAFETY: the datum has the type of `SqlTranslatable`.
unsafe impl<'fcx> ArgAbi<'fcx> for Secret {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller's promise is passed on.
        unsafe { arg.unbox_arg_using_from_datum() }.expect("the function is STRICT")
    }
}

// SAFETY: returns a datum of the type of `SqlTranslatable`.
unsafe impl BoxRet for Secret {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: the datum was allocated in the caller's memory context.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

/// Takes the rest of a message, as a receive function is given it.
pub fn read_message(mut message: Internal) -> Vec<u8> {
    // SAFETY: PostgreSQL passes a StringInfo to receive functions; the copy stays within its length, and the
    // cursor is moved to its end, which the caller checks.
    unsafe {
        let buffer = message
            .get_mut::<pg_sys::StringInfoData>()
            .expect("a receive function has a message");
        let length = (buffer.len - buffer.cursor).max(0);
        let start = buffer.data.add(buffer.cursor as usize).cast::<u8>();
        let bytes = core::slice::from_raw_parts(start, length as usize).to_vec();
        buffer.cursor = buffer.len;
        bytes
    }
}

/// The text given to an input function. The database's encoding is UTF-8, and the server has checked it.
pub fn input_text(text: &CStr) -> &str {
    text.to_str()
        .unwrap_or_else(|_| panic!("input text is not UTF-8"))
}

/// Whether this process applies changes of a publisher, whose values are ciphertext already.
pub fn is_replication_apply() -> bool {
    // SAFETY: reads variables of this process.
    unsafe { pg_sys::IsLogicalWorker() }
}
