//! What goes wrong beside the beaten track: damage that is mended, starts that fail late, namespaces that others share.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    images_go_to_the_registry_and_are_found_there,
    what_is_damaged_is_found_and_fetched_again,
    a_service_whose_start_fails_late_leaves_one_error_and_nothing_else,
    a_container_stays_whose_namespaces_others_share,
];

fn images_go_to_the_registry_and_are_found_there(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice(
        "lodger run -d --name x --network=none busybox sleep 1000 && tar -C /usr/share -cf root.tar bash-completion",
    )?
    .ok();
    let plain = "--tls-verify=false";
    host.alice(&format!(
        "lodger push -q {plain} busybox 127.0.0.1:5001/mine/busybox:1 && lodger rmi -f 127.0.0.1:5001/mine/busybox:1 >/dev/null; \
         lodger pull -q {plain} 127.0.0.1:5001/mine/busybox:1 && \
         lodger run --rm --network=none 127.0.0.1:5001/mine/busybox:1 echo pushed"
    ))?
    .ok()
    .stdout_has("pushed\n");
    host.alice(&format!("lodger search {plain} --format '{{{{.Name}}}}' 127.0.0.1:5001/mine"))?
        .ok()
        .stdout_has("mine/busybox");
    host.alice("lodger import -q --change 'CMD [\"/bin/sh\"]' root.tar made:1 && lodger image inspect --format '{{.Config.Cmd}}' made:1")?
        .ok()
        .stdout_has("[/bin/sh]\n");
    // A registry that wants a name is told one, and says so where it is not.
    host.alice("lodger push -q busybox registry.test:5000/mine:1")?
        .fails(125)
        .stderr_has("Error: ")
        .stderr_has("hint: ");
    host.alice("lodger push -q --creds alice:wonderland busybox registry.test:5000/mine:1")?.ok();
    host.alice("lodger rm -f -t 0 x")?.ok();
    Ok(())
}

fn what_is_damaged_is_found_and_fetched_again(host: &Host) -> Result<()> {
    host.push("busybox")?;
    host.alice("lodger pull -q --tls-verify=false 127.0.0.1:5001/busybox")?.ok();
    host.write(
        "alice",
        ".config/containers/registries.conf",
        "[[registry]]\nlocation = \"127.0.0.1:5001\"\ninsecure = true\n",
    )?;
    host.alice("lodger create --name x 127.0.0.1:5001/busybox true && lodger system check")?.ok();
    let store = "cd ~/.local/share/lodger";
    let damages = [
        ("a deleted layer", "rm -rf layers/*"),
        ("a deleted file", "rm layers/*/diff/bin/busybox"),
        (
            "a flipped bit",
            "printf X | dd of=$(ls layers/*/diff/bin/busybox | head -1) bs=1 seek=5000 conv=notrunc status=none",
        ),
        (
            "a flipped bit in a config",
            "f=$(ls blobs/sha256/* | head -1); chmod u+w $f; printf X | dd of=$f bs=1 seek=9 conv=notrunc status=none",
        ),
    ];
    for (what, damage) in damages {
        host.alice(&format!("{store}; chmod -R u+w layers; {damage}"))?.ok();
        let found = host.alice("lodger system check")?.fails(125);
        assert!(!found.text().is_empty(), "{what} is not named");
        host.alice("lodger system check --repair")?.ok().stdout_has("repaired");
        host.alice("lodger system check && lodger run --rm --network=none 127.0.0.1:5001/busybox echo whole")?
            .ok()
            .stdout("whole\n");
    }
    // A record that is cut off is told; the rest goes on, and it can be removed.
    host.alice(&format!("{store}; f=$(ls containers/*/container.json); head -c 40 $f >cut && cat cut >$f && rm cut"))?
        .ok();
    host.alice("lodger system check")?.fails(125);
    host.alice("lodger run --rm --network=none 127.0.0.1:5001/busybox echo on; lodger rm -f $(ls .local/share/lodger/containers)")?
        .ok()
        .stdout_has("on\n");
    host.alice("lodger system check; lodger ps --all --quiet")?.ok().stdout("");
    Ok(())
}

fn a_service_whose_start_fails_late_leaves_one_error_and_nothing_else(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("mkdir closed && chmod 0 closed")?.ok();
    let failures = [
        ("--sysctl net.ipv4.nosuch=1", "nosuch"),
        ("-v /no/such:/x", "/no/such"),
        ("-v data:/etc/passwd/x", "/etc/passwd/x"),
        ("--workdir /etc/passwd", "/etc/passwd"),
        ("--device /dev/nosuch", "/dev/nosuch"),
        ("--user nobody-knows", "nobody-knows"),
    ];
    for (flag, word) in failures {
        for rest in ["-d", "-d --rm", "-d --restart=always", "--rm"] {
            let run = format!(
                "lodger run {rest} --name x --network=none {flag} busybox sleep 1000 >out 2>said; echo $?; grep -c ^Error: said; cat said >&2; \
                 lodger rm -f x >/dev/null"
            );
            let tried = host.alice(&run)?.ok().stderr_has(word);
            let text = tried.text().to_owned();
            assert!(["125\n1", "126\n1", "127\n1"].contains(&text.as_str()), "{rest} {flag}: {text}");
        }
    }
    host.alice(
        "lodger ps --all --quiet; lodger volume ls --quiet | grep -v ^data$; ls .local/share/lodger/run; \
         systemctl --user --plain --no-legend list-units --all 'lodger-x*'; pgrep -u alice -l -x 'sleep|pasta|lodger-relay'; true",
    )?
    .ok()
    .stdout("");
    Ok(())
}

fn a_container_stays_whose_namespaces_others_share(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name x --network=none busybox sleep 1000 && lodger run -d --name y --network=container:x busybox sleep 1000")?
        .ok();
    host.alice("lodger rm -f -t 0 x")?
        .fails(125)
        .stderr_has("has dependent containers which must be removed before it");
    host.alice("lodger ps --format '{{.Names}}' | sort")?.ok().stdout("x\ny\n");
    host.alice("lodger rm -f -t 0 --depend x | tail -1; lodger ps --all --quiet")?.ok().stdout("x\n");
    Ok(())
}
