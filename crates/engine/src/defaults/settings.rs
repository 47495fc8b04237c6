//! Keys of containers.conf that say something of lodger itself, not of a container.

use toml::{Table, Value};

/// Where events go (`events_logger`, `--events-backend`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsLogger {
    /// The journal.
    Journald,
    /// A file.
    File,
    /// Nowhere.
    None,
}

impl EventsLogger {
    /// Every word, in podman's order.
    pub const WORDS: &'static [&'static str] = &["file", "journald", "none"];

    /// podman's word: `journald`, `file` or `none`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "journald" => Self::Journald,
            "file" => Self::File,
            "none" => Self::None,
            _ => return None,
        })
    }

    /// The same word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Journald => "journald",
            Self::File => "file",
            Self::None => "none",
        }
    }
}

/// What the files say; absent = nothing was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `[engine] detach_keys`
    pub(crate) detach_keys: Option<String>,
    /// `[engine] events_logger`
    pub(crate) events_logger: Option<EventsLogger>,
    /// `[engine] events_logfile_path`
    pub(crate) events_file: Option<String>,
    /// `[engine] events_logfile_max_size`, in bytes.
    pub(crate) events_file_size: Option<u64>,
    /// `[containers] init_path`: which program would be the init process.
    pub(crate) init_path: Option<String>,
    /// `[containers] prepare_volume_on_create`
    pub(crate) prepare_volumes: Option<bool>,
}

impl Settings {
    /// Takes in what a file says over those before.
    pub(super) fn merge(&mut self, tables: &Table) -> Result<(), String> {
        let value = |table: &str, key: &str| tables.get(table).and_then(|table| table.get(key));
        let text = |table: &str, key: &str| match value(table, key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("[{table}] {key}: expected a string")),
        };
        // An empty word turns detaching off.
        self.detach_keys = text("engine", "detach_keys")?.or(self.detach_keys.take());
        if let Some(word) = text("engine", "events_logger")?.filter(|word| !word.is_empty()) {
            let logger = EventsLogger::parse(&word);
            let known = EventsLogger::WORDS.join(", ");
            self.events_logger =
                Some(logger.ok_or_else(|| format!("[engine] events_logger: choose from {known}, not {word:?}"))?);
        }
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        self.events_file = filled(text("engine", "events_logfile_path")?).or(self.events_file.take());
        self.init_path = filled(text("containers", "init_path")?).or(self.init_path.take());
        let wrong = |key: &str, wanted: &str| format!("{key}: expected {wanted}");
        match value("engine", "events_logfile_max_size") {
            None => {}
            Some(Value::Integer(size)) => self.events_file_size = u64::try_from(*size).ok(),
            Some(Value::String(text)) => {
                let size = spec::bytes::Bytes::parse(text);
                self.events_file_size = Some(size.map_err(|_| wrong("[engine] events_logfile_max_size", "a size"))?.0);
            }
            Some(_) => return Err(wrong("[engine] events_logfile_max_size", "a size")),
        }
        match value("containers", "prepare_volume_on_create") {
            None => {}
            Some(Value::Boolean(on)) => self.prepare_volumes = Some(*on),
            Some(_) => return Err(wrong("[containers] prepare_volume_on_create", "true or false")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[&str]) -> Result<Settings, String> {
        let mut settings = Settings::default();
        for text in files {
            settings.merge(&toml::from_str(text).unwrap())?;
        }
        Ok(settings)
    }

    #[test]
    fn later_files_win_key_by_key() {
        let first = "[engine]\nevents_logger=\"file\"\nevents_logfile_path=\"/x\"\ndetach_keys=\"ctrl-a\"\n";
        let later = "[engine]\nevents_logger=\"none\"\ndetach_keys=\"\"\n[containers]\nprepare_volume_on_create=true\n";
        let wanted = Settings {
            detach_keys: Some(String::new()),
            events_logger: Some(EventsLogger::None),
            events_file: Some("/x".to_owned()),
            prepare_volumes: Some(true),
            ..Settings::default()
        };
        assert_eq!(of(&[first, later]), Ok(wanted));
    }

    #[test]
    fn mistakes_name_the_key() {
        assert!(of(&["[engine]\nevents_logger=\"syslog\""]).unwrap_err().contains("choose from file, journald, none"));
        assert!(of(&["[engine]\ndetach_keys=3"]).unwrap_err().starts_with("[engine] detach_keys: "));
        assert!(of(&["[engine]\nevents_logfile_max_size=true"]).unwrap_err().contains("a size"));
        assert_eq!(of(&["[engine]\nevents_logfile_max_size=\"2m\""]).unwrap().events_file_size, Some(2 << 20));
    }
}
