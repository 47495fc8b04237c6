//! `kill -9` of lodger at any moment: the same command then succeeds, and nothing is left for anybody to clean up.
//!
//! strace counts the calls of a command that change something, and kills lodger before each of them in turn.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    create_is_killed_anywhere,
    a_run_in_the_foreground_is_killed_anywhere,
    a_detached_run_is_killed_anywhere,
    start_is_killed_anywhere,
    rm_is_killed_anywhere,
    the_start_of_a_unit_is_killed_anytime,
    load_and_rmi_are_killed_anytime,
    first_commands_at_once_make_one_keeper,
];

/// Calls before which a killed lodger leaves something else than before the call ahead of it.
const CHANGES: &str = "mkdirat,renameat,renameat2,symlinkat,unlinkat,fchownat,write,clone3,setns,fsmount,sendto,sendmsg,\
                       pidfd_send_signal,waitid";

/// Functions of the shell that every case here begins with.
const TOOLS: &str = r#"
store=~/.local/share/lodger
quiet() { "$@" >/dev/null 2>&1; }

# Whether nothing of any container is left, given a moment for what ends by itself.
clean() {
    for moment in $(seq 100); do
        left=$(cd $store && ls -A containers names run volumes tmp trash | grep -v -e : -e '^$'
            lodger ps --all --format '{{.Names}} {{.State}}' 2>&1
            pgrep -u alice -l -x 'busybox|sleep|pasta|pasta.avx2|newuidmap|lodger'
            systemctl --user --plain --no-legend list-units --all 'lodger-*.service'
            grep $store /proc/self/mounts)
        keepers=$(pgrep -c -u alice lodger-keeper)
        [ -z "$left" ] && [ "$keepers" -le 1 ] && return
        sleep 0.05
    done
    echo "left: $left; keepers: $keepers"
    return 1
}

# Kills COMMAND before each of its calls that change something; `before` and `after` are the case's.
everywhere() {
    before || exit 1
    strace -qq -e signal=none -e trace=$changes -o ~/calls $command >/dev/null 2>&1 </dev/null
    after || { echo "not even without a kill: $command"; exit 1; }
    points=0
    for point in $(sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' ~/calls | sort | uniq -c | sed 's/^ *\([0-9]*\) /\1:/'); do
        call=${point#*:}
        for nth in $(seq ${point%:*}); do
            before || exit 1
            points=$((points + 1))
            quiet strace -qq -e signal=none -e trace=none -e inject=$call:signal=KILL:when=$nth $command </dev/null
            said=$(after 2>&1) || { echo "killed before $call number $nth: $said"; failed=yes; }
        done
    done
    echo "$points points"
    [ $points -ge $expected ] && [ -z "${failed-}" ]
}
"#;

/// Kills `command` before each of its calls that change something: at least `points` of them, so that a case that cannot
/// see any is no success. `before` prepares, `after` must succeed each time.
fn everywhere(host: &Host, command: &str, points: u32, before: &str, after: &str) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice(&format!(
        "{TOOLS}\nchanges={CHANGES}\ncommand='{command}'\nexpected={points}\n\
         before() {{ {before}; }}\nafter() {{ {after}; }}\neverywhere"
    ))?
    .ok();
    Ok(())
}

fn create_is_killed_anywhere(host: &Host) -> Result<()> {
    let command = "lodger create --name c -v /data busybox true";
    let after = "quiet lodger rm -v c; $command && lodger rm -v c && clean";
    everywhere(host, command, 12, "true", after)
}

fn a_run_in_the_foreground_is_killed_anywhere(host: &Host) -> Result<()> {
    let command = "lodger run --rm --name c -v /data -p 8085:80 busybox true";
    // What was killed after the start ends by itself; its name and its port are free without further ado.
    let after = "while pgrep -u alice -x true; do sleep 0.01; done; $command && quiet lodger rm -f x; clean";
    everywhere(host, command, 40, "true", after)
}

fn a_detached_run_is_killed_anywhere(host: &Host) -> Result<()> {
    let command = "lodger run -d --name c -v /data --network=none busybox sleep 1000";
    let after = "quiet lodger rm -v -f -t 0 c; $command && lodger exec c true && lodger rm -v -f -t 0 c && clean";
    everywhere(host, command, 12, "true", after)
}

fn start_is_killed_anywhere(host: &Host) -> Result<()> {
    let before = "quiet lodger create --name c --network=none busybox sleep 1000";
    let after = "lodger start c && lodger exec c true && lodger rm -v -f -t 0 c && clean";
    everywhere(host, "lodger start c", 5, before, after)
}

fn rm_is_killed_anywhere(host: &Host) -> Result<()> {
    // It is there as a whole, or gone: a second `rm` says which, and the third finds nothing.
    let before = "quiet lodger create --name c -v /data busybox true";
    let after = "said=$(lodger rm -v c 2>&1) || echo $said | grep -q 'no such container'; \
                 lodger rm -v c; [ $? = 1 ] && quiet lodger rm -f x; clean";
    everywhere(host, "lodger rm -v c", 5, before, after)?;
    let before = "quiet lodger run -d --name c --network=none busybox sleep 1000";
    let after = "$command && quiet lodger rm -f x; lodger rm -v c; [ $? = 1 ] && clean";
    everywhere(host, "lodger rm -v -f -t 0 c", 5, before, after)
}

/// The process that systemd starts for the unit is killed at moments all over its life.
fn the_start_of_a_unit_is_killed_anytime(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let script = r#"
        for moment in $(seq 0 4 76); do
            lodger run -d --name c --network=none busybox sleep 1000 >said 2>&1 &
            sleep 0.0$(printf %02d $moment)
            quiet pkill -KILL -u alice -f 'lodger .*[c]ontainer launch'
            wait
            # What was killed may have been the container already, which ended after its start was told.
            sleep 0.1
            quiet lodger start c && lodger exec c true && lodger rm -v -f -t 0 c >/dev/null && clean ||
                { echo "killed after $moment ms: $(cat said)"; exit 1; }
        done"#;
    host.alice(&format!("{TOOLS}\n{script}"))?.ok();
    Ok(())
}

fn load_and_rmi_are_killed_anytime(host: &Host) -> Result<()> {
    let script = r#"
        # The keeper empties the trash meanwhile.
        tidy() {
            for moment in $(seq 100); do
                [ -z "$(cd $store && find tmp trash -mindepth 1 2>&1)" ] && return
                sleep 0.05
            done
            return 1
        }
        # timeout ends before the one it kills.
        dead() { while pgrep -u alice -x lodger; do sleep 0.01; done; }
        for delay in $(seq 1 15); do
            quiet timeout -s KILL 0.0$(printf %02d $((delay * 6))) lodger load -i /images/guest.tar
            quiet dead
            quiet lodger load -i /images/guest.tar && tidy && quiet lodger image inspect guest || exit 1
            quiet timeout -s KILL 0.0$(printf %02d $delay) lodger rmi guest
            quiet dead
            quiet lodger rmi -f guest && tidy || exit 2
            left=$(cd $store && ls -A layers blobs/sha256 images | grep -v : | tr -d '\n')
            [ -z "$left" ] || { echo "left: $left"; exit 3; }
        done"#;
    host.alice(&format!("{TOOLS}\n{script}"))?.ok();
    Ok(())
}

fn first_commands_at_once_make_one_keeper(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let script = "pkill -x lodger-keeper; while pgrep -x lodger-keeper; do sleep 0.01; done >/dev/null; for i in $(seq 12); do lodger run --rm --network=none busybox true & done; wait; \
                  pgrep -c -u alice lodger-keeper";
    host.alice(script)?.ok().stdout("1\n");
    Ok(())
}
