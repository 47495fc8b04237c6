# A verb on a disk that has so much room: it succeeds, or says that there is none; once there is room, all is well.
#
# Lines: NUMBER VERB blocks|inodes LEFT. The store lies on the disk, and so do the files that verbs read and write.

export XDG_DATA_HOME=~/disk
store=~/disk/lodger
place=~/disk
fixture || { echo "0 FAILED: no fixture"; exit; }

# Leaves so many free blocks or inodes.
fill() {
    case $1 in
    blocks) head -c $((($(stat -f -c %a ~/disk) - $2) * 4096)) /dev/zero >~/disk/filler ;;
    inodes)
        mkdir ~/disk/fillers && cd ~/disk/fillers && seq $(($(stat -f -c %d ~/disk) - $2)) | xargs touch
        cd
        ;;
    esac 2>/dev/null
}

empty() { rm -rf ~/disk/filler ~/disk/fillers; }

while read -r number verb what room; do
    failed=
    words=$(command_"$verb")
    if said=$(prepare_"$verb" 2>&1 >/dev/null); then
        fill "$what" "$room"
        said=$(lodger $words 2>&1 >/dev/null </dev/null)
        code=$?
        if [ $code != 0 ]; then
            # What a container itself has no room for, it says itself.
            [ "$(echo "$said" | grep -c '^Error: ')" = 1 ] && echo "$said" | grep -q -i 'no space left' && echo "$said" | grep -q '^hint: ' ||
                failed="status $code: $said;"
            [ $code = 125 ] || [ $code = 126 ] || [ $code = 1 ] || failed="status $code: $said;"
        fi
        quiet lodger ps -a || failed="$failed ps fails;"
        quiet lodger images || failed="$failed images fails;"
        empty
        said=$(finish_"$verb" 2>&1 >/dev/null </dev/null) || failed="$failed afterwards: ${said:-it fails}"
        found=$(clean) || failed="$failed $found"
    else
        failed="cannot be prepared: $said"
    fi
    [ -z "$failed" ] && { echo "$number held"; continue; }
    echo "$number FAILED: $verb with $room $what left: $failed" | tr '\n' ' '
    echo
    restore
done
