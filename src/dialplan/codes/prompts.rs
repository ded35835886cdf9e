//! What callers would not hear: prompts and languages.

use super::{Code, example};

pub(super) const CODES: [Code; 8] = [
    Code {
        code: "D042",
        title: "a prompt is missing in a language",
        means: "A step that callers of a line can meet says a prompt that the line's language does not have.",
        callers: "silence at that point of the call.",
        repair: "correct the id, or add the words to prompts.toml and type `onekey prompts build`.",
        example: example!("d042-no-such-prompt"),
    },
    Code {
        code: "D043",
        title: "a language lacks prompts that every call may need",
        means: "The engine itself says some prompts (not understood, place in the queue, numbers, ...); each language \
            must have them all.",
        callers: "silence where they wait or have erred.",
        repair: "add them to prompts.toml and type `onekey prompts build`.",
        example: example!("d043-language-not-whole"),
    },
    Code {
        code: "D044",
        title: "the sound of a prompt cannot be had",
        means: "prompts.toml has the words, but the WAV file is missing or cannot be read. The example shows the file beside the dialplan; below it is repaired by making the sound.",
        callers: "silence at that point of the call.",
        repair: "type `onekey prompts build`, or put the file there.",
        example: example!("d044-sound"),
    },
    Code {
        code: "D045",
        title: "a language has no prompts",
        means: "`language` names a folder under `prompts/`.",
        callers: "they hear nothing at all.",
        repair: "correct the language, or add the folder.",
        example: example!("d045-no-such-language"),
    },
    Code {
        code: "D046",
        title: "the short gate is not short, or does not offer a person",
        means: "The short gate meets callers of whom nobody can say whether the registry flags them. It must name the \
            human key within 8 seconds.",
        callers: "those who most need a person wait longest to be told of one.",
        repair: "shorten the words, name the key 0 in them and mark the prompt with `offers_human = true`.",
        example: example!("d046-short-gate"),
    },
    Code {
        code: "D064",
        title: "a prompt is missing in a language that calls can change to",
        means: "A `[set.NAME]` changes the language, and a section that callers can meet afterwards has a prompt that the new language lacks. The line's own language is spoken there instead, so the dialplan is taken.",
        callers: "a sentence in a language that they have just left.",
        repair: "add the words to that language's prompts.toml and type `onekey prompts build`.",
        example: example!("d064-other-language"),
    },
    Code {
        code: "D065",
        title: "no grammar for values in a language",
        means: "Numbers, money, dates and so on are put together of recorded pieces by rules of each language. English (`en`) and Mandarin (`zh`) have such rules; other languages can use prompts, but no values.",
        callers: "they would be sent to a person at this point.",
        repair: "use prompts alone in this language, or keep the section to lines of another.",
        example: example!("d065-no-grammar"),
    },
    Code {
        code: "D066",
        title: "pieces of a spoken value are missing",
        means: "A value may need any of a fixed set of recorded pieces (such as `piece-euro`), and some of them have no words in this language's files.",
        callers: "a sentence with a hole in it, for some values.",
        repair: "add the pieces to `prompts/<language>/pieces.toml` and type `onekey prompts build`.",
        example: example!("d066-pieces"),
    },
];
