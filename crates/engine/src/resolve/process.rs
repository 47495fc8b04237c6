//! Command, environment and limits of the process: podman's rules, answered.

use crate::error::{Error, Result};
use spec::oci::ContainerDefaults;
use spec::process::Process;
use std::collections::BTreeMap;

/// What a command is looked up in when neither image nor user says.
pub(crate) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The words to run: entrypoint, then command.
///
/// An entrypoint given by the user drops the image's own command, as in podman and Docker.
pub(crate) fn command(process: &Process, image: &ContainerDefaults) -> Result<Vec<String>> {
    let entrypoint = match &process.entrypoint {
        Some(words) => words.as_slice(),
        None => image.entrypoint.as_deref().unwrap_or_default(),
    };
    let arguments = if !process.command.is_empty() {
        process.command.as_slice()
    } else if process.entrypoint.is_some() {
        &[]
    } else {
        image.cmd.as_deref().unwrap_or_default()
    };
    let words: Vec<String> = entrypoint.iter().chain(arguments).cloned().collect();
    if words.is_empty() {
        return Err(Error::invalid("no command or entrypoint provided, and no CMD or ENTRYPOINT from image"));
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(Error::invalid("a word of the command holds a NUL byte"));
    }
    Ok(words)
}

/// `--personality`
pub(crate) fn personality(process: &Process) -> runtime::plan::Personality {
    use runtime::plan::Personality as Planned;
    use spec::process::Personality;
    match process.personality {
        None => Planned::Inherit,
        Some(Personality::Linux) => Planned::LINUX,
        Some(Personality::Linux32) => Planned::LINUX32,
    }
}

/// Where variables come from besides the image and the flags.
pub(crate) struct Surrounding<'a> {
    /// The caller's variables.
    pub(crate) caller: &'a dyn Fn(&str) -> Option<String>,
    /// All of the caller's variables, for `--env-host`.
    pub(crate) caller_all: &'a dyn Fn() -> Vec<(String, String)>,
    /// Proxy variables of the caller.
    pub(crate) proxies: Vec<(&'static str, String)>,
    /// Contents of `--env-file`s, in order, with their names.
    pub(crate) files: Vec<(String, String)>,
}

/// The variables, in podman's order of precedence: image, proxies, the caller's (`--env-host`), files, `--env`.
///
/// `HOME` and `HOSTNAME` are added by the caller of this function, where nothing has set them.
pub(crate) fn environment(
    process: &Process,
    image: &ContainerDefaults,
    around: &Surrounding<'_>,
) -> Result<BTreeMap<String, String>> {
    let mut env = BTreeMap::new();
    if !process.unset_env_all {
        env.insert("PATH".to_owned(), DEFAULT_PATH.to_owned());
        env.insert("container".to_owned(), "podman".to_owned());
        if process.tty {
            env.insert("TERM".to_owned(), "xterm".to_owned());
        }
        env.extend(image.env.iter().map(|pair| split(pair)));
    }
    if process.http_proxy.unwrap_or(true) {
        env.extend(around.proxies.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    if process.env_host {
        env.extend((around.caller_all)());
    }
    for (file, text) in &around.files {
        env_file(file, text, around, &mut env)?;
    }
    for (name, value) in &process.env_merge {
        let merged = expand(value, &env);
        env.insert(name.clone(), merged);
    }
    for (name, value) in &process.env {
        assign(name, value.as_deref(), around, &mut env);
    }
    for name in &process.unset_env {
        env.remove(name);
    }
    env.retain(|name, _| !name.is_empty());
    Ok(env)
}

fn split(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (name.to_owned(), value.to_owned())
}

/// `NAME=value`, `NAME` (the caller's value, if set), `PREFIX*` (the caller's variables that begin so).
fn assign(name: &str, value: Option<&str>, around: &Surrounding<'_>, env: &mut BTreeMap<String, String>) {
    match (value, name.strip_suffix('*')) {
        (Some(value), _) => {
            env.insert(name.to_owned(), value.to_owned());
        }
        (None, Some(prefix)) => {
            env.extend((around.caller_all)().into_iter().filter(|(name, _)| name.starts_with(prefix)));
        }
        (None, None) => {
            if let Some(value) = (around.caller)(name) {
                env.insert(name.to_owned(), value);
            }
        }
    }
}

/// One assignment a line, `#` comments, no quoting, as podman-run(1) describes.
fn env_file(file: &str, text: &str, around: &Surrounding<'_>, env: &mut BTreeMap<String, String>) -> Result<()> {
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value)),
            None => (line.trim_end(), None),
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            let place = format!("{file}:{}", number + 1);
            return Err(Error::invalid(format!("{place}: variable name {name:?} is empty or has white space")));
        }
        assign(name, value, around, env);
    }
    Ok(())
}

/// Replaces `${NAME}` and `$NAME` by what the variable is so far.
fn expand(value: &str, env: &BTreeMap<String, String>) -> String {
    let mut rest = value;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        let braced = after.strip_prefix('{').and_then(|after| after.split_once('}'));
        let plain = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        let (name, tail) = match braced {
            Some(found) => found,
            None if plain > 0 => after.split_at(plain),
            None => {
                text.push('$');
                rest = after;
                continue;
            }
        };
        text.push_str(env.get(name).map_or("", String::as_str));
        rest = tail;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> ContainerDefaults {
        ContainerDefaults {
            entrypoint: Some(vec!["/entry".into()]),
            cmd: Some(vec!["a".into(), "b".into()]),
            env: vec!["PATH=/opt".into(), "A=image".into(), "EMPTY".into()],
            ..Default::default()
        }
    }

    fn words(entrypoint: Option<&[&str]>, command: &[&str]) -> String {
        let own = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let process = Process { entrypoint: entrypoint.map(own), command: own(command), ..Default::default() };
        super::command(&process, &image()).map_or_else(|e| e.to_string(), |words| words.join(" "))
    }

    #[test]
    fn an_entrypoint_of_the_users_drops_the_images_command() {
        assert_eq!(words(None, &[]), "/entry a b");
        assert_eq!(words(None, &["x"]), "/entry x");
        assert_eq!(words(Some(&["/mine"]), &[]), "/mine");
        assert_eq!(words(Some(&["/mine", "-v"]), &["x"]), "/mine -v x");
        assert_eq!(words(Some(&[]), &["sh"]), "sh");
        assert!(words(Some(&[]), &[]).contains("no command or entrypoint"));
    }

    #[test]
    fn later_sources_win_and_names_without_value_ask_the_caller() {
        let process = Process {
            env: [
                ("B".into(), Some("flag".into())),
                ("FROM".into(), None),
                ("GONE".into(), None),
                ("LC_*".into(), None),
            ]
            .into(),
            env_merge: [("PATH".into(), "${PATH}:/more".into())].into(),
            unset_env: vec!["EMPTY".into()],
            ..Default::default()
        };
        let caller = |name: &str| (name == "FROM").then(|| "caller".to_owned());
        let all = || vec![("LC_ALL".to_owned(), "C".to_owned()), ("SECRET".to_owned(), "no".to_owned())];
        let around = Surrounding {
            caller: &caller,
            caller_all: &all,
            proxies: vec![("http_proxy", "p".into())],
            files: vec![("f".into(), "# no\nA = file\nB=file\nFROM\n".into())],
        };
        let env = environment(&process, &image(), &around).unwrap();
        let shown: Vec<String> = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            shown,
            ["A= file", "B=flag", "FROM=caller", "LC_ALL=C", "PATH=/opt:/more", "container=podman", "http_proxy=p"]
        );
    }

    #[test]
    fn unset_all_leaves_what_the_user_sets() {
        let process = Process {
            unset_env_all: true,
            tty: true,
            env: [("A".into(), Some("1".into()))].into(),
            ..Default::default()
        };
        let around = Surrounding { caller: &|_| None, caller_all: &Vec::new, proxies: vec![], files: vec![] };
        let env = environment(&process, &image(), &around).unwrap();
        assert_eq!(env.into_iter().collect::<Vec<_>>(), [("A".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_bad_line_of_a_file_is_named() {
        let around = Surrounding {
            caller: &|_| None,
            caller_all: &Vec::new,
            proxies: vec![],
            files: vec![("web.env".into(), "A=1\nb c=2\n".into())],
        };
        let error = environment(&Process::default(), &image(), &around).unwrap_err();
        assert!(error.to_string().starts_with("web.env:2: "), "{error}");
    }

    #[test]
    fn a_merged_variable_is_written_with_or_without_braces() {
        let env = BTreeMap::from([("A".to_owned(), "x".to_owned())]);
        for (text, expanded) in [
            ("$A:/b", "x:/b"),
            ("${A}b", "xb"),
            ("$Ab", ""),
            ("a$", "a$"),
            ("$$A", "$x"),
            ("${A", "${A"),
            ("$ A", "$ A"),
        ] {
            assert_eq!(expand(text, &env), expanded, "{text}");
        }
    }
}
