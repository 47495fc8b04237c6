# Ends each process beside a container in turn: its unit, its logs and its restart stay right.

fixture || exit 1
say='i=0; while :; do echo line $((i += 1)); sleep 0.05; done'
waited() { for moment in $(seq 200); do "$@" && return; sleep 0.05; done; return 1; }
heard() { lodger logs x 2>/dev/null | grep -q "$1"; }
one() { [ "$(systemctl --user show --property="$1" --value lodger-x.service)" = "$2" ]; }
told() { [ -z "$wrong" ] && echo "$number held" || echo "$number FAILED: $piece: $wrong"; }
expect() { "$@" || wrong="$wrong $*;"; }

begin() {
    wrong=
    quiet lodger run -d --name x --restart=always -p 8085:80 busybox sh -c "$say" || wrong='it does not start'
    expect waited heard 'line 3'
    main=$(systemctl --user show --property=MainPID --value lodger-x.service)
}

end() {
    expect lodger exec x true
    quiet lodger rm -v -f -t 0 x || wrong="$wrong it cannot be removed;"
    found=$(clean) || wrong="$wrong $found"
    told
}

while read -r number piece; do
    begin
    case $piece in
    relay)
        # The payload goes on and is the same; what was logged stays; after a restart there is a log again.
        expect pkill -KILL -u "$(id -u)" -x lodger-relay
        sleep 0.3
        expect one ActiveState active
        expect heard 'line 3'
        quiet lodger restart -t 0 x || wrong="$wrong it does not restart;"
        since=$(date +%s.%N)
        again() { [ "$(lodger logs --since "$since" x 2>/dev/null | grep -c line)" -gt 3 ]; }
        expect waited again
        ;;
    pasta)
        # The payload goes on; after a restart its port leads inside again.
        expect pkill -KILL -u "$(id -u)" -f '^/usr/bin/pasta'
        sleep 0.1
        expect one MainPID "$main"
        expect one ActiveState active
        quiet lodger restart -t 0 x || wrong="$wrong it does not restart;"
        listens() { ss -Hltn 'sport = :8085' | grep -q .; }
        expect waited listens
        ;;
    keeper)
        # Nobody notices.
        expect pkill -KILL -u "$(id -u)" -x lodger-keeper
        expect one MainPID "$main"
        expect lodger exec x true
        expect lodger run --rm --network=none busybox true
        quiet lodger restart -t 0 x || wrong="$wrong it does not restart;"
        ;;
    payload)
        # systemd starts it again, with its port and its log.
        kill -KILL "$main"
        other() { now=$(systemctl --user show --property=MainPID --value lodger-x.service); [ "$now" != 0 ] && [ "$now" != "$main" ]; }
        expect waited other
        running() { quiet lodger exec x true; }
        expect waited running
        expect [ "$(lodger inspect --format '{{.RestartCount}}' x)" = 1 ]
        ;;
    all)
        # As when memory runs out: every process of the unit.
        systemctl --user kill --kill-whom=all --signal=KILL lodger-x.service
        other() { now=$(systemctl --user show --property=MainPID --value lodger-x.service); [ "$now" != 0 ] && [ "$now" != "$main" ]; }
        expect waited other
        running() { quiet lodger exec x true; }
        expect waited running
        listens() { ss -Hltn 'sport = :8085' | grep -q .; }
        expect waited listens
        ;;
    esac
    end
done
