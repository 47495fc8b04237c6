//! The table of benchmarks, and nothing else.

use super::{Demand, Measure, Pair, Row, Step};

const LOAD: &str = "lodger load --quiet --input /images/busybox.tar && \
                    podman load --quiet --input /images/busybox.tar";

/// What a command left to a process of its own, such as podman's cleanup, would be measured with the next one.
const AT_REST: &str = "while pgrep --exact podman >/dev/null; do sleep 0.02; done; sleep 0.05";

const fn plain(command: &'static str) -> Step {
    Step { before: AT_REST, command }
}

/// Every row, in the order of the page.
pub(super) const ROWS: &[Row] = &[
    Row {
        name: "`run --rm --network=none busybox true`",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 31,
            setup: LOAD,
            ours: plain("lodger run --rm --network=none busybox true"),
            theirs: plain("podman run --rm --network=none busybox true"),
        }),
        demand: Demand::Factor(20.0),
    },
    Row {
        name: "the same, beside a prepared bundle",
        peer: "crun, same seccomp profile",
        measure: Measure::Time(Pair {
            times: 51,
            setup: "lodger load --quiet --input /images/busybox.tar && /usr/local/libexec/lodger-test/crun-bundle",
            ours: plain("lodger run --rm --network=none busybox true"),
            theirs: plain("crun --cgroup-manager=disabled run --bundle bundle bench"),
        }),
        demand: Demand::Factor(1.0),
    },
    Row {
        name: "`run --rm busybox true`, default network",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 21,
            setup: LOAD,
            ours: plain("lodger run --rm busybox true"),
            theirs: plain("podman run --rm busybox true"),
        }),
        demand: Demand::Factor(6.0),
    },
    Row {
        name: "`run --detach` until it runs",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 21,
            setup: LOAD,
            ours: Step {
                before: "lodger rm --force --time 0 --ignore bench; while pgrep --exact podman >/dev/null; do sleep 0.02; done",
                command: "lodger run --detach --name bench --network=none busybox sleep 1000",
            },
            theirs: Step {
                before: "podman rm --force --ignore --time 0 bench",
                command: "podman run --detach --name bench --network=none busybox sleep 1000",
            },
        }),
        demand: Demand::Factor(10.0),
    },
    Row {
        name: "16 at once",
        peer: "lodger, 16 in a row",
        measure: Measure::Time(Pair {
            times: 11,
            setup: LOAD,
            ours: plain("for i in $(seq 16); do lodger run --rm --network=none busybox true & done; wait"),
            theirs: plain("for i in $(seq 16); do lodger run --rm --network=none busybox true; done"),
        }),
        demand: Demand::Factor(1.0),
    },
    Row {
        name: "`ps --all` with 1000 containers",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 11,
            setup: THOUSAND,
            ours: plain("lodger ps --all"),
            theirs: plain("podman ps --all"),
        }),
        demand: Demand::AtMost(30.0),
    },
    Row {
        name: "`ps --all --format json` with 1000 containers",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 11,
            setup: THOUSAND,
            ours: plain("lodger ps --all --format json"),
            theirs: plain("podman ps --all --format json"),
        }),
        demand: Demand::AtMost(40.0),
    },
    Row {
        name: "`inspect` of one among 1000",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 21,
            setup: THOUSAND,
            ours: plain("lodger inspect c500"),
            theirs: plain("podman inspect c500"),
        }),
        demand: Demand::AtMost(5.0),
    },
    Row {
        name: "`run --rm`, beside 1000 containers",
        peer: "lodger, beside none",
        measure: Measure::Time(Pair {
            times: 31,
            setup: "lodger load --quiet --input /images/busybox.tar && \
                    lodger --root /home/alice/empty load --quiet --input /images/busybox.tar && \
                    for i in $(seq 1000); do lodger create --name c$i busybox true || exit; done >/dev/null",
            ours: plain("lodger run --rm --network=none busybox true"),
            theirs: plain("lodger --root /home/alice/empty run --rm --network=none busybox true"),
        }),
        demand: Demand::Factor(0.9),
    },
    Row {
        name: "`exec C true`",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 31,
            setup: "lodger load --quiet --input /images/busybox.tar && podman load --quiet --input /images/busybox.tar && \
                    lodger run --detach --name bench --network=none busybox sleep 10000 && \
                    podman run --detach --name bench --network=none busybox sleep 10000",
            ours: plain("lodger exec bench true"),
            theirs: plain("podman exec bench true"),
        }),
        demand: Demand::Factor(20.0),
    },
    Row {
        name: "`cp` of 1 GB in",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 5,
            setup: GIGABYTE,
            ours: plain("lodger cp /home/alice/gigabyte bench:/in"),
            theirs: plain("podman cp /home/alice/gigabyte bench:/in"),
        }),
        demand: Demand::Factor(2.0),
    },
    Row {
        name: "`cp` of 1 GB out",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 5,
            setup: GIGABYTE,
            ours: Step { before: "rm -f /home/alice/out", command: "lodger cp bench:/out /home/alice/out" },
            theirs: Step { before: "rm -f /home/alice/out", command: "podman cp bench:/out /home/alice/out" },
        }),
        demand: Demand::Factor(2.0),
    },
    Row {
        name: "`rm --all --force` of 100 that run",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 3,
            setup: LOAD,
            ours: Step {
                before: "for i in $(seq 100); do lodger run --detach --network=none busybox sleep 10000 || exit; done >/dev/null",
                command: "lodger rm --all --force --time 0",
            },
            theirs: Step {
                before: "for i in $(seq 100); do podman run --detach --network=none busybox sleep 10000 || exit; done >/dev/null",
                command: "podman rm --all --force --time 0",
            },
        }),
        demand: Demand::Factor(10.0),
    },
    Row {
        name: "first start with `--userns=keep-id`, image of 300 MB",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 3,
            setup: "true",
            ours: Step {
                before: "lodger rmi --all --force; lodger pull --quiet --tls-verify=false 127.0.0.1:5001/big",
                command: "lodger create --userns=keep-id --network=none 127.0.0.1:5001/big true",
            },
            theirs: Step {
                before: "podman rmi --all --force; podman pull --quiet --tls-verify=false 127.0.0.1:5001/big",
                command: "podman create --userns=keep-id --network=none 127.0.0.1:5001/big true",
            },
        }),
        demand: Demand::Factor(5.0),
    },
    Row {
        name: "systemd in a container, until it is `running`",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 5,
            setup: "lodger load --quiet --input /images/machine.tar && podman load --quiet --input /images/machine.tar",
            ours: Step {
                before: "lodger rm --force --time 0 --ignore bench",
                command: "lodger run --detach --name bench machine && lodger exec bench timeout 60 sh -c 'until systemctl is-system-running --quiet; do sleep 0.02; done'",
            },
            theirs: Step {
                before: "podman rm --force --time 0 --ignore bench",
                command: "podman run --detach --name bench machine && podman exec bench timeout 60 sh -c 'until systemctl is-system-running --quiet; do sleep 0.02; done'",
            },
        }),
        demand: Demand::Factor(1.67),
    },
    Row {
        name: "`pull`, 300 MB in 8 layers",
        peer: "podman",
        measure: Measure::Time(PULL),
        demand: Demand::Factor(2.5),
    },
    Row { name: "`pull`, peak memory", peer: "podman", measure: Measure::Peak(PULL), demand: Demand::AtMost(64.0) },
    Row {
        name: "`--version`",
        peer: "podman",
        measure: Measure::Time(Pair {
            times: 51,
            setup: "true",
            ours: plain("lodger --version"),
            theirs: plain("podman --version"),
        }),
        demand: Demand::AtMost(2.0),
    },
    Row {
        name: "size of the program",
        peer: "podman alone",
        measure: Measure::Size { theirs: "/usr/bin/podman" },
        demand: Demand::AtMost(15.0),
    },
    Row {
        name: "memory beside each idle container (PSS)",
        peer: "podman",
        measure: Measure::Idle {
            ours: "lodger run --detach --network=none busybox sleep 1000",
            theirs: "podman run --detach --network=none busybox sleep 1000",
        },
        demand: Demand::AtMost(0.2),
    },
];

const PULL: Pair = Pair {
    times: 5,
    setup: "true",
    ours: Step {
        before: "lodger rmi --all --force",
        command: "lodger pull --quiet --tls-verify=false 127.0.0.1:5001/big",
    },
    theirs: Step {
        before: "podman rmi --all --force",
        command: "podman pull --quiet --tls-verify=false 127.0.0.1:5001/big",
    },
};

const THOUSAND: &str = "lodger load --quiet --input /images/busybox.tar && podman load --quiet --input /images/busybox.tar && \
                        for i in $(seq 1000); do lodger create --name c$i busybox true && \
                        podman create --network=none --name c$i busybox true || exit; done >/dev/null";

const GIGABYTE: &str = "lodger load --quiet --input /images/busybox.tar && podman load --quiet --input /images/busybox.tar && \
                        head --bytes 1G /dev/urandom >/home/alice/gigabyte && \
                        lodger create --name bench busybox true && podman create --network=none --name bench busybox true && \
                        lodger cp /home/alice/gigabyte bench:/out && podman cp /home/alice/gigabyte bench:/out";
