# The verbs that change something: what is prepared, the command, and what must succeed afterwards and leave the fixture.
#
# `place` is where files of the user's own are.

gone() { while quiet pgrep -u "$(id -u)" -x "$1"; do sleep 0.01; done; }

# Each verb: what is prepared, the command, and what must succeed afterwards and leave the fixture.
prepare_create() { :; }
command_create() { echo create --name c -v /data busybox true; }
finish_create() { quiet lodger rm -v c; again && lodger rm -v c; }

prepare_run() { :; }
command_run() { echo run --rm --name c -v /data -p 8085:80 busybox true; }
finish_run() { gone lodger; gone true; again; }

prepare_detach() { :; }
command_detach() { echo run -d --name c -v /data --network=none busybox sleep 1000; }
finish_detach() { quiet lodger rm -v -f -t 0 c; again && lodger exec c true && lodger rm -v -f -t 0 c; }

prepare_publish() { :; }
command_publish() { echo run -d --name c -p 8085:80 -p 8086:80/udp --restart=always busybox sleep 1000; }
finish_publish() { quiet lodger rm -v -f -t 0 c; again && lodger exec c true && lodger rm -v -f -t 0 c; }

prepare_start() { lodger create --name c -p 8085:80 busybox sleep 1000; }
command_start() { echo start c; }
finish_start() { again && lodger exec c true && lodger rm -v -f -t 0 c; }

running() { lodger run -d --name c -v /data --network=none busybox sleep 1000; }
prepare_stop() { running; }
command_stop() { echo stop -t 0 c; }
finish_stop() { again && [ "$(lodger ps -a --format '{{.State}}')" = exited ] && lodger start c && lodger rm -v -f -t 0 c; }

prepare_restart() { lodger run -d --name c -p 8085:80 busybox sleep 1000; }
command_restart() { echo restart -t 0 c; }
finish_restart() { again && lodger exec c true && lodger rm -v -f -t 0 c; }

prepare_kill() { running; }
command_kill() { echo kill c; }
finish_kill() { quiet lodger kill c; quiet lodger wait c; lodger rm -v c; }

prepare_rm() { lodger create --name c -v /data busybox true; }
command_rm() { echo rm -v c; }
finish_rm() { quiet lodger rm -v c; lodger rm -v c; [ $? = 1 ] && lodger create --name c busybox && lodger rm c; }

prepare_rmf() { lodger run -d --name c -v /data -p 8085:80 busybox sleep 1000; }
command_rmf() { echo rm -v -f -t 0 c; }
finish_rmf() { again && { lodger rm -v c; [ $? = 1 ]; }; }

prepare_rename() { lodger create --name c -v /data busybox true; }
command_rename() { echo rename c d; }
finish_rename() {
    quiet lodger rename c d
    lodger container exists d && ! lodger container exists c && lodger create --name c busybox && lodger rm -v c d
}

prepare_pause() { running; }
command_pause() { echo pause c; }
finish_pause() { quiet lodger pause c; quiet lodger unpause c; lodger exec c true && lodger rm -v -f -t 0 c; }

prepare_unpause() { running && { lodger pause c || :; }; }
command_unpause() { echo unpause c; }
finish_unpause() { quiet lodger unpause c; lodger exec c true && lodger rm -v -f -t 0 c; }

prepare_update() { running; }
command_update() { echo update --restart=on-failure:3 c; }
finish_update() {
    again && [ "$(lodger inspect --format '{{.HostConfig.RestartPolicy.Name}}' c)" = on-failure ] && lodger exec c true &&
        lodger rm -v -f -t 0 c
}

prepare_copyin() { running; }
command_copyin() { echo cp "$place/file" c:/file; }
finish_copyin() { again && lodger exec c cat /file | cmp - $place/file && lodger rm -v -f -t 0 c; }

prepare_copyout() { running; }
command_copyout() { echo cp c:/bin/busybox "$place/out"; }
finish_copyout() { again && rm -rf $place/out && lodger rm -v -f -t 0 c; }

prepare_exec() { running; }
command_exec() { echo exec c true; }
finish_exec() { gone lodger; gone true; again && [ "$(lodger top c pid | wc -l)" = 2 ] && lodger rm -v -f -t 0 c; }

prepare_execd() { running; }
command_execd() { echo exec -d c true; }
finish_execd() { gone lodger; gone true; again && gone true && lodger rm -v -f -t 0 c; }

prepare_pull() { quiet lodger rmi -f $plain/guest; :; }
command_pull() { echo pull -q --tls-verify=false $plain/guest; }
finish_pull() { again && lodger run --rm --network=none --entrypoint '[]' $plain/guest /bin/true && lodger rmi $plain/guest; }

prepare_load() { :; }
command_load() { echo load -q -i /images/guest.tar; }
finish_load() { again && lodger rmi guest; }

prepare_rmi() { lodger load -q -i /images/guest.tar; }
command_rmi() { echo rmi guest; }
finish_rmi() { lodger rmi -f guest; ! lodger image exists guest; }

prepare_tag() { :; }
command_tag() { echo tag busybox other:1; }
finish_tag() { again && lodger untag busybox other:1 && lodger image exists busybox; }

prepare_untag() { lodger tag busybox other:1; }
command_untag() { echo untag busybox other:1; }
finish_untag() { quiet lodger untag busybox other:1; ! lodger image exists other:1 && lodger image exists busybox; }

prepare_save() { rm -f $place/saved.tar; }
command_save() { echo save -q -o "$place/saved.tar" busybox; }
finish_save() { rm -f $place/saved.tar; again && tar -tf $place/saved.tar && rm -f $place/saved.tar; }

prepare_import() { :; }
command_import() { echo import -q "$place/root.tar" imported; }
finish_import() { again && lodger rmi imported && lodger image prune -f; }

prepare_push() { :; }
command_push() { echo push -q --tls-verify=false busybox $plain/pushed; }
finish_push() { again; }

prepare_volume() { :; }
command_volume() { echo volume create v; }
finish_volume() { quiet lodger volume create v; lodger volume inspect v && lodger volume rm v; }

prepare_volumerm() { lodger volume create v && lodger run --rm --network=none -v v:/v busybox touch /v/x; }
command_volumerm() { echo volume rm v; }
finish_volumerm() { quiet lodger volume rm v; lodger volume create v && lodger volume rm v; }

prepare_volumeprune() { lodger volume create v; }
command_volumeprune() { echo volume prune -f; }
finish_volumeprune() { again && ! lodger volume exists v; }

prepare_volumeimport() { lodger volume create v; }
command_volumeimport() { echo volume import v "$place/root.tar"; }
finish_volumeimport() { again && lodger run --rm --network=none -v v:/v busybox ls /v/bash-completion && lodger volume rm v; }

prepare_secret() { :; }
command_secret() { echo secret create s "$place/small"; }
finish_secret() { quiet lodger secret rm s; lodger secret create s $place/small && lodger secret rm s; }

prepare_secretrm() { echo x | lodger secret create s -; }
command_secretrm() { echo secret rm s; }
finish_secretrm() { quiet lodger secret rm s; ! lodger secret exists s; }

prepare_login() { quiet lodger logout registry.test:5000; :; }
command_login() { echo login -u alice -p wonderland registry.test:5000; }
finish_login() { again && lodger login --get-login registry.test:5000 && lodger logout registry.test:5000; }

prepare_logout() { lodger login -u alice -p wonderland registry.test:5000; }
command_logout() { echo logout registry.test:5000; }
finish_logout() { quiet lodger logout registry.test:5000; ! lodger login --get-login registry.test:5000; }

prepare_prune() { lodger create --name c -v /data busybox true && lodger volume create v; }
command_prune() { echo system prune -f --volumes; }
finish_prune() { again && ! lodger container exists c && { quiet lodger volume rm v; :; }; }

prepare_commit() { lodger create --name c busybox true; }
command_commit() { echo commit -q c committed; }
finish_commit() { again && lodger rm c && lodger rmi committed; }

# The verb's command once more, whole.
again() {
    said=$(lodger $words 2>&1 </dev/null) && return
    echo "the second time: lodger $words: $said" >&2
    return 1
}
