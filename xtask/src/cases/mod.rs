//! The test cases that need a whole host, one file for each area, and the table of them.
//!
//! To add a case, write a function in the file of its area and name it in that file's `CASES`:
//!
//! ```text
//! //! `lodger run` in the foreground.
//!
//! pub(super) const CASES: &[Case] = cases![prints_what_the_container_prints];
//!
//! fn prints_what_the_container_prints(host: &Host) -> Result<()> {
//!     host.load("alice", "busybox")?;
//!     host.alice("lodger run --rm busybox echo hi")?.ok().stdout("hi\n");
//!     Ok(())
//! }
//! ```
//!
//! Each case finds fresh accounts, stores and user managers; system units that it makes are called
//! `case-*`, so that they are removed after it. A case that the machine cannot run returns
//! `ability::Unable` with the reason. Try one with `cargo xtask test --tier host AREA::NAME`.

mod attach;
mod attack;
mod cp;
mod files;
mod host;
mod hostile;
mod image;
mod kill;
mod mend;
mod mount;
mod option;
mod podman;
mod refuse;
mod root;
mod run;
mod service;
mod state;
mod surroundings;
mod systemd;
mod torture;
mod userns;
mod watch;

use crate::case::Case;

/// Every area: the name of its file here, and its cases.
pub const AREAS: &[(&str, &[Case])] = &[
    ("attach", attach::CASES),
    ("attack", attack::CASES),
    ("cp", cp::CASES),
    ("files", files::CASES),
    ("host", host::CASES),
    ("hostile", hostile::CASES),
    ("image", image::CASES),
    ("kill", kill::CASES),
    ("mend", mend::CASES),
    ("mount", mount::CASES),
    ("option", option::CASES),
    ("podman", podman::CASES),
    ("refuse", refuse::CASES),
    ("root", root::CASES),
    ("run", run::CASES),
    ("service", service::CASES),
    ("state", state::CASES),
    ("surroundings", surroundings::CASES),
    ("systemd", systemd::CASES),
    ("torture", torture::CASES),
    ("userns", userns::CASES),
    ("watch", watch::CASES),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_forgotten() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cases");
        let files = std::fs::read_dir(dir).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned())).collect();
        names.retain(|name| name != "mod");
        names.sort();
        let areas: Vec<&str> = AREAS.iter().map(|(area, _)| *area).collect();
        assert_eq!(areas, names, "AREAS must name every file of cases/, in order");
    }

    #[test]
    fn no_case_is_forgotten() {
        for (area, cases) in AREAS {
            let file = format!("{}/src/cases/{area}.rs", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(file).unwrap();
            let written = text.matches("(host: &Host) -> Result<()> {").count();
            assert_eq!(cases.len(), written, "CASES of {area}.rs must name every function");
        }
    }
}
