//! Fills a fresh store with containers and prints what it costs to make, list and find them: `list_speed STORE [COUNT]`.

use std::path::Path;
use std::time::Instant;
use store::{ContainerId, ContainerRecord, Durability, ProcessId, RunState, Store};

type Failure = Box<dyn std::error::Error>;

fn record(number: usize) -> ContainerRecord {
    let mut spec = spec::ContainerSpec::default();
    spec.identity.labels.insert("io.example.team".into(), "web".into());
    spec.root = spec::container::Root::Image("docker.io/library/nginx:1.27".into());
    spec.process.command = vec!["nginx".into(), "-g".into(), "daemon off;".into()];
    ContainerRecord {
        id: ContainerId::random(),
        name: format!("container{number}"),
        created: jiff::Timestamp::now(),
        image: None,
        spec: Box::new(spec),
        ids: None,
        create_command: "lodger run -d --name web -p 8080:80 -v data:/data nginx"
            .split(' ')
            .map(str::to_owned)
            .collect(),
        volumes: Vec::new(),
        mounted: Vec::new(),
        auto_remove: false,
        creator: None,
        unit: None,
        initialized: false,
    }
}

fn timed<T>(what: &str, per: usize, work: impl Fn() -> Result<T, store::Error>) -> Result<T, Failure> {
    let mut best = f64::MAX;
    let mut result = None;
    for _ in 0..7 {
        let start = Instant::now();
        result = Some(work()?);
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{what}: {:.3} ms, {:.1} us each", best * 1e3, best * 1e6 / per as f64);
    Ok(result.ok_or("no round")?)
}

fn main() -> Result<(), Failure> {
    let mut words = std::env::args_os().skip(1);
    let root = words.next().ok_or("usage: list_speed STORE [COUNT]")?;
    let count = words.next().map_or(Ok(1000), |count| count.to_string_lossy().parse::<usize>())?;
    let store = Store::open(Path::new(&root))?;
    let records: Vec<_> = (0..count).map(record).collect();
    let start = Instant::now();
    records.iter().try_for_each(|record| store.create_container(record, Durability::Volatile))?;
    println!("create: {:.1} us each", start.elapsed().as_secs_f64() * 1e6 / count as f64);
    let main = ProcessId::own().ok_or("no process")?;
    let state = RunState {
        boot_id: store::state::boot_id(),
        main,
        started_at: jiff::Timestamp::now(),
        unit: None,
        cgroup: None,
        paused: None,
        restarts: 0,
        helpers: Vec::new(),
    };
    records.iter().take(count / 10).try_for_each(|record| store.write_state(&record.id, &state))?;
    timed("open", 1, || Store::open(Path::new(&root)))?;
    timed("summaries", count, || store.container_summaries())?;
    timed("records", count, || store.containers())?;
    timed("running", count / 10, || store.running())?;
    timed("find by name", 1, || store.find_container("container7"))?;
    timed("find by ID", 1, || store.find_container(&records[7].id.as_str()[..12]))?;
    let start = Instant::now();
    let durable = record(count);
    store.create_container(&durable, Durability::Durable)?;
    println!("durable create: {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    records.iter().try_for_each(|record| store.remove_container(&record.id))?;
    println!("remove: {:.1} us each", start.elapsed().as_secs_f64() * 1e6 / count as f64);
    store.remove_container(&durable.id)?;
    Ok(())
}
