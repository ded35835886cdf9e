//! A call.
pub mod marks;
pub mod record;
