//! What `lodger version` shows.

use crate::format::View;
use serde::Serialize;

/// The whole document.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Info {
    /// This program; there is no server.
    pub(crate) client: Version,
}

/// One program.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Version {
    /// The podman API whose behaviour scripts may expect.
    #[serde(rename = "APIVersion")]
    pub(crate) api_version: String,
    /// Of lodger.
    pub(crate) version: String,
    /// Always empty: there is no Go in it.
    pub(crate) go_version: String,
    /// The commit it was built from, if known.
    pub(crate) git_commit: String,
    /// Time of the build as podman prints it; empty, so that builds are reproducible.
    pub(crate) built_time: String,
    /// The same in seconds.
    pub(crate) built: i64,
    /// `ubuntu`-like origin of the build; unknown.
    pub(crate) build_origin: String,
    /// `linux/amd64`
    pub(crate) os_arch: String,
    /// `linux`
    pub(crate) os: String,
}

/// The podman release whose command line lodger follows.
const PODMAN: &str = "6.0.0";

impl Version {
    /// Of this program.
    pub(crate) fn this() -> Self {
        Self {
            api_version: PODMAN.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            os_arch: format!("{}/{}", std::env::consts::OS, go_arch()),
            os: std::env::consts::OS.to_owned(),
            ..Self::default()
        }
    }
}

/// This machine's architecture by Go's name.
pub(crate) fn go_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

impl Info {
    /// Without `--format`.
    pub(crate) fn table(&self) -> String {
        let client = &self.client;
        format!(
            "Client:       lodger\nVersion:      {}\nAPI Version:  {}\nOS/Arch:      {}\n",
            client.version, client.api_version, client.os_arch
        )
    }
}

impl View for Info {}
