//! Devices by name: the Container Device Interface, by which vendors say what belongs to a device.
//!
//! `vendor.com/class=name` is looked up in the JSON and YAML files of `/etc/cdi`, `/var/run/cdi` and the user's `~/.config/cdi`; where two
//! say the same name, the later directory counts. What a file adds is nodes, mounts and variables. Programs that it wants to be run
//! on the host (hooks) are refused.
//! <https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md>

use crate::Engine;
use crate::config;
use crate::error::{Error, Result};
use serde::Deserialize;
use spec::mount::{Mount, MountSource};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What devices bring with them.
#[derive(Debug, Default)]
pub(crate) struct Injected {
    /// Path on the host and inside.
    pub(crate) devices: Vec<(String, String)>,
    /// Binds of files of the host.
    pub(crate) mounts: Vec<Mount>,
    /// Variables.
    pub(crate) env: Vec<(String, String)>,
}

/// One file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    kind: String,
    devices: Vec<Device>,
    container_edits: Edits,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Device {
    name: String,
    container_edits: Edits,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Edits {
    env: Vec<String>,
    device_nodes: Vec<Node>,
    mounts: Vec<Bind>,
    hooks: Vec<Hook>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Node {
    path: String,
    host_path: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Bind {
    host_path: String,
    container_path: String,
    options: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Hook {
    path: String,
}

/// What these devices bring; an error for a name that no file has.
pub(crate) fn resolve(engine: &Engine, names: &[String]) -> Result<Injected> {
    if names.is_empty() {
        return Ok(Injected::default());
    }
    let known = known(engine)?;
    let mut injected = Injected::default();
    let mut kinds: Vec<&str> = Vec::new();
    for name in names {
        let found = known.get(name.as_str());
        let (edits, common) = found.ok_or_else(|| {
            Error::invalid(format!("setting up CDI devices: unresolvable CDI devices {name}: no file of /etc/cdi, /var/run/cdi or ~/.config/cdi has it"))
        })?;
        add(&mut injected, name, edits)?;
        // What all devices of a kind share is added once.
        let kind = name.split('=').next().unwrap_or_default();
        if !kinds.contains(&kind) {
            kinds.push(kind);
            add(&mut injected, name, common)?;
        }
    }
    Ok(injected)
}

/// Every device there is, with what all of its file's devices share.
fn known(engine: &Engine) -> Result<BTreeMap<String, (Edits, Edits)>> {
    let directories = [PathBuf::from("/etc/cdi"), PathBuf::from("/var/run/cdi"), engine.host.config_dir().join("cdi")];
    let mut known = BTreeMap::new();
    for directory in directories {
        let entries = std::fs::read_dir(&directory).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let Some(document) = read(&path)? else { continue };
            for device in document.devices {
                let name = format!("{}={}", document.kind, device.name);
                known.insert(name, (device.container_edits, document.container_edits.clone()));
            }
        }
    }
    Ok(known)
}

fn read(path: &std::path::Path) -> Result<Option<Document>> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if !["json", "yaml", "yml"].contains(&extension) {
        return Ok(None);
    }
    let Some(bytes) = config::read(path)? else { return Ok(None) };
    parse(&bytes, extension).map(Some).map_err(|why| Error::invalid(format!("CDI file {}: {why}", path.display())))
}

fn parse(bytes: &[u8], extension: &str) -> Result<Document, String> {
    match extension {
        "json" => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
        _ => serde_norway::from_slice(bytes).map_err(|error| error.to_string()),
    }
}

fn add(injected: &mut Injected, name: &str, edits: &Edits) -> Result<()> {
    if let Some(hook) = edits.hooks.first() {
        return Err(Error::invalid(format!(
            "CDI device {name} wants {} to be run on the host, which lodger does not do: write its file without hooks \
             (`nvidia-ctk cdi generate --disable-hook=all`)",
            hook.path
        )));
    }
    for node in &edits.device_nodes {
        let host = if node.host_path.is_empty() { &node.path } else { &node.host_path };
        injected.devices.push((host.clone(), node.path.clone()));
    }
    for variable in &edits.env {
        let (key, value) = variable.split_once('=').unwrap_or((variable, ""));
        injected.env.push((key.to_owned(), value.to_owned()));
    }
    injected.mounts.extend(edits.mounts.iter().map(bind));
    Ok(())
}

fn bind(bind: &Bind) -> Mount {
    let has = |word: &str| bind.options.iter().any(|option| option == word);
    let mut options = spec::mount::MountOptions { read_only: Some(has("ro")), ..Default::default() };
    options.recursive = Some(has("rbind"));
    options.no_exec = has("noexec").then_some(true);
    Mount { target: bind.container_path.clone(), source: MountSource::Bind(bind.host_path.clone()), options }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"cdiVersion": "0.6.0", "kind": "vendor.com/net", "devices": [
        {"name": "one", "containerEdits": {"deviceNodes": [{"path": "/dev/one", "hostPath": "/dev/null"}], "env": ["A=b"]}},
        {"name": "bad", "containerEdits": {"hooks": [{"hookName": "createContainer", "path": "/usr/bin/x"}]}}],
        "containerEdits": {"mounts": [{"hostPath": "/etc", "containerPath": "/vendor", "options": ["ro", "bind"]}]}}"#;
    const YAML: &str = "cdiVersion: 0.6.0\nkind: vendor.com/net\ndevices:\n- name: one\n  containerEdits:\n    deviceNodes:\n    - path: /dev/one\n";

    #[test]
    fn a_file_says_what_belongs_to_a_device() {
        let document = parse(JSON.as_bytes(), "json").unwrap();
        let mut injected = Injected::default();
        add(&mut injected, "vendor.com/net=one", &document.devices[0].container_edits).unwrap();
        add(&mut injected, "vendor.com/net=one", &document.container_edits).unwrap();
        assert_eq!(injected.devices, [("/dev/null".to_owned(), "/dev/one".to_owned())]);
        assert_eq!(injected.env, [("A".to_owned(), "b".to_owned())]);
        assert_eq!(injected.mounts[0].as_mount(), "type=bind,source=/etc,target=/vendor,ro,bind");
        let error = add(&mut injected, "vendor.com/net=bad", &document.devices[1].container_edits).unwrap_err();
        assert!(error.to_string().contains("wants /usr/bin/x to be run on the host"), "{error}");
        let document = parse(YAML.as_bytes(), "yaml").unwrap();
        assert_eq!(
            (document.kind.as_str(), document.devices[0].container_edits.device_nodes[0].path.as_str()),
            ("vendor.com/net", "/dev/one")
        );
        assert!(parse(b"{", "json").is_err() && parse(b"\t", "yaml").is_err());
    }
}
