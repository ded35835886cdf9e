//! What cannot be read: letters, sections, settings, values, names.

use super::{Code, example};

pub(super) const CODES: [Code; 11] = [
    Code {
        code: "D001",
        title: "a line cannot be read",
        means: "The file breaks the rules of TOML, the form in which dialplans are written: a quote or a bracket is not \
            closed, a `=` or a comma is missing, quotes are curly. All such places of all files are told in one run; \
            what else is in the files is checked as far as it can be read.",
        callers: "what stands in that line would be missing from the call.",
        repair: "mend the characters under the caret: `key = \"text\"`, `key = [\"one\", \"two\"]`, `[kind.name]`.",
        example: example!("d001-syntax"),
    },
    Code {
        code: "D002",
        title: "a key is written # or *",
        means: "The keys # and * of a telephone are written `hash` and `star`. A bare # begins a remark in these files, \
            so the line would silently do nothing, and a bare * cannot be read.",
        callers: "whoever presses that key would hear that it was not understood.",
        repair: "write `hash = ...` or `star = ...`.",
        example: example!("d002-bare-key"),
    },
    Code {
        code: "D003",
        title: "a section of an unknown kind, or none",
        means: "Each section has a kind and a name, and every setting stands in one: `[line.NAME]` (with `[line.NAME.human]`), `[menu.NAME]`, `[play.NAME]`, `[collect.NAME]`, `[say.NAME]`, `[hours.NAME]`, `[lookup.NAME]`, `[set.NAME]`, `[queue.NAME]`, `[voicemail.NAME]`, `[callback.NAME]`, `[dial.NAME]` and `[hangup.NAME]`.",
        callers: "they would never get to what stands there.",
        repair: "correct the kind, add the name, or move the setting under its section's header.",
        example: example!("d003-unknown-section"),
    },
    Code {
        code: "D004",
        title: "a section has no such setting",
        means: "Every kind of section knows a fixed list of settings. A word that is not in it is most often misspelt, \
            and the default would be used without a word.",
        callers: "the menu, queue or line would behave by its defaults instead of as it was meant.",
        repair: "correct the word, or delete the line.",
        example: example!("d004-unknown-setting"),
    },
    Code {
        code: "D005",
        title: "a value is of the wrong sort",
        means: "Texts, names, numbers to dial, targets and lengths of time stand in quotes; counts and true or false stand without; lists stand in [ ], names with values in { }.",
        callers: "the default would be used instead of what was meant.",
        repair: "write the value in the form that the message names.",
        example: example!("d005-wrong-type"),
    },
    Code {
        code: "D006",
        title: "a length of time cannot be read",
        means: "A length of time is a number and a unit in quotes: \"500ms\", \"5s\", \"2m\", \"1h\".",
        callers: "a wait would have another length than was meant.",
        repair: "write it as \"5s\".",
        example: example!("d006-length-of-time"),
    },
    Code {
        code: "D007",
        title: "a number or a time is out of range",
        means: "Limits keep a slip from hurting callers: a menu that waits for two minutes, or one that gives up after \
            no error at all.",
        callers: "too long a silence, or no chance to choose.",
        repair: "use a value within the limits, or leave the line out: the default is good.",
        example: example!("d007-out-of-range"),
    },
    Code {
        code: "D008",
        title: "a name that cannot be used",
        means: "Names are made of letters (of any script), digits, `-` and `_`, at most 64 bytes, because a target is two words: kind and name. The same holds for the names of values that a look-up takes or a set gives.",
        callers: "nothing could lead them to this section, or say this value to them.",
        repair: "take the name that the message offers.",
        example: example!("d008-bad-name"),
    },
    Code {
        code: "D009",
        title: "a target cannot be read",
        means: "A target is a kind and a name (`menu bills`), or one of the words `repeat`, `back`, `start`, `human`. A \
            line's `start` must be a kind and a name.",
        callers: "they would be sent to a person instead.",
        repair: "write the kind before the name.",
        example: example!("d009-not-a-target"),
    },
    Code {
        code: "D010",
        title: "something is named that does not exist",
        means: "A target, a `start`, a `human.to` or a queue's `hours` names a section that is in no file of the folder. \
            Names are global in the folder.",
        callers: "they would be sent to a person instead, or could not be served.",
        repair: "correct the name, or add the section.",
        example: example!("d010-no-such-section"),
    },
    Code {
        code: "D012",
        title: "the same thing is written twice",
        means: "Two sections of one kind have the same name (in one file or in two), or a setting stands twice in one \
            section.",
        callers: "which of the two they met would be chance.",
        repair: "rename or delete one of the two.",
        example: example!("d012-twice"),
    },
];
