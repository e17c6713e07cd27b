//! The command on the real kernel: our programs are loaded into it, and real
//! processes are traced. One binary, so that the parts share their support.

#[cfg(test)]
mod account;
#[cfg(test)]
mod arguments;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod command;
#[cfg(test)]
mod completeness;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod docs_commands;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod edge_arguments;
#[cfg(test)]
mod edge_compat;
#[cfg(test)]
mod edge_confined;
#[cfg(test)]
mod edge_descriptors;
#[cfg(test)]
mod edge_expect;
#[cfg(test)]
mod edge_files;
#[cfg(test)]
mod edge_limits;
#[cfg(test)]
mod edge_namespaces;
#[cfg(test)]
mod edge_parents;
#[cfg(test)]
mod edge_places;
#[cfg(test)]
mod edge_processes;
#[cfg(test)]
mod edge_rights;
#[cfg(test)]
mod edge_scripts;
#[cfg(test)]
mod edge_threads;
#[cfg(test)]
mod edge_watch;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod failed;
#[cfg(test)]
mod gaps;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod hostile_crowd;
#[cfg(test)]
mod hostile_files;
#[cfg(test)]
mod hostile_host;
#[cfg(test)]
mod hostile_loss;
#[cfg(test)]
mod hostile_rights;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod live_rules;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod picture;
#[cfg(test)]
mod priority;
#[cfg(test)]
mod random_arguments;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod record;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod recordings_cut;
#[cfg(test)]
mod rules_author;
#[cfg(test)]
mod rules_places;
#[cfg(test)]
mod rules_random;
#[cfg(test)]
mod rules_trees;
#[cfg(test)]
mod rules_universe;
#[cfg(test)]
mod rules_workers;
#[cfg(test)]
mod run;
#[cfg(test)]
mod run_ends;
#[cfg(test)]
mod run_file;
#[cfg(test)]
mod run_report;
#[cfg(test)]
mod run_rights;
#[cfg(test)]
mod run_terminal;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod screen;
#[cfg(test)]
mod sightings;
#[cfg(test)]
mod sorted;
#[cfg(test)]
mod storms;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod support;
#[cfg(test)]
mod swaps;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod terminals;
#[cfg(test)]
mod top;
#[cfg(test)]
mod top_terminal;
#[cfg(test)]
mod trees;
#[cfg(test)]
mod tui_terminal;
