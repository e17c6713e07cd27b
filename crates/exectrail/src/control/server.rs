//! The server's end: who is connected, and whose turn it is.

use std::{
    collections::HashMap,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::Instant,
};

use rustix::{
    event::{Timespec, epoll},
    net::sockopt::socket_peercred,
    process::geteuid,
};

use super::{
    connection::{Connection, Line, Next},
    place::Socket,
};

/// Clients at a time. More are turned away.
const CLIENTS: usize = 8;

/// The listener's key in the set of what is waited for.
const LISTENER: u64 = 0;

/// The control socket and its clients. It is readable, for whoever waits, when
/// [`serve`](Self::serve) has something to do.
#[derive(Debug)]
pub(crate) struct Server {
    waiting: OwnedFd,
    socket: Socket,
    clients: HashMap<u64, Connection>,
    last: u64,
    /// In the place of a client for whom no descriptor is left.
    spare: Option<OwnedFd>,
}

impl Server {
    /// Makes the socket, and listens.
    pub(crate) fn start() -> io::Result<Self> {
        let waiting = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let socket = Socket::make()?;
        let listener = epoll::EventData::new_u64(LISTENER);
        epoll::add(&waiting, &socket.listener, listener, epoll::EventFlags::IN)?;
        let spare = Some(waiting.try_clone()?);
        Ok(Self { waiting, socket, clients: HashMap::new(), last: LISTENER, spare })
    }

    /// Gives everyone who has something to say one turn.
    pub(crate) fn serve(&mut self, answer: &mut dyn FnMut(Line<'_>) -> Vec<u8>) {
        if let Err(error) = self.try_serve(answer) {
            log::warn!("control socket: {error}");
        }
        self.forget_the_slow();
    }

    /// Leaves those behind who keep us waiting.
    fn forget_the_slow(&mut self) {
        let now = Instant::now();
        // What is closed is no longer waited for.
        self.clients.retain(|_, client| !client.is_too_slow(now));
    }

    fn try_serve(&mut self, answer: &mut dyn FnMut(Line<'_>) -> Vec<u8>) -> io::Result<()> {
        let mut events = Vec::with_capacity(CLIENTS + 1);
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        epoll::wait(&self.waiting, rustix::buffer::spare_capacity(&mut events), Some(&at_once))?;
        for event in events {
            let key = event.data.u64();
            if key == LISTENER {
                self.accept()?;
                continue;
            }
            let Some(client) = self.clients.get_mut(&key) else { continue };
            let interest = match client.serve(answer) {
                Next::Read => epoll::EventFlags::IN,
                Next::Write => epoll::EventFlags::OUT,
                Next::End => {
                    self.clients.remove(&key);
                    continue;
                }
            };
            epoll::modify(&self.waiting, &*client, epoll::EventData::new_u64(key), interest)?;
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        let stream = match self.socket.listener.accept() {
            Ok((stream, _)) => stream,
            // It went away before its turn.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return self.turn_away(error),
        };
        if self.clients.len() >= CLIENTS || !is_allowed(&stream) {
            log::info!("control socket: a client is turned away");
            return Ok(());
        }
        let client = Connection::new(stream)?;
        self.last += 1;
        let key = epoll::EventData::new_u64(self.last);
        epoll::add(&self.waiting, &client, key, epoll::EventFlags::IN)?;
        self.clients.insert(self.last, client);
        Ok(())
    }

    /// Turns away a client whom we have no descriptor for. It would wake us until it
    /// went away by itself; so if it cannot be done, nobody is listened to any more.
    fn turn_away(&mut self, error: io::Error) -> io::Result<()> {
        drop(self.spare.take());
        let is_turned_away = self.socket.listener.accept().is_ok();
        self.spare = self.waiting.try_clone().ok();
        if !is_turned_away || self.spare.is_none() {
            epoll::delete(&self.waiting, &self.socket.listener)?;
            log::warn!("control socket: nobody is listened to any more");
        }
        Err(error)
    }
}

/// The directory keeps others out; if someone has opened it to them, this does.
fn is_allowed(stream: &UnixStream) -> bool {
    let peer = socket_peercred(stream);
    peer.is_ok_and(|peer| peer.uid.is_root() || peer.uid == geteuid())
}

impl AsFd for Server {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.waiting.as_fd()
    }
}
