//! The words of events: what kind of thing, and what happened to it (podman-events(1)).

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Subject {
    Container,
    Image,
    Secret,
    System,
    Volume,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Act {
    Attach,
    Cleanup,
    Commit,
    Create,
    Died,
    Exec,
    ExecDied,
    Export,
    HealthStatus,
    Import,
    Init,
    Kill,
    LoadFromArchive,
    Mount,
    Pause,
    Prune,
    Pull,
    PullError,
    Push,
    Refresh,
    Remove,
    Rename,
    Restart,
    Save,
    Start,
    Stop,
    Tag,
    Unmount,
    Unpause,
    Untag,
    Update,
}

const SUBJECTS: &[(Subject, &str)] = &[
    (Subject::Container, "container"),
    (Subject::Image, "image"),
    (Subject::Secret, "secret"),
    (Subject::System, "system"),
    (Subject::Volume, "volume"),
];

const ACTS: &[(Act, &str)] = &[
    (Act::Attach, "attach"),
    (Act::Cleanup, "cleanup"),
    (Act::Commit, "commit"),
    (Act::Create, "create"),
    (Act::Died, "died"),
    (Act::Exec, "exec"),
    (Act::ExecDied, "exec_died"),
    (Act::Export, "export"),
    (Act::HealthStatus, "health_status"),
    (Act::Import, "import"),
    (Act::Init, "init"),
    (Act::Kill, "kill"),
    (Act::LoadFromArchive, "loadfromarchive"),
    (Act::Mount, "mount"),
    (Act::Pause, "pause"),
    (Act::Prune, "prune"),
    (Act::Pull, "pull"),
    (Act::PullError, "pull-error"),
    (Act::Push, "push"),
    (Act::Refresh, "refresh"),
    (Act::Remove, "remove"),
    (Act::Rename, "rename"),
    (Act::Restart, "restart"),
    (Act::Save, "save"),
    (Act::Start, "start"),
    (Act::Stop, "stop"),
    (Act::Tag, "tag"),
    (Act::Unmount, "unmount"),
    (Act::Unpause, "unpause"),
    (Act::Untag, "untag"),
    (Act::Update, "update"),
];

fn word_of<T: PartialEq>(table: &[(T, &'static str)], value: &T) -> &'static str {
    table.iter().find(|(known, _)| known == value).map_or("", |(_, word)| word)
}

fn of_word<T: Copy>(table: &[(T, &'static str)], text: &str) -> Option<T> {
    table.iter().find(|(_, word)| *word == text).map(|(value, _)| *value)
}

impl Subject {
    /// `container`, `image`, …
    pub fn word(self) -> &'static str {
        word_of(SUBJECTS, &self)
    }

    /// The kind of a word.
    pub fn parse(text: &str) -> Option<Self> {
        of_word(SUBJECTS, text)
    }
}

impl Act {
    /// `start`, `exec_died`, …
    pub fn word(self) -> &'static str {
        word_of(ACTS, &self)
    }

    /// The status of a word.
    pub fn parse(text: &str) -> Option<Self> {
        of_word(ACTS, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_again() {
        for (status, word) in ACTS {
            assert_eq!((status.word(), Act::parse(word)), (*word, Some(*status)));
        }
        for (kind, word) in SUBJECTS {
            assert_eq!((kind.word(), Subject::parse(word)), (*word, Some(*kind)));
        }
        assert_eq!((Subject::parse(""), Act::parse("nosuch")), (None, None));
    }
}
