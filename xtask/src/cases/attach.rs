//! `attach` and the detach keys, on terminals made by script(1).

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    a_terminal_is_left_and_found_again,
    streams_are_read_and_written,
    a_command_of_exec_can_be_left_running,
    a_run_can_be_left_and_found_again,
];

/// Types what a script prints into a terminal in which a command runs.
fn on_terminal(types: &str, command: &str) -> String {
    format!("({types}) | script -qec {} /dev/null", crate::process::quoted(command))
}

/// Waits until the container's terminal has shown this often what the container printed.
fn shown(name: &str, text: &str) -> String {
    format!("until lodger logs {name} | grep -q '{text}'; do sleep 0.05; done")
}

const KEYS: &str = "printf '\\020\\021'; sleep 1";

fn a_terminal_is_left_and_found_again(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    for how in ["", "--log-driver=k8s-file"] {
        host.alice(&format!("lodger run -dit --name one --network=none {how} busybox sh"))?.ok();
        let types = format!("sleep 0.5; echo 'stty size; echo $((40 + 2))'; {}; {KEYS}", shown("one", "^42"));
        host.alice(&on_terminal(&types, "stty rows 33 cols 99; lodger attach one; echo status $?"))?
            .ok()
            .stdout_has("33 99")
            .stdout_has("42")
            .stdout_has("status 0");
        host.alice("lodger ps --format '{{.Names}}'")?.ok().stdout("one\n");
        let types = "sleep 0.5; echo 'exit 5'; sleep 1";
        host.alice(&on_terminal(types, "lodger attach one; echo status $?"))?.ok().stdout_has("status 5");
        host.alice("lodger rm one")?.ok();
    }
    host.alice("lodger run --name fg -t --network=none busybox sleep 1000 >/dev/null 2>&1 & until lodger exec fg true; do sleep 0.05; done; lodger attach fg")?
        .fails(125)
        .stderr_has("hint: ");
    Ok(())
}

fn streams_are_read_and_written(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let inside = "while read a; do echo got $a; echo not $a >&2; test $a = end && exit 3; done";
    host.alice(&format!("lodger run -di --name one --network=none busybox sh -c '{inside}'"))?.ok();
    host.alice("(echo first; sleep 1; echo end; sleep 1) | lodger attach one")?
        .fails(3)
        .stdout("got first\ngot end\n")
        .stderr("not first\nnot end\n");
    Ok(())
}

fn a_command_of_exec_can_be_left_running(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name one --network=none busybox sleep 1000")?.ok();
    let types = format!("sleep 0.5; echo 'exec sleep 777'; sleep 0.5; {KEYS}");
    host.alice(&on_terminal(&types, "lodger exec -it one sh; echo status $?"))?.ok().stdout_has("status 0");
    // It goes on, and nothing of the host is beside it.
    host.alice("sleep 0.5; lodger top one args | sed 's/ *$//'")?.ok().stdout("COMMAND\nsleep 1000\nsleep 777\n");
    host.alice("lodger rm -f -t 0 one; sleep 0.5; pgrep -u alice -x lodger-relay")?.fails(1);
    Ok(())
}

/// The caller gets his shell back, the container its log, its end a record, and whoever attaches the same terminal.
fn a_run_can_be_left_and_found_again(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    for (how, keys, typed) in
        [("run --name one", "", KEYS), ("start -ai", "--detach-keys ctrl-a,x", "printf '\\001x'; sleep 1")]
    {
        let what = if how == "start -ai" { "one" } else { "-it --network=none busybox sh" };
        let types = format!("sleep 1; echo 'echo $((40 + 2))'; sleep 0.5; {typed}");
        host.alice(&on_terminal(&types, &format!("lodger {how} {keys} {what}; echo status $?")))?
            .ok()
            .stdout_has("42")
            .stdout_has("status 0");
        host.alice("lodger ps --format '{{.Names}}'")?.ok().stdout("one\n");
        let types = format!("sleep 0.5; echo 'echo $((50 + 5))'; {}; echo 'exit 7'; sleep 1", shown("one", "^55"));
        host.alice(&on_terminal(&types, "lodger attach one; echo status $?"))?.ok().stdout_has("status 7");
        host.alice("lodger wait one; lodger ps -a --format '{{.Status}}'")?.ok().stdout_has("Exited (7)");
    }
    host.alice("lodger rm one")?.ok();
    // Without the keys nothing is different, and nothing stays.
    host.alice(&on_terminal("sleep 1; echo 'exit 3'; sleep 1", "lodger run --rm -it busybox sh; echo status $?"))?
        .ok()
        .stdout_has("status 3");
    host.alice(&on_terminal("sleep 1", "lodger run --rm -it busybox /nosuch; echo status $?"))?
        .ok()
        .stdout_has("status 127");
    host.alice("lodger ps -aq; pgrep -u alice -x lodger || true")?.ok().stdout("");
    Ok(())
}
