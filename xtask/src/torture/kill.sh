# Kills commands at the moments that standard input says, and demands that nothing is to be mended after it.
#
# A line: NUMBER VERB HOW PERMILLE. HOW is whose end it is:
#   time    lodger's, after this part of the time it takes
#   call    lodger's, before this part of the system calls that it makes
#   group   that of lodger and of what it started, after this part of the time
#   launch  that of the process that systemd starts for the unit
#   keeper  that of the keeper of the user namespace, while lodger works

# How long the command takes undisturbed, in microseconds: once for each verb.
measure() {
    [ -e ~/.taken/"$verb" ] && return
    mkdir -p ~/.taken
    prepare_"$verb" >/dev/null 2>&1 || { echo "cannot prepare $verb"; return 1; }
    began=$(date +%s%N)
    said=$("$lodger" $words 2>&1 </dev/null) || { echo "not even undisturbed: lodger $words: $said"; return 1; }
    took=$((($(date +%s%N) - began) / 1000))
    said=$(finish_"$verb" 2>&1) && said=$(clean) || { echo "not even undisturbed: $verb: $said"; return 1; }
    echo $took >~/.taken/"$verb"
}

# Which system calls it makes, but for the one by which it begins: that cannot be counted.
count() {
    [ -e ~/.taken/"$verb".calls ] && return
    prepare_"$verb" >/dev/null 2>&1
    strace -qq -e signal=none -o ~/.calls "$lodger" $words >/dev/null 2>&1 </dev/null
    said=$(finish_"$verb" 2>&1) && said=$(clean) || { echo "not even with strace: $verb: $said"; return 1; }
    sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' ~/.calls | grep -v -e '^execve$' -e '^exit' | awk '{ print $1, ++seen[$1] }' >~/.taken/"$verb".calls
}

# Runs the command and ends it as the line says.
strike() {
    took=$(cat ~/.taken/"$verb")
    moment=$(printf '0.%06d' $((took * permille / 1000 > 900000 ? 900000 : took * permille / 1000)))
    case $how in
    call)
        at=$(($(wc -l <~/.taken/"$verb".calls) * permille / 1300 + 1))
        call=$(sed -n "${at}p" ~/.taken/"$verb".calls)
        point="before ${call% *} number ${call#* }"
        quiet strace -qq -e signal=none -e trace=none -e "inject=${call% *}:signal=KILL:when=${call#* }" "$lodger" $words </dev/null
        return
        ;;
    group) set -m ;;
    esac
    point="after $moment s"
    "$lodger" $words >/dev/null 2>&1 </dev/null &
    pid=$!
    set +m
    sleep "$moment"
    case $how in
    time) kill -KILL $pid ;;
    group) kill -KILL -$pid ;;
    launch) pkill -KILL -u "$(id -u)" -f 'lodger .*[c]ontainer launch' ;;
    keeper) pkill -KILL -u "$(id -u)" -x lodger-keeper ;;
    esac 2>/dev/null
    wait $pid 2>/dev/null
}

fixture || { echo "no fixture: $(restore 2>&1)"; exit 1; }
while read -r number verb how permille; do
    if [ "$verb" = commit ] && ! "$lodger" commit --help >/dev/null 2>&1; then
        continue
    fi
    failed=
    point=
    words=$(command_"$verb")
    if said=$(measure 2>&1) && said=$([ "$how" != call ] || count 2>&1); then
        if said=$(prepare_"$verb" 2>&1 >/dev/null); then
            strike
            said=$(finish_"$verb" 2>&1 >/dev/null </dev/null) || failed="afterwards: ${said:-it fails}"
            found=$(clean) || failed="$failed $found"
        else
            failed="cannot be prepared: $said"
        fi
    else
        failed=$said
    fi
    [ -z "$failed" ] && { echo "$number held"; continue; }
    echo "$number FAILED: $verb killed by $how ${point-}: $failed" | tr '\n' ' '
    echo
    restore
done
