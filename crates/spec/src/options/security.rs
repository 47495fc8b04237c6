//! Rows of the group `security`: capabilities, seccomp, devices.
//!
//! `--security-opt` is one flag for many things, most of which have a key of their own in a unit file.

use super::parse::parse_switch;
use super::row::{set_switch, show_all, show_switch};
use super::{Complete, Flag, Form, Group, Key, Opt};
use crate::security::{Device, Seccomp, is_cdi_name, parse_capability, parse_proc_option};
use crate::{ContainerSpec, ParseError, word};

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::switch("privileged", "Give all capabilities and devices that the caller has"),
        |spec, text| set_switch(&mut spec.security.privileged, text),
        |spec| show_switch(spec.security.privileged),
    ),
    row(
        Flag::with_value("cap-add", "CAPABILITY", "Add a capability, or all"),
        |spec, text| add_capability(&mut spec.security.cap_add, text),
        |spec| spec.security.cap_add.clone(),
    )
    .in_unit("AddCapability", Form::Words)
    .commas(),
    row(
        Flag::with_value("cap-drop", "CAPABILITY", "Take away a capability, or all"),
        |spec, text| add_capability(&mut spec.security.cap_drop, text),
        |spec| spec.security.cap_drop.clone(),
    )
    .in_unit("DropCapability", Form::Words)
    .commas(),
    row(
        Flag::with_value(
            "security-opt",
            "OPTION",
            "no-new-privileges, seccomp=, mask=, unmask=, label=, apparmor=, proc-opts=",
        )
        .complete(Complete::Words(&[
            "no-new-privileges",
            "seccomp=",
            "mask=",
            "unmask=",
            "label=",
            "apparmor=",
            "proc-opts=",
        ])),
        set_security_option,
        show_security_options,
    )
    .other_keys(|spec| {
        let has_key = |option: &&String| KEYED_LABELS.iter().any(|kind| option.split(':').next() == Some(kind));
        let labels =
            spec.security.label.iter().filter(|option| !has_key(option)).map(|option| format!("label={option}"));
        labels.chain(spec.security.proc_options.iter().map(|option| format!("proc-opts={option}"))).collect()
    }),
    key(
        "NoNewPrivileges",
        Form::Switch,
        "The process cannot gain privileges, by set-user-ID programs for example",
        |spec, text| set_switch(&mut spec.security.no_new_privileges, text),
        |spec| show_switch(spec.security.no_new_privileges),
    ),
    key("SeccompProfile", Form::Single, "JSON file with the system call filter, or unconfined", set_seccomp, |spec| {
        spec.security.seccomp.iter().map(show_seccomp).collect()
    }),
    key(
        "AppArmor",
        Form::Single,
        "AppArmor profile, or unconfined",
        |spec, text| {
            spec.security.apparmor = Some(word::solid("AppArmor profile", text)?);
            Ok(())
        },
        |spec| spec.security.apparmor.iter().cloned().collect(),
    ),
    key(
        "Mask",
        Form::ShellWords,
        "Paths to hide, parted by colons",
        |spec, text| add_paths(&mut spec.security.mask, text),
        |spec| joined(&spec.security.mask),
    ),
    key(
        "Unmask",
        Form::ShellWords,
        "Paths to show that are hidden otherwise, parted by colons, or ALL",
        |spec, text| add_unmasked(&mut spec.security.unmask, text),
        |spec| joined(&spec.security.unmask),
    ),
    key(
        "SecurityLabelDisable",
        Form::Switch,
        "Run without SELinux separation",
        |spec, text| set_label_switch(spec, "disable", text),
        |spec| show_switch(spec.security.label_of("disable").is_some()),
    ),
    key(
        "SecurityLabelNested",
        Form::Switch,
        "SELinux labels can be used inside",
        |spec, text| set_label_switch(spec, "nested", text),
        |spec| show_switch(spec.security.label_of("nested").is_some()),
    ),
    key(
        "SecurityLabelType",
        Form::Single,
        "SELinux type of the process",
        |spec, text| spec.security.set_label(&format!("type:{text}")),
        |spec| spec.security.label_of("type").map(str::to_owned).into_iter().collect(),
    ),
    key(
        "SecurityLabelLevel",
        Form::Single,
        "SELinux level of the process",
        |spec, text| spec.security.set_label(&format!("level:{text}")),
        |spec| spec.security.label_of("level").map(str::to_owned).into_iter().collect(),
    ),
    key(
        "SecurityLabelFileType",
        Form::Single,
        "SELinux type of the files",
        |spec, text| spec.security.set_label(&format!("filetype:{text}")),
        |spec| spec.security.label_of("filetype").map(str::to_owned).into_iter().collect(),
    ),
    row(
        Flag::with_value(
            "device",
            "[-]HOST[:CONTAINER][:rwm]",
            "Add a device of the host, by path (-: if it is there) or CDI name",
        )
        .complete(Complete::File),
        |spec, text| {
            match is_cdi_name(text) {
                true => spec.security.cdi.push(text.to_owned()),
                false => spec.security.devices.push(Device::parse(text)?),
            }
            Ok(())
        },
        |spec| [show_all(&spec.security.devices), spec.security.cdi.clone()].concat(),
    )
    .in_unit("AddDevice", Form::Words)
    .commas(),
    row(
        Flag::with_value("sysctl", "NAME=VALUE", "Set a kernel parameter of the container's namespaces"),
        |spec, text| {
            spec.security.sysctls.push(parse_sysctl(text)?);
            Ok(())
        },
        |spec| spec.security.sysctls.iter().map(|(name, value)| format!("{name}={value}")).collect(),
    )
    .in_unit("Sysctl", Form::Words)
    .commas(),
    row(
        Flag::with_value("gpus", "all|NAME", "Add graphics processors of nvidia.com, by their CDI names"),
        |spec, text| {
            let name = format!("nvidia.com/gpu={text}");
            if !is_cdi_name(&name) {
                return Err(ParseError::new("graphics processor", text, "expected all, a number or a name"));
            }
            spec.security.cdi.push(name);
            Ok(())
        },
        // The row of the devices shows them.
        |_| Vec::new(),
    )
    .commas(),
];

/// The kinds of `label=` options that have keys.
const KEYED_LABELS: [&str; 5] = ["disable", "nested", "type", "level", "filetype"];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Security, flag, set, show)
}

const fn key(
    name: &'static str,
    form: Form,
    help: &'static str,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::only_key(Group::Security, Key::new(name, form, help), set, show)
}

fn add_capability(list: &mut Vec<String>, text: &str) -> Result<(), ParseError> {
    let capability = parse_capability(text)?;
    if !list.contains(&capability) {
        list.push(capability);
    }
    Ok(())
}

fn set_security_option(spec: &mut ContainerSpec, text: &str) -> Result<(), ParseError> {
    // Docker's older spelling has a colon; a value may hold either sign.
    let (name, value) = match text.find(['=', ':']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    match (name, value) {
        ("no-new-privileges", value) => {
            let value = value.unwrap_or("true");
            let bad = |_| ParseError::new("no-new-privileges", value, "expected true or false");
            spec.security.no_new_privileges = parse_switch(value).map_err(bad)?;
            Ok(())
        }
        ("seccomp", Some(value)) => set_seccomp(spec, value),
        ("mask", Some(value)) => add_paths(&mut spec.security.mask, value),
        ("unmask", Some(value)) => add_unmasked(&mut spec.security.unmask, value),
        ("label", Some(value)) => spec.security.set_label(value),
        ("apparmor", Some(value)) => {
            spec.security.apparmor = Some(word::solid("AppArmor profile", value)?);
            Ok(())
        }
        ("proc-opts", Some(value)) => {
            let parsed = value.split(',').map(parse_proc_option).collect::<Result<Vec<_>, _>>()?;
            spec.security.proc_options.extend(parsed);
            Ok(())
        }
        _ => {
            let expected = "expected no-new-privileges, or seccomp, mask, unmask, label or apparmor with =VALUE";
            Err(ParseError::new("security option", text, expected))
        }
    }
}

fn show_security_options(spec: &ContainerSpec) -> Vec<String> {
    let security = &spec.security;
    let mut shown = Vec::new();
    if security.no_new_privileges {
        shown.push("no-new-privileges".to_owned());
    }
    let mut add = |name: &str, values: Vec<String>| shown.extend(values.iter().map(|value| format!("{name}={value}")));
    add("seccomp", security.seccomp.iter().map(show_seccomp).collect());
    add("apparmor", security.apparmor.iter().cloned().collect());
    add("mask", joined(&security.mask));
    add("unmask", joined(&security.unmask));
    add("label", security.label.clone());
    add("proc-opts", security.proc_options.clone());
    shown
}

fn set_seccomp(spec: &mut ContainerSpec, text: &str) -> Result<(), ParseError> {
    spec.security.seccomp = Some(match text {
        "unconfined" => Seccomp::Unconfined,
        path => Seccomp::File(word::plain("seccomp profile", path)?),
    });
    Ok(())
}

fn show_seccomp(seccomp: &Seccomp) -> String {
    match seccomp {
        Seccomp::Unconfined => "unconfined".to_owned(),
        Seccomp::File(path) => path.clone(),
    }
}

/// `/a:/b`
fn add_paths(list: &mut Vec<String>, text: &str) -> Result<(), ParseError> {
    for path in text.split(':') {
        list.push(word::inside("path", path)?);
    }
    Ok(())
}

/// `/a:/b`, with shell patterns, or `ALL` in any case.
fn add_unmasked(list: &mut Vec<String>, text: &str) -> Result<(), ParseError> {
    if text.eq_ignore_ascii_case("all") {
        list.push("ALL".to_owned());
        return Ok(());
    }
    add_paths(list, text)
}

/// The paths as items: `ALL` stands alone, those between are joined.
fn joined(paths: &[String]) -> Vec<String> {
    paths.chunk_by(|a, b| a != "ALL" && b != "ALL").map(|part| part.join(":")).collect()
}

fn set_label_switch(spec: &mut ContainerSpec, kind: &str, text: &str) -> Result<(), ParseError> {
    if parse_switch(text)? {
        return spec.security.set_label(kind);
    }
    spec.security.label.retain(|option| option != kind);
    Ok(())
}

/// The name must stay below `/proc/sys`.
fn parse_sysctl(text: &str) -> Result<(String, String), ParseError> {
    let bad = |why: &str| ParseError::new("sysctl", text, why);
    let (name, value) = text.split_once('=').ok_or_else(|| bad("expected NAME=VALUE"))?;
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    if !name.split(['.', '/']).all(|part| !part.is_empty()) || !name.bytes().all(letters) {
        return Err(bad("expected a name such as net.core.somaxconn"));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(bad("the value must not contain control characters"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("privileged", "true|false"),
    ("cap-add", "all|(CAP_|cap_)?(net_admin|SYS_TIME)(,kill)?"),
    ("cap-drop", "ALL|(CAP_)?(CHOWN|bpf)"),
    (
        "security-opt",
        "no-new-privileges(:true|=false)?|seccomp=(unconfined|/etc/[a-z ]{1,9}.json)|mask=/[a-z ]{1,9}(:/[a-z\"]{1,9})?|\
         unmask=(ALL|/proc/\\*(:/sys/[a-z]{1,9})?)|label[=:](disable|nested|user:u|role:r|type:[a-z]{1,9}|level:s0|filetype:x)|\
         apparmor=[a-z]{1,9}",
    ),
    ("NoNewPrivileges", "true|false"),
    ("SeccompProfile", "unconfined|/etc/[a-z \"\\\\]{1,9}|\"[a-z]\""),
    ("AppArmor", "[a-z]{1,9}"),
    ("Mask", "/[a-z \"'\\\\]{1,9}(:/[a-z]{1,5})?"),
    ("Unmask", "all|/proc/\\*|/[a-z ]{1,9}:/[a-z]{1,5}"),
    ("SecurityLabelDisable", "true|false"),
    ("SecurityLabelNested", "true|false"),
    ("SecurityLabelType", "[a-z_]{1,9}"),
    ("SecurityLabelLevel", "s0:c[0-9]{1,3},c1"),
    ("SecurityLabelFileType", "[a-z_]{1,9}"),
    ("device", "-?/dev/[a-z]{1,9}(:/dev/[a-z]{1,3})?(:r?w?m)?(,/dev/fuse)?"),
    ("gpus", "all|[0-9](,[0-9])?"),
    ("sysctl", "net\\.core\\.[a-z]{1,9}=[0-9 ]{1,5}(,kernel/sem=1)?|\"kernel.x=[a-z, \\\\']{1,5}\""),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("privileged", "true", &["true"]),
                ("cap-add", "CAP_NET_ADMIN,sys_time,NET_ADMIN", &["NET_ADMIN", "SYS_TIME"]),
                ("cap-drop", "all", &["ALL"]),
                ("security-opt", "no-new-privileges", &["no-new-privileges"]),
                ("security-opt", "no-new-privileges:true", &["no-new-privileges"]),
                ("security-opt", "no-new-privileges=false", &[]),
                ("security-opt", "seccomp=unconfined", &["seccomp=unconfined"]),
                ("security-opt", "seccomp=./p.json", &["seccomp=./p.json"]),
                ("security-opt", "mask=/a:/b/", &["mask=/a:/b"]),
                ("security-opt", "unmask=all", &["unmask=ALL"]),
                ("security-opt", "unmask=/proc/*", &["unmask=/proc/*"]),
                ("security-opt", "label=type:spc_t", &["label=type:spc_t"]),
                ("security-opt", "label:disable", &["label=disable"]),
                ("security-opt", "apparmor=unconfined", &["apparmor=unconfined"]),
                ("NoNewPrivileges", "true", &["true"]),
                ("SeccompProfile", "/p.json", &["/p.json"]),
                ("AppArmor", "web", &["web"]),
                ("Mask", "/a:/b", &["/a:/b"]),
                ("Unmask", "ALL", &["ALL"]),
                ("SecurityLabelDisable", "true", &["true"]),
                ("SecurityLabelNested", "true", &["true"]),
                ("SecurityLabelType", "spc_t", &["spc_t"]),
                ("SecurityLabelLevel", "s0:c1,c2", &["s0:c1,c2"]),
                ("SecurityLabelFileType", "usr_t", &["usr_t"]),
                ("device", "/dev/fuse", &["/dev/fuse"]),
                ("device", "/dev/sda:/dev/xvda:mr", &["/dev/sda:/dev/xvda:rm"]),
                ("device", "-/dev/dri:r", &["-/dev/dri:r"]),
                ("device", "vendor.com/class=name", &["vendor.com/class=name"]),
                ("gpus", "all", &[]),
                ("security-opt", "proc-opts=hidepid=2,subset=pid", &["proc-opts=hidepid=2", "proc-opts=subset=pid"]),
                ("sysctl", "net.core.somaxconn=1024,kernel/sem=1 2", &["net.core.somaxconn=1024", "kernel/sem=1 2"]),
            ],
        );
    }

    #[test]
    fn labels_keep_one_option_of_each_kind_in_a_fixed_order() {
        let options = ["type:a", "disable", "user:u", "type:b", "nested"];
        let given: Vec<(&str, String)> =
            options.iter().map(|option| ("security-opt", format!("label={option}"))).collect();
        let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let spec = checks::set_all(&given).unwrap();
        assert_eq!(spec.security.label, ["disable", "nested", "user:u", "type:b"]);
        let spec = checks::set_all(&[("security-opt", "label=disable"), ("SecurityLabelDisable", "false")]).unwrap();
        assert!(spec.security.label.is_empty());
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("cap-add", "NET_ADMN", "unknown capability \"NET_ADMN\", did you mean NET_ADMIN?"),
            ("security-opt", "no-new-privileges=maybe", "expected true or false"),
            ("security-opt", "seccomp", "expected no-new-privileges, or seccomp"),
            ("security-opt", "proc-opts=gid=5", "expected hidepid="),
            ("gpus", "a b", "expected all, a number or a name"),
            ("security-opt", "mask=etc", "must be an absolute path"),
            ("security-opt", "label=color:red", "expected disable, nested"),
            ("security-opt", "label=type", "expected disable, nested"),
            ("security-opt", "label=disable:yes", "expected disable, nested"),
            ("AppArmor", "", "must not be empty"),
            ("device", "fuse", "expected an absolute path on the host"),
            ("device", "nvidia/gpu=all", "expected an absolute path on the host, or a CDI name"),
            ("device", "/dev/fuse:rx", "permissions are some of r, w and m"),
            ("device", "/dev/fuse:/dev/x:", "permissions are some of r, w and m"),
            ("sysctl", "net.core.somaxconn", "expected NAME=VALUE"),
            ("sysctl", "net/../../x=1", "expected a name such as net.core.somaxconn"),
            ("sysctl", "../x=1", "expected a name"),
        ]);
    }
}
