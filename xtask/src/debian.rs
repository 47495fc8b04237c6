//! Debian packages: the mirror this machine already uses, and root file systems made from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// The release that test hosts and images are made of.
pub const SUITE: &str = "trixie";

const DEFAULT_MIRROR: &str = "http://deb.debian.org/debian";

/// A root file system to be made with `mmdebstrap`.
#[derive(Debug)]
pub struct Bootstrap<'a> {
    /// The release of Debian.
    pub suite: &'a str,
    /// mmdebstrap's name for the amount of packages: `minbase`, `essential`, …
    pub variant: &'a str,
    /// Packages beyond those of the variant.
    pub packages: Vec<String>,
    /// Shell commands run at the end with the new root as `$1`.
    pub hooks: Vec<String>,
}

impl Bootstrap<'_> {
    /// Makes the tree at `root`, which must not exist; about a minute, mostly download.
    pub fn make(&self, root: &Path) -> Result<()> {
        let mut command = Command::new("mmdebstrap");
        command
            .args(["--quiet", "--format=directory", "--aptopt=Acquire::Languages \"none\""])
            .arg(format!("--variant={}", self.variant))
            .arg(format!("--include={}", self.packages.join(",")))
            .env("SOURCE_DATE_EPOCH", "0")
            .env("TMPDIR", "/var/tmp");
        command.args(proxies().iter().map(|proxy| format!("--aptopt={proxy}")));
        command.args(self.hooks.iter().map(|hook| format!("--customize-hook={hook}")));
        command.args([self.suite.as_ref(), root.as_os_str(), mirror().as_ref()]);
        process::check(&mut command)
    }
}

/// The Debian mirror named in this machine's apt sources.
pub fn mirror() -> String {
    let mut files: Vec<PathBuf> = vec!["/etc/apt/sources.list".into()];
    if let Ok(dir) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(dir.filter_map(|entry| Some(entry.ok()?.path())));
    }
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.filter_map(|text| mirror_in(&text)).next().unwrap_or_else(|| DEFAULT_MIRROR.to_owned())
}

/// Finds the main archive in either form of a sources file; its path ends in `/debian`.
fn mirror_in(sources: &str) -> Option<String> {
    let lines = sources.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines
        .flat_map(str::split_whitespace)
        .filter(|word| word.starts_with("http://") || word.starts_with("https://"))
        .map(|word| word.trim_end_matches('/'))
        .find(|word| word.ends_with("/debian"))
        .map(str::to_owned)
}

/// The proxies that this machine's apt is configured to use, as apt options.
fn proxies() -> Vec<String> {
    let keys = ["Acquire::http::Proxy", "Acquire::https::Proxy"];
    let dump = process::output(Command::new("apt-config").arg("dump").args(keys));
    dump.unwrap_or_default().lines().filter(|line| !line.ends_with("\"\";")).map(str::to_owned).collect()
}

/// Packages listed in a file, one per line, with `#` comments.
pub fn package_list(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {path:?}"))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_found_in_both_forms() {
        let old = "# deb http://old.example/debian x\ndeb [arch=amd64] http://a.example/debian/ bookworm main\n";
        assert_eq!(mirror_in(old).as_deref(), Some("http://a.example/debian"));
        let new = "Types: deb\nURIs: https://b.example/debian\nSuites: bookworm\n";
        assert_eq!(mirror_in(new).as_deref(), Some("https://b.example/debian"));
        assert_eq!(mirror_in("deb http://c.example/debian-security x main"), None);
    }
}
