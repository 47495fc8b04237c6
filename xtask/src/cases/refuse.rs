//! What cannot work: one clear error with podman's words, a hint what to do, podman's exit code, and nothing left behind.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    wrong_words_are_told_with_the_right_ones,
    a_machine_without_newuidmap_is_told,
    a_machine_without_pasta_is_told,
    names_and_ports_in_use_are_told,
    registries_say_no_in_their_own_words,
    an_image_of_another_platform_is_noticed,
    case_20_damage_on_the_way_is_noticed,
    damage_on_the_disk_is_noticed,
    a_full_disk_refuses_what_needs_room_and_lets_the_rest_go,
    a_store_that_is_read_only_can_be_looked_at,
];

/// The shell's function that runs a command which must fail with a status, `Error:` and `hint:` each once, and shows it.
const REFUSED: &str = r#"
refused() {
    code=$1; shift
    "$@" >said 2>&1 </dev/null; status=$?
    cat said
    [ $status = $code ] || echo "UNEXPECTED status $status of $*"
    [ "$(grep -c '^Error: ' said)" = 1 ] || echo "UNEXPECTED number of errors of $*"
    grep -q '^hint: ' said || echo "UNEXPECTED: no hint of $*"
    ! grep -q -e panicked -e 'os error' said || echo "UNEXPECTED words of $*"
    left=$(lodger ps --all --quiet 2>/dev/null; find .local/share/lodger/tmp .local/share/lodger/trash -mindepth 1 2>/dev/null)
    [ -z "$left" ] || echo "UNEXPECTED: left $left"
}
"#;

/// Runs a script with that function as alice, and demands each of the words.
#[track_caller]
fn refused(host: &Host, script: &str, words: &[&str]) -> Result<()> {
    let mut tried = host.alice(&format!("{REFUSED}\n{script}"))?.ok().stdout_lacks("UNEXPECTED");
    for word in words {
        tried = tried.stdout_has(word);
    }
    Ok(())
}

/// Does something in a host that is changed, and undoes the change whatever comes of it.
fn undone(host: &Host, undo: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let done = catch_unwind(AssertUnwindSafe(work));
    host.root(undo)?.ok();
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

fn wrong_words_are_told_with_the_right_ones(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let script = "refused 125 lodger run --nmae x busybox true; refused 125 lodger rum busybox; \
                  refused 125 lodger ps --al; refused 125 lodger volume lss";
    let words =
        ["unknown flag: --nmae", "--name", "unrecognized command `lodger rum`", "`lodger run`", "--all", "volume ls"];
    refused(host, script, &words)
}

fn a_machine_without_newuidmap_is_told(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let run = |tool: &str| {
        refused(
            host,
            "pkill -x lodger-keeper; while pgrep -x lodger-keeper; do sleep 0.01; done; refused 125 lodger load -i /images/guest.tar; \
             refused 126 lodger run --rm --network=none busybox true; \
             refused 126 lodger run -d --rm --network=none busybox true",
            &[tool, "executable file not found in $PATH", "uidmap"],
        )
    };
    for tool in ["newuidmap", "newgidmap"] {
        host.root(&format!("mv /usr/bin/{tool} /usr/bin/{tool}.away"))?.ok();
        undone(host, &format!("mv /usr/bin/{tool}.away /usr/bin/{tool}"), || run(tool))?;
    }
    Ok(())
}

fn a_machine_without_pasta_is_told(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.root("mkdir /run/case-away && mv /usr/bin/pasta* /run/case-away/")?.ok();
    undone(host, "mv /run/case-away/* /usr/bin/ && rmdir /run/case-away", || {
        let script = "refused 126 lodger run --rm busybox true; refused 126 lodger run -d --rm busybox true; \
                      lodger run --rm --network=none busybox echo without";
        refused(host, script, &["pasta", "executable file not found in $PATH", "passt", "without"])
    })
}

fn names_and_ports_in_use_are_told(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let script = "busybox nc -l -p 8084 >/dev/null & sleep 0.2; \
                  refused 126 lodger run --rm -p 8084:80 busybox true; refused 126 lodger run -d --rm -p 8084:80 busybox true; \
                  refused 126 lodger run -d --rm -p 80:80 busybox true; kill %1";
    refused(
        host,
        script,
        &[
            "cannot publish port 0.0.0.0:8084/tcp: address already in use",
            "ss -lntup",
            "port 80: permission denied",
            "ip_unprivileged_port_start",
        ],
    )?;
    host.alice("lodger create --name taken busybox")?.ok();
    host.alice("lodger create --name taken busybox")?.fails(125).stderr_has("is already in use by").stderr_has("hint:");
    host.alice("lodger rm taken")?.ok();
    refused(
        host,
        "refused 1 lodger rm taken; refused 1 lodger rmi none; refused 1 lodger volume rm none",
        &["no such container", "image not known", "no such volume"],
    )
}

fn registries_say_no_in_their_own_words(host: &Host) -> Result<()> {
    host.push("busybox")?;
    let script = "refused 125 lodger pull registry.test:5000/busybox; \
        refused 125 lodger pull --creds alice:wrong registry.test:5000/busybox; \
        refused 125 lodger pull --tls-verify=false 127.0.0.1:5001/nothing; \
        refused 125 lodger pull --tls-verify=false 127.0.0.1:5001/busybox:nothing; \
        refused 125 lodger pull wrong-name.test:5000/busybox; \
        refused 125 lodger pull --retry 0 127.0.0.1:9/busybox; \
        refused 125 lodger pull --retry 0 nowhere.test/busybox; \
        refused 125 lodger pull --tls-verify=false --platform linux/s390x 127.0.0.1:5001/index";
    host.root("skopeo copy -q --dest-tls-verify=false oci:/images/busybox docker://127.0.0.1:5001/index:amd64; \
        m=$(skopeo inspect --raw --tls-verify=false docker://127.0.0.1:5001/index:amd64); d=$(printf %s \"$m\" | sha256sum | cut -d' ' -f1); \
        printf '{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\",\"size\":%s,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}' $d $(printf %s \"$m\" | wc -c) >/run/case-index; \
        curl -sSf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @/run/case-index http://127.0.0.1:5001/v2/index/manifests/latest")?
        .ok();
    let words = [
        "unauthorized: authentication required",
        "--creds",
        "manifest unknown",
        "check the name and the tag",
        "the certificate shown by wrong-name.test is for another name",
        "cannot connect to 127.0.0.1:9",
        "host \"nowhere.test\" not found",
        "no image for linux/s390x; there are linux/amd64",
        "--platform chooses one",
    ];
    refused(host, script, &words)?;
    // A registry whose authority nobody here knows, and one that the administrator forbids.
    refused(
        host,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -keyout key -out other.crt \
         2>/dev/null; export SSL_CERT_FILE=$PWD/other.crt; refused 125 lodger pull registry.test:5002/busybox",
        &["certificate signed by unknown authority", "certs.d/registry.test:5002/ca.crt"],
    )?;
    host.write(
        "alice",
        ".config/containers/registries.conf",
        "[[registry]]\nlocation = \"registry.test:5002\"\nblocked = true\n",
    )?;
    refused(host, "refused 125 lodger pull registry.test:5002/busybox", &["blocked", "registries.conf"])
}

fn an_image_of_another_platform_is_noticed(host: &Host) -> Result<()> {
    host.root("skopeo copy -q oci:/images/busybox dir:/run/case-other && cd /run/case-other && \
        old=$(jq -r .config.digest manifest.json | cut -d: -f2) && jq -c '.architecture=\"s390x\"' $old >new && \
        new=$(sha256sum new | cut -d' ' -f1) && size=$(stat -c %s new) && mv new $new && \
        jq -c \".config.digest=\\\"sha256:$new\\\" | .config.size=$size\" manifest.json >m && mv m manifest.json && \
        skopeo copy -q --preserve-digests --dest-tls-verify=false dir:/run/case-other docker://127.0.0.1:5001/other:latest; rm -r /run/case-other")?
        .ok();
    let warning = "image platform (linux/s390x) does not match the expected platform (linux/amd64)";
    host.alice("lodger pull -q --tls-verify=false 127.0.0.1:5001/other")?.ok().stderr_has(warning);
    host.alice("lodger run --rm --network=none 127.0.0.1:5001/other echo works")?
        .ok()
        .stdout("works\n")
        .stderr_has(warning);
    Ok(())
}

fn case_20_damage_on_the_way_is_noticed(host: &Host) -> Result<()> {
    host.push("busybox")?;
    // The registry's own storage: one byte of the image's layer.
    let blobs = "layer=$(skopeo inspect --tls-verify=false docker://127.0.0.1:5001/busybox | jq -r '.Layers[0]' | cut -d: -f2); \
        echo /var/lib/docker-registry/docker/registry/v2/blobs/sha256/$(echo $layer | cut -c1-2)/$layer/data";
    let blob = host.root(&format!(
        "b=$({blobs}); cp -p $b /run/case-blob; printf X | dd of=$b bs=1 seek=1000 conv=notrunc status=none; echo $b"
    ))?;
    let blob = blob.ok().text().to_owned();
    undone(host, &format!("cp -p /run/case-blob {blob}"), || {
        refused(
            host,
            "refused 125 lodger pull -q --tls-verify=false 127.0.0.1:5001/busybox; lodger images --quiet",
            &["damaged"],
        )
    })?;
    host.alice("lodger pull -q --tls-verify=false 127.0.0.1:5001/busybox && lodger run --rm --network=none 127.0.0.1:5001/busybox echo whole")?
        .ok()
        .stdout_has("whole\n");
    Ok(())
}

fn damage_on_the_disk_is_noticed(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.load("alice", "guest")?;
    host.alice("lodger create --name sound busybox true")?.ok();
    host.alice(
        "cd .local/share/lodger/blobs/sha256 && id=$(lodger image inspect guest --format '{{.Id}}') && \
        printf X | dd of=$id bs=1 seek=10 conv=notrunc status=none",
    )?
    .ok();
    // What is damaged is named; everything else goes on.
    host.alice("lodger run --rm --network=none guest")?
        .fails(125)
        .stderr_has("Error:")
        .stderr_has("digest is")
        .stderr_has("hint:");
    host.alice("lodger run --rm --network=none busybox echo on; lodger images --format '{{.Repository}}'; lodger ps -a --format '{{.Names}}'")?
        .ok()
        .stdout_has("on\n")
        .stdout_has("localhost/guest\n")
        .stdout_has("sound\n");
    // Loading it again mends it.
    host.load("alice", "guest")?;
    host.alice("lodger run --rm --network=none guest 'echo mended'")?.ok().stdout("mended\n");
    host.alice(
        "echo x >.local/share/lodger/containers/$(lodger container inspect sound --format '{{.Id}}')/container.json",
    )?
    .ok();
    host.alice("lodger ps -a; lodger run --rm --network=none busybox echo on")?.ok().stdout_has("on\n");
    Ok(())
}

/// Gives alice a data directory on a file system of its own, of so many MiB.
fn small_disk(host: &Host, size: u32) -> Result<()> {
    host.alice("mkdir -p disk")?.ok();
    host.root(&format!("mount -t tmpfs -o size={size}m,mode=700,uid=1001,gid=1001 case-disk /home/alice/disk"))?.ok();
    Ok(())
}

fn a_full_disk_refuses_what_needs_room_and_lets_the_rest_go(host: &Host) -> Result<()> {
    host.push("nginx")?;
    small_disk(host, 6)?;
    undone(host, "pkill -KILL -u alice lodger; umount /home/alice/disk || umount -l /home/alice/disk", || {
        let here = "export XDG_DATA_HOME=~/disk; ";
        let full = ["no space left on device", "/home/alice/disk/lodger", "hint: "];
        host.alice(&format!("{here} lodger load -q -i /images/busybox.tar && lodger create --name old busybox true && lodger volume create data"))?.ok();
        for command in
            ["load -i /images/nginx.tar", "load </images/nginx.tar", "pull -q --tls-verify=false 127.0.0.1:5001/nginx"]
        {
            let mut tried = host.alice(&format!("{here} lodger {command}"))?.fails(125);
            for word in full {
                tried = tried.stderr_has(word);
            }
        }
        host.alice(&format!(
            "{here} cat /dev/zero >disk/filler; for i in $(seq 99); do echo x >disk/filler$i || break; done"
        ))?;
        for command in [
            "create --name new busybox true",
            "run --rm --network=none busybox true",
            "run -d --network=none busybox true",
        ] {
            let mut tried = host.alice(&format!("{here} lodger {command}"))?.fails(125);
            for word in full {
                tried = tried.stderr_has(word);
            }
        }
        // Looking and removing need no room.
        host.alice(&format!(
            "{here} lodger ps --all --format '{{{{.Names}}}}'; lodger images --quiet | wc -l; lodger volume ls --quiet"
        ))?
        .ok()
        .stdout("old\n1\ndata\n");
        host.alice(&format!("{here} lodger rm old && lodger volume rm data && lodger rmi busybox && find disk/lodger/tmp disk/lodger/trash disk/lodger/layers -mindepth 1"))?.ok();
        host.alice(&format!("{here} rm disk/filler*; lodger load -q -i /images/busybox.tar && lodger run --rm --network=none busybox echo again"))?.ok().stdout_has("again\n");
        Ok(())
    })
}

fn a_store_that_is_read_only_can_be_looked_at(host: &Host) -> Result<()> {
    small_disk(host, 64)?;
    undone(host, "pkill -KILL -u alice lodger; umount /home/alice/disk || umount -l /home/alice/disk", || {
        let here = "export XDG_DATA_HOME=~/disk; ";
        host.alice(&format!("{here} lodger load -q -i /images/busybox.tar && lodger create --name old busybox true"))?
            .ok();
        host.root("mount -o remount,ro /home/alice/disk")?.ok();
        for command in [
            "create busybox true",
            "run --rm --network=none busybox true",
            "run -d --network=none busybox true",
            "rm old",
            "rmi -f busybox",
            "load -i /images/guest.tar",
        ] {
            host.alice(&format!("{here} lodger {command}"))?
                .fails(125)
                .stderr_has("Error: ")
                .stderr_has("/home/alice/disk/lodger")
                .stderr_has("ead-only file system")
                .stderr_has("hint: ");
        }
        host.alice(&format!("{here} lodger ps --all --format '{{{{.Names}}}}'; lodger images --quiet | wc -l; lodger inspect old >/dev/null"))?.ok().stdout("old\n1\n");
        Ok(())
    })
}
