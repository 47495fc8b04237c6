//! Hostile images, archives and surroundings: refused with a clear word, or harmless; never a way to the host.
//!
//! Alice's home has a directory `kept` with a secret in it. An attack has won when the secret is read or the directory
//! changed.

use std::fs;

use anyhow::Result;
use serde_json::{Value, json};

use crate::case::Case;
use crate::cases;
use crate::host::{Host, rootfs};
use crate::image::catalogue::busybox_layer;
use crate::image::{Compression, Entry, Image, Kind, Layer};

pub(super) const CASES: &[Case] = cases![
    case_17_18_entries_of_archives_stay_inside,
    case_03_top_directories_that_are_links_lead_nowhere,
    case_25_account_files_that_are_no_files_are_harmless,
    case_02_working_directories_stay_inside,
    case_06_08_mounts_stay_inside,
    no_descriptor_of_the_caller_is_inherited,
    case_01_the_binary_cannot_be_reached_from_inside,
    case_04_05_devices_and_masks_are_the_hosts_own,
    case_19_31_configurations_beyond_measure_are_refused_or_fit,
    case_19_manifests_beyond_measure_are_refused,
    case_14_15_16_labels_of_an_image_give_it_nothing,
];

pub(super) const SECRET: &str = "the rabbit is late";

/// Gives alice what must stay hers, and the base of all images here.
pub(super) fn prepare(host: &Host) -> Result<Layer> {
    host.write("alice", "kept/secret", SECRET)?;
    host.alice("chmod 700 kept; ln -s kept/secret door")?.ok();
    let mut layer = busybox_layer(&rootfs::ensure()?)?;
    layer.compression = Compression::None;
    Ok(layer)
}

/// Demands that alice's secret is as it was, and alone.
#[track_caller]
pub(super) fn untouched(host: &Host) -> anyhow::Result<()> {
    host.alice("cat kept/secret; ls -A kept; stat -c '%a %U %n' kept kept/secret")?
        .ok()
        .stdout(&format!("{SECRET}secret\n700 alice kept\n644 alice kept/secret\n"));
    Ok(())
}

/// Puts an image where alice can load it: `/run/case-NAME.tar`, which loads as `localhost/NAME`.
fn offer(host: &Host, name: &str, config: Value, layers: Vec<Layer>) -> Result<()> {
    let image = Image { reference: format!("localhost/{name}:latest"), config, layers };
    image.build()?.write_oci_archive(&host.path(&format!("/run/case-{name}.tar"))?)
}

/// An image of the base with one more layer, loaded.
pub(super) fn load(host: &Host, name: &str, config: Value, layers: Vec<Layer>) -> Result<()> {
    offer(host, name, config, layers)?;
    host.alice(&format!("lodger load -q -i /run/case-{name}.tar"))?.ok();
    Ok(())
}

pub(super) fn one(entry: &Entry) -> Layer {
    let mut layer = Layer::new();
    layer.add(entry);
    layer
}

pub(super) fn link(path: &str, target: &str) -> Entry {
    Entry::new(path, Kind::Symlink(target.into()))
}

fn file(path: &str) -> Entry {
    Entry::new(path, Kind::File(b"from the image".to_vec()))
}

fn case_17_18_entries_of_archives_stay_inside(host: &Host) -> Result<()> {
    prepare(host)?;
    let hard = |path: &str, target: &str| Entry::new(path, Kind::Hardlink(target.into()));
    let home = "home/alice/kept";
    let attacks: Vec<(&str, Vec<Entry>)> = vec![
        ("up", vec![file(&format!("../../../../../../{home}/up"))]),
        ("inner", vec![file(&format!("a/../../../../../../../{home}/up"))]),
        ("absolute", vec![file(&format!("/{home}/absolute"))]),
        ("through", vec![link("l", &format!("/{home}")), file("l/through")]),
        ("relative", vec![link("l", &format!("../../../../../../{home}")), file("l/through")]),
        ("magic", vec![link("l", "/proc/self/cwd/kept"), file("l/through")]),
        ("replaced", vec![Entry::new("d", Kind::Directory), link("d", &format!("/{home}")), file("d/replaced")]),
        ("hard", vec![hard("stolen", &format!("/{home}/secret")), file("stolen")]),
        ("hardup", vec![hard("stolen", &format!("../../../../../../{home}/secret"))]),
        ("hardlink", vec![link("l", &format!("/{home}")), hard("stolen", "l/secret")]),
        ("whiteout", vec![link("l", &format!("/{home}")), file("l/.wh.secret"), file("l/.wh..wh..opq")]),
        ("badwhiteout", vec![file("a/.wh..."), file(".wh.."), file(".wh.")]),
        ("device", vec![Entry::new("dev/sda", Kind::Block(8, 0)), Entry::new("kmsg", Kind::Character(1, 11))]),
    ];
    for (name, entries) in attacks {
        let mut layer = Layer::new();
        for entry in &entries {
            layer.add(entry);
        }
        offer(host, name, json!({}), vec![layer])?;
        // In or not: a refusal names its reason, and what is in was made below the store.
        let load = format!("lodger load -i /run/case-{name}.tar 2>&1 && lodger rmi {name} || true");
        let said = host.alice(&load)?.ok().stdout_lacks("panicked");
        let refused = said.text().contains("Error: ");
        assert!(refused || said.text().contains("Loaded image"), "{name}: {}", said.text());
        untouched(host)?;
    }
    host.alice("cd .local/share/lodger && find tmp trash layers -mindepth 1")?.ok().stdout("");
    Ok(())
}

fn case_03_top_directories_that_are_links_lead_nowhere(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    let targets = ["/home/alice/kept", "/proc/self/root/home/alice/kept", "../../../../home/alice/kept", "/loop"];
    for directory in ["dev", "proc", "sys", "etc"] {
        for (number, target) in targets.iter().enumerate() {
            let name = format!("{directory}{number}");
            let mut layer = one(&link(directory, target));
            layer.add(&link("loop", "/loop"));
            load(host, &name, json!({"Env": ["PATH=/bin"]}), vec![base.clone(), layer])?;
            let volume =
                if matches!(directory, "dev" | "etc") { format!("-v fresh:/{directory}/x") } else { String::new() };
            let script = format!(
                "lodger run --rm --network=none --sysctl net.ipv4.ip_forward=1 {volume} {name} \
                 cat /{directory}/secret /secret /home/alice/kept/secret 2>&1; lodger rm -af; lodger rmi -f {name} >/dev/null"
            );
            host.alice(&script)?.ok().stdout_lacks(SECRET).stdout_lacks("panicked");
            untouched(host)?;
        }
    }
    Ok(())
}

fn case_25_account_files_that_are_no_files_are_harmless(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    for file in ["passwd", "group"] {
        let path = format!("etc/{file}");
        let shapes = [
            ("fifo", Entry::new(&path, Kind::Fifo)),
            ("directory", Entry::new(&path, Kind::Directory)),
            ("environ", link(&path, "/proc/self/environ")),
            ("outside", link(&path, "/home/alice/kept/secret")),
            ("up", link(&path, "../../../../../../home/alice/kept/secret")),
            ("loop", link(&path, "/etc/passwd")),
            ("huge", Entry::new(&path, Kind::File(vec![b'x'; 5 << 20]))),
            (
                "wild",
                Entry::new(&path, Kind::File(b"root:x\n:::::\n\0\xff:x:-1:99999999999::\nroot:x:0:0:::".to_vec())),
            ),
        ];
        for (shape, entry) in shapes {
            let name = format!("{file}{shape}");
            load(host, &name, json!({"Env": ["PATH=/bin"]}), vec![base.clone(), one(&entry)])?;
            // Whoever is asked for: by number no file is needed.
            for user in ["root", "7:7"] {
                let run = format!(
                    "SECRET='{SECRET}' timeout 10 lodger run --rm --network=none -u {user} {name} cat /etc/passwd /etc/group 2>&1"
                );
                let run = host.alice(&format!("{run}; echo status $?"))?.ok().stdout_lacks("panicked");
                run.stdout_lacks(SECRET).stdout_lacks("status 124");
            }
            host.alice(&format!("lodger rmi {name}"))?.ok();
        }
    }
    host.alice("lodger ps --all --quiet")?.ok().stdout("");
    untouched(host)
}

fn case_02_working_directories_stay_inside(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    let peek = "sh -c 'cat secret kept/secret ../secret ../kept/secret ../../../../home/alice/kept/secret 2>/dev/null; ls -d /bin'";
    // Open in the caller, and with luck in lodger: a directory of the host under every low number.
    let opened = "for n in 3 4 5 6 7 8 9; do eval \"exec $n<.\"; done";
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name c --network=none busybox sleep 1000")?.ok();
    let mut places = [0, 2, 3, 5, 7, 9, 12, 23].map(|number| format!("/proc/self/fd/{number}")).to_vec();
    places.extend(
        ["/proc/self/cwd", "/proc/1/root/proc/self/cwd", "/proc/self/root/../../..", "/proc/thread-self/fd/7"]
            .map(str::to_owned),
    );
    for place in &places {
        for command in ["run --rm --network=none -w PLACE busybox", "exec -w PLACE c"] {
            let command = command.replace("PLACE", place);
            let tried = host.alice(&format!("{opened}; lodger {command} {peek} 2>&1; echo status $?"))?.ok();
            let tried = tried.stdout_lacks(SECRET).stdout_lacks("panicked");
            if !place.contains("..") {
                tried.stdout_has("Error: ").stdout_lacks("status 0");
            }
        }
    }
    host.alice("lodger rm -f -t 0 c")?.ok();
    for (name, place) in
        [("descriptor", "/proc/self/fd/7/../.."), ("cwd", "/proc/self/cwd"), ("up", "../../../home/alice/kept")]
    {
        load(host, name, json!({"WorkingDir": place, "Env": ["PATH=/bin"]}), vec![base.clone()])?;
        let run = format!("{opened}; lodger run --rm --network=none {name} {peek} 2>&1 || true");
        host.alice(&run)?.ok().stdout_lacks(SECRET).stdout_lacks("panicked");
    }
    untouched(host)
}

fn case_06_08_mounts_stay_inside(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    let mut links = one(&link("link", "/home/alice/kept"));
    links.add(&link("up", "../../../../../home/alice/kept")).add(&link("magic", "/proc/self/cwd"));
    load(host, "links", json!({"Env": ["PATH=/bin"]}), vec![base.clone(), links])?;
    let run = |mount: &str| {
        format!("lodger run --rm --network=none {mount} links cat /home/alice/kept/secret /link/secret 2>&1")
    };
    for target in [
        "/proc",
        "/proc/self/fd/3",
        "/sys",
        "/sys/kernel",
        "/",
        "/..",
        "/a/../proc",
        "/a/../../sys/kernel/x",
        "//proc/",
    ] {
        for mount in [
            format!("-v data:{target}"),
            format!("-v /tmp:{target}"),
            format!("--mount type=tmpfs,destination={target}"),
        ] {
            host.alice(&run(&mount))?.fails(126).stdout_has("Error: cannot mount at").stdout_lacks("panicked");
        }
    }
    for target in ["/link/new", "/up/new", "/magic/new/file", "/link", "/home/alice/kept/deep"] {
        for source in ["data", "/etc/os-release"] {
            let tried = host.alice(&format!("{}; true", run(&format!("-v {source}:{target}"))))?;
            tried.ok().stdout_lacks(SECRET).stdout_lacks("panicked");
            untouched(host)?;
        }
    }
    for volume in ["/proc", "/../../home/alice/kept", "/link/made", "/proc/self/fd/3", "relative"] {
        load(host, "volume", json!({"Env": ["PATH=/bin"], "Volumes": {volume: {}}}), vec![base.clone()])?;
        let run = "lodger run --rm --network=none volume ls -A /home 2>&1; lodger rmi -f volume >/dev/null";
        host.alice(run)?.ok().stdout_lacks(SECRET).stdout_lacks("panicked");
        untouched(host)?;
    }
    host.alice("lodger ps --all --quiet; lodger volume ls --quiet | grep -v '^data$'")?.fails(1).stdout("");
    Ok(())
}

fn no_descriptor_of_the_caller_is_inherited(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let many = "bash -c 'for n in $(seq 3 200); do eval \"exec $n</etc/passwd\"; done; ";
    let listed = "cd /proc/self/fd && echo *";
    // The fourth is the directory that is being listed.
    let run = format!("{many} lodger run --rm --network=none busybox sh -c \"{listed}\"'");
    host.alice(&run)?.ok().stdout("0 1 2 3\n");
    let detached = format!("{many} lodger run -d --name c --network=none busybox sh -c \"{listed}; sleep 1000\"'");
    host.alice(&detached)?.ok();
    host.alice("until lodger logs c | grep -q .; do sleep 0.05; done; lodger logs c")?.ok().stdout("0 1 2 3\n");
    host.alice(&format!("{many} lodger exec c sh -c \"{listed}\"'"))?.ok().stdout("0 1 2 3\n");
    host.alice(&format!("{many} lodger exec c ls /proc/1/fd' | tr '\\n' ' '"))?.ok().stdout("0 1 2 ");
    host.alice("lodger rm -f -t 0 c")?.ok();
    let service = format!("{many} lodger run --rm --network=none busybox sh -c \"{listed}\"'");
    host.service("alice", &service)?.ok().stdout("0 1 2 3\n");
    Ok(())
}

fn case_01_the_binary_cannot_be_reached_from_inside(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    // A binary of alice's own: inside she is root and may write what is hers.
    host.alice("cp /usr/local/bin/lodger own; sha256sum own >sum")?.ok();
    let mut tricks = Layer::new();
    tricks.file("bin/self", "#!/proc/self/exe\n", 0o755).file("bin/one", "#!/proc/1/exe\n", 0o755);
    tricks.symlink("bin/link", "/proc/self/exe");
    load(host, "tricks", json!({"Env": ["PATH=/bin"]}), vec![base, tricks])?;
    for command in ["self", "one", "link", "/proc/self/exe", "/proc/1/exe", "/proc/self/fd/3"] {
        host.alice(&format!(
            "timeout 10 ./own run --rm --network=none tricks {command} --version 2>&1; echo status $?"
        ))?
        .ok()
        .stdout_lacks("lodger version")
        .stdout_lacks("status 124");
    }
    host.alice(
        "./own run -d --name c --network=none tricks sh -c 'while :; do for p in /proc/[0-9]*; do \
                echo x >>$p/exe; done; done 2>/dev/null'",
    )?
    .ok();
    host.alice(
        "for i in $(seq 20); do ./own exec c true; ./own exec c self; done; ./own rm -f -t 0 c; sha256sum -c sum",
    )?
    .ok();
    host.alice("lodger ps --all --quiet")?.ok().stdout("");
    Ok(())
}

fn case_04_05_devices_and_masks_are_the_hosts_own(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    let mut layer = Layer::new();
    for node in ["null", "console", "zero", "tty", "pts/0", "stdin"] {
        layer.add(&link(&format!("dev/{node}"), "/home/alice/kept/secret"));
    }
    load(host, "nodes", json!({"Env": ["PATH=/bin"]}), vec![base, layer])?;
    let run = "lodger run --rm --network=none";
    host.alice(&format!("{run} nodes sh -c 'for n in null zero full random urandom tty; do stat -c \"%F %t:%T\" /dev/$n; done; readlink /dev/stdin'"))?
        .ok()
        .stdout("character special file 1:3\ncharacter special file 1:5\ncharacter special file 1:7\n\
                 character special file 1:8\ncharacter special file 1:9\ncharacter special file 5:0\n/proc/self/fd/0\n");
    let console =
        format!("script -qec \"{run} -t nodes sh -c 'stat -c %t /dev/console; cat /proc/self/mountinfo'\" /dev/null");
    host.alice(&console)?
        .ok()
        .stdout_has("88")
        .stdout_has(" /dev/console rw,nosuid,noexec,relatime - devpts ")
        .stdout_lacks(SECRET);
    // What is masked reads as nothing; what could change the host cannot be written.
    for file in ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats"] {
        host.alice(&format!("{run} nodes cat {file} 2>/dev/null | head -c 64; true"))?.ok().stdout("");
    }
    for file in [
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/proc/irq/default_smp_affinity",
        "/sys/kernel/uevent_helper",
    ] {
        host.alice(&format!(
            "{run} nodes sh -c 'echo x >{file}' 2>&1 | grep -ci -e read-only -e denied -e nonexistent"
        ))?
        .ok()
        .stdout("1\n");
    }
    host.alice(&format!(
        "{run} nodes sh -c 'mount -t tmpfs x /proc/acpi; umount /proc/keys; mount -o remount,rw /proc/sys' 2>&1; true"
    ))?
    .ok()
    .stdout_has("ermitted");
    untouched(host)
}

fn case_19_31_configurations_beyond_measure_are_refused_or_fit(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    let env: Vec<String> = (0..10_000).map(|number| format!("VARIABLE_{number}=x")).collect();
    load(host, "env", json!({"Env": env}), vec![base.clone()])?;
    host.alice("lodger run --rm --network=none env /bin/env | grep -c VARIABLE_")?.ok().stdout("10000\n");
    let odd = [
        ("label", json!({"Env": ["PATH=/bin"], "Labels": {"a\nb": "c\nError: d\u{1b}[31m", "nul\u{0}": "\u{0}"}})),
        ("nulenv", json!({"Env": ["PATH=/bin", "A=\u{0}B", "=x", "", "C"]})),
        ("nulcmd", json!({"Env": ["PATH=/bin"], "Cmd": ["sh", "-c", "\u{0}"]})),
        ("nuluser", json!({"Env": ["PATH=/bin"], "User": "root\u{0}:\n"})),
        ("numbers", json!({"Env": ["PATH=/bin"], "User": "4294967295:4294967296"})),
        ("minus", json!({"Env": ["PATH=/bin"], "User": "-1:-1"})),
        ("nulwork", json!({"Env": ["PATH=/bin"], "WorkingDir": "/\u{0}/x"})),
        ("types", json!({"Env": "PATH=/bin", "Cmd": {"a": 1}, "User": 7, "Labels": []})),
    ];
    for (name, config) in odd {
        offer(host, name, config, vec![base.clone()])?;
        let script = format!(
            "lodger load -i /run/case-{name}.tar && {{ lodger run --rm --network=none --name x {name} true; \
             lodger image inspect {name} >/dev/null; lodger images; lodger rm -fa; lodger rmi {name}; }}"
        );
        let tried = host.alice(&format!("{{ {script}; }} 2>&1; true"))?.ok();
        tried.stdout_lacks("panicked").stdout_lacks("\nError: d").stdout_lacks("\u{1b}");
    }
    // A user is one that was meant, or the start is refused.
    host.alice("lodger load -q -i /run/case-numbers.tar; lodger run --rm --network=none numbers id -u")?
        .fails(126)
        .stdout_has("Loaded")
        .stderr_has("Error:");
    let nested = "[".repeat(100_000) + &"]".repeat(100_000);
    for (name, text) in [
        ("deep", format!("{{\"config\":{{\"x\":{nested}}}}}")),
        ("large", format!("{{\"x\":\"{}\"}}", "x".repeat(100 << 20))),
    ] {
        write_layout(host, name, &text, &json!([]))?;
        host.alice(&format!("lodger load -i /run/case-{name}"))?.fails(125).stderr_has("Error: ");
    }
    host.alice("lodger images --quiet --filter reference=deep")?.ok().stdout("");
    Ok(())
}

fn case_19_manifests_beyond_measure_are_refused(host: &Host) -> Result<()> {
    prepare(host)?;
    let layer = Layer::new();
    let digest = layer.diff_id();
    let descriptor =
        json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": layer.tar().len()});
    for (name, count) in [("twice", 2), ("many", 10_000)] {
        let layers = Value::from(vec![descriptor.clone(); count]);
        let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": vec![digest.clone(); count]}});
        let blob = host.path(&format!("/run/case-{name}/blobs/sha256/{}", &digest[7..]))?;
        write_layout(host, name, &config.to_string(), &layers)?;
        fs::write(blob, layer.tar())?;
    }
    host.alice("lodger load -i /run/case-twice && lodger create --name c twice true && lodger rm c")?.ok();
    host.alice("timeout 20 lodger load -i /run/case-many")?
        .fails(125)
        .stderr_has("Error: ")
        .stderr_has("more than 500 layers");
    Ok(())
}

/// Writes `/run/case-NAME`, an OCI layout with a configuration as it is given.
fn write_layout(host: &Host, name: &str, config: &str, layers: &Value) -> Result<()> {
    let dir = host.path(&format!("/run/case-{name}"))?;
    fs::create_dir_all(dir.join("blobs/sha256"))?;
    let put = |media_type: &str, text: &str| -> Result<Value> {
        let digest = crate::digest::sha256(text.as_bytes());
        fs::write(dir.join("blobs/sha256").join(&digest[7..]), text)?;
        Ok(json!({"mediaType": media_type, "digest": digest, "size": text.len()}))
    };
    let config = put("application/vnd.oci.image.config.v1+json", config)?;
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers});
    let mut top = put("application/vnd.oci.image.manifest.v1+json", &manifest.to_string())?;
    top["annotations"] = json!({"org.opencontainers.image.ref.name": format!("localhost/{name}:latest")});
    fs::write(dir.join("index.json"), json!({"schemaVersion": 2, "manifests": [top]}).to_string())?;
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(())
}

fn case_14_15_16_labels_of_an_image_give_it_nothing(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    let keys = [
        "io.podman.annotations.privileged",
        "io.podman.annotations.seccomp",
        "io.podman.annotations.label",
        "io.podman.annotations.userns",
        "io.podman.annotations.init",
        "run.oci.keep_original_groups",
        "run.oci.seccomp.receiver",
        "run.oci.handler",
        "io.containers.autoupdate",
        "PODMAN_SYSTEMD_UNIT",
        "io.kubernetes.cri-o.userns-mode",
        "cdi.k8s.io/x",
        "INSTALL",
        "RUN",
        "io.containers.capabilities",
    ];
    let labels: serde_json::Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), "TRUE".into())).collect();
    load(host, "plain", json!({"Env": ["PATH=/bin"]}), vec![base.clone()])?;
    load(host, "labelled", json!({"Env": ["PATH=/bin"], "Labels": labels}), vec![base])?;
    let look = "lodger run --rm --network=none --name same --hostname same IMAGE sh -c 'grep -e ^Cap -e ^Sec -e ^NoNew -e ^Groups /proc/self/status; \
                cut -d\" \" -f5-6 /proc/self/mountinfo; cat /proc/self/uid_map; env; ls /dev'";
    let plain = host.alice(&look.replace("IMAGE", "plain"))?.ok().text().to_owned();
    host.alice(&look.replace("IMAGE", "labelled"))?.ok().stdout(&format!("{plain}\n"));
    Ok(())
}
