//! `workloads WORKLOAD --threads N`: times one workload, or measures the machine's peak, and prints one JSON line.

use std::process::ExitCode;

use benches::peak::peak;
use benches::timing::peak_memory;
use benches::workloads::{WORKLOADS, Workload};

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok((Task::Peak, threads)) => {
            print_peak(threads);
            ExitCode::SUCCESS
        }
        Ok((Task::Workload(workload), threads)) => run(workload, threads),
        Err(message) => {
            eprintln!("{message}\n\nworkloads WORKLOAD [--threads N], where WORKLOAD is");
            for workload in WORKLOADS {
                eprintln!("  {:<10} {}", workload.name, workload.description);
            }
            eprintln!("  {:<10} the rate of fused multiply-adds that no step can surpass", "peak");
            ExitCode::from(2)
        }
    }
}

enum Task {
    Peak,
    Workload(&'static Workload),
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(Task, usize), String> {
    let (mut task, mut threads) = (None, 1);
    while let Some(argument) = arguments.next() {
        if argument == "--threads" {
            let count = arguments.next().and_then(|count| count.parse().ok());
            threads = count.filter(|&count| count > 0).ok_or("--threads needs a number from 1 on")?;
        } else if argument == "peak" {
            task = Some(Task::Peak);
        } else {
            let found = WORKLOADS.iter().find(|workload| workload.name == argument);
            task = Some(Task::Workload(found.ok_or_else(|| format!("unknown workload `{argument}`"))?));
        }
    }
    Ok((task.ok_or("which workload?")?, threads))
}

fn print_peak(threads: usize) {
    for (scalar, (gflops, instructions)) in [("f32", peak::<f32>(threads)), ("f64", peak::<f64>(threads))] {
        println!(
            r#"{{"peer":"peak","scalar":"{scalar}","instructions":"{instructions}","threads":{threads},"gflops":{gflops:.1}}}"#
        );
    }
}

fn run(workload: &Workload, threads: usize) -> ExitCode {
    let library = ["backprop", env!("CARGO_PKG_VERSION")];
    match (workload.run)(threads) {
        Ok(measured) => {
            println!("{}", measured.line(library, workload.name, threads, peak_memory()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            let [peer, version] = library;
            println!(
                r#"{{"peer":"{peer}","version":"{version}","workload":"{}","threads":{threads},"failed":"{error}"}}"#,
                workload.name
            );
            ExitCode::FAILURE
        }
    }
}
