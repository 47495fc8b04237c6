//! scratch
use engine::containers::*;
use engine::launch::*;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let engine = engine::Engine::open(None).unwrap_or_else(|e| panic!("{}", e.chain()));
    match args[0].as_str() {
        "load" => for i in engine.load(args[1].as_ref()).unwrap_or_else(|e| panic!("{}", e.chain())) { println!("Loaded {}", i.name) },
        "run" => {
            let spec = spec::options::read(spec::options::Verb::Run, &[], &args[1..]).unwrap().spec;
            let detach = spec.lifecycle.detach; let inter = spec.process.interactive;
            let record = engine.create(NewContainer { spec, command: vec![] }, &|e| eprintln!("{e:?}")).unwrap_or_else(|e| panic!("{}", e.chain()));
            if detach {
                let c = engine.container(record.id.as_str()).unwrap();
                engine.start_detached(&c).unwrap_or_else(|e| panic!("{}", e.chain()));
                println!("{}", record.id);
            } else {
                let a = Attachment { input: if inter { StandardInput::Caller } else { StandardInput::Closed }, signals: runtime::foreground::Signals::Relay };
                let r = engine.run_in_foreground(&record, a).unwrap_or_else(|e| panic!("{}", e.chain()));
                std::process::exit(r.code.into());
            }
        }
        _ => {}
    }
}
