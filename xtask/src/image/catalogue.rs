//! The images that tests, demonstration and benchmarks use, made from Debian's packages.
//!
//! `CACHE/images/NAME.tar` is an OCI archive, `NAME.docker.tar` docker's, `NAME/` an OCI directory, and
//! `NAME.key` says what they were made from; it is written last. In a test host they are in `/images`.
//!
//! | name | what |
//! |---|---|
//! | `busybox` | a static busybox under all its names; runs `sh` |
//! | `web` | busybox's web server on port 80, with a page and a program that answers the client's address |
//! | `guest` | every part of a configuration at once: user, variables, working directory, volume, labels, … |
//! | `nginx` | Debian's nginx, which opens `/dev/stdout` and `/dev/stderr` by name for its logs |
//! | `machine` | a Debian whose first program is systemd, with cron, D-Bus and nginx as its services |
//! | `big` | 300 MB of programs and text in eight layers, for benchmarks |

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{Entry, Image, Kind, Layer};
use crate::debian::{self, Bootstrap};
use crate::host::rootfs;
use crate::{paths, process};

/// Change this when an image is made differently.
const REVISION: &str = "3";

/// Every image, quick ones first.
pub const NAMES: [&str; 6] = ["busybox", "web", "guest", "nginx", "machine", "big"];

/// The images that the test cases use.
pub const FOR_TESTS: [&str; 5] = ["busybox", "web", "guest", "nginx", "machine"];

const BIG_LAYERS: usize = 8;
const BIG_SIZE: usize = 300_000_000;

/// The directory of the images.
pub fn directory() -> Result<PathBuf> {
    Ok(paths::cache()?.join("images"))
}

/// Makes an image unless it is there.
pub fn ensure(name: &str) -> Result<()> {
    let dir = directory()?;
    fs::create_dir_all(&dir).with_context(|| format!("make {dir:?}"))?;
    let debian = rootfs::ensure()?;
    let _lock = paths::lock("images")?;
    let key = format!("{REVISION} {}", debian.file_name().unwrap_or_default().to_string_lossy());
    let key_file = dir.join(format!("{name}.key"));
    if fs::read_to_string(&key_file).is_ok_and(|found| found == key) {
        return Ok(());
    }
    eprintln!("making image {name} in {}", dir.display());
    let image = match name {
        "busybox" => busybox(&debian)?,
        "web" => web(&debian)?,
        "guest" => guest(&debian)?,
        "nginx" => nginx(&dir)?,
        "machine" => machine(&dir)?,
        "big" => big(&debian)?,
        other => bail!("no such image: {other} ({})", NAMES.join(", ")),
    };
    let image = image.build()?;
    rootfs::remove(&dir.join(name))?;
    image.write_oci_directory(&dir.join(name))?;
    image.write_oci_archive(&dir.join(format!("{name}.tar")))?;
    image.write_docker_archive(&dir.join(format!("{name}.docker.tar")))?;
    fs::write(&key_file, key).with_context(|| format!("write {key_file:?}"))
}

fn busybox(debian: &Path) -> Result<Image> {
    Ok(Image {
        reference: reference("busybox"),
        config: json!({"Cmd": ["sh"], "Env": [PATH]}),
        layers: vec![busybox_layer(debian)?],
    })
}

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The lowest layer of most images here, for images that tests make on top of it.
pub fn busybox_layer(debian: &Path) -> Result<Layer> {
    let program = debian.join("usr/bin/busybox");
    let names = process::output(Command::new(&program).arg("--list"))?;
    let mut layer = Layer::new();
    for dir in ["bin", "dev", "etc", "home", "proc", "root", "run", "sys", "usr", "usr/bin", "var"] {
        layer.directory(dir);
    }
    layer.add(&Entry::new("tmp", Kind::Directory).mode(0o1777));
    let content = fs::read(&program).with_context(|| format!("read {program:?}"))?;
    layer.file("bin/busybox", content, 0o755);
    for name in names.lines().filter(|&name| name != "busybox") {
        layer.symlink(&format!("bin/{name}"), "busybox");
    }
    layer.symlink("usr/bin/env", "../../bin/busybox");
    layer.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/www:/bin/sh\n", 0o644);
    layer.file("etc/group", "root:x:0:\nwww:x:33:\n", 0o644);
    Ok(layer)
}

const SERVE: &str = "#!/bin/sh
# Serves its working directory until it is told to stop.
trap 'kill $!; exit 0' TERM INT
echo \"serving $PWD on port $PORT\"
httpd -f -v -p \"$PORT\" -u www -h . &
wait
";

fn web(debian: &Path) -> Result<Image> {
    let mut layer = Layer::new();
    layer.directory("www").directory("www/cgi-bin").directory("usr/local").directory("usr/local/bin");
    layer.file("usr/local/bin/serve", SERVE, 0o755);
    layer.file("www/index.html", "<h1>A lodger is at home.</h1>\n", 0o644);
    let address = "#!/bin/sh\naddress=$(printf %s \"$REMOTE_ADDR\" | tr -d '[]')\n\
                   printf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n' \"${address#::ffff:}\"\n";
    layer.file("www/cgi-bin/address", address, 0o755);
    let config = json!({
        "Entrypoint": ["/usr/local/bin/serve"],
        "Env": [PATH, "PORT=80"],
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"org.opencontainers.image.title": "web", "org.opencontainers.image.version": "1"},
        "WorkingDir": "/www",
    });
    Ok(Image { reference: reference("web"), config, layers: vec![busybox_layer(debian)?, layer] })
}

fn guest(debian: &Path) -> Result<Image> {
    let mut layer = Layer::new();
    layer.add(&Entry::new("home/guest", Kind::Directory).owner(1000, 100));
    layer.add(&Entry::new("home/guest/data", Kind::Directory).owner(1000, 100));
    layer.add(&Entry::new("home/guest/data/seed", Kind::File(b"from the image\n".into())).owner(1000, 100));
    layer.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:100::/home/guest:/bin/sh\n", 0o644);
    layer.file("etc/group", "root:x:0:\nusers:x:100:\nextra:x:200:guest\n", 0o644);
    let config = json!({
        "Entrypoint": ["/bin/sh", "-c"],
        "Cmd": ["id; pwd; env"],
        "Env": [PATH, "FROM_IMAGE=yes", "EMPTY="],
        "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
        "Labels": {"org.opencontainers.image.title": "guest", "two words": "a \"value\""},
        "StopSignal": "SIGUSR1",
        "User": "guest",
        "Volumes": {"/home/guest/data": {}},
        "WorkingDir": "/home/guest",
    });
    Ok(Image { reference: reference("guest"), config, layers: vec![busybox_layer(debian)?, layer] })
}

fn nginx(dir: &Path) -> Result<Image> {
    let hooks = vec![
        "ln -sf /dev/stdout \"$1/var/log/nginx/access.log\"".into(),
        "ln -sf /dev/stderr \"$1/var/log/nginx/error.log\"".into(),
    ];
    let config = json!({
        "Cmd": ["nginx", "-g", "daemon off;"],
        "Env": [PATH],
        "ExposedPorts": {"80/tcp": {}},
        "StopSignal": "SIGQUIT",
    });
    let layer = installed(&dir.join("nginx.unfinished"), &["nginx"], hooks)?;
    Ok(Image { reference: reference("nginx"), config, layers: vec![layer] })
}

fn machine(dir: &Path) -> Result<Image> {
    let packages = ["cron", "dbus", "nginx", "systemd-sysv"];
    let mut layer = installed(&dir.join("machine.unfinished"), &packages, Vec::new())?;
    // Empty: each container gets a number of its own, and none is asked for its time zone at the first boot (machine-id(5)).
    layer.file("etc/machine-id", "", 0o444);
    Ok(Image {
        reference: reference("machine"),
        config: json!({"Cmd": ["/sbin/init"], "Env": [PATH]}),
        layers: vec![layer],
    })
}

/// A small Debian with these packages and what they need, as one layer. The hooks get the new root as `$1`.
fn installed(root: &Path, packages: &[&str], hooks: Vec<String>) -> Result<Layer> {
    rootfs::remove(root)?;
    let packages = packages.iter().map(|&name| name.into()).collect();
    Bootstrap { suite: debian::SUITE, variant: "essential", packages, hooks }.make(root)?;
    let left_out = ["dev/", "proc/", "sys/", "run/", "var/cache/", "var/lib/apt/", "usr/share/doc/"];
    let files = ["var/log/dpkg.log", "var/log/alternatives.log", "etc/machine-id", "etc/hostname"];
    let wanted = |path: &str| {
        !left_out.iter().any(|dir| path.starts_with(dir)) && !files.contains(&path) && path != "etc/resolv.conf"
    };
    let mut layer = Layer::new();
    layer.tree(root, "", &wanted)?;
    rootfs::remove(root)?;
    Ok(layer)
}

fn big(debian: &Path) -> Result<Image> {
    let mut files = Vec::new();
    regular_files(&debian.join("usr"), &mut files)?;
    files.sort();
    let mut layers = vec![busybox_layer(debian)?];
    let share = BIG_SIZE / BIG_LAYERS;
    let (mut layer, mut sum) = (Layer::new(), 0);
    // The tree is not large enough once, so a second pass follows under another name.
    let passes = ["data/one", "data/two"];
    for (pass, file) in passes.iter().flat_map(|pass| files.iter().map(move |file| (pass, file))) {
        if sum + layer.size() >= BIG_SIZE {
            break;
        }
        if layer.size() >= share && layers.len() + 1 < BIG_LAYERS {
            sum += layer.size();
            layers.push(std::mem::take(&mut layer));
        }
        let inside = file.strip_prefix(debian).unwrap_or(file).to_string_lossy();
        let content = fs::read(file).with_context(|| format!("read {file:?}"))?;
        layer.file(&format!("{pass}/{inside}"), content, 0o644);
    }
    layers.push(layer);
    Ok(Image { reference: reference("big"), config: json!({"Cmd": ["true"], "Env": [PATH]}), layers })
}

fn regular_files(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("list {dir:?}"))? {
        let entry = entry.with_context(|| format!("list {dir:?}"))?;
        let kind = entry.file_type().with_context(|| format!("stat {:?}", entry.path()))?;
        if kind.is_dir() {
            regular_files(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn reference(name: &str) -> String {
    format!("localhost/{name}:latest")
}
