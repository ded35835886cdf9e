-- Version 1. Times are microseconds since 1970 (UTC) where they end in _us, milliseconds after the INVITE in _ms.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Rises with every change of an agent's account: a running server looks at it each second.
INSERT INTO settings VALUES ('agents_version', '0');

CREATE TABLE agents (
    agent      TEXT PRIMARY KEY,
    realm      TEXT NOT NULL,
    ha1_md5    TEXT NOT NULL,
    ha1_sha256 TEXT NOT NULL,
    digest     TEXT NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER agents_added AFTER INSERT ON agents BEGIN
    UPDATE settings SET value = value + 1 WHERE name = 'agents_version';
END;
CREATE TRIGGER agents_changed AFTER UPDATE ON agents BEGIN
    UPDATE settings SET value = value + 1 WHERE name = 'agents_version';
END;
CREATE TRIGGER agents_removed AFTER DELETE ON agents BEGIN
    UPDATE settings SET value = value + 1 WHERE name = 'agents_version';
    DELETE FROM bindings WHERE agent = old.agent;
END;

CREATE TABLE bindings (
    agent      TEXT NOT NULL,
    place      INTEGER NOT NULL,
    contact    TEXT NOT NULL,
    transport  TEXT NOT NULL,
    local      TEXT NOT NULL,
    remote     TEXT NOT NULL,
    expires_us INTEGER NOT NULL,
    call_id    TEXT NOT NULL,
    cseq       INTEGER NOT NULL,
    PRIMARY KEY (agent, place)
) WITHOUT ROWID;

-- What many numbers share: ages|flags|language.
CREATE TABLE registry_kinds (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL UNIQUE
);

-- number: 16 bytes, keyed hash. facts: id of the kind (LEB128), then two bytes for each age.
CREATE TABLE registry (
    number BLOB PRIMARY KEY,
    facts  BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE calls (
    call          INTEGER PRIMARY KEY,
    sip_call_id   TEXT NOT NULL,
    line          TEXT NOT NULL,
    language      TEXT NOT NULL,
    caller        BLOB,
    flagged       INTEGER NOT NULL,
    began_us      INTEGER NOT NULL,
    answered_ms           INTEGER,
    first_prompt_ms       INTEGER,
    human_offered_ms      INTEGER,
    human_asked_ms        INTEGER,
    queued_ms             INTEGER,
    agent_rings_ms        INTEGER,
    speaking_ms           INTEGER,
    transfer_asked_ms     INTEGER,
    transferred_ms        INTEGER,
    callback_promised_ms  INTEGER,
    callback_connected_ms INTEGER,
    ended_ms              INTEGER,
    asked_by      TEXT,
    queue         TEXT,
    agent         TEXT,
    promise       INTEGER,
    released_by   TEXT NOT NULL,
    cause         INTEGER NOT NULL,
    status        INTEGER,
    keys          INTEGER NOT NULL,
    prompts       INTEGER NOT NULL,
    missed        INTEGER NOT NULL,
    caller_media  TEXT NOT NULL,
    agent_media   TEXT NOT NULL,
    recordings    TEXT NOT NULL
);
CREATE INDEX calls_by_time ON calls (began_us);

-- Filled from the ledger's file, which is the truth; the number to call back is in that file only.
CREATE TABLE promises (
    promise      INTEGER PRIMARY KEY,
    call         INTEGER,
    line         TEXT,
    queue        TEXT,
    opened_us    INTEGER,
    asked_by     TEXT,
    flagged      INTEGER,
    due_us       INTEGER,
    due_why      TEXT,
    message_file TEXT,
    taken_us     INTEGER,
    taken_by     TEXT,
    closed_us    INTEGER,
    closed_how   TEXT
);
CREATE INDEX promises_open ON promises (opened_us) WHERE closed_us IS NULL;
