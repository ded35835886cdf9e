//! Every setting of every kind of section: what it is for, its form, its limits and its default, as the readers beside this
//! take them. `tests/schema.rs` asks the loader for each of them and fails where the two differ.

/// One kind of section.
pub struct Kind {
    pub word: &'static str,
    pub doc: &'static str,
    pub settings: &'static [Setting],
    /// Groups of settings of which one must be there.
    pub one_of: &'static [&'static str],
}

pub struct Setting {
    pub key: &'static str,
    pub doc: &'static str,
    pub form: Form,
    pub default: LeftOut,
}

/// What holds where a setting is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeftOut {
    /// It must be there.
    Needed,
    /// Nothing, or what the text says.
    None,
    /// This, as it could be written: `"5s"`, `2`, `true`, `["a", "b"]`.
    Is(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// One text, of any letters or of this pattern.
    Text(&'static str),
    /// A list of texts; one alone counts as a list of one.
    Texts(&'static str),
    /// One of these words, each with what it means.
    Word(&'static [(&'static str, &'static str)]),
    /// A list of names of profiles.
    Profiles,
    /// A place that a call can go to.
    Target,
    /// The same, but a section and none of the words.
    Section,
    /// A queue.
    Queue,
    /// A length of time between these seconds.
    Time(u64, u64),
    Count(u32, u32),
    Flag,
    /// A number of digits, or least and most.
    Digits,
    /// Names, each with a text of this pattern.
    Table(&'static str),
    /// Words, each with the place that it leads to.
    Targets,
    /// Keys of the menu, each with what it is for.
    Topics,
    /// The section `[line.NAME.human]`.
    Human,
}

use self::Form::{
    Count, Digits, Flag, Human, Profiles, Queue, Section, Table, Target, Targets, Text, Texts, Time, Topics, Word,
};
use self::LeftOut::{Is, Needed, None as Nothing};

const fn setting(key: &'static str, form: Form, default: LeftOut, doc: &'static str) -> Setting {
    Setting { key, doc, form, default }
}

const ANY: &str = "";
const NUMBER: &str = "^[A-Za-z0-9+_.*#-]{1,64}$";
const RULE: &str = r"^\s*(?:age\s*>=\s*\+?[0-9]{1,3}|flag\s+\S+)\s*$";
const AGENT: &str = r"^\s*\S+(?:\s+level\s+[1-9])?\s*$";
const OPEN: &str = r"^\s*[A-Za-z]{3,5}(?:[,-][A-Za-z]{3})*\s+[0-9]{1,2}:[0-9]{2}\s*-\s*[0-9]{1,2}:[0-9]{2}\s*$";
const HOLIDAY: &str = r"^\s*[0-9]{4}-?[0-9]{2}-?[0-9]{2}(?:\s+\S+)?\s*$";
const ENTRY: &str = "^[0-9xX]{0,40}$";
const URL: &str = r"^https?://[^{}/?#\s]+(?:[/?].*)?$";
const POINTER: &str = "^(?:/.*)?$";
const PARTY: &str = r"^\s*(?:\+[0-9]{7,15}|sip:[A-Za-z0-9_.+*-]+@[0-9A-Fa-f.:\[\]]+)\s*$";
const SPOKEN: &str =
    r"^\s*(?:[^{\s].*|\{[^}]+\}\s*as\s+(?:digits|number|date|time|duration|ordinal|money\s+(?:USD|EUR|GBP|CNY)))\s*$";

const WELCOMES: &[(&str, &str)] = &[
    ("human_first", "Straight to the queue of `to`."),
    (
        "short_gate",
        "One prompt of at most 8 s that offers a person; silence leads to one, any key but 0 to the line's start.",
    ),
    ("ordinary", "The line's start, like everyone else."),
];

const SAY: &str = "Prompts, by their ids in prompts/<language>/prompts.toml, spoken one after the other.";
const THEN: &str = "Where the call goes afterwards.";
const BARGE_IN: &str = "Whether a key acts while this is spoken. It never concerns 0, which always acts.";
const FINISHED: &str = "The caller's wish is done: a person is offered, and then the call may end.";
const ERRORS: &str = "Errors (wrong keys and silences together) that lead to a person.";

/// Of a section in which a caller may leave a message.
const MESSAGE: &[Setting] = &[
    setting("say", Texts(ANY), Needed, SAY),
    setting("then", Target, Nothing, "Where the call goes afterwards. Left out: it ends."),
    setting("longest", Time(5, 600), Is("\"2m\""), "Longest message."),
    setting("silence", Time(2, 30), Is("\"4s\""), "The silence that ends a message."),
];

pub const HUMAN: Kind = Kind {
    word: "human",
    doc: "The one-key promise of a line: who answers 0, and who meets no menu at all.",
    one_of: &[],
    settings: &[
        setting("to", Queue, Needed, "The queue that 0, silence and errors lead to."),
        setting(
            "direct",
            Texts(RULE),
            Is(r#"["age >= 65", "flag assist"]"#),
            "Callers whom any of these fits meet no menu: they go straight to `to`.",
        ),
        setting(
            "gentle",
            Texts(RULE),
            Nothing,
            "Callers whom any of these fits have twice the time and one error more.",
        ),
        setting(
            "unknown_caller",
            Word(WELCOMES),
            Is("\"short_gate\""),
            "Callers of whom nothing can be known: the number is withheld, or the registry is late or down.",
        ),
        setting("unlisted_caller", Word(WELCOMES), Is("\"ordinary\""), "Callers whose number is not in the registry."),
    ],
};

pub const KINDS: [Kind; 13] = [
    Kind {
        word: "line",
        doc: "What is dialled, and where such a call begins.",
        one_of: &[],
        settings: &[
            setting("numbers", Texts(NUMBER), Needed, "What callers dial: the user part of the called address."),
            setting("start", Section, Needed, "Where callers begin."),
            setting("language", Text(ANY), Is("\"en\""), "A folder under prompts/."),
            setting("profiles", Profiles, Is("[]"), "Sets of rules of a country or a regulator that the line keeps."),
            setting(
                "announce_within",
                Time(1, 120),
                Is("\"30s\""),
                "Longest time from the answer until words have offered a person.",
            ),
            setting(
                "help_within",
                Time(10, 3600),
                Is("\"3m\""),
                "Longest time until a caller who presses nothing is helped.",
            ),
            setting("human", Human, Needed, HUMAN.doc),
        ],
    },
    Kind {
        word: "menu",
        doc: "Prompts are spoken, a key is awaited, and the key leads on. 0 is never written: it reaches a person.",
        one_of: &["1", "2", "3", "4", "5", "6", "7", "8", "9", "star", "hash"],
        settings: &[
            setting("say", Texts(ANY), Needed, "Prompts, by their ids. The last one is spoken again after an error."),
            setting("1", Target, Nothing, "Where key 1 leads."),
            setting("2", Target, Nothing, "Where key 2 leads."),
            setting("3", Target, Nothing, "Where key 3 leads."),
            setting("4", Target, Nothing, "Where key 4 leads."),
            setting("5", Target, Nothing, "Where key 5 leads."),
            setting("6", Target, Nothing, "Where key 6 leads."),
            setting("7", Target, Nothing, "Where key 7 leads."),
            setting("8", Target, Nothing, "Where key 8 leads."),
            setting("9", Target, Nothing, "Where key 9 leads."),
            setting("star", Target, Nothing, "Where the key * leads."),
            setting("hash", Target, Nothing, "Where the key # leads."),
            setting("first_digit_timeout", Time(1, 60), Is("\"5s\""), "How long a key is awaited after the prompts."),
            setting("max_errors", Count(1, 10), Is("2"), ERRORS),
            setting("barge_in", Flag, Is("true"), BARGE_IN),
            setting(
                "topics",
                Topics,
                Nothing,
                "What keys are for, such as { 1 = \"complaint\" }, where a profile wants to know.",
            ),
        ],
    },
    Kind {
        word: "play",
        doc: "Prompts are spoken, and the call goes on or is finished.",
        one_of: &["then", "finished"],
        settings: &[
            setting("say", Texts(ANY), Needed, SAY),
            setting("then", Target, Nothing, THEN),
            setting("finished", Flag, Is("false"), FINISHED),
            setting("barge_in", Flag, Is("true"), BARGE_IN),
        ],
    },
    Kind {
        word: "collect",
        doc: "Digits are entered. A lone 0, a held 0 and the second failure reach a person.",
        one_of: &[],
        settings: &[
            setting("say", Texts(ANY), Needed, "Prompts, by their ids. The last one is spoken again after an error."),
            setting(
                "then",
                Target,
                Needed,
                "Where the call goes with the digits, which are {collect.NAME} from here on.",
            ),
            setting(
                "digits",
                Digits,
                Needed,
                "How many digits: a number such as 16, or least and most such as \"4-6\"; at most 40.",
            ),
            setting(
                "end_key",
                Word(&[
                    ("hash", "The key #."),
                    ("star", "The key *."),
                    ("none", "No key: the last digit or a pause ends the entry."),
                ]),
                Is("\"hash\""),
                "The key that ends an entry.",
            ),
            setting(
                "check",
                Word(&[("luhn", "The check digit of payment cards (ISO/IEC 7812-1).")]),
                Nothing,
                "What the digits must fulfil.",
            ),
            setting(
                "pattern",
                Text(ENTRY),
                Nothing,
                "One letter for each digit: the digit itself, or x for any. Shorter than the entry: its beginning.",
            ),
            setting("confirm", Flag, Is("false"), "Read the digits back and ask whether they are right."),
            setting(
                "first_digit_timeout",
                Time(1, 60),
                Is("\"8s\""),
                "How long the first digit is awaited after the prompts.",
            ),
            setting("inter_digit_timeout", Time(1, 30), Is("\"3s\""), "The pause after a digit that ends the entry."),
            setting("max_errors", Count(1, 10), Is("2"), "Failed entries that lead to a person."),
            setting("barge_in", Flag, Is("true"), BARGE_IN),
        ],
    },
    Kind {
        word: "say",
        doc: "Prompts with values between them are spoken, and the call goes on or is finished.",
        one_of: &["then", "finished"],
        settings: &[
            setting(
                "say",
                Texts(SPOKEN),
                Needed,
                "Prompts, by their ids, and values, such as \"{lookup.balance} as money EUR\". Forms: digits, number, money (with USD, EUR, GBP or CNY), date, time, duration, ordinal.",
            ),
            setting("then", Target, Nothing, THEN),
            setting("else", Target, Is("\"human\""), "Where the call goes when a value cannot be said."),
            setting("finished", Flag, Is("false"), FINISHED),
            setting("barge_in", Flag, Is("true"), BARGE_IN),
        ],
    },
    Kind {
        word: "hours",
        doc: "Opening hours. Calls that come here go on by them; queues ask them.",
        one_of: &[],
        settings: &[
            setting("zone", Text(ANY), Needed, "Whose clock: a name of the IANA list, such as \"Asia/Shanghai\"."),
            setting(
                "open",
                Texts(OPEN),
                Needed,
                "Days and times: \"mon-fri 08:00-20:00\", \"sat,sun 09:00-17:00\", \"daily 00:00-24:00\"; \"fri 22:00-06:00\" ends on Saturday.",
            ),
            setting(
                "holidays",
                Texts(HOLIDAY),
                Nothing,
                "Closed on these dates, \"2027-01-01\", or parts of them, \"2027-02-15 12:00-24:00\".",
            ),
            setting("then", Target, Nothing, "Where calls go while it is open. Needed where calls come here."),
            setting("else", Target, Nothing, "Where calls go while it is closed. Needed where calls come here."),
        ],
    },
    Kind {
        word: "lookup",
        doc: "A question over HTTP, answered in JSON.",
        one_of: &[],
        settings: &[
            setting(
                "url",
                Text(URL),
                Needed,
                "What is asked. Variables stand in braces behind the host: {caller.number}. The settings must allow it (lookup.allow).",
            ),
            setting(
                "method",
                Word(&[("GET", "Nothing is sent besides the address."), ("POST", "`body` is sent as JSON.")]),
                Is("\"GET\""),
                "How it is asked.",
            ),
            setting("body", Table(ANY), Nothing, "What a POST sends: names with texts, in which variables may stand."),
            setting("then", Target, Needed, "Where the call goes with an answer and no case that fits."),
            setting(
                "filler",
                Text(ANY),
                Is("\"one-moment\""),
                "The prompt that is spoken when the answer takes more than two seconds.",
            ),
            setting("deadline", Time(1, 30), Is("\"5s\""), "The answer must be whole by then."),
            setting(
                "values",
                Table(POINTER),
                Nothing,
                "What is taken from the answer: names, each with a JSON pointer. They are {lookup.NAME} from here on.",
            ),
            setting("on", Text(ANY), Nothing, "The name in `values` whose text chooses among `case`."),
            setting("case", Targets, Nothing, "Texts that `on` may have, each with where it leads."),
            setting("else", Target, Is("\"human\""), "Where the call goes when the look-up fails."),
            setting("late", Target, Nothing, "No answer by the deadline: `else`, if this is left out."),
            setting("unreachable", Target, Nothing, "Nobody answers there: `else`, if this is left out."),
            setting("refused", Target, Nothing, "A status that is not 200 to 299: `else`, if this is left out."),
            setting("unreadable", Target, Nothing, "No JSON, or too much of it: `else`, if this is left out."),
            setting("missing", Target, Nothing, "One of the values is not in the answer: `else`, if this is left out."),
        ],
    },
    Kind {
        word: "set",
        doc: "Another language, or values of the call's own, from here on.",
        one_of: &["language", "values"],
        settings: &[
            setting("then", Target, Needed, THEN),
            setting("language", Text(ANY), Nothing, "A folder under prompts/."),
            setting(
                "values",
                Table(ANY),
                Nothing,
                "Names with texts, in which variables may stand. They are {set.NAME} from here on.",
            ),
        ],
    },
    Kind {
        word: "queue",
        doc: "People who take calls, and how callers wait for them.",
        one_of: &[],
        settings: &[
            setting(
                "hours",
                Text(ANY),
                Nothing,
                "The name of an [hours.NAME]: closed outside them. Left out: always open.",
            ),
            setting(
                "else",
                Target,
                Nothing,
                "Where callers go when it is closed, full or has nobody logged in. Left out: a call-back is promised.",
            ),
            setting("hold_music", Text(ANY), Is("\"hold-music\""), "The prompt that waiting callers hear."),
            setting(
                "agents",
                Texts(AGENT),
                Is("[]"),
                "Who serves it: \"1001\", or \"1002 level 2\" who is rung after level 1. None: every agent.",
            ),
            setting(
                "strategy",
                Word(&[
                    ("longest_idle", "The agent who has been free for longest."),
                    ("ring_all", "All who are free at once; the first to answer has the call."),
                ]),
                Is("\"longest_idle\""),
                "Which agent is rung first.",
            ),
            setting("ring_timeout", Time(5, 120), Is("\"20s\""), "How long an agent's phone rings."),
            setting("missed_max", Count(1, 20), Is("2"), "Calls missed in a row that set an agent away."),
            setting("wrap_up", Time(0, 600), Is("\"5s\""), "Rest of an agent after each call."),
            setting("length_max", Count(1, 100_000), Is("500"), "Most callers waiting."),
            setting("announce_every", Time(10, 600), Is("\"30s\""), "How often place and expected wait are spoken."),
            setting(
                "keep_place",
                Time(0, 3600),
                Is("\"5m\""),
                "Who is cut off and dials again within this time has the old place.",
            ),
            setting(
                "ages_every",
                Time(1, 3600),
                Is("\"1m\""),
                "An ordinary caller's priority rises by one each time this has passed.",
            ),
            setting(
                "flagged_priority",
                Count(0, 100),
                Is("5"),
                "Steps of priority by which flagged callers are ahead.",
            ),
            setting(
                "unstaffed_after",
                Time(0, 3600),
                Is("\"1m\""),
                "With nobody logged in for this long, callers are offered what a closed queue offers.",
            ),
            setting("record", Flag, Is("false"), "Record conversations, with the notice spoken before."),
        ],
    },
    Kind { word: "voicemail", doc: "A message is recorded and kept as a promise.", one_of: &[], settings: MESSAGE },
    Kind {
        word: "callback",
        doc: "A call-back is promised to the caller's number; a caller without one leaves a message.",
        one_of: &[],
        settings: MESSAGE,
    },
    Kind {
        word: "dial",
        doc: "Another number is rung and joined to the caller.",
        one_of: &[],
        settings: &[
            setting(
                "to",
                Text(PARTY),
                Needed,
                "A number with its country, \"+12025550123\", or a SIP address with an IP address, \"sip:desk@192.0.2.10\".",
            ),
            setting("trunk", Text(ANY), Nothing, "The [[trunk]] of the settings through which a number is rung."),
            setting("say", Texts(ANY), Is("\"connecting\""), SAY),
            setting(
                "then",
                Target,
                Nothing,
                "Where the call goes after the talk. Left out: a person is offered, and the call ends.",
            ),
            setting("else", Target, Is("\"human\""), "Where the call goes when nobody answers there."),
            setting("ring_timeout", Time(5, 120), Is("\"30s\""), "How long it rings."),
        ],
    },
    Kind {
        word: "hangup",
        doc: "The call ends. It can be reached only after a finished service or a kept promise.",
        one_of: &[],
        settings: &[setting("say", Texts(ANY), Is("\"goodbye\""), SAY)],
    },
];
