//! Who is at the other end of this session, and how the way there is protected.

use core::ffi::CStr;
use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pgrx::pg_sys;

use super::role::Role;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// What was found out once; a connection stays as it is.
struct Peer {
    /// None: a Unix socket, or no client at all.
    address: Option<IpAddr>,
    text: Option<String>,
    is_encrypted: bool,
}

thread_local! {
    static PEER: OnceCell<Peer> = const { OnceCell::new() };
}

fn with_peer<R>(read: impl FnOnce(&Peer) -> R) -> R {
    PEER.with(|peer| read(peer.get_or_init(look)))
}

fn look() -> Peer {
    // SAFETY: this process's own entry, which only it changes; the pointers lie in shared memory and are valid where the
    // flags are set (backend_status.c, pgstat_bestart).
    unsafe {
        let entry = pg_sys::MyBEEntry;
        if entry.is_null() {
            return Peer {
                address: None,
                text: None,
                is_encrypted: false,
            };
        }
        let address = address(&(*entry).st_clientaddr.addr);
        let by_gss =
            (*entry).st_gss && !(*entry).st_gssstatus.is_null() && (*(*entry).st_gssstatus).gss_enc;
        Peer {
            address,
            text: address.map(|address| address.to_string()),
            is_encrypted: (*entry).st_ssl || by_gss,
        }
    }
}

/// The address in a `sockaddr`, unless it is of another family.
fn address(storage: &pg_sys::sockaddr_storage) -> Option<IpAddr> {
    let bytes: *const u8 = (&raw const *storage).cast();
    // SAFETY: sockaddr_in and sockaddr_in6 lie within sockaddr_storage; their addresses are plain bytes at 4 and 8.
    unsafe {
        match storage.ss_family {
            AF_INET => Some(Ipv4Addr::from(bytes.add(4).cast::<[u8; 4]>().read()).into()),
            AF_INET6 => Some(Ipv6Addr::from(bytes.add(8).cast::<[u8; 16]>().read()).to_canonical()),
            _ => None,
        }
    }
}

/// Whether nobody on a network can listen: TLS or GSSAPI encryption, a Unix socket, the loopback, or no client at all.
pub fn is_private() -> bool {
    with_peer(|peer| peer.is_encrypted || peer.address.is_none_or(|address| address.is_loopback()))
}

/// The client's address; None: a Unix socket, or no client.
pub fn client_address() -> Option<String> {
    with_peer(|peer| peer.text.clone())
}

/// Whether this process is one of the server's own and has no client.
pub fn is_background() -> bool {
    // SAFETY: a variable of the process.
    unsafe { pg_sys::MyBackendType == pg_sys::BackendType::B_BG_WORKER }
}

/// The role that logged in, whatever SET SESSION AUTHORIZATION and SET ROLE have done since.
pub fn login_role() -> Role {
    // SAFETY: reads a variable of the process.
    Role::from_oid(unsafe { pg_sys::GetAuthenticatedUserId() })
}

/// What the client calls itself; of a background worker, what the server calls it.
pub fn application_name() -> Option<String> {
    // SAFETY: NUL-terminated texts of the process, or NULL.
    let name = unsafe {
        if is_background() && !pg_sys::MyBgworkerEntry.is_null() {
            (&raw const (*pg_sys::MyBgworkerEntry).bgw_type).cast::<core::ffi::c_char>()
        } else {
            pg_sys::application_name.cast_const()
        }
    };
    if name.is_null() {
        return None;
    }
    // SAFETY: see above.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    (!name.is_empty()).then(|| name.into_owned())
}

/// Whether this transaction can't write: it is read-only, or part of a parallel query.
pub fn cannot_write() -> bool {
    // SAFETY: reads variables of the process.
    unsafe { pg_sys::XactReadOnly || pg_sys::IsInParallelMode() }
}
