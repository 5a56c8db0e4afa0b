//! The journal of a shared state: pieces beside it in the bucket, so that it outlives the machine that wrote it.
//!
//! S3 can't append. A piece is written anew with each line until it is large enough, then the next one begins; so what is
//! sent for a line has a bound, however long the run. One task writes: it takes all that came in meanwhile as one write, and
//! those that must be safe wait for it.
//!
//! INVARIANT: the first piece decides. Where it is empty or absent the journal is empty, and other pieces are left-overs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use terrane_state::{Keep, Log, StateError};
use tokio::sync::{mpsc, oneshot};

use super::bucket::{Bucket, Only, Put};
use super::lock;
use super::lock::Site;
use crate::bridge::{Bridge, gone};

/// A piece that has so many bytes gets no more lines.
const PIECE: usize = 64 * 1024;

/// Which log: its folder behind the name of the state's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The journal.
    Journal,
    /// What is made for a moment.
    Notes,
}

impl Kind {
    fn prefix(self, site: &Site) -> String {
        let folder = match self {
            Kind::Journal => "terrane-journal",
            Kind::Notes => "terrane-temporary",
        };
        format!("{}.{folder}/", site.object)
    }
}

/// The journal, or another log, in the bucket.
pub(super) struct S3Log {
    bridge: Arc<Bridge>,
    site: Site,
    kind: Kind,
    lost: Arc<AtomicBool>,
    writer: Option<mpsc::UnboundedSender<Command>>,
}

type Ack = oneshot::Sender<Result<(), StateError>>;

enum Command {
    Append(Vec<u8>, Option<Ack>),
    Cut(usize, Ack),
    Remove(Ack),
}

impl S3Log {
    pub(super) fn new(bridge: Arc<Bridge>, site: Site, kind: Kind, lost: Arc<AtomicBool>) -> S3Log {
        S3Log { bridge, site, kind, lost, writer: None }
    }

    fn read(&self) -> Result<Pieces, StateError> {
        self.bridge.wait(Pieces::read(self.site.clone(), self.kind))
    }

    fn send(&mut self, command: Command) -> Result<(), StateError> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(lock::lost(&self.site));
        }
        if self.writer.is_none() {
            self.go_on(Pieces::new(self.site.clone(), self.kind));
        }
        let sent = self.writer.as_ref().map(|writer| writer.send(command));
        if sent.is_some_and(|sent| sent.is_ok()) { Ok(()) } else { Err(gone()) }
    }

    fn ask(&mut self, command: impl FnOnce(Ack) -> Command) -> Result<(), StateError> {
        let (ack, done) = oneshot::channel();
        self.send(command(ack))?;
        self.bridge.wait(async { done.await.unwrap_or_else(|_| Err(gone())) })
    }

    fn go_on(&mut self, pieces: Pieces) {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.bridge.spawn(write(pieces, receiver));
        self.writer = Some(sender);
    }
}

impl Log for S3Log {
    fn place(&self) -> String {
        self.site.bucket.url(&self.kind.prefix(&self.site))
    }

    fn open(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        let pieces = self.read()?;
        let bytes = pieces.bytes();
        self.go_on(pieces);
        Ok(bytes)
    }

    fn peek(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.read()?.bytes())
    }

    fn cut(&mut self, len: u64) -> Result<(), StateError> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        self.ask(|ack| Command::Cut(len, ack))
    }

    fn append(&mut self, bytes: &[u8], keep: Keep) -> Result<(), StateError> {
        match keep {
            Keep::Safe => self.ask(|ack| Command::Append(bytes.to_vec(), Some(ack))),
            Keep::Soon => self.send(Command::Append(bytes.to_vec(), None)),
        }
    }

    fn remove(&mut self) -> Result<(), StateError> {
        self.ask(Command::Remove)
    }
}

impl Drop for S3Log {
    fn drop(&mut self) {
        if self.writer.is_some() && !self.lost.load(Ordering::Relaxed) {
            // What is on its way gets there. Should it not, the next run looks for the objects.
            let _ = self.ask(|ack| Command::Append(Vec::new(), Some(ack)));
        }
    }
}

/// Writes what comes in, until nobody can send any more.
async fn write(mut pieces: Pieces, mut commands: mpsc::UnboundedReceiver<Command>) {
    let mut next = None;
    loop {
        let command = match next.take() {
            Some(command) => command,
            None => match commands.recv().await {
                Some(command) => command,
                None => return,
            },
        };
        match command {
            Command::Append(bytes, ack) => {
                let mut acks: Vec<Ack> = ack.into_iter().collect();
                pieces.append(&bytes);
                loop {
                    match commands.try_recv() {
                        Ok(Command::Append(more, ack)) => {
                            pieces.append(&more);
                            acks.extend(ack);
                        }
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                let result = pieces.flush().await;
                for ack in acks {
                    let _ = ack.send(result.as_ref().copied().map_err(again));
                }
            }
            Command::Cut(len, ack) => drop(ack.send(pieces.cut(len).await)),
            Command::Remove(ack) => drop(ack.send(pieces.remove().await)),
        }
    }
}

/// The same error for another one that waits.
fn again(error: &StateError) -> StateError {
    match error {
        StateError::Journal { place, why } => StateError::Journal { place: place.clone(), why: why.clone() },
        other => StateError::Backend(Box::new(other.diagnostic())),
    }
}

/// The pieces, as they are to be and as they are in the bucket.
struct Pieces {
    site: Site,
    prefix: String,
    all: Vec<Piece>,
    /// How many objects there are, or may be, behind the pieces.
    left_over: usize,
}

#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    /// The tag of the object; nothing while there is none.
    saved: Option<String>,
    /// What may be there instead, from a write of which no answer came.
    attempt: Option<Vec<u8>>,
    dirty: bool,
}

impl Pieces {
    fn new(site: Site, kind: Kind) -> Pieces {
        Pieces { prefix: kind.prefix(&site), site, all: Vec::new(), left_over: 0 }
    }

    async fn read(site: Site, kind: Kind) -> Result<Pieces, StateError> {
        let mut pieces = Pieces::new(site, kind);
        let there = pieces.site.bucket.list(&pieces.prefix).await?.len();
        for number in 0..there {
            let Some(found) = pieces.site.bucket.get(&pieces.key(number)).await? else {
                let place = pieces.site.bucket.url(&pieces.prefix);
                return Err(StateError::Journal { place, why: format!("its piece {number} is missing") });
            };
            let empty = number == 0 && found.bytes.is_empty();
            pieces.all.push(Piece { bytes: found.bytes, saved: Some(found.etag), ..Piece::default() });
            if empty {
                pieces.left_over = there - 1;
                break;
            }
        }
        Ok(pieces)
    }

    fn key(&self, number: usize) -> String {
        format!("{}{number:06}", self.prefix)
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        (!self.all.is_empty())
            .then(|| self.all.iter().flat_map(|piece| piece.bytes.iter().copied()).collect())
    }

    fn append(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.all.last_mut() {
            Some(piece) if piece.bytes.len() < PIECE => {
                piece.bytes.extend_from_slice(bytes);
                piece.dirty = true;
            }
            _ => self.all.push(Piece { bytes: bytes.to_vec(), dirty: true, ..Piece::default() }),
        }
    }

    /// Writes what is not written.
    async fn flush(&mut self) -> Result<(), StateError> {
        self.sweep().await?;
        for number in 0..self.all.len() {
            let key = self.key(number);
            let Some(piece) = self.all.get_mut(number).filter(|piece| piece.dirty) else { continue };
            write_piece(&self.site.bucket, &key, piece).await?;
        }
        Ok(())
    }

    /// Removes what lies behind the pieces, from the end: what is left when that breaks off has no gap.
    async fn sweep(&mut self) -> Result<(), StateError> {
        while self.left_over > 0 {
            let number = self.all.len() + self.left_over - 1;
            self.site.bucket.delete(&self.key(number)).await?;
            self.left_over -= 1;
        }
        Ok(())
    }

    async fn cut(&mut self, len: usize) -> Result<(), StateError> {
        let mut left = len;
        let mut kept = 0;
        for piece in &mut self.all {
            let stays = piece.bytes.len().min(left);
            if stays < piece.bytes.len() {
                piece.bytes.truncate(stays);
                piece.dirty = true;
            }
            left -= stays;
            kept += usize::from(stays > 0);
        }
        // The first piece stays, empty: its being empty is what makes the journal so, in one write.
        let kept = kept.max(1).min(self.all.len());
        let gone = self.all.split_off(kept);
        self.left_over += gone.len();
        let first_key = self.key(0);
        if len == 0
            && let Some(first) = self.all.first_mut().filter(|piece| piece.dirty)
        {
            write_piece(&self.site.bucket, &first_key, first).await?;
        }
        self.flush().await
    }

    async fn remove(&mut self) -> Result<(), StateError> {
        self.left_over += self.all.len();
        self.all.clear();
        self.sweep().await
    }
}

async fn write_piece(bucket: &Bucket, key: &str, piece: &mut Piece) -> Result<(), StateError> {
    for _ in 0..2 {
        let only = match &piece.saved {
            Some(etag) => Only::Unchanged(etag.clone()),
            None => Only::Absent,
        };
        let put = bucket.put(key, piece.bytes.clone(), &only).await;
        match put {
            Ok(Put::Done(etag)) => {
                (piece.saved, piece.attempt, piece.dirty) = (Some(etag), None, false);
                return Ok(());
            }
            // An earlier write of ours, of which no answer came, may have taken place.
            Ok(Put::Refused) => match (bucket.get(key).await?, piece.attempt.take()) {
                (Some(found), Some(attempt)) if found.bytes == attempt => piece.saved = Some(found.etag),
                _ => break,
            },
            Err(error) => {
                piece.attempt = Some(piece.bytes.clone());
                return Err(error);
            }
        }
    }
    let why = "another process is writing it".to_owned();
    Err(StateError::Journal { place: bucket.url(key), why })
}
