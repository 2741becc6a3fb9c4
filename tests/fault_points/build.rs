//! Switches the fault points of src/pg/fault.rs on. Nothing else does.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=fault_points");
    // A feature of the extension that this package has no use for.
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"pg_test\"))");
}
