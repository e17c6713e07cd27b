//! The live tests on many kernels, each in its preempt modes: distribution kernels,
//! booted in emulated machines.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use exectrail_object::Tree;
use serde_json::json;

mod boot;
mod build;
mod command;
mod fetch;
pub(crate) mod guest;
mod initramfs;
mod rows;

use boot::Machine;
use build::Programs;
use initramfs::Initramfs;
use rows::{KERNELS, Kernel, Mode};

pub(crate) fn run(tree: &Tree, words: &[&str]) -> Result<()> {
    let only = words.first().copied();
    let filter: Vec<&str> = words.iter().skip(1).copied().collect();
    let folder = tree.root().join("target/kernels");
    fs::create_dir_all(&folder)?;
    let programs = build::programs(tree.root(), "x86_64-unknown-linux-gnu")?;
    for kernel in KERNELS {
        for mode in kernel.modes {
            let name = format!("{}:{}", kernel.label, mode.name());
            if only.is_none_or(|only| only == name) {
                let image = fetch::image(kernel, &folder.join("cache"))?;
                println!("{name}: {}", image.package);
                let mut files = Initramfs::with_tools()?;
                for path in [&programs.exectrail, &programs.subject, &programs.live] {
                    files.add_file(path)?;
                }
                files.add_file_as(&programs.init, Path::new("/init"))?;
                for (index, module) in image.modules.iter().enumerate() {
                    files.add_file_as(module, Path::new(&format!("{}/{index}", guest::MODULES)))?;
                }
                let mut command = vec![programs.live.to_str().context("text")?];
                if filter.first() == Some(&"--") {
                    command = filter[1..].to_vec();
                } else {
                    command.extend(&filter);
                }
                files.add_file_as(&programs.exectrail, Path::new("/usr/bin/exectrail"))?;
                let plan = json!({
                    "environment": {"EXECTRAIL_VM": "1", "RUST_BACKTRACE": "0"},
                    "commands": [command],
                });
                files.add_bytes(Path::new(guest::PLAN), plan.to_string().as_bytes(), 0o644)?;
                let initramfs = folder.join("initramfs");
                boot::write_image(&initramfs, &files.finish()?)?;
                let parameters = mode.parameter().unwrap_or_default();
                let machine = Machine {
                    vmlinuz: &image.vmlinuz,
                    initramfs: &initramfs,
                    parameters: &parameters,
                    patience: Duration::from_secs(1200),
                };
                let boot = machine.boot(&folder.join(format!("{name}.log")))?;
                println!("{name}: ended {} after {:?}", boot.ended, boot.took);
            }
        }
    }
    Ok(())
}
