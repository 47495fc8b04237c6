//! Volumes and mounts: what they are, whose they are, and what is said when one cannot be.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    what_stands_in_the_way_of_a_source_is_named,
    memory_is_shared_while_a_container_runs,
    changes_of_an_overlay_are_forgotten_or_kept,
    an_image_that_is_mounted_stays,
    a_tree_is_given_to_the_user_without_following_links,
    secrets_are_given_and_never_told,
    volumes_travel_as_archives,
];

fn what_stands_in_the_way_of_a_source_is_named(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let run = |words: &str| host.alice(&format!("lodger run --rm --network=none {words} busybox ls /x"));
    run("-v /tmp/missing/below:/x")?.fails(125).stderr_has("/tmp/missing does not exist");
    run("-v /root/below:/x")?.fails(125).stderr_has("/root belongs to root and its mode 0700 does not let alice in");
    run("-v /usr/share:/x:U")?.fails(126).stderr_has("an id that the container does not have");
    run("-v /etc:/x:U")?.fails(126).stderr_has("chowning host path \"/etc\" is not allowed");
    run("-v /tmp:/x:idmap=uids=0-1-10")?.fails(125).stderr_has("nobody but root of the host");
    Ok(())
}

fn memory_is_shared_while_a_container_runs(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger volume create -o type=tmpfs -o o=size=1m,uid=5,mode=750 memory")?.ok();
    host.alice("lodger run -d --name first -v memory:/m busybox sh -c 'echo one >/m/file; sleep 100'")?.ok();
    let second =
        "lodger run --rm -v memory:/other:ro busybox sh -c 'stat -c %u:%a /other; cat /other/file; touch /other/x'";
    host.alice(&format!("until lodger exec first test -s /m/file; do sleep 0.1; done; {second}"))?
        .fails(1)
        .stdout("5:750\none\n");
    host.alice("lodger rm -f -t 0 first; lodger run --rm -v memory:/m busybox ls /m")?.ok().stdout("first\n");
    Ok(())
}

fn changes_of_an_overlay_are_forgotten_or_kept(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("mkdir below upper work; echo old >below/file")?.ok();
    let change = "sh -c 'cat /x/file; echo new >/x/file'";
    host.alice(&format!("lodger create --name c -v ./below:/x:O busybox {change}"))?.ok();
    host.alice("lodger start -a c; lodger start -a c; cat below/file")?.ok().stdout("old\nold\nold\n");
    host.alice(&format!("lodger run --rm -v ./below:/x:O,upperdir=./upper,workdir=./work busybox {change}"))?.ok();
    host.alice("cat below/file upper/file")?.ok().stdout("old\nnew\n");
    Ok(())
}

fn an_image_that_is_mounted_stays(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.load("alice", "guest")?;
    host.alice("lodger create --name c --mount type=image,src=guest,dst=/i,subpath=/etc busybox ls /i")?.ok();
    host.alice("lodger rmi guest")?.fails(2).stderr_has("being used");
    host.alice("lodger start -a c")?.ok().stdout_has("passwd");
    host.alice("lodger rm c; lodger rmi guest")?.ok();
    Ok(())
}

fn a_tree_is_given_to_the_user_without_following_links(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("mkdir -p tree/a outside; touch tree/a/file outside/file; ln -s ../../outside tree/a/link")?.ok();
    host.alice("lodger run --rm --user 5:6 -v ./tree:/t:U busybox stat -c '%u:%g %n' /t /t/a/file /t/a/link")?
        .ok()
        .stdout("5:6 /t\n5:6 /t/a/file\n5:6 /t/a/link\n");
    host.alice("stat -c %U outside outside/file")?.ok().stdout("alice\nalice\n");
    // A volume that nobody has filled belongs to whoever mounts it.
    for user in ["33:44", "55:44"] {
        let show = "busybox stat -c %u:%g /new";
        host.alice(&format!("lodger run --rm --user {user} -v data:/new {show}"))?.ok().stdout(&format!("{user}\n"));
    }
    Ok(())
}

fn secrets_are_given_and_never_told(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("printf sesame | lodger secret create word -; printf open | lodger secret create other -")?.ok();
    let words = "--secret word,uid=5,mode=0400 --secret other,type=env,target=OTHER --secret word,target=/etc/word";
    let show = "stat -c '%a %u' /run/secrets/word; cat /run/secrets/word /etc/word; echo $OTHER";
    host.alice(&format!("lodger create --name c {words} busybox sh -c \"{}\"", show.replace('$', "\\$")))?.ok();
    host.alice("lodger start -a c")?.ok().stdout("400 5\nsesamesesameopen\n");
    // A file is what the secret was, a variable what it is.
    host.alice(
        "printf new | lodger secret create --replace word -; printf newer | lodger secret create --replace other -",
    )?
    .ok();
    host.alice("lodger start -a c")?.ok().stdout_has("sesamesesamenewer");
    host.alice("lodger secret rm word; lodger start -a c")?.ok().stdout_has("sesamesesamenewer");
    // Neither values nor, below /run/secrets, names are where others look.
    host.alice("lodger inspect c; lodger ps -a; lodger secret inspect other")?
        .ok()
        .stdout_lacks("sesame")
        .stdout_lacks("newer");
    host.alice("cd ~/.local/share/lodger; ls -A containers/*/upper/run/secrets; ! grep -r newer --include=*.json . ")?
        .ok()
        .stdout_lacks("word");
    host.alice(
        "find ~/.local/share/lodger/secrets ~/.local/share/lodger/containers/*/secrets -type f ! -perm 600 | grep .",
    )?
    .fails(1);
    host.alice("lodger secret rm other; lodger start -a c")?.fails(125).stderr_has("no such secret");
    Ok(())
}

fn volumes_travel_as_archives(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let fill = "mkdir /v/d; echo hi >/v/d/file; chown 33:44 /v/d/file; ln -s /etc/passwd /v/link";
    host.alice(&format!("lodger run --rm -v from:/v busybox sh -c '{fill}'"))?.ok();
    host.alice("lodger volume create to; lodger volume export from | gzip | lodger volume import to")?.ok();
    host.alice("lodger run --rm -v to:/v busybox sh -c 'cd /v; stat -c %u:%g d/file; cat d/file; readlink link'")?
        .ok()
        .stdout("33:44\nhi\n/etc/passwd\n");
    host.alice("podman volume create p; lodger volume export from >f.tar; podman volume import p f.tar; tar tf f.tar")?
        .ok()
        .stdout_has("d/\nd/file\nlink\n");
    Ok(())
}
