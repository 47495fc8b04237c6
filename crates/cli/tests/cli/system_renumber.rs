//! `lodger system renumber`

use super::Environment;

#[test]
fn it_does_nothing() {
    assert_eq!(Environment::new().ok(&["system", "renumber"]), "");
}
