//! Platforms: `os/arch[/variant]`, in Go's words (<https://github.com/opencontainers/image-spec/blob/main/image-index.md>).

use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which of an index's images is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Platform {
    /// `linux`
    pub os: String,
    /// `amd64`, `arm64`, `arm`, …
    pub architecture: String,
    /// `v7`, `v8`, …
    pub variant: Option<String>,
}

impl Platform {
    /// The platform this program was built for.
    pub fn native() -> Self {
        Self::parse(&format!("linux/{}", std::env::consts::ARCH)).expect("a constant name")
    }

    /// Parses `os/arch[/variant]`; the kernel's names (`x86_64`, `aarch64`) are translated to Go's.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let parts: Vec<&str> = text.split('/').collect();
        let plain =
            |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        let ([os, architecture] | [os, architecture, _]) = parts[..] else {
            return Err(ParseError::new("platform", text, "expected os/arch or os/arch/variant"));
        };
        if !parts.iter().all(plain) {
            return Err(ParseError::new("platform", text, "expected os/arch or os/arch/variant"));
        }
        let mut variant = parts.get(2).map(|v| (*v).to_owned());
        let architecture = match architecture {
            "x86_64" | "x86-64" => "amd64",
            "i386" | "i686" | "x86" => "386",
            "armhf" => "arm",
            "aarch64" | "arm64" => {
                // v8 is arm64's only meaning of "no variant".
                variant = variant.filter(|v| v != "v8" && v != "8");
                "arm64"
            }
            other => other,
        };
        Ok(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant })
    }

    /// Whether an image for `self` serves somebody who asked for `wanted`.
    pub fn serves(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || self.variant.is_none() || self.variant == wanted.variant)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

impl TryFrom<String> for Platform {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}
