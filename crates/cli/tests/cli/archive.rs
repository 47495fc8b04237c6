//! A docker archive (`docker save`) of one small image, made in memory: a file, no program.

use sha2::{Digest, Sha256};

/// The archive of an image under these names.
pub(crate) fn archive(names: &[&str]) -> Vec<u8> {
    let mut layer = entry("etc/", b'5', b"");
    layer.extend(entry("etc/motd", b'0', b"hello\n"));
    layer.extend([0; 1024]);
    let config = format!(
        r#"{{"created":"2026-01-02T03:04:05Z","architecture":"amd64","os":"linux",
        "config":{{"Cmd":["serve","--now"],"Env":["A=1"],"ExposedPorts":{{"80/tcp":{{}}}},"Labels":{{"team":"web"}}}},
        "rootfs":{{"type":"layers","diff_ids":["sha256:{}"]}}}}"#,
        hex(&layer)
    );
    let config_name = format!("{}.json", hex(config.as_bytes()));
    let manifest = format!("[{{\"Config\":{config_name:?},\"RepoTags\":{names:?},\"Layers\":[\"layer.tar\"]}}]");
    let mut archive = entry("layer.tar", b'0', &layer);
    archive.extend(entry(&config_name, b'0', config.as_bytes()));
    archive.extend(entry("manifest.json", b'0', manifest.as_bytes()));
    archive.extend([0; 1024]);
    archive
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One ustar entry (POSIX pax(1)).
fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, if kind == b'5' { "0000755" } else { "0000644" });
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", content.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(257, "ustar\x0000");
    header[156] = kind;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}
