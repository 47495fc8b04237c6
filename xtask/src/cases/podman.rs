//! lodger beside the podman of the same machine: the same words, the same output and exit status.
//!
//! Each case runs a list of scripts twice, with `P` as either program, in the same account. What may differ is made equal
//! first: IDs, and amounts of time.

use anyhow::Result;

use crate::ability::Unable;
use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    exit_codes_are_podmans,
    who_the_process_is,
    what_the_process_may_do_and_see,
    streams_and_logs,
    what_is_mounted,
    small_options,
    the_life_of_a_container,
    columns_and_templates,
    states_names_and_leftovers,
];

/// Runs each script with both programs and demands the same output and exit status.
fn same(host: &Host, scripts: &[&str]) -> Result<()> {
    host.alice("podman load -q -i /images/busybox.tar && podman load -q -i /images/guest.tar")?.ok();
    if !host.alice("podman run --rm --network=none busybox true")?.succeeded() {
        return Err(Unable("the host's podman runs no container".to_owned()).into());
    }
    host.load("alice", "busybox")?;
    host.load("alice", "guest")?;
    for script in scripts {
        let [podman, lodger] = ["podman", "lodger"].map(|program| {
            let tidy = format!("{program} rm -af -t 0 >/dev/null");
            host.alice(&format!("P() {{ {program} \"$@\"; }}; ( {script}\n ) 2>/dev/null; echo status $?; {tidy}"))
        });
        let (podman, lodger) = (podman?.ok(), lodger?.ok());
        assert_eq!(equal(podman.text()), equal(lodger.text()), "podman (left) and lodger (right) differ: {script}");
    }
    Ok(())
}

/// The text with `ID` for every long or short ID.
fn equal(text: &str) -> String {
    let is_id = |word: &str| [12, 64].contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let word = |word: &str| if is_id(word) { "ID".to_owned() } else { word.to_owned() };
    text.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|part| match part.char_indices().next_back().filter(|(_, last)| !last.is_ascii_alphanumeric()) {
            Some((end, _)) => word(&part[..end]) + &part[end..],
            None => word(part),
        })
        .collect()
}

fn exit_codes_are_podmans(host: &Host) -> Result<()> {
    same(
        host,
        &[
            "P run --rm busybox sh -c 'exit 3'",
            "P run --rm busybox sh -c 'kill -9 $$'",
            "P run --rm busybox nosuch",
            "P run --rm busybox /etc/passwd",
            "P run --rm -w /nosuch busybox pwd",
            "P run --rm --user nosuch busybox id",
            "P run --rm --group-add nosuch busybox id",
            "P run --nosuch busybox",
            "P run -v /nosuch:/x busybox true",
            "P run -d --name c busybox nosuch; echo $?; P ps -a --format '{{.Status}}'; P start c; echo $?; P rm c",
            "P run -d --name c busybox sleep 100; P exec c nosuch; echo $?; P exec -u nosuch c id; echo $?; \
             P exec -w /nosuch c id; echo $?; P exec c sh -c 'exit 9'; echo $?; P rm c; echo $?; P exec nosuch true",
            "P create --name c busybox; P exec c true; echo $?; P kill c; echo $?; P stop c nosuch; echo $?; P rm c nosuch",
            "P inspect nosuch; echo $?; P container exists nosuch; echo $?; P rmi nosuch; echo $?; P logs nosuch",
        ],
    )
}

fn who_the_process_is(host: &Host) -> Result<()> {
    same(
        host,
        &[
            "P run --rm busybox id",
            "P run --rm --user www busybox sh -c 'id; echo $HOME'",
            "P run --rm --user 1234:55 busybox sh -c 'id; cat /etc/passwd /etc/group'",
            "P run --rm --user :33 --group-add 77 busybox id",
            "P run --rm guest | grep -v HOSTNAME | sort",
            "P run --rm -e A=1 -e B= -e 'LANG*' busybox env | grep -v HOSTNAME | sort",
            "P run --rm --unsetenv-all busybox /bin/env | grep -v HOSTNAME | sort",
            "P run --rm --entrypoint '[\"echo\",\"a b\"]' guest c",
            "P run --rm --hostname foo.bar busybox sh -c 'hostname; cat /etc/hostname; echo $HOSTNAME'",
            "P run --rm -t busybox sh -c 'tty; echo $TERM'",
        ],
    )
}

fn what_the_process_may_do_and_see(host: &Host) -> Result<()> {
    let status = "grep -E '^(Cap|NoNew|Seccomp:|Groups)' /proc/self/status";
    let scripts = [
        format!("P run --rm busybox {status}"),
        format!("P run --rm --user 33 --cap-add net_admin busybox {status}"),
        format!("P run --rm --cap-drop all --cap-add chown busybox {status}"),
        format!("P run --rm --security-opt no-new-privileges --security-opt seccomp=unconfined busybox {status}"),
        "P run --rm busybox sh -c 'ulimit -a; umask'".to_owned(),
        "P run --rm --ulimit nofile=-1 busybox sh -c 'ulimit -n; ulimit -Hn'".to_owned(),
        "P run --rm --tmpfs /t busybox grep ' /t ' /proc/self/mountinfo | cut -d' ' -f5-6".to_owned(),
        "P run --rm --read-only --read-only-tmpfs=false busybox touch /dev/shm/x".to_owned(),
        "P run --rm -v v:/x busybox grep ' /x ' /proc/self/mountinfo | cut -d' ' -f5-6".to_owned(),
        "P run --rm -v /tmp:/x -v /var:/x busybox true".to_owned(),
        "P run --rm busybox sysctl net.ipv4.ping_group_range net.ipv4.ip_unprivileged_port_start".to_owned(),
        "P run --rm busybox sh -c 'ls -l /dev | tr -s \" \" | cut -d\" \" -f1,3,4,10-'".to_owned(),
    ];
    same(host, &scripts.each_ref().map(String::as_str))
}

fn streams_and_logs(host: &Host) -> Result<()> {
    same(
        host,
        &[
            "echo in | P run --rm -i busybox cat; echo in | P run --rm busybox cat",
            "P run --rm -a stdout busybox sh -c 'echo out; echo err >&2' 2>&1",
            "P run --rm -a stderr busybox sh -c 'echo out; echo err >&2' 2>&1",
            "P run --rm --user www busybox sh -c 'echo hi >/dev/stdout; echo err >/dev/stderr' 2>&1 | sort",
            "P run --rm busybox sh -c 'for n in 0 1 2; do readlink /proc/$$/fd/$n; done' | sed 's/[0-9]//g'",
            "seq 100000 | P run --rm -i busybox cat | md5sum",
            "P run --log-driver k8s-file --name c busybox sh -c 'echo out; echo err >&2; printf end'; P logs c; P logs --tail 1 c",
            "P run -d --name c busybox sleep 100; echo in | P exec -i c cat; P exec c tty; P exec -t c tty; \
             P exec -d c touch /x; sleep 1; P exec c ls /x",
        ],
    )
}

fn what_is_mounted(host: &Host) -> Result<()> {
    let tree = "rm -rf ~/g; mkdir -p ~/g/a; echo 1 >~/g/f1; echo 2 >~/g/f2; cd ~/g";
    let scripts = [
        "P run --rm --tmpfs /t:U,mode=700 --user 5 busybox ls -ldn /t | cut -c1-40",
        "P run --rm --mount type=ramfs,dst=/r busybox stat -f -c %T /r",
        "P run --rm --mount type=devpts,dst=/dp,uid=3,mode=600 busybox sh -c 'ls -a /dp | wc -l'",
        "P run --rm --mount 'type=glob,src=f*,dst=/x' busybox sh -c 'cat /x/*'",
        "P run --rm --mount 'type=glob,src=nope*,dst=/x' busybox true",
        "P run --rm --mount type=image,src=guest,dst=/i busybox sh -c 'ls /i; touch /i/x'",
        "P run --rm --mount type=image,src=guest,dst=/i,rw=true busybox touch /i/x",
        "P run --rm --mount type=image,src=guest,dst=/i,subpath=/etc busybox ls /i",
        "P run --rm -v s:/v busybox mkdir -p /v/sub/x; P run --rm --mount type=volume,src=s,dst=/i,subpath=sub busybox ls /i",
        "P run --rm -v ~/g:/x:O busybox sh -c 'touch /x/new; ls /x'; ls",
        "P run --rm -v ~/g:/x:z,idmap busybox ls /x",
        "P run -d --name src -v vf:/v -v ~/g:/g --tmpfs /tt -v ~/g:/ro:ro busybox sleep 100; \
         P run --rm --volumes-from src:ro busybox sh -c 'ls /g /ro /tt; touch /v/x'; P run --rm --volumes-from src -v ~/g/a:/g busybox ls /g",
        "P run --rm --volumes-from src:exec busybox true",
        "P volume create -o type=tmpfs -o o=size=1m,uid=5,gid=6 t; P run --rm -v t:/t busybox sh -c 'ls -ldn /t | cut -c1-40; df /t | tail -1 | tr -s \" \" | cut -d\" \" -f2'; \
         P volume inspect -f '{{json .Options}} {{.UID}}' t",
        "P volume create -o o=uid=7,gid=8 u; P run --rm -v u:/t busybox stat -c %u:%g /t; P volume create -o x=y w",
        "P volume create -o type=none -o device=$HOME/g -o o=bind b; P run --rm -v b:/t busybox ls /t",
        "P run --rm --user 33:44 -v w1:/new busybox stat -c %u:%g /new; P run --rm --user 33:44 -v w2:/etc busybox stat -c %u:%g /etc",
    ];
    same(host, &scripts.map(|script| format!("{tree}; {script}")).each_ref().map(String::as_str))
}

fn small_options(host: &Host) -> Result<()> {
    same(
        host,
        &[
            "P run --rm --passwd-entry 'foo:*:$UID:$GID:$NAME:$HOME' --user 1234:5 busybox cat /etc/passwd",
            "P run --rm --group-entry 'foo:x:$GID:' --user 1234:567 busybox cat /etc/group",
            "P run --rm --hostuser alice busybox cat /etc/passwd; P run --rm --hostuser alice --user alice busybox id -u",
            "P run --rm --personality LINUX32 busybox uname -m; P run --rm --personality LINUX busybox uname -m",
            "P run --rm --preserve-fd 5,7 busybox sh -c 'cat <&5; cat <&7' 5</etc/hostname 7<<<seven",
            "P run --rm --preserve-fd 5 --preserve-fds 1 busybox true",
            "P run --rm --env-merge 'PATH=$PATH:/x' --env-merge 'X=${PATH}y' busybox sh -c 'echo $PATH $X'",
            "P run --rm --umask 0077 busybox sh -c umask; P run --rm --umask 999 busybox true",
            "P run --rm --tz Foo busybox date; P run --rm --tz Asia/Tokyo busybox date +%Z",
            "P run --rm --security-opt label=type:foo_t busybox echo ok; P run --rm --security-opt apparmor=foo busybox true",
            "P run --rm --security-opt proc-opts=hidepid=invisible,subset=pid busybox ls /proc/uptime",
            "P run --rm --privileged busybox sh -c 'grep -E \"^(Cap|Seccomp:)\" /proc/self/status; ls /dev'",
            "P create --health-cmd x --no-healthcheck busybox; echo $?; P create --health-startup-cmd x busybox",
            "P create --name c --health-cmd 'curl x' --health-retries 4 --health-startup-cmd true busybox >/dev/null; \
             P inspect -f '{{json .Config.Healthcheck.Test}} {{.Config.Healthcheck.Retries}} {{json .Config.Healthcheck.Timeout}} \
             {{json .Config.StartupHealthCheck.Test}}' c",
            "P create --health-cmd x --health-timeout 0s busybox; echo $?; P create --health-cmd x --health-log-destination /nope busybox",
            "printf one >s; P secret create word s >/dev/null; P secret create word s; echo $?; \
             P run --rm --secret word,uid=5,mode=0400 busybox sh -c 'ls -ln /run/secrets | cut -c1-30; cat /run/secrets/word'; \
             P run --rm --secret word,type=env,target=W busybox sh -c 'echo $W'; P secret inspect --showsecret -f '{{.SecretData}}' word; \
             P run --rm --secret nosuch busybox true; echo $?; P secret ls --noheading | wc -l; P secret rm word >/dev/null",
        ],
    )
}

fn the_life_of_a_container(host: &Host) -> Result<()> {
    same(
        host,
        &[
            "for i in 1 2 3 4; do P run -d --name c$i --network none busybox sh -c \"exit $i\"; done; P wait c1 c2 c3 c4",
            "P run -d --rm --network none busybox true; sleep 1; P ps -aq",
            "P run -d --name c --init busybox sleep 100; P stop c; P wait c; P start c; P kill c; sleep 1; P wait c",
            "P run -d --name c --restart always busybox sleep 100; P kill c; sleep 1; P inspect -f '{{.State.Status}}' c",
            "P create --name a busybox; P create --name a busybox; echo $?; P create --name b busybox; P rm a nosuch; echo $?; P ps -aq",
            "P create --name c -v /data busybox; P rm c; P volume ls -q | wc -l; P volume rm -a -f >/dev/null",
            "P create --name c -v /data busybox; P rm -v c; P volume ls -q | wc -l",
            "P wait --ignore nosuch; P create --name c busybox; P wait --condition created c",
        ],
    )
}

fn columns_and_templates(host: &Host) -> Result<()> {
    same(
        host,
        &[
            "P create --name a guest; P create --name b busybox ls; P ps -a --format '{{.Names}} {{.Command}} {{.State}}'",
            "P create --name a busybox; P create --name b busybox; P ps -a --sort created --format '{{.Names}}'; P ps -n 2 --format '{{.Names}}'",
            "P create --name c -p 8080:80 -p 8443:443 --expose 99 busybox; P port c; P ps -a --format '{{.Ports}}'; \
             P inspect -f '{{json .HostConfig.PortBindings}} {{json .Config.ExposedPorts}}' c",
            "P run -d --name c --network none -u www busybox sleep 100; P top c user pid args capeff seccomp group | sed 's/ *$//'",
            "P create --name c --cap-add net_admin busybox; P inspect -f '{{.EffectiveCaps}} {{.BoundingCaps}}' c",
            "P create --name c --tmpfs /z -v v:/x busybox; P inspect -f '{{json .HostConfig.Binds}} {{json .HostConfig.Tmpfs}}' c",
            "P images --format '{{.Repository}}:{{.Tag}}'; P images -q --no-trunc busybox; P image exists nosuch",
        ],
    )
}

fn states_names_and_leftovers(host: &Host) -> Result<()> {
    same(
        host,
        &[
            "P create --name a busybox; P create --name b busybox; P rename a b; echo $?; P rename a c; echo $?; P rename nosuch x; \
             echo $?; P rename c 'a b'; echo $?; P ps -a --sort names --format '{{.Names}}'",
            "P run -d --name a --network none busybox sleep 100; P create --name b busybox; P pause a; P pause a; echo $?; \
             P pause b; echo $?; P ps --format '{{.Names}}'; P ps -a --filter status=paused --format '{{.Names}} {{.Status}}'; \
             P exec a true; echo $?; P rm a; echo $?; P inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Paused}}' a; \
             P unpause a b; echo $?; P pause -a; P unpause -a; P pause --filter name=b; echo $?; P pause a; P rename a c; \
             P kill c; P wait c",
            "P create --name b --network none busybox; P init b; P init b; echo $?; P ps -a --format '{{.Names}} {{.Status}}'; P start b; P wait b; \
             P init -a; P inspect -f '{{.State.Status}}' b",
            "P create --name a busybox; P update --restart on-failure:3 a; P inspect -f '{{.HostConfig.RestartPolicy.Name}} \
             {{.HostConfig.RestartPolicy.MaximumRetryCount}}' a; P update; echo $?; P update --restart no nosuch; echo $?; \
             P update --restart bad a; echo $?; P update a",
            "P create --name a --label x=1 busybox; P run -d --name b --network none busybox sleep 100; P container prune -f --filter label=y; \
             P container prune -f --filter until=1h; echo n | P container prune; P container prune </dev/null; echo $?; \
             echo y | P container prune; P ps -a --format '{{.Names}}'",
            "P create --name a busybox; P container cleanup a; P container cleanup nosuch; echo $?; P container cleanup --rm a; P ps -aq; \
             P container exists a; echo $?; P container exists; echo $?",
        ],
    )
}
