//! Rows of the group `process`: the command, its environment, user and terminal.
//!
//! The command itself is what follows the image on a command line and `Exec=` in a unit file. `User=` and `Group=` are
//! the two halves of `--user`.

use super::row::{set_choice, set_or_clear, set_switch, show_all, show_choice, show_switch};
use super::{Complete, Flag, Form, Group, Key, Opt};
use crate::process::{Personality, Systemd, Ulimit};
use crate::{ContainerSpec, ParseError, word};

pub(super) const ROWS: &[Opt] = &[
    Opt::only_key(
        Group::Process,
        Key::new("Exec", Form::Command, "The command, after the image's entry point"),
        |spec, text| {
            spec.process.command.push(text.to_owned());
            Ok(())
        },
        |spec| spec.process.command.clone(),
    ),
    row(
        Flag::with_value(
            "entrypoint",
            "COMMAND",
            "Run this instead of the image's entry point; a JSON list for several words",
        ),
        |spec, text| {
            spec.process.entrypoint = Some(parse_entrypoint(text));
            Ok(())
        },
        |spec| spec.process.entrypoint.iter().map(|words| show_entrypoint(words)).collect(),
    )
    .in_unit("Entrypoint", Form::SingleOrEmpty),
    row(
        Flag::with_value("user", "USER[:GROUP]", "Run as this user, by name or number").short('u'),
        |spec, text| set_or_clear(&mut spec.process.user, text, parse_user),
        |spec| show_choice(&spec.process.user),
    )
    // `Group=` alone is an error in a unit file.
    .other_keys(|spec| spec.process.user.iter().filter(|user| user.starts_with(':')).cloned().collect()),
    Opt::only_key(
        Group::Process,
        Key::new("User", Form::Single, "Run as this user, by name or number"),
        |spec, text| {
            let (_, group) = halves(spec);
            let group = group.map(|group| format!(":{group}")).unwrap_or_default();
            spec.process.user = Some(parse_user(&format!("{}{group}", half("user", text)?))?);
            Ok(())
        },
        |spec| halves(spec).0.into_iter().collect(),
    ),
    Opt::only_key(
        Group::Process,
        Key::new("Group", Form::Single, "Run as this group; needs User="),
        |spec, text| {
            let user = halves(spec).0.unwrap_or_default();
            spec.process.user = Some(parse_user(&format!("{user}:{}", half("group", text)?))?);
            Ok(())
        },
        |spec| match halves(spec) {
            (Some(_), Some(group)) => vec![group],
            _ => Vec::new(),
        },
    ),
    row(
        Flag::with_value("group-add", "GROUP", "Add a supplementary group; keep-groups keeps the caller's"),
        |spec, text| {
            spec.process.groups.push(word::solid("group", text)?);
            Ok(())
        },
        |spec| spec.process.groups.clone(),
    )
    .in_unit("GroupAdd", Form::Lines)
    .commas(),
    row(
        Flag::with_value("workdir", "DIR", "Working directory inside").short('w'),
        |spec, text| set_or_clear(&mut spec.process.workdir, text, |text| word::inside("working directory", text)),
        |spec| show_choice(&spec.process.workdir),
    )
    .in_unit("WorkingDir", Form::Single),
    row(
        Flag::with_value("env", "NAME[=VALUE]", "Set a variable; without a value, hand on the caller's").short('e'),
        |spec, text| {
            // podman's scripts write `-e "$MAYBE"`.
            if text.is_empty() {
                return Ok(());
            }
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (text, None),
            };
            spec.process.env.insert(word::plain("environment variable", name)?, value);
            Ok(())
        },
        |spec| {
            let shown = |(name, value): (&String, &Option<String>)| match value {
                Some(value) => format!("{name}={value}"),
                None => name.clone(),
            };
            spec.process.env.iter().map(shown).collect()
        },
    )
    .in_unit("Environment", Form::Pairs),
    row(
        Flag::with_value("env-file", "FILE", "Read variables from a file, one on each line").complete(Complete::File),
        |spec, text| {
            spec.process.env_files.push(word::plain("file name", text)?);
            Ok(())
        },
        |spec| spec.process.env_files.clone(),
    )
    .in_unit("EnvironmentFile", Form::ShellWords),
    row(
        Flag::switch("env-host", "Start from the caller's whole environment"),
        |spec, text| set_switch(&mut spec.process.env_host, text),
        |spec| show_switch(spec.process.env_host),
    )
    .in_unit("EnvironmentHost", Form::Switch),
    row(
        Flag::with_value("env-merge", "NAME=VALUE", "Set a variable from the image's, written ${NAME}"),
        |spec, text| {
            let pair = text.split_once('=');
            let (name, value) =
                pair.ok_or_else(|| ParseError::new("environment variable", text, "expected NAME=VALUE"))?;
            spec.process.env_merge.insert(word::plain("environment variable", name)?, value.to_owned());
            Ok(())
        },
        |spec| spec.process.env_merge.iter().map(|(name, value)| format!("{name}={value}")).collect(),
    ),
    row(
        Flag::with_value("unsetenv", "NAME", "Leave out a variable of the image or of lodger"),
        |spec, text| {
            spec.process.unset_env.push(word::plain("environment variable", text)?);
            Ok(())
        },
        |spec| spec.process.unset_env.clone(),
    ),
    row(
        Flag::switch("unsetenv-all", "Leave out every variable of the image and of lodger"),
        |spec, text| set_switch(&mut spec.process.unset_env_all, text),
        |spec| show_switch(spec.process.unset_env_all),
    ),
    row(
        Flag::switch("http-proxy", "Hand on the proxy variables (default true)"),
        |spec, text| set_choice(&mut spec.process.http_proxy, text),
        |spec| show_choice(&spec.process.http_proxy),
    )
    .in_unit("HttpProxy", Form::Switch),
    row(
        Flag::with_value("tz", "ZONE", "Time zone, such as Europe/Berlin, or local for the host's"),
        |spec, text| set_or_clear(&mut spec.process.timezone, text, parse_zone),
        |spec| show_choice(&spec.process.timezone),
    )
    .in_unit("Timezone", Form::Single),
    row(
        Flag::with_value("umask", "MASK", "Octal file mode mask (default 0022)"),
        |spec, text| set_or_clear(&mut spec.process.umask, text, parse_umask),
        |spec| spec.process.umask.iter().map(|mask| format!("{mask:04o}")).collect(),
    ),
    row(
        Flag::with_value("ulimit", "NAME=SOFT[:HARD]", "Set a resource limit; host takes over all of the caller's"),
        |spec, text| {
            spec.process.ulimits.push(Ulimit::parse(text)?);
            Ok(())
        },
        |spec| show_all(&spec.process.ulimits),
    )
    .in_unit("Ulimit", Form::Lines)
    .commas(),
    row(
        Flag::with_value("oom-score-adj", "NUMBER", "Preference when memory runs out, -1000 (last) to 1000 (first)"),
        |spec, text| {
            spec.process.oom_score_adj = Some(word::number("preference", text, -1000, 1000)?);
            Ok(())
        },
        |spec| show_choice(&spec.process.oom_score_adj),
    ),
    row(
        Flag::with_value(
            "systemd",
            "MODE",
            "Give systemd inside what it needs: true (if it is the command; default), false, always",
        )
        .complete(Complete::Words(&["true", "false", "always"])),
        |spec, text| set_or_clear(&mut spec.process.systemd, text, Systemd::parse),
        |spec| show_choice(&spec.process.systemd),
    ),
    row(
        Flag::switch("init", "Run a small process 1 that reaps children and forwards signals"),
        |spec, text| set_switch(&mut spec.process.init, text),
        |spec| show_switch(spec.process.init),
    )
    .in_unit("RunInit", Form::Switch),
    row(
        Flag::switch("interactive", "Keep standard input open").short('i'),
        |spec, text| set_switch(&mut spec.process.interactive, text),
        |spec| show_switch(spec.process.interactive),
    ),
    row(
        Flag::switch("tty", "Give the process a terminal").short('t'),
        |spec, text| set_switch(&mut spec.process.tty, text),
        |spec| show_switch(spec.process.tty),
    ),
    row(
        Flag::switch("passwd", "Add the user to /etc/passwd and /etc/group when missing (default true)"),
        |spec, text| set_choice(&mut spec.process.passwd, text),
        |spec| show_choice(&spec.process.passwd),
    )
    .run_only(),
    row(
        Flag::with_value("preserve-fds", "N", "Hand on N file descriptors of the caller, from 3 on"),
        |spec, text| {
            spec.process.preserve_fds = word::number("number of descriptors", text, 0, 1 << 20)?;
            Ok(())
        },
        |spec| if spec.process.preserve_fds == 0 { Vec::new() } else { vec![spec.process.preserve_fds.to_string()] },
    )
    .run_only(),
    row(
        Flag::with_value("preserve-fd", "N", "Hand on these file descriptors of the caller"),
        |spec, text| {
            spec.process.preserve_fd.push(word::number("file descriptor", text, 3, 1 << 20)?);
            Ok(())
        },
        |spec| show_all(&spec.process.preserve_fd),
    )
    .commas()
    .run_only(),
    row(
        Flag::with_value("passwd-entry", "LINE", "Line in /etc/passwd of a user that the image lacks"),
        |spec, text| {
            set_or_clear(&mut spec.process.passwd_entry, text, |text| word::plain("line of /etc/passwd", text))
        },
        |spec| show_choice(&spec.process.passwd_entry),
    ),
    row(
        Flag::with_value("group-entry", "LINE", "Line in /etc/group of a group that the image lacks"),
        |spec, text| set_or_clear(&mut spec.process.group_entry, text, |text| word::plain("line of /etc/group", text)),
        |spec| show_choice(&spec.process.group_entry),
    ),
    row(
        Flag::with_value("hostuser", "USER", "Add a user of the host to /etc/passwd inside"),
        |spec, text| {
            spec.process.host_users.push(word::solid("user", text)?);
            Ok(())
        },
        |spec| spec.process.host_users.clone(),
    ),
    row(
        Flag::with_value("personality", "DOMAIN", "Kernel that the process takes itself to run on")
            .complete(Complete::Words(&["LINUX", "LINUX32"])),
        |spec, text| set_or_clear(&mut spec.process.personality, text, Personality::parse),
        |spec| show_choice(&spec.process.personality),
    ),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Process, flag, set, show)
}

/// A JSON list of words, or one word; nothing means no entry point at all.
fn parse_entrypoint(text: &str) -> Vec<String> {
    match serde_json::from_str::<Vec<String>>(text) {
        Ok(words) => words,
        Err(_) if text.is_empty() => Vec::new(),
        Err(_) => vec![text.to_owned()],
    }
}

fn show_entrypoint(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] if !word.is_empty() && !word.trim_start().starts_with('[') => word.clone(),
        words => serde_json::Value::from(words).to_string(),
    }
}

/// `user[:group]`; without a user it is root.
fn parse_user(text: &str) -> Result<String, ParseError> {
    if text.matches(':').count() > 1 {
        return Err(ParseError::new("user", text, "expected USER[:GROUP]"));
    }
    word::solid("user", text)
}

/// One half of `--user`.
fn half(what: &str, text: &str) -> Result<String, ParseError> {
    if text.contains(':') {
        return Err(ParseError::new(what, text, "expected a name or a number"));
    }
    word::solid(what, text)
}

/// The user and the group of `--user`, each if it was said.
fn halves(spec: &ContainerSpec) -> (Option<String>, Option<String>) {
    let whole = spec.process.user.as_deref().unwrap_or_default();
    let (user, group) = whole.split_once(':').unwrap_or((whole, ""));
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    (said(user), said(group))
}

/// A zone's name is a path below the zone database and must not leave it.
fn parse_zone(text: &str) -> Result<String, ParseError> {
    if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(ParseError::new("time zone", text, "expected a name such as Europe/Berlin, or local"));
    }
    word::solid("time zone", text)
}

fn parse_umask(text: &str) -> Result<u32, ParseError> {
    let mask = u32::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o777 && !text.starts_with('+'));
    mask.ok_or_else(|| ParseError::new("umask", text, "expected an octal number such as 0022"))
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("Exec", "[ -~\n]{0,12}|\\PC{0,12}"),
    ("entrypoint", "|/[a-z ]{1,9}|\\[\\]|\\[\"[a-z ]{0,5}\",\"\\\\n\"\\]|\\[[a-z]|\"[a-z]\"| \\[\"a\"\\]"),
    ("user", "|[a-z0-9]{1,6}(:[a-z0-9]{1,6})?|:[0-9]{1,4}"),
    ("User", "[a-z0-9]{1,6}"),
    ("Group", "[a-z0-9]{1,6}"),
    ("group-add", "[a-z0-9-]{1,9}(,[0-9]{1,3})?"),
    ("workdir", "|/[a-z/. \"]{0,12}"),
    ("env", "[A-Z_]{1,6}\\*?|[A-Z_]{1,6}=\\PC{0,12}|[A-Z]=[ \"'\\\\\n\t%$#;a]{0,9}"),
    ("env-file", "[a-z/. \"'\\\\,]{1,12}"),
    ("env-host", "true|false"),
    ("env-merge", "[A-Z]{1,3}=\\$\\{[A-Z]{1,3}\\}[ -~]{0,9}"),
    ("unsetenv", "[A-Z_]{1,6}"),
    ("unsetenv-all", "true|false"),
    ("http-proxy", "true|false"),
    ("tz", "|local|UTC|Europe/[A-Z][a-z]{1,6}"),
    ("umask", "|0?[0-7]{1,3}"),
    ("ulimit", "host|(nofile|RLIMIT_NPROC|as)=([0-9]{1,4}|[0-9]{1,4}:[0-9]{5,9}|-1|[0-9]:unlimited)(,core=0)?"),
    ("oom-score-adj", "-?[0-9]{1,3}|-?1000"),
    ("systemd", "|true|false|always|1"),
    ("init", "true|false"),
    ("interactive", "true|false"),
    ("tty", "true|false"),
    ("passwd", "true|false"),
    ("preserve-fds", "[0-9]{1,3}"),
    ("preserve-fd", "[3-9](,[1-9][0-9])?"),
    ("passwd-entry", "|[a-z]{1,5}:\\*:\\$UID:\\$GID:[a-z ,]{0,5}"),
    ("group-entry", "|[a-z]{1,5}:x:\\$GID:"),
    ("hostuser", "[a-z]{1,9}|[0-9]{1,4}"),
    ("personality", "|LINUX|LINUX32"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("Exec", "sleep", &["sleep"]),
                ("entrypoint", "", &[""]),
                ("entrypoint", "[]", &[""]),
                ("entrypoint", "/bin/sh -c", &["/bin/sh -c"]),
                ("entrypoint", "[\"/bin/sh\", \"-c\"]", &["[\"/bin/sh\",\"-c\"]"]),
                ("entrypoint", "[x", &["[\"[x\"]"]),
                ("user", "1000:www", &["1000:www"]),
                ("user", ":5", &[":5"]),
                ("User", "app", &["app"]),
                ("Group", "5", &[]),
                ("group-add", "audio,20", &["audio", "20"]),
                ("workdir", "/srv/", &["/srv"]),
                ("env", "A=b=c", &["A=b=c"]),
                ("env", "HOME", &["HOME"]),
                ("env-file", "./env", &["./env"]),
                ("env-host", "true", &["true"]),
                ("env-merge", "A=${A}b", &["A=${A}b"]),
                ("unsetenv", "A", &["A"]),
                ("unsetenv-all", "true", &["true"]),
                ("http-proxy", "false", &["false"]),
                ("tz", "local", &["local"]),
                ("umask", "22", &["0022"]),
                ("ulimit", "RLIMIT_NOFILE=1024:-1", &["nofile=1024:-1"]),
                ("ulimit", "core=0,host", &["core=0", "host"]),
                ("oom-score-adj", "-500", &["-500"]),
                ("systemd", "1", &["true"]),
                ("systemd", "always", &["always"]),
                ("init", "true", &["true"]),
                ("interactive", "true", &["true"]),
                ("tty", "true", &["true"]),
                ("passwd", "false", &["false"]),
                ("preserve-fds", "2", &["2"]),
                ("preserve-fd", "5,7", &["5", "7"]),
                ("passwd-entry", "x:*:$UID:$GID", &["x:*:$UID:$GID"]),
                ("group-entry", "x:x:$GID:", &["x:x:$GID:"]),
                ("hostuser", "alice", &["alice"]),
                ("personality", "LINUX32", &["LINUX32"]),
            ],
        );
    }

    #[test]
    fn user_and_group_keys_are_halves_of_one_flag() {
        let spec = checks::set_all(&[("Group", "5"), ("User", "app")]).unwrap();
        assert_eq!(spec.process.user.as_deref(), Some("app:5"));
        let spec = checks::set_all(&[("User", "app"), ("Group", "5"), ("User", "web")]).unwrap();
        assert_eq!(spec.process.user.as_deref(), Some("web:5"));
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("user", "a:b:c", "expected USER[:GROUP]"),
            ("user", "a\nroot", "white space"),
            ("User", "a:b", "expected a name or a number"),
            ("workdir", "srv", "must be an absolute path"),
            ("env", "=x", "must not be empty"),
            ("env-merge", "A", "expected NAME=VALUE"),
            ("tz", "../../etc/shadow", "expected a name such as Europe/Berlin"),
            ("tz", "/etc/localtime", "expected a name"),
            ("umask", "999", "expected an octal number"),
            ("ulimit", "nofile", "expected NAME=soft[:hard] or host"),
            ("ulimit", "files=1", "expected core, cpu,"),
            ("ulimit", "nofile=2:1", "less than or equal to the hard limit"),
            ("oom-score-adj", "1001", "from -1000 to 1000"),
            ("preserve-fds", "-1", "expected a whole number"),
        ]);
    }
}
