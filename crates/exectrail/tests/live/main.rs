//! The command on the real kernel: our programs are loaded into it, and real
//! processes are traced. One binary, so that the parts share their support.

#[cfg(test)]
mod account;
#[cfg(test)]
mod arguments;
#[cfg(test)]
mod command;
#[cfg(test)]
mod failed;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod support;
