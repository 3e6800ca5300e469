//! What must not happen does not compile.

#[test]
fn skipping_the_gate_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/does_not_compile/*.rs");
}
