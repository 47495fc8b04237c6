//! Rows of the group `mount`.
//!
//! `--volume`, `--tmpfs` and `--mount` share one ordered list. So that setting the rows in their order gives the same
//! list again, `--volume` shows the mounts it can say from the beginning of the list, `--tmpfs` those after them, and
//! `--mount`, which can say everything, the rest.

use super::row::{set_choice, set_or_clear, set_switch, show_choice, show_switch};
use super::{Complete, Flag, Form, Group, Opt};
use crate::bytes::Bytes;
use crate::mount::{ImageVolume, Mount, MountSource};
use crate::secret::SecretUse;
use crate::{ContainerSpec, ParseError, word};

const IMAGE_VOLUMES: [(&str, ImageVolume); 4] = [
    ("anonymous", ImageVolume::Anonymous),
    ("bind", ImageVolume::Anonymous),
    ("tmpfs", ImageVolume::Tmpfs),
    ("ignore", ImageVolume::Ignore),
];

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::with_value("volume", "[SOURCE:]TARGET[:OPTIONS]", "Mount a directory of the host or a named volume")
            .short('v')
            .complete(Complete::Volumes),
        |spec, text| {
            spec.mounts.list.push(Mount::parse_volume(text)?);
            Ok(())
        },
        |spec| volumes(spec).iter().filter_map(Mount::as_volume).collect(),
    )
    .in_unit("Volume", Form::Lines),
    row(
        Flag::with_value("tmpfs", "TARGET[:OPTIONS]", "Mount memory"),
        |spec, text| {
            spec.mounts.list.push(Mount::parse_tmpfs(text)?);
            Ok(())
        },
        |spec| tmpfs(spec).iter().filter_map(Mount::as_tmpfs).collect(),
    )
    .in_unit("Tmpfs", Form::Lines),
    row(
        Flag::with_value(
            "mount",
            "type=TYPE,OPTION[,...]",
            "Mount something, in long form: bind, volume, tmpfs, image, glob, devpts or ramfs",
        ),
        |spec, text| {
            spec.mounts.list.push(Mount::parse_mount(text)?);
            Ok(())
        },
        |spec| {
            let said = volumes(spec).len() + tmpfs(spec).len();
            spec.mounts.list[said..].iter().map(Mount::as_mount).collect()
        },
    )
    .in_unit("Mount", Form::ShellWords),
    row(
        Flag::with_value("chrootdirs", "DIR", "Put /etc/hosts and /etc/resolv.conf into this root directory too"),
        |spec, text| {
            spec.mounts.chroot_dirs.push(word::inside("directory", text)?);
            Ok(())
        },
        |spec| spec.mounts.chroot_dirs.clone(),
    )
    .commas(),
    row(
        Flag::with_value("secret", "NAME[,OPTION...]", "Give a secret, as a file or with type=env as a variable")
            .complete(Complete::Secrets),
        |spec, text| {
            spec.mounts.secrets.push(SecretUse::parse(text)?);
            Ok(())
        },
        |spec| spec.mounts.secrets.iter().map(ToString::to_string).collect(),
    )
    .in_unit("Secret", Form::ShellWords),
    row(
        Flag::with_value("volumes-from", "CONTAINER[:OPTIONS]", "Mount what another container mounts; ro, rw or z")
            .complete(Complete::Containers),
        |spec, text| {
            spec.mounts.volumes_from.push(parse_volumes_from(text)?);
            Ok(())
        },
        |spec| spec.mounts.volumes_from.clone(),
    ),
    row(
        Flag::switch("read-only", "Make the root file system read-only"),
        |spec, text| set_switch(&mut spec.mounts.read_only, text),
        |spec| show_switch(spec.mounts.read_only),
    )
    .in_unit("ReadOnly", Form::Switch),
    row(
        Flag::switch("read-only-tmpfs", "With --read-only, mount memory on /run, /tmp and /var/tmp (default true)"),
        |spec, text| set_choice(&mut spec.mounts.read_only_tmpfs, text),
        |spec| show_choice(&spec.mounts.read_only_tmpfs),
    )
    .in_unit("ReadOnlyTmpfs", Form::Switch),
    row(
        Flag::with_value("shm-size", "SIZE", "Size of /dev/shm (default 64m)"),
        |spec, text| set_or_clear(&mut spec.mounts.shm_size, text, Bytes::parse),
        |spec| show_choice(&spec.mounts.shm_size),
    )
    .in_unit("ShmSize", Form::Single),
    row(
        Flag::with_value("shm-size-systemd", "SIZE", "Size of /run, /run/lock, /tmp and the journal, for systemd"),
        |spec, text| set_or_clear(&mut spec.mounts.shm_size_systemd, text, Bytes::parse),
        |spec| show_choice(&spec.mounts.shm_size_systemd),
    ),
    row(
        Flag::with_value("image-volume", "MODE", "What becomes of the image's volumes (default anonymous)")
            .complete(Complete::Words(&["anonymous", "tmpfs", "ignore"])),
        |spec, text| {
            let choose = |text: &str| word::choose("image volume mode", text, &IMAGE_VOLUMES);
            set_or_clear(&mut spec.mounts.image_volume, text, choose)
        },
        |spec| spec.mounts.image_volume.iter().map(|mode| word::word_of(mode, &IMAGE_VOLUMES).to_owned()).collect(),
    ),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Mount, flag, set, show)
}

/// `CONTAINER[:word,word]`, with words of ro, rw and z.
fn parse_volumes_from(text: &str) -> Result<String, ParseError> {
    let (name, words) = text.split_once(':').unwrap_or((text, ""));
    word::solid("container", name)?;
    let known = words.split(',').all(|word| matches!(word, "ro" | "rw" | "z" | ""));
    if !known || (words.contains("ro") && words.contains("rw")) {
        return Err(ParseError::new("volumes-from", text, "the options are ro or rw, and z"));
    }
    Ok(text.to_owned())
}

/// The mounts at the beginning of the list that `--volume` can say.
fn volumes(spec: &ContainerSpec) -> &[Mount] {
    let list = &spec.mounts.list;
    let end = list.iter().position(|mount| mount.as_volume().is_none()).unwrap_or(list.len());
    &list[..end]
}

/// The mounts after those that `--tmpfs` can say.
fn tmpfs(spec: &ContainerSpec) -> &[Mount] {
    let list = &spec.mounts.list[volumes(spec).len()..];
    let other = |mount: &Mount| !matches!(mount.source, MountSource::Tmpfs { .. }) || mount.as_tmpfs().is_none();
    let end = list.iter().position(other).unwrap_or(list.len());
    &list[..end]
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    (
        "volume",
        "/[a-z]{1,9}|(\\./|/)?[a-z]{1,9}:/[a-z \"\\\\]{1,9}(:(ro|rw)?(,Z|,z)?(,U)?(,noexec)?(,rslave)?(,bind)?(,O)?(,idmap)?)?",
    ),
    ("tmpfs", "/[a-z ]{1,9}(:(ro|rw)?(,size=[0-9]{1,5}[km]?)?(,mode=1?[0-7]{3})?(,notmpcopyup)?(,U)?)?"),
    (
        "mount",
        "type=(bind|volume),src=[a-z]{1,9},dst=/[a-z: \\\\']{1,9}(,ro(=true|=false)?)?(,exec)?(,nocopy)?|\
         type=bind,\"src=[a-z/,: ]{1,9}\",target=/t(,relabel=shared)?(,bind-propagation=rshared)?(,bind-nonrecursive)?|\
         (type=volume,)?destination=/[a-z]{1,4}(,nosuid)?|\
         type=(volume|image),src=[a-z]{1,9},dst=/[a-z]{1,4},subpath=/?[a-z, ]{1,4}|type=ramfs,dst=/r(,mode=1?[0-7]{3})?|\
         type=glob,src=/[a-z*?]{1,5}(,dst=/[a-z]{1,4})?(,ro)?|type=devpts,dst=/[a-z]{1,4}(,uid=[0-9])?(,mode=6[0-7]0)?(,max=9)?|\
         type=bind,src=/[a-z]{1,4},dst=/b(,O,upperdir=/u[:, ]?,workdir=/w)?(,no-dereference)?(,idmap=uids=0-1-[0-9]{1,5})?|\
         type=tmpfs,dst=/[a-z: ]{1,9}(,tmpfs-size=[0-9]{1,5}m)?(,tmpfs-mode=0?[0-7]{3})?(,notmpcopyup|,tmpcopyup)?",
    ),
    (
        "secret",
        "[a-z ]{1,9}(,target=/?[a-z]{1,9})?(,uid=[0-9]{1,3})?(,mode=0?[0-7]{3})?|[a-z]{1,5},type=env(,target=[A-Z]{1,3})?",
    ),
    ("chrootdirs", "/[a-z]{1,9}(,/var/[a-z]{1,4})?"),
    ("volumes-from", "[a-z]{1,9}(:(ro|rw)?(,z)?)?"),
    ("read-only", "true|false"),
    ("read-only-tmpfs", "true|false"),
    ("shm-size", "|[0-9]{1,5}[bkmg]?"),
    ("shm-size-systemd", "|[0-9]{1,5}[bkmg]?"),
    ("image-volume", "|bind|anonymous|tmpfs|ignore"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("volume", "/srv:/data:ro,Z", &["/srv:/data:ro,Z"]),
                ("volume", "/data", &["/data"]),
                ("tmpfs", "/run:size=64m,mode=0755", &["/run:size=64m,mode=755"]),
                ("mount", "type=volume,src=v,dst=/a b,ro", &["type=volume,source=v,target=/a b,ro"]),
                ("mount", "type=bind,src=/srv,dst=/data", &[]),
                ("chrootdirs", "/var/x/,/y", &["/var/x", "/y"]),
                ("secret", "source=db,mode=400,type=mount", &["db,mode=0400"]),
                ("volumes-from", "web:ro,z", &["web:ro,z"]),
                ("read-only", "true", &["true"]),
                ("read-only-tmpfs", "false", &["false"]),
                ("shm-size", "65536k", &["64m"]),
                ("shm-size-systemd", "65536k", &["64m"]),
                ("image-volume", "bind", &["anonymous"]),
            ],
        );
    }

    #[test]
    fn the_order_of_mounts_survives() {
        let given = [("tmpfs", "/run"), ("volume", "v:/v"), ("mount", "type=bind,src=/a,dst=/b")];
        let spec = checks::set_all(&given).unwrap();
        let targets: Vec<&str> = spec.mounts.list.iter().map(|mount| mount.target.as_str()).collect();
        assert_eq!(targets, ["/run", "/v", "/b"]);
        assert_eq!(
            super::super::args(&spec),
            ["--tmpfs=/run", "--mount=type=volume,source=v,target=/v", "--mount=type=bind,source=/a,target=/b"]
        );
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("volume", "/a:/b:O,upperdir=/u", "must set both"),
            ("tmpfs", "run", "must be an absolute path"),
            ("tmpfs", "/run:size=lots", "invalid size \"lots\""),
            ("mount", "type=zfs,dst=/a", "expected bind"),
            ("volumes-from", "web:exec", "the options are ro or rw, and z"),
            ("volumes-from", "web:ro,rw", "the options are ro or rw, and z"),
            ("shm-size", "64q", "invalid size"),
            ("image-volume", "all", "expected anonymous, tmpfs or ignore"),
        ]);
    }
}
