//! How a registry is spoken to: the flags that `pull`, `push`, `search`, `login` and their like share.

use crate::command::{number, text};
use crate::error::{CliError, Result};
use crate::password;
use engine::Credentials;
use engine::config::RegistryOptions;
use spec::ParseError;
use spec::options::parse::parse_switch;
use spec::options::{Complete, Flag};
use spec::pull::Pull;

/// `--authfile`
pub(crate) const AUTHFILE: Flag =
    Flag::with_value("authfile", "string", "Read credentials from this file").complete(Complete::File);
/// `--cert-dir`
pub(crate) const CERT_DIR: Flag =
    Flag::with_value("cert-dir", "string", "Trust the certificates in this directory").complete(Complete::Directory);
/// `--creds`
pub(crate) const CREDS: Flag = Flag::with_value("creds", "USER[:PASSWORD]", "Log in with these credentials");
/// `--tls-verify`
pub(crate) const TLS_VERIFY: Flag =
    Flag::switch("tls-verify", "Require https and check certificates (default as registries.conf says)");
/// `--retry`
pub(crate) const RETRY: Flag = Flag::with_value("retry", "uint", "How often a failed transfer is tried again");
/// `--retry-delay`
pub(crate) const RETRY_DELAY: Flag =
    Flag::with_value("retry-delay", "string", "How long to wait before that, such as 5s");
/// `--disable-content-trust`
pub(crate) const CONTENT_TRUST: Flag =
    Flag::switch("disable-content-trust", "Accepted for compatibility, as in podman");

/// What was said.
#[derive(Default)]
pub(crate) struct Remote {
    /// The words that `run` has as well.
    pub(crate) pull: Pull,
    cert_dir: Option<String>,
    creds: Option<String>,
}

impl Remote {
    /// Sets what one of this file's flags says.
    pub(crate) fn set(&mut self, flag: &Flag, value: &str) -> Result<(), ParseError> {
        match flag.long {
            "authfile" => text(&mut self.pull.authfile, value),
            "cert-dir" => text(&mut self.cert_dir, value),
            "creds" => text(&mut self.creds, value),
            "tls-verify" => {
                self.pull.tls_verify = Some(parse_switch(value)?);
                Ok(())
            }
            "retry" => {
                self.pull.retry = Some(number(value)?);
                Ok(())
            }
            "retry-delay" => {
                self.pull.retry_delay = Some(delay(value)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What goes beside the words of `pull`. Asks for the password that `--creds` leaves out; `command` is for its errors.
    pub(crate) fn options(&self, command: &str) -> Result<RegistryOptions> {
        Ok(RegistryOptions {
            credentials: self.creds.as_deref().map(|text| credentials(text, command)).transpose()?,
            cert_dir: self.cert_dir.as_ref().map(Into::into),
        })
    }
}

/// Whole seconds, or a duration.
fn delay(value: &str) -> Result<u64, ParseError> {
    match value.parse() {
        Ok(seconds) => Ok(seconds),
        Err(_) => spec::duration::Nanoseconds::parse(value).map(|duration| duration.0.div_ceil(1_000_000_000)),
    }
}

/// `user:password`; without a password it is asked for, and not shown.
pub(crate) fn whole_credentials(text: &str) -> Result<String> {
    Ok(match text.contains(':') || text.is_empty() {
        true => text.to_owned(),
        false => format!("{text}:{}", password::ask("Password: ")?),
    })
}

fn credentials(text: &str, command: &str) -> Result<Credentials> {
    // The text is not quoted: it is a secret.
    Credentials::parse(&whole_credentials(text)?).map_err(|error| CliError::usage(error.to_string(), command))
}
