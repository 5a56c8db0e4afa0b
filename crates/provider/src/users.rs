//! What uses an object that is to be deleted, and loses something with it.

/// Something that uses an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// What it is, in a word: `table`.
    pub what: String,
    /// What people call it.
    pub name: String,
    /// What tells it from all others: the ARN where it has one, else its id.
    pub id: String,
    /// The data that it holds and that only the used object opens.
    pub holds: Holds,
}

/// What is lost of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// Nothing: it only names the object.
    Nothing,
    /// Data.
    Data,
    /// Data, and backups of it that outlive it for a while.
    DataAndBackups,
}

/// What uses an object, as far as the service tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// The users, in no particular order.
    pub found: Vec<User>,
    /// What could not be looked at, a sentence each.
    pub not_looked_at: Vec<String>,
}

/// How much is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    All,
    /// Only users that hold data.
    Data,
}
