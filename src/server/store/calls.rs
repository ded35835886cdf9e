//! Call records in the database: one row a call, its marks in milliseconds after the INVITE.

use super::{Database, StoreError};
use crate::call::marks::Marks;
use crate::call::record::{CallRecord, ReleasedBy};
use crate::codec::StreamCounts;
use crate::queue::ledger::asked_by_word;
use crate::time::Time;
use rusqlite::{Connection, params};

const COLUMNS: usize = 32;

/// A call as `calls list` shows it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct CallRow {
    pub call: i64,
    pub line: String,
    /// Microseconds since 1970, UTC.
    pub began_us: i64,
    pub flagged: bool,
    pub asked_by: Option<String>,
    pub human_asked_ms: Option<i64>,
    pub speaking_ms: Option<i64>,
    pub ended_ms: Option<i64>,
    pub agent: Option<String>,
    pub released_by: String,
    pub cause: u8,
}

impl Database {
    /// The latest calls, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn calls(&self, limit: u32) -> Result<Vec<CallRow>, StoreError> {
        let sql = "SELECT call, line, began_us, flagged, asked_by, human_asked_ms, speaking_ms, ended_ms, agent, \
                   released_by, cause FROM calls ORDER BY began_us DESC LIMIT ?1";
        let mut query = self.connection.prepare(sql)?;
        let rows = query.query_map([limit], |row| {
            Ok(CallRow {
                call: row.get(0)?,
                line: row.get(1)?,
                began_us: row.get(2)?,
                flagged: row.get(3)?,
                asked_by: row.get(4)?,
                human_asked_ms: row.get(5)?,
                speaking_ms: row.get(6)?,
                ended_ms: row.get(7)?,
                agent: row.get(8)?,
                released_by: row.get(9)?,
                cause: row.get(10)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

pub(super) fn put_call(connection: &Connection, record: &CallRecord) -> rusqlite::Result<()> {
    let places = vec!["?"; COLUMNS].join(",");
    let mut insert = connection.prepare_cached(&format!("INSERT OR REPLACE INTO calls VALUES ({places})"))?;
    let [answered, first_prompt, offered, asked, queued, rings, speaking, transfer, transferred, cb0, cb1, ended] =
        mark_columns(&record.marks, record.t0);
    insert.execute(params![
        record.call.0 as i64,
        record.sip_call_id,
        record.line.as_str(),
        record.language.as_str(),
        record.caller.map(|hash| hash.0.to_vec()),
        record.flagged,
        record.began.as_micros(),
        answered,
        first_prompt,
        offered,
        asked,
        queued,
        rings,
        speaking,
        transfer,
        transferred,
        cb0,
        cb1,
        ended,
        record.asked_by.map(asked_by_word),
        record.queue.as_ref().map(|queue| queue.as_str()),
        record.agent.as_ref().map(|agent| agent.as_str()),
        record.promise.map(|promise| promise.0 as i64),
        released_by_word(record.released_by),
        record.cause,
        record.status,
        record.keys,
        record.prompts,
        record.missed,
        counts_text(&record.caller_media),
        counts_text(&record.agent_media),
        record.recordings.join("\n"),
    ])?;
    Ok(())
}

fn mark_columns(marks: &Marks, t0: Time) -> [Option<i64>; 12] {
    [
        marks.answered,
        marks.first_prompt,
        marks.human_offered,
        marks.human_asked,
        marks.queued,
        marks.agent_rings,
        marks.speaking,
        marks.transfer_asked,
        marks.transferred,
        marks.callback_promised,
        marks.callback_connected,
        marks.ended,
    ]
    .map(|mark| mark.map(|at| at.since(t0).as_millis() as i64))
}

fn released_by_word(by: ReleasedBy) -> &'static str {
    match by {
        ReleasedBy::Caller => "caller",
        ReleasedBy::Agent => "agent",
        ReleasedBy::System => "system",
        ReleasedBy::Network => "network",
    }
}

fn counts_text(counts: &StreamCounts) -> String {
    serde_json::json!({
        "sent": counts.packets_sent, "received": counts.packets_received, "lost": counts.packets_lost,
        "jitter_us": counts.jitter_us, "refused": counts.packets_refused, "late": counts.packets_late,
    })
    .to_string()
}
