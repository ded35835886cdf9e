//! What people and machines may watch over HTTP. The only folder that names `axum`.
//!
//! Shows plain values that the control loop hands out; decides nothing and touches no call.

pub mod metrics;
