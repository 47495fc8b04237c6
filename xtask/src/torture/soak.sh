# The same small life of a container again and again: nothing that a machine has a limited number of grows.

fixture || exit 1
manager=$(systemctl --user show --property=MainPID --value dbus.service)

# Numbers that must be the same after many rounds as after a few: NAME VALUE.
numbers() {
    keeper=$(pgrep -u "$(id -u)" -x lodger-keeper)
    pids="keeper:$keeper bus:$manager systemd:$(pgrep -u "$(id -u)" -x systemd)"
    for pid in $pids; do echo "descriptors-of-${pid%%:*} $(ls /proc/"${pid#*:}"/fd 2>/dev/null | wc -l)"; done
    echo "mounts $(wc -l </proc/self/mountinfo)"
    echo "mounts-of-the-keeper $(wc -l <"/proc/$keeper/mountinfo")"
    echo "groups $(find "$group" -type d | wc -l)"
    echo "processes $(pgrep -c -u "$(id -u)" .)"
    echo "units $(systemctl --user --plain --no-legend list-units --all | wc -l)"
    echo "files-of-the-store $(find "$store" | wc -l)"
    echo "temporary-files $(find /tmp "$runtime/lodger" 2>/dev/null | wc -l)"
    echo "locks $(grep -c FLOCK /proc/locks)"
}

lines() { journalctl --quiet --user --since "@$1" 2>/dev/null | wc -l; }

life() {
    began=$(date +%s.%N)
    quiet lodger run -d --name x -v /data -p 8085:80 busybox sh -c 'echo began; exec sleep 1000' && quiet lodger exec x true &&
        quiet lodger stop -t 0 x && quiet lodger start x && quiet lodger exec x sh -c 'echo x >/data/x' && quiet lodger logs x &&
        quiet lodger run --rm --network=none busybox true && quiet lodger rm -v -f -t 0 x || { echo "$1 FAILED: a life goes wrong"; return; }
    echo "$1 held"
}

read -r rounds
for round in 1 2 3; do life "$round"; done
clean || echo "0 FAILED: $(clean)"
numbers | sort >~/.before
began=$(date +%s); life 4 >/dev/null; sleep 1; few=$(lines "$began")
for round in $(seq 5 "$rounds"); do life "$round"; done
clean || echo "0 FAILED: $(clean)"
began=$(date +%s); life "$rounds" >/dev/null; sleep 1; many=$(lines "$began")
clean >/dev/null
# What ends by itself is given a moment.
for moment in $(seq 50); do
    numbers | sort >~/.after
    grown=$(join ~/.before ~/.after | awk '$3 > $2 { print $1, "from", $2, "to", $3 }')
    [ -z "$grown" ] && break
    sleep 0.1
done
[ -z "$grown" ] || echo "0 FAILED: grown: $grown" | tr '\n' ' '
[ -z "$grown" ] || echo
[ "$many" -le $((few + 4)) ] || echo "0 FAILED: a life writes $few lines into the journal at first and $many later"
