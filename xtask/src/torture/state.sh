# What every part of the torture begins with: words for a user's lodger, and the question whether anything is left.
#
# `fixture` makes the state that everything returns to, `clean` says whether it has, `fail` tells what went wrong.

store=${XDG_DATA_HOME:-$HOME/.local/share}/lodger
runtime=${XDG_RUNTIME_DIR:-/nowhere}
group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup | sed 's|/user\.slice/user-\([0-9]*\).*|/user.slice/user-\1.slice|')
plain=127.0.0.1:5001
place=$HOME
lodger=/usr/local/bin/lodger

quiet() { "$@" >/dev/null 2>&1; }

# Nothing may take so long, not even on a machine that is busy.
lodger() {
    timeout --kill-after=5 60 "$lodger" "$@"
    code=$?
    [ $code != 124 ] && [ $code != 137 ] || echo "lodger $* did not end within a minute" >>~/hung
    return $code
}

# What is in the store besides the fixture, or runs, or is mounted, or stays in a place for what is temporary.
left() {
    (cd "$store" && ls -A containers names run volumes secrets tmp trash partial 2>/dev/null | grep -v -e : -e '^$'
        ls -A layers images blobs/sha256 | grep -v ':$' | sort | comm -13 ~/.fixture -)
    "$lodger" ps --all --format '{{.Names}} {{.State}}' 2>&1
    pgrep -u "$(id -u)" -l -x 'busybox|sleep|true|pasta|pasta.avx2|newuidmap|newgidmap|lodger|lodger-relay|lodger-init|strace'
    systemctl --user --plain --no-legend list-units --all 'lodger-*.service' 'lodger-*.scope' 2>/dev/null | grep -v -e '^lodger-keeper-' -e '^lodger-restart'
    grep -e "$store" /proc/self/mounts
    find "$group" -type d -name 'lodger-*' 2>/dev/null | grep -v keeper
    ls -A "$runtime/lodger" /tmp 2>/dev/null | grep -v -e : -e '^$' | sort | comm -13 ~/.temporary -
    ls -A ~ ~/.config/containers ~/.docker "$runtime/containers" 2>/dev/null | grep -e tmp -e '\.lodger' -e '\.new$'
    ss -Hltun 'sport = :8085 or sport = :8086'
    keepers=$(pgrep -c -u "$(id -u)" -x lodger-keeper)
    [ "$keepers" -le 1 ] || echo "$keepers keepers"
    [ ! -e ~/hung ] || cat ~/hung
}

# Whether nothing is left, given a moment for what ends by itself, and what the next command that removes something puts away.
clean() {
    for moment in $(seq 100); do
        left=$(left)
        [ -z "$left" ] && { sound; return; }
        [ "$moment" != 2 ] || quiet "$lodger" rm --force nothing
        sleep 0.05
    done
    echo "left: $left"
    return 1
}

# Whether lodger itself finds nothing to mend.
sound() {
    said=$("$lodger" system check 2>&1) && [ -z "$said" ] && return
    echo "system check: $said"
    return 1
}

# A store with one image, and what else there is before anything happens.
fixture() {
    quiet lodger image exists busybox || quiet lodger load -i /images/busybox.tar || return
    quiet lodger run --rm --network=none busybox true || return
    [ -e "$place/root.tar" ] || tar -C /usr/share -cf "$place/root.tar" bash-completion
    [ -e "$place/file" ] || head -c 1000000 /dev/urandom >"$place/file"
    head -c 1000 "$place/file" >"$place/small"
    (cd "$store" && ls -A layers images blobs/sha256 | grep -v ':$' | sort) >~/.fixture
    ls -A "$runtime/lodger" /tmp 2>/dev/null | grep -v -e : -e '^$' | sort >~/.temporary
}

# Back to the fixture by force, after something was found.
restore() {
    quiet "$lodger" rm --all --force --time 0 --volumes
    quiet "$lodger" volume prune --force
    for secret in $("$lodger" secret ls --quiet); do quiet "$lodger" secret rm "$secret"; done
    for image in $("$lodger" images --format '{{.Repository}}:{{.Tag}}' | grep -v -e '^localhost/busybox:latest$'); do
        quiet "$lodger" rmi --force "$image"
    done
    rm -f ~/hung
    fixture
}
