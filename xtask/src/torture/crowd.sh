# Many users' hands on the same few things at once. Standard input says what each does: WORKER WORDS…, in its order.
#
# Who comes too late is told so: the thing is gone, taken, in use, not running. Nobody waits without end, nothing panics,
# and at the end nothing is left.

expected='does not exist|no such object|start unit .*: job (failed|canceled)|no such container|no such volume|image not known|is already in use|is not running|can only .* running|not running|in use by|is being used|is in use|already paused|not paused|container state improper|was removed meanwhile|is being removed|has been removed|could not be found|is locked by|cannot be (removed|renamed)|running or paused|has ended|is gone|ended (before|meanwhile)'

cp "$place/file" "$place/other"
fixture || exit 1
mkdir -p ~/crowd
rm -rf ~/crowd/*
while read -r worker words; do echo "$words" >>~/crowd/"$worker"; done
for file in ~/crowd/*; do
    (
        while read -r words; do
            said=$(lodger $words 2>&1 </dev/null)
            code=$?
            [ $code = 0 ] && { echo "0 held"; continue; }
            case $said in
            *panicked*) wrong=yes ;;
            *) if [ $code -ge 124 ] && [ $code != 125 ] && [ $code != 126 ] && [ $code != 127 ]; then wrong=yes; else
                echo "$said" | grep '^Error: ' | grep -q -v -i -E "$expected" && wrong=yes || wrong=
                # A command that is given no chance to fail.
                case $words in "run --rm "*|pull*|ps*|images*|"system "*|load*) wrong=yes ;; esac
            fi ;;
            esac
            # A container that another hand stops while a program runs in it, or that is stopped while it starts.
            case "$words $code" in exec*137 | "exec "*255) wrong= ;; esac
            [ -n "$wrong" ] && echo "0 FAILED: $words: status $code: $said" | tr '\n' ' ' && echo || echo "0 held"
        done <"$file"
    ) >"$file.said" &
done
wait
cat ~/crowd/*.said
rm -rf "$place/other"* ~/crowd
quiet lodger rmi -f $plain/guest guest
quiet lodger rm --all --force --time 0 --volumes
quiet lodger volume prune --force
found=$(clean) && echo "0 held" || { echo "0 FAILED: after the crowd: $found" | tr '\n' ' '; echo; }
