//! The vector registers: AES leaves round keys there, which every core dump and every signal's frame takes along.

/// Overwrites what a call need not preserve. Takes some nanoseconds.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
pub fn wipe() {
    // SAFETY: a call clobbers all of them by the System V ABI, and the processor was asked for those that not each has.
    unsafe {
        if is_x86_feature_detected!("avx512f") {
            x86_64::wipe_upper_half();
        }
        if is_x86_feature_detected!("avx") {
            x86_64::wipe_wide();
        } else {
            x86_64::wipe_narrow();
        }
    }
}

/// Overwrites what a call need not preserve. Takes some nanoseconds.
#[cfg(target_arch = "aarch64")]
#[inline(never)]
pub fn wipe() {
    macro_rules! zero {
        ($($register:tt)+) => {
            // SAFETY: a call clobbers these by the AAPCS64 (v8 to v15 belong to the caller).
            unsafe {
                std::arch::asm!(
                    $(concat!("movi ", $register, ".16b, #0"),)+
                    $(out($register) _,)+
                    options(nomem, nostack)
                )
            }
        };
    }
    zero!("v0" "v1" "v2" "v3" "v4" "v5" "v6" "v7");
    zero!("v16" "v17" "v18" "v19" "v20" "v21" "v22" "v23");
    zero!("v24" "v25" "v26" "v27" "v28" "v29" "v30" "v31");
}

/// Of other processors nothing is known: they have no AES instructions that this extension uses.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn wipe() {}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::asm;

    /// zmm16 to zmm31; memcpy uses them as well.
    #[target_feature(enable = "avx512f")]
    pub fn wipe_upper_half() {
        macro_rules! zero {
            ($($register:tt)+) => {
                // SAFETY: writes only registers that it says it writes.
                unsafe {
                    asm!(
                        $(concat!("vpxord ", $register, ", ", $register, ", ", $register),)+
                        $(out($register) _,)+
                        options(nomem, nostack)
                    )
                }
            };
        }
        zero!("zmm16" "zmm17" "zmm18" "zmm19" "zmm20" "zmm21" "zmm22" "zmm23");
        zero!("zmm24" "zmm25" "zmm26" "zmm27" "zmm28" "zmm29" "zmm30" "zmm31");
    }

    /// The first sixteen, at their whole width.
    #[target_feature(enable = "avx")]
    pub fn wipe_wide() {
        // SAFETY: writes only registers that a call clobbers, and says so.
        unsafe { asm!("vzeroall", clobber_abi("sysv64"), options(nomem, nostack)) }
    }

    /// The first sixteen of a processor that has them at 128 bits.
    pub fn wipe_narrow() {
        macro_rules! zero {
            ($($register:tt)+) => {
                // SAFETY: writes only registers that it says it writes.
                unsafe {
                    asm!(
                        $(concat!("xorps ", $register, ", ", $register),)+
                        $(out($register) _,)+
                        options(nomem, nostack)
                    )
                }
            };
        }
        zero!("xmm0" "xmm1" "xmm2" "xmm3" "xmm4" "xmm5" "xmm6" "xmm7");
        zero!("xmm8" "xmm9" "xmm10" "xmm11" "xmm12" "xmm13" "xmm14" "xmm15");
    }
}
