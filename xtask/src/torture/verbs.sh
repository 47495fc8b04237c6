# The verbs that change something: what is prepared, the command, and what must succeed afterwards and leave the fixture.
#
# `place` is where files of the user's own are.

gone() { while quiet pgrep -u "$(id -u)" -x "$1"; do sleep 0.01; done; }

# Each verb: what is prepared, the command, and what must succeed afterwards and leave the fixture.
prepare_create() { :; }
command_create() { echo create --name x -v /data busybox true; }
finish_create() { quiet lodger rm -v x; again && lodger rm -v x; }

prepare_run() { :; }
command_run() { echo run --rm --name x -v /data -p 8085:80 busybox true; }
finish_run() { gone lodger; gone true; again; }

prepare_detach() { :; }
command_detach() { echo run -d --name x -v /data --network=none busybox sleep 1000; }
finish_detach() { quiet lodger rm -v -f -t 0 x; again && lodger exec x true && lodger rm -v -f -t 0 x; }

prepare_publish() { :; }
command_publish() { echo run -d --name x -p 8085:80 -p 8086:80/udp --restart=always busybox sleep 1000; }
finish_publish() { quiet lodger rm -v -f -t 0 x; again && lodger exec x true && lodger rm -v -f -t 0 x; }

prepare_start() { lodger create --name x -p 8085:80 busybox sleep 1000; }
command_start() { echo start x; }
finish_start() { again && lodger exec x true && lodger rm -v -f -t 0 x; }

running() { lodger run -d --name x -v /data --network=none busybox sleep 1000; }
prepare_stop() { running; }
command_stop() { echo stop -t 0 x; }
finish_stop() { again && [ "$(lodger ps -a --format '{{.State}}')" = exited ] && lodger start x && lodger rm -v -f -t 0 x; }

prepare_restart() { lodger run -d --name x -p 8085:80 busybox sleep 1000; }
command_restart() { echo restart -t 0 x; }
finish_restart() { again && lodger exec x true && lodger rm -v -f -t 0 x; }

prepare_kill() { running; }
command_kill() { echo kill x; }
finish_kill() { quiet lodger kill x; quiet lodger wait x; lodger rm -v x; }

prepare_rm() { lodger create --name x -v /data busybox true; }
command_rm() { echo rm -v x; }
finish_rm() { quiet lodger rm -v x; lodger rm -v x; [ $? = 1 ] && lodger create --name x busybox && lodger rm x; }

prepare_rmf() { lodger run -d --name x -v /data -p 8085:80 busybox sleep 1000; }
command_rmf() { echo rm -v -f -t 0 x; }
finish_rmf() { again && { lodger rm -v x; [ $? = 1 ]; }; }

prepare_rename() { lodger create --name x -v /data busybox true; }
command_rename() { echo rename x y; }
finish_rename() {
    quiet lodger rename x y
    lodger container exists y && ! lodger container exists x && lodger create --name x busybox && lodger rm -v x y
}

prepare_pause() { running; }
command_pause() { echo pause x; }
finish_pause() { quiet lodger pause x; quiet lodger unpause x; lodger exec x true && lodger rm -v -f -t 0 x; }

prepare_unpause() { running && { lodger pause x || :; }; }
command_unpause() { echo unpause x; }
finish_unpause() { quiet lodger unpause x; lodger exec x true && lodger rm -v -f -t 0 x; }

prepare_update() { running; }
command_update() { echo update --restart=on-failure:3 x; }
finish_update() {
    again && [ "$(lodger inspect --format '{{.HostConfig.RestartPolicy.Name}}' x)" = on-failure ] && lodger exec x true &&
        lodger rm -v -f -t 0 x
}

prepare_copyin() { running; }
command_copyin() { echo cp "$place/file" x:/file; }
finish_copyin() { again && lodger exec x cat /file | cmp - $place/file && lodger rm -v -f -t 0 x; }

prepare_copyout() { running; }
command_copyout() { echo cp x:/bin/busybox "$place/out"; }
finish_copyout() { again && rm -rf $place/out && lodger rm -v -f -t 0 x; }

prepare_exec() { running; }
command_exec() { echo exec x true; }
finish_exec() { gone lodger; gone true; again && [ "$(lodger top x pid | wc -l)" = 2 ] && lodger rm -v -f -t 0 x; }

prepare_execd() { running; }
command_execd() { echo exec -d x true; }
finish_execd() { gone lodger; gone true; again && gone true && lodger rm -v -f -t 0 x; }

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

prepare_prune() { lodger create --name x -v /data busybox true && lodger volume create v; }
command_prune() { echo system prune -f --volumes; }
finish_prune() { again && ! lodger container exists x && { quiet lodger volume rm v; :; }; }

prepare_commit() { lodger create --name x busybox true; }
command_commit() { echo commit -q x committed; }
finish_commit() { again && lodger rm x && lodger rmi committed && lodger image prune --force; }

# The verb's command once more, whole.
again() {
    said=$(lodger $words 2>&1 </dev/null) && return
    echo "the second time: lodger $words: $said" >&2
    return 1
}
