//! (written elsewhere)
