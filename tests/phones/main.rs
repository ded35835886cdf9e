//! Real phones and tools that we did not write (SIPp, baresip, linphonec, sipsak) and a phone of ours against the real
//! program, on loopback: what issue-by-issue unit tests cannot show. A missing tool leaves its tests out and says so.
//! `ONEKEY_REQUIRE_PHONES=1` forbids that, `ONEKEY_PHONES_LONG=1` takes the long forms.

mod baresip;
mod call;
mod database;
mod digest;
mod harness;
mod linphone;
mod net;
mod phone;
mod process;
mod relay;
mod rename;
mod rtp;
mod sipp;
mod text;
mod tools;
mod wav;
mod weather;

mod a_key_reaches_a_person;
mod agents_in_bad_weather;
mod agents_who_fail;
mod broken_input;
mod callers_by_registry;
mod crashes;
mod cuts;
mod dialled_parties;
mod foreign_phones;
mod keys_in_bad_weather;
mod many_calls;
mod phones_among_themselves;
mod recordings_in_bad_weather;
