//! Unit files that nobody wrote. See `xtask::fuzz`.

use crate::{read_container, write_container};
use std::path::Path;
use xtask::fuzz::Target;

#[test]
fn unit() {
    let seeds: [&[u8]; 3] = [
        b"[Unit]\nDescription=A web server\n\n[Container]\nImage=docker.io/library/nginx\nPublishPort=8080:80\nVolume=data:/data:Z\nEnvironment=A=b \"C=d e\"\n\n[Install]\nWantedBy=default.target\n",
        b"[Container]\nImage=x\nExec=sh -c \"echo $$HOME %n\" \\\n  # a comment\n  more\nPodmanArgs=--cpus 2 --label 'a=b c'\nEnvironment=\nNetwork=host\n",
        b"# comment\n[Container]\nContainerName=one\nImage=y\nLabel=\"a=b\" c=d\nDropCapability=all\nMount=type=bind,src=/a,dst=/b\nSecret=s,type=env\n",
    ];
    let words = [
        "[Container]",
        "[Service]",
        "[",
        "]",
        "=",
        "\\\n",
        "\n",
        "%",
        "$",
        "\"",
        "'",
        "\\x41",
        "Image=",
        "Exec=",
        "PodmanArgs=",
        "Environment=",
        "Label=",
        "Volume=",
        "Mount=",
        "#",
        ";",
        "--",
    ];
    Target { name: "unit", seeds: &seeds, words: &words }.run(|input| {
        let text = String::from_utf8_lossy(input);
        match read_container(&text, Path::new("/etc/containers/systemd/web.container")) {
            Ok(unit) => match write_container(&unit.spec) {
                // What is written reads as the same.
                Ok(written) => match read_container(&written, Path::new("")) {
                    Ok(again) => {
                        assert_eq!(again.spec, unit.spec, "{written}");
                        "fine".to_owned()
                    }
                    Err(wrong) => panic!("{written}\n{wrong:?}"),
                },
                Err(error) => error.to_string(),
            },
            Err(wrong) => wrong.first().map(ToString::to_string).unwrap_or_default(),
        }
    });
}
