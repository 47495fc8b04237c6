//! The tier of whole-host cases: builds lodger, boots a host, runs each case on fresh accounts.

use anyhow::Result;

use super::{Tally, cases};
use crate::case::Outcome;
use crate::cases::AREAS;
use crate::host::{self, Host, Owner};
use crate::image::catalogue;
use crate::{ability, build, owner};

impl cases::Machine for Host {
    fn clean(&self) -> Result<()> {
        Host::clean(self)
    }

    fn root(&self, script: &str) -> Result<Outcome> {
        Host::root(self, script)
    }
}

/// Runs the cases whose `area::name` contains the filter.
pub(super) fn run(filter: Option<&str>) -> Result<Tally> {
    let chosen = AREAS.iter().flat_map(|(area, cases)| cases::chosen(area, cases, filter)).collect();
    cases::run("host", chosen, || prepare("test"), |host| Host::down(host.name()))
}

/// A host of this process with the lodger that is built now and the images of tests.
pub(super) fn prepare(name: &str) -> Result<Host> {
    ability::boots_hosts()?;
    host::reap()?;
    build_lodger()?;
    make_images()?;
    Host::up(&owner::unique_name(name)?, Owner::ThisProcess)
}

/// Builds the lodger that the cases use, unless another one is named.
pub(super) fn build_lodger() -> Result<()> {
    if std::env::var_os("LODGER_BIN").is_none() { build::lodger() } else { Ok(()) }
}

/// Makes the images that tests use, where that is possible.
pub(super) fn make_images() -> Result<()> {
    ability::boots_hosts()?;
    catalogue::FOR_TESTS.iter().try_for_each(|image| catalogue::ensure(image))
}
