//! `--change` of `import` and `commit`: the few words of a Dockerfile that change an image's config and no file.

use crate::error::{Error, Result};
use spec::oci::ContainerDefaults;

/// Obeys one instruction, such as `ENV A=1` or `CMD ["/bin/sh"]`.
pub fn apply(config: &mut ContainerDefaults, text: &str) -> Result<()> {
    let bad = |why: &str| Error::invalid(format!("invalid change {text:?} - {why}"));
    let trimmed = text.trim();
    // Older words of podman's and docker's: `CMD=/bin/sh`.
    let at = trimmed.find(|c: char| c.is_whitespace() || c == '=').ok_or_else(|| bad("expected INSTRUCTION VALUE"))?;
    let (instruction, value) = (trimmed[..at].to_ascii_uppercase(), trimmed[at + 1..].trim());
    if value.is_empty() && !matches!(instruction.as_str(), "CMD" | "ENTRYPOINT") {
        return Err(bad("a value is missing"));
    }
    match instruction.as_str() {
        "CMD" => config.cmd = Some(command(value)),
        "ENTRYPOINT" => config.entrypoint = Some(command(value)),
        "ENV" => pairs(value).map_err(|why| bad(&why))?.into_iter().for_each(|(name, value)| {
            config.env.retain(|other| other.split('=').next() != Some(&name));
            config.env.push(format!("{name}={value}"));
        }),
        "EXPOSE" => {
            for word in value.split_whitespace() {
                let port = spec::network::Expose::parse(word).map_err(|error| bad(&error.to_string()))?;
                let port = port.to_string();
                let port = if port.contains('/') { port } else { format!("{port}/tcp") };
                config.exposed_ports.insert(port, serde_json::json!({}));
            }
        }
        "LABEL" => config.labels.extend(pairs(value).map_err(|why| bad(&why))?),
        "ONBUILD" => config.on_build.push(value.to_owned()),
        "STOPSIGNAL" => config.stop_signal = value.to_owned(),
        "USER" => config.user = value.to_owned(),
        "VOLUME" => {
            let paths = list(value).unwrap_or_else(|| value.split_whitespace().map(str::to_owned).collect());
            config.volumes.extend(paths.into_iter().map(|path| (path, serde_json::json!({}))));
        }
        "WORKDIR" => {
            config.working_dir = match value.starts_with('/') || config.working_dir.is_empty() {
                true => value.to_owned(),
                false => format!("{}/{value}", config.working_dir.trim_end_matches('/')),
            }
        }
        other => return Err(bad(&format!("invalid instruction {other}"))),
    }
    Ok(())
}

/// A JSON list of words.
fn list(value: &str) -> Option<Vec<String>> {
    serde_json::from_str(value).ok()
}

/// A JSON list, or a line for the shell.
fn command(value: &str) -> Vec<String> {
    match list(value) {
        Some(words) => words,
        None if value.is_empty() => Vec::new(),
        None => ["/bin/sh", "-c", value].map(str::to_owned).into(),
    }
}

/// `A=1 B="two words"`, or `A the rest of the line`.
fn pairs(value: &str) -> Result<Vec<(String, String)>, String> {
    let words = words(value)?;
    match words.first() {
        Some(first) if !first.contains('=') => {
            let (name, rest) = value.split_once(char::is_whitespace).ok_or("expected NAME=VALUE")?;
            Ok(vec![(name.to_owned(), rest.trim().to_owned())])
        }
        _ => words
            .iter()
            .map(|word| {
                let (name, value) = word.split_once('=').ok_or("expected NAME=VALUE")?;
                match name {
                    "" => Err("a name is missing".to_owned()),
                    name => Ok((name.to_owned(), value.to_owned())),
                }
            })
            .collect(),
    }
}

/// Words as a shell parts them: quotes and backslashes hold together.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(letters.next()),
            (letter, Some(open)) if letter == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (letter, None) if letter.is_whitespace() => found.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    found.extend(word);
    match quote {
        Some(_) => Err("a quote is not closed".to_owned()),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_change_the_config() {
        let mut config = ContainerDefaults { env: vec!["A=0".into(), "C=3".into()], ..Default::default() };
        for text in [
            "CMD [\"/bin/x\", \"a b\"]",
            "entrypoint /run it",
            "ENV A=1 B=\"two words\"",
            "ENV D the rest",
            "EXPOSE 80 53/udp",
            "LABEL a=b 'c d'=e",
            "USER www:www",
            "WORKDIR /srv",
            "WORKDIR data",
            "STOPSIGNAL SIGINT",
            "VOLUME [\"/a\", \"/b c\"]",
            "VOLUME /d /e",
            "ONBUILD RUN true",
        ] {
            apply(&mut config, text).unwrap();
        }
        let own = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(config.cmd, own(&["/bin/x", "a b"]));
        assert_eq!(config.entrypoint, own(&["/bin/sh", "-c", "/run it"]));
        assert_eq!(config.env, ["C=3", "A=1", "B=two words", "D=the rest"]);
        assert_eq!(config.exposed_ports.keys().collect::<Vec<_>>(), ["53/udp", "80/tcp"]);
        assert_eq!(config.labels["c d"], "e");
        assert_eq!((config.user.as_str(), config.working_dir.as_str()), ("www:www", "/srv/data"));
        assert_eq!(config.volumes.keys().collect::<Vec<_>>(), ["/a", "/b c", "/d", "/e"]);
        assert_eq!((config.stop_signal.as_str(), config.on_build.len()), ("SIGINT", 1));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["RUN x", "FOO", "ENV A", "ENV =x", "LABEL \"a", "EXPOSE port", "USER "] {
            let error = apply(&mut ContainerDefaults::default(), text).unwrap_err().to_string();
            assert!(error.starts_with("invalid change "), "{error}");
        }
    }
}
