//! Usage sources from a partner's chair: set up once the vendor lets us read, looked at, pulled now, removed.

mod bad_input;
mod bench;
mod pulls;
mod secrets;
mod set_up;
mod theirs;
