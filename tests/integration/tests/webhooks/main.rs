//! Webhooks from a partner's chair: made over HTTP, told of what happens, signed, tried again, switched off.

mod answers;
mod bench;
mod digest;
mod hears;
mod manages;
mod receiver;
mod secrets;
