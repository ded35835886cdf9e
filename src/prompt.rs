//! A prompt: its words, its sound (encoded once, shared by all calls), and where in it a person is offered.
//!
//! [`spoken`] names the prompts that the engine itself says; every language must have them all.

use crate::codec::{Codec, FRAME_SAMPLES, SAMPLE_RATE_HZ};
use crate::ids::{Language, PromptId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The ids of prompts that the engine speaks on its own account, whatever the dialplan says.
pub mod spoken {
    /// After a key that the menu does not have; names the human key.
    pub const NOT_UNDERSTOOD: &str = "not-understood";
    /// After silence in a menu; names the human key.
    pub const NO_INPUT: &str = "no-input";
    /// After a finished service: "to speak to a person press 0" (awaited before a hang-up).
    pub const OFFER_HUMAN: &str = "offer-human";
    /// The gate for unknown callers (at most 8 s): names the human key first, silence leads to a person, any other key to the menu.
    pub const SHORT_GATE: &str = "short-gate";
    /// After an entry that is not what was asked for; names the lone zero.
    pub const ENTRY_WRONG: &str = "entry-wrong";
    /// After silence where digits were asked for; names the lone zero.
    pub const NO_ENTRY: &str = "no-entry";
    /// "You entered" … the digits.
    pub const ENTRY_IS: &str = "entry-is";
    /// "If that is right, press 1. To enter it again, press 2."
    pub const ENTRY_CONFIRM: &str = "entry-confirm";
    /// While something is looked up; names the human key.
    pub const ONE_MOMENT: &str = "one-moment";
    /// While another number is rung; names the human key.
    pub const CONNECTING: &str = "connecting";
    pub const GOODBYE: &str = "goodbye";
    /// "You are in the queue": said only once the ledger's entry is on disk.
    pub const QUEUED: &str = "queued";
    /// "Your place in the queue is" … number … unit.
    pub const PLACE_IS: &str = "place-is";
    pub const PLACE_UNIT: &str = "place-unit";
    /// "The wait is about" … number … unit.
    pub const WAIT_IS: &str = "wait-is";
    pub const WAIT_UNIT: &str = "wait-unit";
    /// Where one is different, as "minute" from "minutes".
    pub const WAIT_UNIT_ONE: &str = "wait-unit-one";
    /// "more than", before the number 100.
    pub const MORE_THAN: &str = "more-than";
    /// While waiting: "to be called back instead, keeping your place, press 1".
    pub const OFFER_CALLBACK: &str = "offer-callback";
    /// Nobody can serve now, the number is known: silence is a call-back, 1 leaves a message.
    pub const KEPT_CALLBACK: &str = "kept-callback";
    /// Nobody can serve now, the number is withheld: the recording starts by itself after this.
    pub const KEPT_MESSAGE: &str = "kept-message";
    /// "Your request is recorded, a person will call you back." Said only once the ledger has it.
    pub const KEPT_DONE: &str = "kept-done";
    /// "Your message is kept": after a recording.
    pub const MESSAGE_DONE: &str = "message-done";
    /// "This call is recorded": said while the agent's phone rings.
    pub const RECORDING_NOTICE: &str = "recording-notice";
    /// To an agent who dialled a feature code.
    pub const AGENT_AVAILABLE: &str = "agent-available";
    pub const AGENT_AWAY: &str = "agent-away";
    /// A short tone before a recording.
    pub const TONE: &str = "tone";
    /// Hold music, the same in every language, looped.
    pub const HOLD_MUSIC: &str = "hold-music";
    /// `number-0` to `number-100`.
    pub fn number(value: u32) -> String {
        format!("number-{}", value.min(100))
    }

    /// The form that counts things, before `wait-unit`, where a language has another (Mandarin: 两分钟, but 第二位).
    /// Where there is none, [`number`] serves.
    pub fn count(value: u32) -> String {
        format!("{}{COUNT_ENDING}", number(value))
    }

    /// How ids of [`count`] end.
    pub const COUNT_ENDING: &str = "-count";

    /// All but the numbers and the optional units, for checking that a language is whole.
    pub const REQUIRED: [&str; 26] = [
        ENTRY_WRONG,
        NO_ENTRY,
        ENTRY_IS,
        ENTRY_CONFIRM,
        ONE_MOMENT,
        CONNECTING,
        AGENT_AVAILABLE,
        AGENT_AWAY,
        NOT_UNDERSTOOD,
        NO_INPUT,
        OFFER_HUMAN,
        SHORT_GATE,
        GOODBYE,
        QUEUED,
        PLACE_IS,
        WAIT_IS,
        WAIT_UNIT,
        MORE_THAN,
        OFFER_CALLBACK,
        KEPT_CALLBACK,
        KEPT_MESSAGE,
        KEPT_DONE,
        MESSAGE_DONE,
        RECORDING_NOTICE,
        TONE,
        HOLD_MUSIC,
    ];
}

/// What the checker and the call know of a prompt: everything but its sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PromptFacts {
    /// The words, for people, logs and the checker's words per minute.
    pub text: String,
    /// Length of the sound.
    pub length: Duration,
    /// Where in the sound the words that offer a person are over; `None` when it offers none.
    pub offer_ends: Option<Duration>,
    /// It advertises something: some profiles forbid that before a person. It counts as time like all other words.
    pub advert: bool,
}

/// A prompt ready to be sent: whole 20 ms frames in both laws, padded with silence at the end.
#[derive(PartialEq, Eq, Debug)]
pub struct Prompt {
    pub id: PromptId,
    pub language: Language,
    pub facts: PromptFacts,
    pcmu: Box<[u8]>,
    pcma: Box<[u8]>,
}

impl Prompt {
    /// Takes the sound in both laws, of equal length; pads it to whole frames.
    pub fn new(
        id: PromptId,
        language: Language,
        mut facts: PromptFacts,
        mut pcmu: Vec<u8>,
        mut pcma: Vec<u8>,
    ) -> Prompt {
        assert_eq!(pcmu.len(), pcma.len(), "one prompt, two laws, one length");
        let whole = pcmu.len().div_ceil(FRAME_SAMPLES) * FRAME_SAMPLES;
        pcmu.resize(whole, Codec::Pcmu.silence());
        pcma.resize(whole, Codec::Pcma.silence());
        facts.length = Duration::from_micros(whole as u64 * 1_000_000 / u64::from(SAMPLE_RATE_HZ));
        Prompt { id, language, facts, pcmu: pcmu.into(), pcma: pcma.into() }
    }

    pub fn frames(&self) -> usize {
        self.pcmu.len() / FRAME_SAMPLES
    }

    /// The bytes of frame `index` (160 of them), in the law asked for.
    pub fn frame(&self, codec: Codec, index: usize) -> &[u8] {
        let sound = match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
        };
        &sound[index * FRAME_SAMPLES..(index + 1) * FRAME_SAMPLES]
    }
}

/// All prompts of all languages, as one value that is swapped as a whole at a reload.
#[derive(Clone, Default, Debug)]
pub struct PromptLibrary {
    prompts: BTreeMap<Language, BTreeMap<PromptId, Arc<Prompt>>>,
}

impl PromptLibrary {
    pub fn insert(&mut self, prompt: Prompt) {
        self.prompts.entry(prompt.language.clone()).or_default().insert(prompt.id.clone(), Arc::new(prompt));
    }

    pub fn get(&self, language: &str, id: &str) -> Option<&Arc<Prompt>> {
        self.prompts.get(language)?.get(id)
    }

    /// What a caller hears of a prompt: in the call's language, else in the line's; the slower recording (`ID-slow`) who
    /// needs more time; the plainer prompt where a language has no form of its own.
    pub fn heard(&self, id: &str, language: &str, of_line: &str, gentle: bool) -> Option<&Arc<Prompt>> {
        self.of_caller(id, language, gentle).or_else(|| self.of_caller(id, of_line, gentle))
    }

    fn of_caller(&self, id: &str, language: &str, gentle: bool) -> Option<&Arc<Prompt>> {
        let slow = if gentle { self.get(language, &format!("{id}-slow")) } else { None };
        let plainer = match id {
            spoken::WAIT_UNIT_ONE => Some(spoken::WAIT_UNIT),
            id => id.strip_suffix(spoken::COUNT_ENDING),
        };
        let found = slow.or_else(|| self.get(language, id));
        found.or_else(|| plainer.and_then(|plainer| self.get(language, plainer)))
    }

    pub fn languages(&self) -> impl Iterator<Item = &Language> {
        self.prompts.keys()
    }

    pub fn of_language(&self, language: &str) -> impl Iterator<Item = &Arc<Prompt>> {
        self.prompts.get(language).into_iter().flat_map(BTreeMap::values)
    }
}
