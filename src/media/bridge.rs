//! What one leg says, sent out on the other under its own SSRC, sequence and timestamps, on arrival and without a clock.
//!
//! Loss, order and spacing of the source stay visible to the receiver: numbers and timestamps are moved by an offset,
//! anchored anew when the source changes. Events get the receiver's payload type (RFC 4733 §2.1); laws change by table.

use crate::codec::{Codec, FRAME_SAMPLES, StreamFormat};
use crate::media::Packet;
use crate::media::g711::translation;
use crate::media::stream::{Outgoing, Received, later};
use crate::time::Time;

/// Jumps of the source's numbers by more than this anchor anew.
const JUMP_MAX: u16 = 500;
/// Timestamps that stray further than this (2 s) from time are anchored anew.
const STRAY_UNITS_MAX: i32 = 16_000;

/// What a payload is, by the source's own payload types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sound {
    Audio(Codec),
    KeyEvent,
    /// A key that was pressed before the bridge: not for the partner.
    PrivateKey,
}

/// The way out of one leg of a bridge.
#[derive(Debug, Default)]
pub struct Relay {
    anchor: Option<Anchor>,
}

#[derive(Debug)]
struct Anchor {
    ssrc: u32,
    /// Added to the source's numbers.
    sequence_offset: u16,
    timestamp_offset: u32,
    /// Older numbers than this belong to another offset.
    since: u16,
    newest: u16,
}

impl Relay {
    /// Something else was sent, or the bridge is new: the next packet is anchored anew.
    pub fn reset(&mut self) {
        self.anchor = None;
    }

    /// Sends `packet` on as leg `to` would; `send` gets each packet that goes out (several when the source's frames are
    /// longer than ours).
    pub fn forward(
        &mut self,
        now: Time,
        packet: &Received<'_>,
        sound: Sound,
        to: &StreamFormat,
        outgoing: &mut Outgoing,
        mut send: impl FnMut(Packet),
    ) {
        let Some((mut sequence, mut timestamp, fresh)) = self.place(now, packet, outgoing) else { return };
        match sound {
            Sound::PrivateKey => {
                self.left_out(packet.sequence);
            }
            Sound::KeyEvent => match to.telephone_event {
                // An event lies in time where it began; it makes no sound of its own to step over.
                Some(payload_type) => {
                    send(outgoing.packet(payload_type, packet.marker, sequence, timestamp, 0, packet.payload));
                }
                None => self.left_out(packet.sequence),
            },
            Sound::Audio(codec) => {
                let table = translation(codec, to.codec);
                let mut marker = packet.marker || fresh;
                let pieces = packet.payload.len().div_ceil(FRAME_SAMPLES);
                if pieces > 1 && !self.spread(packet.sequence, pieces) {
                    return;
                }
                for piece in packet.payload.chunks(FRAME_SAMPLES) {
                    let mut bytes = [0; FRAME_SAMPLES];
                    let bytes = &mut bytes[..piece.len()];
                    bytes.copy_from_slice(piece);
                    if let Some(table) = table {
                        bytes.iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
                    }
                    let samples = piece.len() as u32;
                    send(outgoing.packet(to.payload_type, marker, sequence, timestamp, samples, bytes));
                    sequence = sequence.wrapping_add(1);
                    timestamp = timestamp.wrapping_add(samples);
                    marker = false;
                }
            }
        }
    }

    /// The number and timestamp under which a packet goes out, and whether it was anchored anew. `None`: it comes too late
    /// to be given a number of its own.
    fn place(&mut self, now: Time, packet: &Received<'_>, outgoing: &mut Outgoing) -> Option<(u16, u32, bool)> {
        if let Some(anchor) = &mut self.anchor
            && anchor.ssrc == packet.ssrc
            && packet.sequence.wrapping_sub(anchor.newest).wrapping_add(JUMP_MAX) <= 2 * JUMP_MAX
        {
            let timestamp = packet.timestamp.wrapping_add(anchor.timestamp_offset);
            let stray = timestamp.wrapping_sub(outgoing.clock(now)) as i32;
            if (-STRAY_UNITS_MAX..=STRAY_UNITS_MAX).contains(&stray) {
                if later(anchor.since, packet.sequence) {
                    return None;
                }
                if later(packet.sequence, anchor.newest) {
                    anchor.newest = packet.sequence;
                    // Kept near, or after half the number circle it would lie ahead.
                    if anchor.newest.wrapping_sub(anchor.since) > JUMP_MAX {
                        anchor.since = anchor.newest.wrapping_sub(JUMP_MAX);
                    }
                }
                return Some((packet.sequence.wrapping_add(anchor.sequence_offset), timestamp, false));
            }
        }
        let (sequence, timestamp) = (outgoing.next_sequence(), outgoing.begin_spurt(now));
        self.anchor = Some(Anchor {
            ssrc: packet.ssrc,
            sequence_offset: sequence.wrapping_sub(packet.sequence),
            timestamp_offset: timestamp.wrapping_sub(packet.timestamp),
            since: packet.sequence,
            newest: packet.sequence,
        });
        Some((sequence, timestamp, true))
    }

    /// A packet was not sent on: those after it close the gap, so that it does not look like loss.
    fn left_out(&mut self, sequence: u16) {
        self.shift(sequence, u16::MAX);
    }

    /// A packet becomes several: those after it make room. `false` when it came late and there is none.
    fn spread(&mut self, sequence: u16, pieces: usize) -> bool {
        self.shift(sequence, pieces as u16 - 1)
    }

    fn shift(&mut self, sequence: u16, by: u16) -> bool {
        match &mut self.anchor {
            Some(anchor) if anchor.newest == sequence => {
                anchor.sequence_offset = anchor.sequence_offset.wrapping_add(by);
                anchor.since = sequence.wrapping_add(1);
                true
            }
            _ => false,
        }
    }
}
