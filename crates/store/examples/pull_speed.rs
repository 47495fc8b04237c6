//! Unpacks the layers in a directory into a fresh store and prints what it took: `pull_speed LAYERS STORE [THREADS]`.
//!
//! LAYERS holds `*.tar`, `*.tar.gz` or `*.tar.zst` files. STORE is made and must not exist.

use sha2::{Digest as _, Sha256};
use spec::Digest;
use spec::oci::{Compression, Descriptor};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;
use store::{LayerPull, Limits, NewImage, Store, Wait};

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Layer {
    path: PathBuf,
    blob: Descriptor,
    diff_id: Digest,
    compression: Compression,
}

fn digest(mut input: impl Read) -> std::io::Result<(Digest, u64)> {
    let (mut hash, mut buffer, mut size) = (Sha256::new(), vec![0; 1 << 16], 0);
    loop {
        let count = input.read(&mut buffer)?;
        if count == 0 {
            return Ok((Digest::from_bytes(hash.finalize().into()), size));
        }
        hash.update(&buffer[..count]);
        size += count as u64;
    }
}

fn look_at(path: PathBuf) -> Result<Layer, Failure> {
    let open = || std::fs::File::open(&path);
    let (blob, size) = digest(open()?)?;
    let (compression, kind, diff_id) = match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => (Compression::Gzip, "tar+gzip", digest(flate2::read::MultiGzDecoder::new(open()?))?.0),
        Some("zst") => (Compression::Zstd, "tar+zstd", digest(zstd::stream::read::Decoder::new(open()?)?)?.0),
        _ => (Compression::None, "tar", blob),
    };
    let media_type = format!("application/vnd.oci.image.layer.v1.{kind}");
    let blob = Descriptor { media_type, digest: blob, size, platform: None, annotations: Default::default() };
    Ok(Layer { path, blob, diff_id, compression })
}

fn main() -> Result<(), Failure> {
    let mut words = std::env::args_os().skip(1);
    let (Some(layers), Some(root)) = (words.next(), words.next()) else {
        return Err("usage: pull_speed LAYERS STORE [THREADS]".into());
    };
    let threads = words.next().map_or(Ok(2), |count| count.to_string_lossy().parse::<usize>())?;
    let mut paths: Vec<_> =
        std::fs::read_dir(layers)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    let layers: Vec<_> = paths.into_iter().map(look_at).collect::<Result<_, _>>()?;

    let store = Store::open(Path::new(&root))?;
    let start = Instant::now();
    let pull = store.begin_pull(Limits::default())?;
    let todo = Mutex::new(layers.iter());
    std::thread::scope(|scope| -> Result<(), Failure> {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> Result<(), Failure> {
                    loop {
                        let next = todo.lock().map_err(|_| "a worker panicked")?.next();
                        let Some(layer) = next else { return Ok(()) };
                        let wait = Wait::forever();
                        match pull.layer(&layer.blob, &layer.diff_id, layer.compression, wait)? {
                            LayerPull::Present => {}
                            LayerPull::Stream(stream) => stream.run(std::fs::File::open(&layer.path)?, &|_| ())?,
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker panicked")?)
    })?;
    let unpacked = start.elapsed();
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id).collect();
    let config = serde_json::to_vec(&serde_json::json!({
        "os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}
    }))?;
    let blobs: Vec<_> = layers.iter().map(|layer| layer.blob.clone()).collect();
    let manifest = serde_json::to_vec(&serde_json::json!({
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(&config[..])?.0,
            "size": config.len(),
        },
        "layers": blobs,
    }))?;
    let name = spec::Reference::parse("localhost/speed:latest")?;
    let image = pull.commit(&NewImage {
        manifest: &manifest,
        config: &config,
        names: &[name],
        digests: &[],
        now: jiff::Timestamp::now(),
    })?;
    let all = start.elapsed();
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let compressed: u64 = layers.iter().map(|layer| layer.blob.size).sum();
    println!(
        "{} layers, {:.0} MB compressed, {:.0} MB of files: unpack {:.2} s ({:.0} MB/s compressed, {:.0} MB/s of files), sync and commit {:.2} s",
        layers.len(),
        megabytes(compressed),
        megabytes(image.size),
        unpacked.as_secs_f64(),
        megabytes(compressed) / unpacked.as_secs_f64(),
        megabytes(image.size) / unpacked.as_secs_f64(),
        (all - unpacked).as_secs_f64(),
    );
    let status = std::fs::read_to_string("/proc/self/status")?;
    status
        .lines()
        .filter(|line| line.starts_with("VmHWM") || line.starts_with("RssAnon"))
        .for_each(|line| println!("{line}"));
    Ok(())
}
