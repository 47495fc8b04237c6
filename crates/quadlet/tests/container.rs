//! `.container` files as a user writes them, and the way back.

use proptest::prelude::*;
use proptest::string::string_regex;
use quadlet::{Reload, Unit, read_container, write_container};
use spec::ContainerSpec;
use spec::container::Root;
use spec::lifecycle::SdNotify;
use spec::options::{Opt, args, samples};
use std::path::Path;

fn read(text: &str) -> Unit {
    read_container(text, Path::new("web.container"))
        .unwrap_or_else(|wrong| panic!("{}", wrong.iter().map(|w| format!("{w}\n")).collect::<String>()))
}

/// The spec as a command line.
fn line(text: &str) -> String {
    args(&read(text).spec).join(" ")
}

/// Each mistake as `line:column: what (hint)`.
fn mistakes(text: &str) -> Vec<String> {
    let wrong = read_container(text, Path::new("web.container")).expect_err("has mistakes");
    let shown =
        |w: &quadlet::Diagnostic| format!("{w}{}", w.hint.as_ref().map(|h| format!(" ({h})")).unwrap_or_default());
    wrong.iter().map(shown).collect()
}

const WEB: &str = r#"# A web server
[Unit]
Description=Web
After=db.container

[Container]
Image=localhost/web:1
ContainerName=web
Exec=nginx -g 'daemon off;' \
  -c "/etc/nginx/nginx.conf"
Environment=A=1 "B=2 3" C
Environment=A=4
Volume=data:/srv/data
Tmpfs=/run:size=16m
Volume=/etc/site:/etc/nginx:ro
PublishPort=127.0.0.1:8080:80
PublishPort=8443:443/tcp,53:53/udp
AddCapability=NET_BIND_SERVICE CAP_CHOWN
NoNewPrivileges=yes
User=www
Group=www
Notify=true
Label=a=b "c=d e"
SecurityLabelDisable=true
AutoUpdate=registry
StopTimeout=30
ReadOnly=on
PodmanArgs=--memory-swap -1 --rm
ServiceName=frontend
ReloadSignal=SIGHUP

[Service]
Restart=always
"#;

#[test]
fn a_file_says_what_a_command_line_says() {
    let unit = read(WEB);
    assert_eq!(
        args(&unit.spec).join("\n"),
        "--name=web\n--label=a=b\n--label=c=d e\n--label=io.containers.autoupdate=registry\n--user=www:www\n--env=A=4\n\
         --env=B=2 3\n--env=C\n--volume=data:/srv/data\n--tmpfs=/run:size=16m\n\
         --mount=type=bind,source=/etc/site,target=/etc/nginx,ro\n--read-only\n--publish=127.0.0.1:8080:80\n\
         --publish=8443:443\n--publish=53:53/udp\n--cap-add=NET_BIND_SERVICE\n--cap-add=CHOWN\n\
         --security-opt=no-new-privileges\n--security-opt=label=disable\n--memory-swap=-1\n--rm\n--stop-timeout=30\n\
         --sdnotify=container\n\
         localhost/web:1\nnginx\n-g\ndaemon off;\n-c\n/etc/nginx/nginx.conf"
    );
    assert_eq!(unit.service_name.as_deref(), Some("frontend"));
    assert!(matches!(unit.reload, Some(Reload::Signal(signal)) if signal.number() == 1));
    let names: Vec<&str> = unit.sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["Unit", "Service"]);
    assert_eq!(unit.sections[1].entries[0].value.text, "always");
}

#[test]
fn the_last_of_single_values_and_an_empty_assignment_count() {
    for (keys, expected) in [
        ("Image=a\nImage=b", "b"),
        ("Image=a\nContainerName=x\nContainerName=", "a"),
        ("Image=a\nContainerName=-wrong-\nContainerName=right", "--name=right a"),
        ("Image=a\nExec=one two\nExec=three", "a three"),
        ("Image=a\nExec=one\nExec=", "a"),
        ("Image=a\nEntrypoint=", "--entrypoint= a"),
        ("Image=a\nEntrypoint=\"\"", "--entrypoint= a"),
        ("Image=a\nVolume=v:/v\nVolume=\nVolume=w:/w", "--volume=w:/w a"),
        ("Image=a\nEnvironment=A=1 B=2\nEnvironment=\nEnvironment=C=3", "--env=C=3 a"),
        ("Image=a\nHttpProxy=no", "--http-proxy=false a"),
        ("Image=a\nNotify=yes", "--sdnotify=container a"),
        ("Rootfs=/srv/root:O\nExec=/init", "--rootfs /srv/root:O /init"),
        ("Image=a\nAnnotation=x=1,2", "--annotation=\"x=1,2\" a"),
    ] {
        assert_eq!(line(&format!("[Container]\n{keys}\n")), expected, "{keys}");
    }
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_way_out() {
    assert_eq!(
        mistakes(
            "[Container]\nImgae=x\nPublishPort=80\nPublishPort=80:99999\nEnvironment=A=1 =2\nExec=sh 'open\n\
             AddCapability=NET_RAW \\\n  NET_ADMN\nPod=x.pod\nGroup=5\nPodmanArgs=--pubish 80\nnonsense\n"
        ),
        [
            "1:1: neither Image= nor Rootfs= in [Container]",
            "2:1: unknown key \"Imgae\" in [Container] (did you mean Image?)",
            "4:13: PublishPort: invalid port \"99999\": expected a number from 1 to 65535, or first-last",
            "5:17: Environment: invalid environment variable \"\": must not be empty",
            "6:9: Exec: this quote is not closed",
            "8:3: AddCapability: unknown capability \"NET_ADMN\", did you mean NET_ADMIN?",
            "9:1: Pod= cannot be used: pods are not supported yet (--network=container:NAME lets containers share one network)",
            "10:1: Group= needs User=",
            "11:12: PodmanArgs: unknown flag: --pubish (did you mean --publish?)",
            "12:1: expected Key=value, found \"nonsense\"",
        ]
    );
    assert_eq!(mistakes("[Service]\nRestart=no\n"), ["1:1: no [Container] section"]);
    assert_eq!(
        mistakes("[Container]\nImage=a\nRootfs=/b\nReloadCmd=x\nReloadSignal=HUP\nServiceName=a/b\n"),
        [
            "3:8: Rootfs: a container has an image or a root directory, not both",
            "5:1: ReloadCmd= and ReloadSignal= exclude each other",
            "6:13: ServiceName: invalid service name \"a/b\": expected letters, digits and :-_.\\@",
        ]
    );
    assert_eq!(
        mistakes("[Container]\nImage=a\nPodmanArgs=--sig-proxy=false stray\n"),
        [
            "3:12: PodmanArgs: --sig-proxy has no meaning in a service",
            "3:30: PodmanArgs: expected a flag, found \"stray\"",
        ]
    );
}

#[test]
fn relative_paths_are_the_file_s() {
    let text = "[Container]\nImage=a\nVolume=./site:/site\nVolume=../up:/up\nMount=type=bind,src=conf,dst=/conf\n\
                EnvironmentFile=env /abs/env %t/env ./%n/env\nSeccompProfile=../../../../p.json\nVolume=named:/n\n\
                PodmanArgs=--volume ./kept:/kept\n";
    let unit = read_container(text, Path::new("/etc/containers/systemd/web.container")).unwrap();
    assert_eq!(
        args(&unit.spec).join("\n"),
        "--env-file=/etc/containers/systemd/env\n--env-file=/abs/env\n--env-file=%t/env\n\
         --env-file=/etc/containers/systemd/%n/env\n--volume=/etc/containers/systemd/site:/site\n\
         --volume=/etc/containers/up:/up\n--volume=/etc/containers/systemd/conf:/conf\n--volume=named:/n\n\
         --volume=./kept:/kept\n--security-opt=seccomp=/p.json\na"
    );
}

#[test]
fn a_spec_is_written_with_keys_where_there_are_keys() {
    let spec = read(WEB).spec;
    assert_eq!(
        write_container(&spec).unwrap(),
        r#"[Container]
ContainerName=web
Label=a=b
Label="c=d e"
Label=io.containers.autoupdate=registry
Image=localhost/web:1
Exec=nginx -g "daemon off;" -c /etc/nginx/nginx.conf
User=www
Group=www
Environment=A=4
Environment="B=2 3"
Environment=C
Volume=data:/srv/data
Tmpfs=/run:size=16m
Mount=type=bind,source=/etc/site,target=/etc/nginx,ro
ReadOnly=true
PublishPort=127.0.0.1:8080:80
PublishPort=8443:443
PublishPort=53:53/udp
AddCapability=NET_BIND_SERVICE
AddCapability=CHOWN
NoNewPrivileges=true
SecurityLabelDisable=true
StopTimeout=30
Notify=true
PodmanArgs=--memory-swap=-1
PodmanArgs=--rm
"#
    );
}

#[test]
fn what_keys_cannot_say_goes_to_podman_args() {
    let mut spec = ContainerSpec { root: Root::Image("a".to_owned()), ..ContainerSpec::default() };
    spec.lifecycle.sdnotify = Some(SdNotify::Ignore);
    spec.process.user = Some(":5".to_owned());
    spec.process.env_merge.insert("A".to_owned(), "one\ntwo".to_owned());
    spec.security.label = vec!["user:u".to_owned(), "type:t".to_owned()];
    let text = write_container(&spec).unwrap();
    assert_eq!(
        text,
        "[Container]\nImage=a\nSecurityLabelType=t\nPodmanArgs=--user=:5\nPodmanArgs=\"--env-merge=A=one\\ntwo\"\n\
         PodmanArgs=--security-opt=label=user:u\nPodmanArgs=--sdnotify=ignore\n"
    );
    assert_eq!(read(&text).spec, spec);
}

#[test]
fn a_value_that_no_file_can_say_is_an_error_and_not_another_value() {
    let spec = ContainerSpec { root: Root::Image("a\nImage=b".to_owned()), ..ContainerSpec::default() };
    assert!(write_container(&spec).is_err());
}

/// A row and one of its values.
fn setting() -> impl Strategy<Value = (&'static Opt, String)> {
    let rows = samples::all();
    (0..rows.len()).prop_flat_map(move |at| {
        let (row, values) = rows[at];
        string_regex(values).expect("a sample is a regular expression").prop_map(move |value| (row, value))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_spec_survives_its_file(settings in prop::collection::vec(setting(), 0..25)) {
        let mut spec = ContainerSpec::default();
        for (row, value) in &settings {
            let before = spec.clone();
            if samples::set(&mut spec, row, value).is_err() {
                spec = before;
            }
        }
        if spec.root == Root::default() {
            spec.root = Root::Image("localhost/web".to_owned());
        }
        let text = write_container(&spec).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let unit = read_container(&text, Path::new("web.container"));
        let unit = unit.map_err(|wrong| TestCaseError::fail(format!("{text}\n{wrong:?}")))?;
        prop_assert_eq!(&unit.spec, &spec, "{}", text);
        prop_assert_eq!(write_container(&unit.spec).expect("it was written before"), text);
    }

    #[test]
    fn any_file_is_read_or_refused(lines in prop::collection::vec(
        "(Image|Exec|Volume|Mount|Environment|PodmanArgs|Network|User|Sysctl)=[ -~]{0,20}\\\\?|\\PC{0,10}", 0..8,
    )) {
        let _ = read_container(&format!("[Container]\n{}", lines.join("\n")), Path::new("/a/web.container"));
    }
}
