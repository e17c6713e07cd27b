//! What comes out of the sinks, for events made by hand and at random.

#[cfg(test)]
mod events;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod json;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod random;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod report;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod top;
#[cfg(test)]
mod tree;
